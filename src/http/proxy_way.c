/* SPDX-License-Identifier: ISC */
/* http/proxy_way.c -- a fetch's way through a proxy.
 *
 * The proxy's own name was looked up by the caller, since libcurl's look-ups can
 * hold up the loop; it is told by CURLOPT_RESOLVE, so that the name still counts
 * for the proxy's certificate.  (All fetches of a pool share that table: every
 * one of a proxy says the same, so that is well.)  Credentials go to the proxy
 * alone, by Basic or by SOCKS5's own way (RFC 1929). */
#include "http/proxy_way.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "http/explain.h"
#include "http/fetch.h"
#include "http/proxy.h"

enum { STATUS_PROXY_AUTH = 407 }; /* RFC 9110, section 15.5.8 */

struct proxy_way {
	struct proxy proxy;
	struct curl_slist *resolve; /* its name, or NULL */
	char *ca_file;
	bool tls_up; /* the handshake with the proxy itself has begun */
};

struct proxy_way *
proxy_way_new(const struct fetch_request *request)
{
	struct proxy_way *way;
	char *line;

	if (request->proxy == NULL)
		return NULL;
	way = mem_new(sizeof(*way));
	way->proxy = *request->proxy;
	way->ca_file = mem_string(request->proxy_ca_file);
	if (request->proxy_addresses != NULL) {
		line = mem_printf("%s:%d:%s", way->proxy.host, way->proxy.port,
		    request->proxy_addresses);
		way->resolve = curl_slist_append(NULL, line);
		free(line);
	}
	return way;
}

void
proxy_way_free(struct proxy_way *way)
{
	if (way == NULL)
		return;
	explicit_bzero(way->proxy.password, sizeof(way->proxy.password));
	curl_slist_free_all(way->resolve);
	free(way->ca_file);
	free(way);
}

static long
curl_type(enum proxy_kind kind)
{
	switch (kind) {
	case PROXY_HTTP:
		return CURLPROXY_HTTP;
	case PROXY_HTTPS:
		return CURLPROXY_HTTPS;
	case PROXY_SOCKS5:
		return CURLPROXY_SOCKS5;
	case PROXY_SOCKS5H:
		return CURLPROXY_SOCKS5_HOSTNAME;
	}
	return CURLPROXY_HTTP;
}

void
proxy_way_set(struct proxy_way *way, CURL *easy)
{
	/* what the environment says was read by the caller, if at all */
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	if (way == NULL) {
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
		return;
	}
	curl_easy_setopt(easy, CURLOPT_PROXY, way->proxy.url);
	curl_easy_setopt(easy, CURLOPT_PROXYTYPE, curl_type(way->proxy.kind));
	if (way->proxy.user[0] != '\0') {
		curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, way->proxy.user);
		curl_easy_setopt(
		    easy, CURLOPT_PROXYPASSWORD, way->proxy.password);
	}
	curl_easy_setopt(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
	curl_easy_setopt(
	    easy, CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC); /* no GSSAPI */
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
	if (way->ca_file != NULL) { /* instead of the system's store */
		curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, way->ca_file);
		curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
	}
	if (way->resolve != NULL)
		curl_easy_setopt(easy, CURLOPT_RESOLVE, way->resolve);
}

const char *
proxy_way_name(const struct proxy_way *way)
{
	return way->proxy.url;
}

bool
proxy_way_takes_handshake(struct proxy_way *way)
{
	if (way == NULL || way->proxy.kind != PROXY_HTTPS || way->tls_up)
		return false;
	way->tls_up = true;
	return true;
}

