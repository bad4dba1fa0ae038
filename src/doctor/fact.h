/* SPDX-License-Identifier: ISC */
/* doctor/fact.h -- what the probes saw: typed facts with time and source.
 *
 * A probe only adds facts, diagnose() only reads them, and the report names
 * them as evidence by their number.  A fact says what was seen and never what
 * it means: that two answers differ is a fact, that one is forged is not.
 * Facts are plain values, so that a test writes a network as a table.
 *
 * A certificate may name several OCSP URLs; the facts of each later one bear
 * its number and come after all others, in the order of their URLs. */
#ifndef OCLASP_DOCTOR_FACT_H
#define OCLASP_DOCTOR_FACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/message.h"
#include "dns/resolver.h"
#include "pki/verify.h"

enum {
	FACTS_MAX = 8192,        /* of one diagnosis */
	FACT_ADDRESSES_MAX = 16, /* told of one datagram */
	FACT_CHAIN_MAX = 8,
	FACT_SERVERS_MAX = 4,
	FACT_TEXT = 256,
	FACT_NAME_TEXT = 256,
	FACT_URL_TEXT = 256,
	FACT_URLS_MAX = 4, /* OCSP URLs of one certificate that are examined */
};

enum fact_kind {
	FACT_INPUT,    /* the certificate that it is about */
	FACT_CLOCK,    /* another clock beside ours */
	FACT_OVERRIDE, /* something on this machine that names an address, or
			  the way: hosts file, proxy, resolv.conf */
	FACT_SETTING,  /* one fault of the TLS server's configuration */
	FACT_PEER,     /* an address that the server's error log names */
	FACT_QUESTION, /* a DNS question, and how it ended */
	FACT_DATAGRAM, /* one answer to it, by whatever transport */
	FACT_CONNECT,  /* a TCP connection */
	FACT_FETCH,    /* an OCSP exchange with one address */
	FACT_CONTROL,  /* an HTTP exchange that is no OCSP */
	FACT_TLS,      /* a TLS handshake with an encrypted resolver */
	FACT_SERVED,   /* a TLS handshake with the server */
	FACT_KEEP,     /* what `oclasp keep` knows of it */
	FACT_UNTESTED, /* what was not tested, and why */
};

/* What part a name plays in a question. */
enum fact_role {
	ROLE_RESPONDER, /* the responder's host, n0 */
	ROLE_CHAIN,     /* a later name of its CNAME chain, n1 ... nk */
	ROLE_CONTROL,   /* a name that exists and nobody lists */
	ROLE_RANDOM,    /* a name that cannot exist, below a control */
	ROLE_MUTANT,    /* the suspect with one letter changed */
	ROLE_CHILD,     /* a random child of the suspect */
	ROLE_SIBLING,   /* a random sibling: a suffix rule matches it */
	ROLE_COUSIN,    /* a real neighbour, another customer of the CDN */
	ROLE_SUFFIX,    /* a random child of a zone further up */
	ROLE_EMBEDDED,  /* suspect.random.control: an unanchored rule */
	ROLE_ZONE,      /* what the name is under: its NS */
	ROLE_HOP,       /* the suspect, by questions that go a few hops only */
	ROLE_SERVER,    /* a name server of the zone */
	ROLE_IPV4ONLY,  /* ipv4only.arpa, RFC 7050 */
};

/* Who is asked. */
enum fact_party {
	PARTY_SYSTEM,    /* getaddrinfo: hosts file and all */
	PARTY_RESOLVER,  /* a resolver, by URL */
	PARTY_AUTHORITY, /* a name server of the zone */
	PARTY_DARK,      /* an address where no resolver is */
};

struct fact_input {
	struct err unusable; /* REASON_NONE: read, with its issuer */
	bool has_url, http_url, must_staple, short_lived, expired;
	int64_t over_s;                 /* since its end, by our clock */
	char url[FACT_URL_TEXT];        /* the responder's */
	char host[FACT_NAME_TEXT];      /* of it */
	char ca_issuers[FACT_URL_TEXT]; /* where the issuer is, or "" */
	char crl[FACT_URL_TEXT];        /* where the CRL is, or "" */
};

struct fact_clock {
	char host[FACT_NAME_TEXT];
	int64_t ahead_s;    /* our clock less theirs */
	bool authenticated; /* over TLS that was verified, or signed */
	/* it is no later than the moment of something signed: ours is behind
	 * by so much, or by more */
	bool bound;
	const char *how; /* "HTTP date"; constant */
};

