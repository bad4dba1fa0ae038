/* SPDX-License-Identifier: ISC */
/* http/explain.c -- why an exchange failed, as a reason and a sentence. */
#include "http/explain.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/sockaddr.h"
#include "http/fetch.h"

/* What an errno of the network says of a connection that was being made. */
static void
tell_connect(const struct explain_facts *f, struct err *err)
{
	if (f->code == CURLE_OPERATION_TIMEDOUT)
		err_set(err, REASON_CONNECT_TIMEOUT,
		    "%s did not answer the connection for '%.200s' within "
		    "%lld ms",
		    f->address, f->host, (long long)f->elapsed_ms);
	else if (f->os_errno != 0)
		err_set(err, sockaddr_connect_reason((int)f->os_errno),
		    "cannot connect to %s for '%.200s': %s", f->address,
		    f->host, strerror((int)f->os_errno));
	else
		err_set(err, REASON_UNREACHABLE,
		    "cannot connect to %s for '%.200s': %.200s", f->address,
		    f->host, curl_easy_strerror(f->code));
}

static void
tell_cut(const struct explain_facts *f, struct err *err)
{
	if (f->cut == EXPLAIN_CUT_OVERSIZE)
		err_set(err, REASON_OVERSIZE,
		    "%s answered '%.200s' with more than %d bytes, no %s is "
		    "that large",
		    f->address, f->host, FETCH_BODY_MAX, f->subject);
	else if (f->status >= 300 && f->status < 400)
		err_set(err, REASON_HTTP_REDIRECT,
		    "%s answered '%.150s' with status %ld, a redirect to "
		    "'%.200s', which is not followed",
		    f->address, f->host, f->status,
		    f->location[0] != '\0' ? f->location : "nowhere");
	else
		err_set(err, REASON_HTTP_STATUS,
		    "%s answered '%.200s' with HTTP status %ld", f->address,
		    f->host, f->status);
}

/* Why an exchange failed whose connection was up. */
static void
tell_exchange(const struct explain_facts *f, struct err *err)
{
	const char *detail =
	    f->detail[0] != '\0' ? f->detail : curl_easy_strerror(f->code);
	enum reason reason = REASON_HTTP_RESET;

	switch (f->code) {
	case CURLE_OPERATION_TIMEDOUT:
		err_set(err, REASON_HTTP_TIMEOUT,
		    "%s took the connection for '%.200s', but no whole answer "
		    "came within %lld ms (%zu bytes of a body)",
		    f->address, f->host, (long long)f->elapsed_ms, f->body_len);
		return;
	case CURLE_GOT_NOTHING:
		err_set(err, REASON_HTTP_RESET,
		    "%s closed the connection for '%.200s' without an answer",
		    f->address, f->host);
		return;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		reason = REASON_TLS_FAILED;
		break;
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9, which is any text */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
		reason = REASON_NOT_OCSP;
		break;
	case CURLE_FILESIZE_EXCEEDED:
		reason = REASON_OVERSIZE;
		break;
	default: /* CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE */
		break;
	}
	err_set(err, reason, "the exchange with %s for '%.150s' failed: %.200s",
	    f->address, f->host, detail);
}

void
explain_failure(const struct explain_facts *failure, struct err *err)
{
	if (failure->cut != EXPLAIN_CUT_NOT)
		tell_cut(failure, err);
	else if (failure->connected)
		tell_exchange(failure, err);
	else
		tell_connect(failure, err);
}