/* What SOCKS5 says no with: RFC 1928, section 6. */
static const char *
socks_word(long code)
{
	switch (code) {
	case CURLPX_REPLY_GENERAL_SERVER_FAILURE:
		return "general failure";
	case CURLPX_REPLY_NOT_ALLOWED:
		return "not allowed by its rules";
	case CURLPX_REPLY_NETWORK_UNREACHABLE:
		return "network unreachable";
	case CURLPX_REPLY_HOST_UNREACHABLE:
		return "host unreachable";
	case CURLPX_REPLY_CONNECTION_REFUSED:
		return "connection refused";
	case CURLPX_REPLY_TTL_EXPIRED:
		return "TTL expired";
	case CURLPX_REPLY_COMMAND_NOT_SUPPORTED:
		return "command not supported";
	case CURLPX_REPLY_ADDRESS_TYPE_NOT_SUPPORTED:
		return "address type not supported";
	case CURLPX_BAD_VERSION:
		return "something that is no SOCKS5";
	case CURLPX_CLOSED:
	case CURLPX_RECV_ADDRESS:
	case CURLPX_RECV_AUTH:
	case CURLPX_RECV_CONNECT:
	case CURLPX_RECV_REQACK:
		return "nothing: it closed the connection";
	default:
		return NULL;
	}
}

static void
tell_auth(const struct proxy_way *way, const char *host, struct err *err)
{
	if (way->proxy.user[0] == '\0')
		err_set(err, REASON_PROXY_FAILED,
		    "the proxy %s wants credentials for '%.150s': give them "
		    "with --proxy-auth-file",
		    way->proxy.url, host);
	else
		err_set(err, REASON_PROXY_FAILED,
		    "the proxy %s refuses the credentials that were given for "
		    "'%.150s'",
		    way->proxy.url, host);
}

/* CURLE_PROXY: SOCKS. */
static void
tell_socks(const struct proxy_way *way, CURL *easy,
    const struct explain_facts *f, struct err *err)
{
	const char *word;
	long code = CURLPX_OK;

	(void)curl_easy_getinfo(easy, CURLINFO_PROXY_ERROR, &code);
	word = socks_word(code);
	if (code == CURLPX_NO_AUTH || code == CURLPX_USER_REJECTED)
		tell_auth(way, f->host, err);
	else
		err_set(err, REASON_PROXY_FAILED,
		    "the proxy %s gives no way to '%.150s', it says: %.150s",
		    way->proxy.url, f->host, word != NULL ? word : f->detail);
}

/* The proxy gave no way to the responder. */
static void
tell_no_way(const struct proxy_way *way, CURL *easy,
    const struct explain_facts *f, struct err *err)
{
	const char *url = way->proxy.url;
	long status = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
	if (f->code == CURLE_PROXY)
		tell_socks(way, easy, f, err);
	else if (status == STATUS_PROXY_AUTH)
		tell_auth(way, f->host, err);
	else if (status != 0 && status / 100 != 2)
		err_set(err, REASON_PROXY_FAILED,
		    "the proxy %s gives no way to '%.150s': it answered "
		    "CONNECT with HTTP status %ld",
		    url, f->host, status);
	else if (f->code == CURLE_OPERATION_TIMEDOUT)
		err_set(err, REASON_PROXY_FAILED,
		    "the proxy %s gave no way to '%.150s' within %lld ms", url,
		    f->host, (long long)f->elapsed_ms);
	else if (f->code == CURLE_COULDNT_CONNECT && f->os_errno != 0)
		err_set(err, REASON_PROXY_FAILED,
		    "cannot connect to the proxy %s for '%.150s': %s", url,
		    f->host, strerror((int)f->os_errno));
	else
		err_set(err, REASON_PROXY_FAILED,
		    "the proxy %s gives no way to '%.150s': %.200s", url,
		    f->host,
		    f->detail[0] != '\0' ? f->detail
					 : curl_easy_strerror(f->code));
}

bool
proxy_way_explain(const struct proxy_way *way, CURL *easy,
    const struct explain_facts *failure, struct err *err)
{
	if (way == NULL)
		return false;
	if (failure->status == STATUS_PROXY_AUTH)
		tell_auth(way, failure->host, err);
	else if (!failure->connected)
		tell_no_way(way, easy, failure, err);
	else
		return false;
	return true;
}
