/* SPDX-License-Identifier: ISC */
/* base/reason.h -- the closed list of reasons, the one vocabulary of failure.
 *
 * Every failure that a person or a script may meet has one of these codes.
 * A new one needs a row in reason.c, a line in oclasp-reasons(7) and a test
 * that produces it.  Pure: constant tables only. */
#ifndef OCLASP_BASE_REASON_H
#define OCLASP_BASE_REASON_H

#include <stdbool.h>

enum reason_group {
	GROUP_NONE,
	GROUP_NETWORK,  /* the way to the responder failed */
	GROUP_RESPONSE, /* an answer came and was not acceptable */
	GROUP_INPUT,    /* the certificate or its chain */
	GROUP_LOCAL,    /* this machine: arguments, files, the TLS server */
};

enum reason {
	REASON_NONE,

	REASON_DNS_NO_ANSWER,
	REASON_DNS_NXDOMAIN,
	REASON_DNS_SERVFAIL,
	REASON_CONNECT_REFUSED,
	REASON_CONNECT_TIMEOUT,
	REASON_CONNECT_RESET,
	REASON_UNREACHABLE,
	REASON_TLS_FAILED,
	REASON_HTTP_STATUS,
	REASON_HTTP_TIMEOUT,
	REASON_HTTP_RESET,
	REASON_HTTP_REDIRECT,
	REASON_NOT_OCSP,
	REASON_OVERSIZE,
	REASON_PROXY_FAILED,

	REASON_MALFORMED,
	REASON_TRAILING_DATA,
	REASON_STATUS_MALFORMED_REQUEST,
	REASON_STATUS_INTERNAL_ERROR,
	REASON_STATUS_TRY_LATER,
	REASON_STATUS_SIG_REQUIRED,
	REASON_STATUS_UNAUTHORIZED,
	REASON_WRONG_CERTIFICATE,
	REASON_BAD_SIGNATURE,
	REASON_UNTRUSTED_SIGNER,
	REASON_SIGNER_NOT_AUTHORIZED,
	REASON_SIGNER_EXPIRED,
	REASON_WEAK_ALGORITHM,
	REASON_CRITICAL_EXTENSION,
	REASON_NONCE_MISMATCH,
	REASON_NOT_YET_VALID,
	REASON_EXPIRED,
	REASON_NO_NEXT_UPDATE,
	REASON_LIFETIME_TOO_LONG,
	REASON_OLDER_THAN_STORED,

	REASON_CERTIFICATE_UNREADABLE,
	REASON_CERTIFICATE_EXPIRED,
	REASON_CERTIFICATE_NOT_YET_VALID,
	REASON_ISSUER_MISSING,
	REASON_ISSUER_MISMATCH,
	REASON_NO_OCSP_URL,

	REASON_USAGE,
	REASON_FILE,
	REASON_STORE,
	REASON_SERVER_CONFIG,
	REASON_SERVER_RELOAD,
	REASON_SERVER_NOT_STAPLING,

	REASON_COUNT
};

/* The code as printed, "dns-no-answer"; "none" for REASON_NONE. */
const char *reason_name(enum reason reason);

enum reason_group reason_group(enum reason reason);
const char *reason_group_name(enum reason_group group);

/* What the code means and what to do about it, one or two sentences each. */
const char *reason_meaning(enum reason reason);
const char *reason_remedy(enum reason reason);

/* Find a reason by its name.  False, *OUT untouched, if there is none. */
bool reason_find(const char *name, enum reason *out);

#endif
