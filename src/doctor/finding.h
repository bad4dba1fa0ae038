/* SPDX-License-Identifier: ISC */
/* doctor/finding.h -- what the facts come to: codes, certainty, sentences.
 *
 * The catalogue holds for each code one sentence, the remedy as commands to
 * copy, and a reference; `oclasp explain` and docs/FINDINGS.md are made from
 * it.  A finding says only what its evidence carries (I6). */
#ifndef OCLASP_DOCTOR_FINDING_H
#define OCLASP_DOCTOR_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "doctor/fact.h"

enum {
	FINDINGS_MAX = 32,
	FINDING_EVIDENCE_MAX = 16,
	FINDING_TEXT = 512,
	FINDING_REMEDY_MAX = 6, /* lines */
};

/* In the order in which a fault on the way comes: the earliest layer whose
 * repair alone would bring the staple is the primary cause. */
enum finding_layer {
	LAYER_NONE, /* nothing is wrong */
	LAYER_INPUT,
	LAYER_CLOCK,
	LAYER_LOCAL,
	LAYER_DNS,
	LAYER_TCP,
	LAYER_HTTP,
	LAYER_OCSP,
	LAYER_SERVER,
};

enum certainty {
	CERTAINTY_PROVEN,
	CERTAINTY_STRONG, /* "strongly-indicated" */
	CERTAINTY_CONSISTENT,
	CERTAINTY_NOT_PROVEN,
};

/* NETWORK-TRUTH 4.2, in its order, and the servers' settings of `lint`. */
enum finding_code {
	FINDING_OK,
	FINDING_OK_GEO,
	FINDING_OK_OVERRIDE,
	FINDING_OK_DNS64,
	FINDING_INPUT_NO_OCSP,
	FINDING_INPUT_UNREADABLE,
	FINDING_INPUT_EXPIRED,
	FINDING_INPUT_ISSUER,
	FINDING_INPUT_NO_HTTP, /* its OCSP URLs are of no use, ldap: */
	FINDING_CLOCK_SKEW,
	FINDING_LOCAL_PIN_STALE,
	FINDING_LOCAL_FAKEIP,
	FINDING_LOCAL_NEEDS_PROXY,
	FINDING_LOCAL_NO_NETWORK,
	FINDING_DNS_INJECTION,
	FINDING_DNS_INJECTION_RACE,
	FINDING_DNS_RESOLVER_WRONG,
	FINDING_DNS_RESOLVER_POLICY,
	FINDING_DNS_RESOLVER_DOWN,
	FINDING_DNS_INTERCEPTED,
	FINDING_DNS_INTERCEPTED_POLICY,
	FINDING_DNS_NX_REWRITE,
	FINDING_DNS_SERVFAIL,
	FINDING_DNS_BOGUS,
	FINDING_DNS_UDP_BLOCKED,
	FINDING_DNS_NAME_DROPPED,
	FINDING_DNS_TCP_RESET,
	FINDING_DNS_TCP_BLOCKED, /* TC=1 and no way to TCP */
	FINDING_DNS_DIFFERS,     /* not proven wrong */
	FINDING_DNS_LOOP,        /* the CNAME chain ends nowhere */
	FINDING_DNS_EMPTY,       /* NOERROR without an address */
	FINDING_NAME_GONE,
	FINDING_ENC_DNS_BLOCKED_SNI,
	FINDING_ENC_DNS_BLOCKED_IP,
	FINDING_ENC_DNS_MITM,
	FINDING_NET_BLACKHOLE,
	FINDING_NET_TCP_RST,
	FINDING_NET_V6_BROKEN,
	FINDING_NET_MTU,
	FINDING_HTTP_RESET_KEYWORD,
	FINDING_HTTP_PROXY_ERROR,
	FINDING_CAPTIVE_PORTAL,
	FINDING_RESPONDER_DOWN,
	FINDING_RESPONDER_STATUS_1, /* malformedRequest, RFC 6960 4.2.1 */
	FINDING_RESPONDER_STATUS_2, /* internalError */
	FINDING_RESPONDER_STATUS_3, /* tryLater */
	FINDING_RESPONDER_STATUS_5, /* sigRequired */
	FINDING_RESPONDER_STATUS_6, /* unauthorized */
	FINDING_RESPONDER_SLOW,
	FINDING_RESP_EXPIRED,
	FINDING_RESP_UNTRUSTED,
	FINDING_RESP_OTHER_CERT,
	FINDING_CERT_REVOKED,
	FINDING_INTERMITTENT,
	FINDING_SERVER_UNREACHABLE, /* the TLS server that was to be examined */
	FINDING_SERVER_LAZY,
	FINDING_SERVER_SOME_WORKERS,
	FINDING_SERVER_NO_STAPLE,
	FINDING_SERVER_BAD_STAPLE,
	FINDING_KEEP_UNSERVED,
	FINDING_KEEP_NOT_RUNNING,
	FINDING_SERVER_CFG_RESOLVER_IGNORES_HOSTS,
	FINDING_SERVER_CFG_RESOLVER_WRONG,
	FINDING_SERVER_CFG_FROZEN_ADDR,
	FINDING_SERVER_CFG_STAPLING_OFF,
	FINDING_SERVER_CFG_NO_OCSP_URL,
	FINDING_SERVER_CFG_TRUSTED_MISSING,
	FINDING_SERVER_CFG_TRUSTED_INCOMPLETE,
	FINDING_SERVER_CFG_NO_VERIFY,
	FINDING_SERVER_CFG_FILE_STALE,
	FINDING_SERVER_CFG_FILE_OTHER_CERT,
	FINDING_SERVER_CFG_TWO_CERTS_ONE_FILE,
	FINDING_SERVER_CFG_DEFAULT_SERVER,
	FINDING_SERVER_CFG_CHAIN_INCOMPLETE,
	FINDING_SERVER_CFG_FILE_BAD,
	FINDING_SERVER_CFG_RESPONDER_UNUSABLE,
	FINDING_SERVER_FETCH_FAILS,
	FINDING_INCONCLUSIVE,
	FINDING_COUNT
};