enum fact_override_kind {
	OVERRIDE_HOSTS,    /* a line of the hosts file for NAME */
	OVERRIDE_PROXY,    /* a proxy of the environment or configuration */
	OVERRIDE_RESOLVER, /* a nameserver of resolv.conf: ADDRESS */
	OVERRIDE_BOOK,     /* an address that was proven before: OLD_S ago */
};

struct fact_override {
	enum fact_override_kind kind;
	char name[FACT_NAME_TEXT], address[DNS_ADDRESS_TEXT];
	char file[FACT_TEXT];
	int line;
	int64_t old_s;
};

/* CODE is one of finding.h's that begin with server-. */
struct fact_setting {
	const char *code;
	char file[FACT_TEXT];
	int line;
	char address[DNS_ADDRESS_TEXT]; /* a resolver it names, or "" */
	char certificate[FACT_TEXT];    /* the file it is about, or "" */
	char host[FACT_NAME_TEXT];      /* of the responder, or "" */
	char text[FACT_TEXT];           /* what was seen there */
};

struct fact_peer {
	char address[DNS_ADDRESS_TEXT]; /* "": it came to no connection */
	char host[FACT_NAME_TEXT];      /* the responder's */
	char file[FACT_TEXT];           /* the log */
	char text[FACT_TEXT];           /* the line, cut */
	char when[24];                  /* as the line has it, or "" */
	int64_t age_s;                  /* -1: unknown */
};

struct fact_question {
	enum fact_party party;
	char asked[RESOLVER_URL_TEXT]; /* "system", "udp://192.0.2.53" */
	char name[FACT_NAME_TEXT];
	enum fact_role role;
	uint16_t type;
	bool no_rd, cd;  /* RD=0, CD=1; else the usual */
	unsigned repeat; /* 0: the first time */
	int hops;        /* how far it could go; 0: as far as needed */
	size_t answers;  /* FACT_DATAGRAMs of it */
	struct err err;  /* REASON_NONE: something came; REASON_DNS_NO_ANSWER:
			    silence; REASON_UNREACHABLE: ICMP;
			    REASON_CONNECT_*, REASON_TLS_FAILED for others */
	int64_t elapsed_ms;
};

struct fact_datagram {
	size_t question; /* index of its FACT_QUESTION */
	char from[DNS_ADDRESS_TEXT];
	bool elsewhere; /* not from whom was asked: seen, not believed */
	int rcode;
	bool authoritative, truncated, recursion, edns, other_case, malformed;
	int ede;    /* RFC 8914 info-code; -1: none */
	int ip_ttl; /* -1: unknown */
	size_t size;
	bool wrong_type; /* an A or AAAA record of the question's name in
			    answer to a question for neither: impossible for
			    an honest server */
	char addresses[FACT_ADDRESSES_MAX][DNS_ADDRESS_TEXT];
	size_t address_count;
	unsigned pooled; /* a bit for each of them that is in the pool of
			    forged addresses (forged_pool.h) */
	char chain[FACT_CHAIN_MAX][FACT_NAME_TEXT];
	size_t chain_length;
	bool loop; /* the chain comes back to a name of its own */
	char servers[FACT_SERVERS_MAX][FACT_NAME_TEXT]; /* NS */
	size_t server_count;
	int64_t ttl_s; /* the smallest TTL of its records; -1: none */
};

struct fact_connect {
	char address[DNS_ADDRESS_TEXT];
	int port;
	bool control;   /* a host that has nothing to do with it */
	struct err err; /* REASON_NONE: connected */
	int64_t elapsed_ms;
};

struct fact_fetch {
	char address[DNS_ADDRESS_TEXT]; /* "" through a proxy that looks up */
	char url[FACT_URL_TEXT];
	const char *method;             /* "GET", "POST" */
	char proxy[FACT_URL_TEXT];      /* or "" */
	char source[RESOLVER_URL_TEXT]; /* who named the address first */
	struct err err;          /* REASON_NONE: a signed, fresh response for
				     exactly this certificate */
	enum cert_status status; /* then */
	long http_status;        /* 0: none */
	int64_t connect_ms, elapsed_ms; /* -1: not that far */
	int64_t ahead_s; /* local clock less the answer's Date; 0 unknown */
	unsigned repeat;
};

