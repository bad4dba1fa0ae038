/* SPDX-License-Identifier: ISC */
/* base/reason.c -- the closed list of reasons: name, group, meaning, remedy. */
#include "base/reason.h"

#include <string.h>

static const struct row {
	const char *name;
	enum reason_group group;
	const char *meaning;
	const char *remedy;
} rows[REASON_COUNT] = {
    [REASON_NONE] = {"none", GROUP_NONE, "nothing is wrong", "none needed"},

    [REASON_DNS_NO_ANSWER] = {"dns-no-answer", GROUP_NETWORK,
	"no resolver named an address for the responder's host",
	"check that the resolver can be reached; name another one with "
	"--resolver, or a known address with --pin HOST=ADDR"},
    [REASON_DNS_NXDOMAIN] = {"dns-nxdomain", GROUP_NETWORK,
	"the resolvers say that the responder's host name does not exist",
	"the CA may have retired the name (then a new certificate is needed), or "
	"the resolver lies: ask another one with --resolver"},
    [REASON_DNS_SERVFAIL] = {"dns-servfail", GROUP_NETWORK,
	"the resolvers failed to look up the responder's host name",
	"try later, or ask another resolver with --resolver"},
    [REASON_CONNECT_REFUSED] = {"connect-refused", GROUP_NETWORK,
	"the address refused the connection",
	"the address may be forged or the responder down: ask another resolver "
	"with --resolver, or try later"},
    [REASON_CONNECT_TIMEOUT] = {"connect-timeout", GROUP_NETWORK,
	"the address did not answer the connection in time",
	"the usual sign of a forged or black-holed address: ask another "
	"resolver with --resolver, or give a right one with --pin HOST=ADDR"},
    [REASON_CONNECT_RESET] = {"connect-reset", GROUP_NETWORK,
	"the connection was reset while it was made",
	"something on the path cuts it: try another network or a proxy"},
    [REASON_UNREACHABLE] = {"unreachable", GROUP_NETWORK,
	"there is no route to the address, or it is a private one that a "
	"resolver outside this network has named, which is refused",
	"check this machine's network; with broken IPv6 use --ipv4; where the "
	"private address is right, pin it or use --allow-private"},
    [REASON_TLS_FAILED] = {"tls-failed", GROUP_NETWORK,
	"the TLS handshake did not complete",
	"check that the port speaks TLS (or needs --starttls), and the name "
	"given by --servername; the certificate of a responder at https:// must "
	"be one that this system trusts"},
    [REASON_HTTP_STATUS] = {"http-status", GROUP_NETWORK,
	"the responder answered with an HTTP error status",
	"the responder or something before it has a fault: try later"},
    [REASON_HTTP_TIMEOUT] = {"http-timeout", GROUP_NETWORK,
	"the connection was made, but no whole answer came in time",
	"a forged address may accept and stay silent: ask another resolver with "
	"--resolver, or allow more with --timeout"},
    [REASON_HTTP_RESET] = {"http-reset", GROUP_NETWORK,
	"the connection was cut before the answer was whole",
	"something on the path may cut it: try another network or a proxy"},
    [REASON_HTTP_REDIRECT] = {"http-redirect", GROUP_NETWORK,
	"the answer was a redirect, which a responder must not need",
	"often a captive portal or a forged address: redirects are refused; ask "
	"another resolver"},
    [REASON_NOT_OCSP] = {"not-ocsp", GROUP_NETWORK,
	"the answer is no OCSP response but HTML or other text",
	"a captive portal, a block page or a forged address answered: log in, "
	"or ask another resolver"},
    [REASON_OVERSIZE] = {"oversize", GROUP_NETWORK,
	"the answer is larger than 64 KiB, more than any OCSP response needs",
	"something else than the responder answered: ask another resolver"},
    [REASON_PROXY_FAILED] = {"proxy-failed", GROUP_NETWORK,
	"the proxy could not be used, or gave no way to the responder",
	"check its address, and its credentials (--proxy-auth-file)"},

    [REASON_MALFORMED] = {"malformed", GROUP_RESPONSE,
	"the answer is not well-formed DER of an OCSP response (RFC 6960, "
	"section 4.2.1)",
	"a fault of the responder or of something on the way: try later, and "
	"tell the CA if it lasts"},
    [REASON_TRAILING_DATA] = {"trailing-data", GROUP_RESPONSE,
	"there are octets behind the response; clients such as Firefox refuse it",
	"a fault of the responder or of something on the way: tell the CA if it "
	"lasts"},
    [REASON_STATUS_MALFORMED_REQUEST] = {"status-malformed-request",
	GROUP_RESPONSE, "the responder says malformedRequest",
	"the responder may want another form of request: try --url with another "
	"responder, or tell the CA"},
    [REASON_STATUS_INTERNAL_ERROR] = {"status-internal-error", GROUP_RESPONSE,
	"the responder says internalError", "try later"},
    [REASON_STATUS_TRY_LATER] = {"status-try-later", GROUP_RESPONSE,
	"the responder says tryLater", "try later"},
    [REASON_STATUS_SIG_REQUIRED] = {"status-sig-required", GROUP_RESPONSE,
	"the responder wants signed requests",
	"such a responder cannot be used for stapling: ask the CA"},
    [REASON_STATUS_UNAUTHORIZED] = {"status-unauthorized", GROUP_RESPONSE,
	"the responder does not answer for this certificate",
	"for a certificate issued minutes ago this is usual: try again in a "
	"quarter of an hour; else the URL belongs to another CA"},
    [REASON_WRONG_CERTIFICATE] = {"wrong-certificate", GROUP_RESPONSE,
	"the response is for another certificate (its CertID differs; RFC 6960, "
	"section 3.2, item 1)",
	"check that certificate and issuer belong together; an answer mixed up "
	"by a cache goes away by itself"},
    [REASON_BAD_SIGNATURE] = {"bad-signature", GROUP_RESPONSE,
	"the signature does not verify (RFC 6960, section 3.2, item 2)",
	"somebody changed the answer or made it up: do not use it; ask another "
	"resolver"},
    [REASON_UNTRUSTED_SIGNER] = {"untrusted-signer", GROUP_RESPONSE,
	"the signer is neither the issuer nor a certificate that is at hand",
	"give the signer's certificate with --chain or --ca-file if you trust it"},
    [REASON_SIGNER_NOT_AUTHORIZED] = {"signer-not-authorized", GROUP_RESPONSE,
	"the signer was not delegated by the certificate's issuer (RFC 6960, "
	"section 4.2.2.2)",
	"do not use the answer; if your CA signs so, its responder is "
	"misconfigured: tell the CA"},
    [REASON_SIGNER_EXPIRED] = {"signer-expired", GROUP_RESPONSE,
	"the delegate signer's certificate is not valid at this time",
	"check this machine's clock; else the CA must renew its delegate"},
    [REASON_WEAK_ALGORITHM] = {"weak-algorithm", GROUP_RESPONSE,
	"the signature is made with an algorithm that is not safe",
	"tell the CA; for SHA-1 alone --allow-sha1 accepts it"},
    [REASON_CRITICAL_EXTENSION] = {"critical-extension", GROUP_RESPONSE,
	"there is a critical extension that nobody here understands (RFC 6960, "
	"section 4.4)",
	"tell the CA: clients will refuse the response"},
    [REASON_NONCE_MISMATCH] = {"nonce-mismatch", GROUP_RESPONSE,
	"the response carries another nonce than the request",
	"an old answer was replayed: ask again"},
    [REASON_NOT_YET_VALID] = {"not-yet-valid", GROUP_RESPONSE,
	"thisUpdate or producedAt is in the future",
	"check this machine's clock; if it is right, the responder's is wrong"},
    [REASON_EXPIRED] = {"expired", GROUP_RESPONSE,
	"the response's time is over",
	"check this machine's clock; if it is right, the responder or a cache "
	"before it serves old answers: try later"},
    [REASON_NO_NEXT_UPDATE] = {"no-next-update", GROUP_RESPONSE,
	"the response has no nextUpdate, so nobody knows how long it counts (RFC "
	"9919 demands one)",
	"for a private CA that never sends one: --allow-no-next-update"},
    [REASON_LIFETIME_TOO_LONG] = {"lifetime-too-long", GROUP_RESPONSE,
	"the response is older than is accepted here, although it claims to "
	"be valid still",
	"the responder serves old answers: tell the CA"},
    [REASON_OLDER_THAN_STORED] = {"older-than-stored", GROUP_RESPONSE,
	"a newer response is already at hand; an older one never replaces it",
	"usual where a CA has many responders; the newer one stays in use"},

    [REASON_CERTIFICATE_UNREADABLE] = {"certificate-unreadable", GROUP_INPUT,
	"the file holds no certificate that can be read",
	"give a PEM or DER certificate, best the chain with the issuer in it "
	"(fullchain.pem)"},
    [REASON_CERTIFICATE_EXPIRED] = {"certificate-expired", GROUP_INPUT,
	"the certificate's own time is over, so it needs no staple",
	"renew it; check this machine's clock"},
    [REASON_CERTIFICATE_NOT_YET_VALID] = {"certificate-not-yet-valid",
	GROUP_INPUT,
	"the certificate's own time has not begun yet, so it needs no staple",
	"put it into service when it is valid; check this machine's clock, which "
	"may be behind"},
    [REASON_ISSUER_MISSING] = {"issuer-missing", GROUP_INPUT,
	"the certificate of the issuer is not at hand, and without it no "
	"response can be judged",
	"give the full chain, or the issuer with -i; the message names where to "
	"get it"},
    [REASON_ISSUER_MISMATCH] = {"issuer-mismatch", GROUP_INPUT,
	"none of the certificates given signed this certificate",
	"give the right issuer with -i; the message names where to get it"},
    [REASON_NO_OCSP_URL] = {"no-ocsp-url", GROUP_INPUT,
	"the certificate names no OCSP responder, or none by http: there is "
	"nothing to staple, and no client asks; OCSP is not your problem",
	"nothing to do; stapling can be turned off for it (a private responder "
	"can be named with --url)"},

    [REASON_USAGE] = {"usage", GROUP_LOCAL,
	"the command was called in a way it does not understand",
	"see `oclasp help`"},
    [REASON_FILE] = {"file", GROUP_LOCAL,
	"a file or folder could not be read or written",
	"check the path, the permissions and the free space"},
    [REASON_STORE] = {"store", GROUP_LOCAL,
	"the state database could not be read or written",
	"check the state folder's permissions and free space; the staples in use "
	"are not lost"},
    [REASON_SERVER_CONFIG] = {"server-config", GROUP_LOCAL,
	"the TLS server's own configuration test fails; what was changed has "
	"been put back",
	"run `nginx -t` and mend what it says"},
    [REASON_SERVER_RELOAD] = {"server-reload", GROUP_LOCAL,
	"the TLS server could not be told to reload",
	"check that it runs, and that oclasp may signal it"},
    [REASON_SERVER_NOT_STAPLING] = {"server-not-stapling", GROUP_LOCAL,
	"the TLS server does not serve the staple that was given to it",
	"run `oclasp install nginx` to see what its configuration lacks, and "
	"`oclasp check HOST`"},
};

const char *
reason_name(enum reason reason)
{
	return rows[reason].name;
}

enum reason_group
reason_group(enum reason reason)
{
	return rows[reason].group;
}

const char *
reason_group_name(enum reason_group group)
{
	switch (group) {
	case GROUP_NONE:
		return "none";
	case GROUP_NETWORK:
		return "network";
	case GROUP_RESPONSE:
		return "response";
	case GROUP_INPUT:
		return "input";
	case GROUP_LOCAL:
		return "local";
	}
	return "unknown";
}

const char *
reason_meaning(enum reason reason)
{
	return rows[reason].meaning;
}

const char *
reason_remedy(enum reason reason)
{
	return rows[reason].remedy;
}

bool
reason_find(const char *name, enum reason *out)
{
	for (int i = REASON_NONE + 1; i < REASON_COUNT; i++) {
		if (strcmp(rows[i].name, name) == 0) {
			*out = (enum reason)i;
			return true;
		}
	}
	return false;
}