/* One row of the catalogue. */
struct finding_row {
	const char *code; /* as printed: "dns-injection" */
	enum finding_layer layer;
	bool good; /* nothing to mend: exit 0 */
	const char *meaning;
	/* What to do, as commands to copy; {name} {address} {resolver} {url}
	 * {file} {line} are filled in. */
	const char *remedy[FINDING_REMEDY_MAX];
	const char *reference; /* RFC, or NETWORK-TRUTH's scenario number */
};

const struct finding_row *finding_row(enum finding_code code);
bool finding_find(const char *name, enum finding_code *out);
const char *finding_layer_name(enum finding_layer layer);
const char *certainty_name(enum certainty certainty);

struct finding {
	enum finding_code code;
	enum certainty certainty;
	bool breaks; /* while it lasts, no good staple comes of it */
	char sentence[FINDING_TEXT];
	/* "" where it is about none */
	char resolver[RESOLVER_URL_TEXT], name[FACT_NAME_TEXT],
	    address[DNS_ADDRESS_TEXT], scope[FACT_NAME_TEXT];
	size_t evidence[FINDING_EVIDENCE_MAX]; /* indices of facts */
	size_t evidence_count;
	unsigned url; /* of which OCSP URL (struct fact); 0 the first */
};

struct diagnosis {
	struct finding findings[FINDINGS_MAX]; /* the primary first */
	size_t count; /* at least 1: ok or inconclusive */
	/* the substitution that proves the primary: this input instead, and
	 * it works; "" if none was found */
	char substitution[FINDING_TEXT];
};

/* From facts to findings.  Pure: the facts and nothing else. */
void diagnose(const struct facts *facts, struct diagnosis *out);

/* What the server's configuration and log come to by themselves, without
 * anything of a network, by the same rules: one finding for each fault, about
 * the fact that is its first evidence, in the facts' order.  Owned. */
struct finding *diagnose_settings(const struct facts *facts, size_t *count);

#endif