enum fact_control_kind {
	CONTROL_WEB,        /* an unrelated web host: captive portal? */
	CONTROL_OTHER_HOST, /* the same address, an innocuous Host */
	CONTROL_SPLIT,      /* the same request in two segments */
};

struct fact_control {
	enum fact_control_kind kind;
	char address[DNS_ADDRESS_TEXT], host[FACT_NAME_TEXT];
	struct err err; /* REASON_NONE: an answer of HTTP came */
	long http_status;
	bool html, redirect, altered; /* altered: Via or a body not ours */
	int64_t elapsed_ms;
};

struct fact_tls {
	char resolver[RESOLVER_URL_TEXT], address[DNS_ADDRESS_TEXT];
	int port;
	char sni[FACT_NAME_TEXT]; /* "" none */
	struct err err;           /* of the handshake, beside the certificate */
	bool own;                 /* SNI is the resolver's own name */
	bool connected;           /* TCP was up */
	bool certificate_bad; /* the handshake worked, with a certificate that
				 does not verify */
	int64_t elapsed_ms;
};

struct fact_served {
	struct err err; /* REASON_NONE: complete */
	bool stapled, accepted;
	bool other;    /* another certificate: its staple was not judged */
	bool nameless; /* without a server name: the default server's */
	enum cert_status status;
	struct err verdict; /* why the staple was rejected */
	char address[DNS_ADDRESS_TEXT];
	int number; /* 1, 2 in a row, 3 ... at once */
	int64_t connect_ms, tls_ms, usable_s;
};

struct fact_keep {
	bool running, kept;
	char state[32];
	char trouble[FACT_TEXT]; /* what its last try came to grief by; "" */
	int64_t usable_s;        /* that its staple may still be served */
	int64_t last_attempt_s;  /* ago; -1: never */
};

struct fact_untested {
	char what[FACT_TEXT], why[FACT_TEXT];
	bool unread; /* a file that the configuration is made of, or names */
};

struct fact {
	enum fact_kind kind;
	int64_t at_ms; /* after the diagnosis began */
	const char
	    *probe; /* 4.1 of the taxonomy: "L", "G", "U", ...; constant */
	/* which of the certificate's OCSP URLs it is about: 0 the first one,
	 * and whatever is not about one of them */
	unsigned url;
	union {
		struct fact_input input;
		struct fact_clock clock;
		struct fact_override override;
		struct fact_setting setting;
		struct fact_peer peer;
		struct fact_question question;
		struct fact_datagram datagram;
		struct fact_connect connect;
		struct fact_fetch fetch;
		struct fact_control control;
		struct fact_tls tls;
		struct fact_served served;
		struct fact_keep keep;
		struct fact_untested untested;
	} u;
};

struct facts {
	struct fact *items; /* owned; their index + 1 is the number shown */
	size_t count;
	size_t dropped; /* beyond FACTS_MAX: a finding must not need them */
};

void facts_done(struct facts *facts);

/* Add a fact of KIND; the rest is zero.  The pointer lives until the next
 * call.  Beyond FACTS_MAX it is a scratch one that nobody reads. */
struct fact *facts_add(
    struct facts *facts, enum fact_kind kind, const char *probe, int64_t at_ms);

/* Put the facts of FROM, which are about the OCSP URL number URL, behind those
 * of TO; FROM is empty then. */
void facts_append(struct facts *to, struct facts *from, unsigned url);

/* How many OCSP URLs FACTS are about; at least 1. */
unsigned facts_urls(const struct facts *facts);

/* A copy of what FACTS say of the OCSP URL number URL, and of the clocks, which
 * are everybody's.  BACK (owned; may be NULL) has for each fact of it where it
 * is in FACTS. */
void facts_of_url(
    const struct facts *facts, unsigned url, struct facts *out, size_t **back);

/* What FACTS say of the certificate and the OCSP URL number URL; NULL:
 * nothing. */
const struct fact_input *facts_input_of(
    const struct facts *facts, unsigned url);

/* True if both name the same address, whatever else they name. */
bool facts_share_address(
    const struct fact_datagram *a, const struct fact_datagram *b);

/* TEXT into a field of SIZE octets, cut if it is longer. */
void fact_copy(char *out, size_t size, const char *text);

const char *fact_kind_name(enum fact_kind kind);
const char *fact_role_name(enum fact_role role);

#endif
