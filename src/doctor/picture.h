/* SPDX-License-Identifier: ISC */
/* doctor/picture.h -- the facts put together: who named what, and what of it
 * works.
 *
 * Between facts and findings: sums up, judges nothing.  An address is proven
 * by a signed response that came from it, whoever named it; that is the one
 * measure by which answers are compared (NETWORK-TRUTH 3.1, class P).  Pure. */
#ifndef OCLASP_DOCTOR_PICTURE_H
#define OCLASP_DOCTOR_PICTURE_H

#include "doctor/dns64.h"
#include "doctor/fact.h"

enum {
	PICTURE_ADDRESSES_MAX = 128,
	PICTURE_ASKED_MAX = 64,
	PICTURE_NONE = (size_t)-1 >> 1, /* no fact */
};

enum address_state {
	ADDRESS_UNTRIED,
	ADDRESS_PROVEN, /* gave a signed response for this certificate,
			   whatever it says */
	ADDRESS_SPEAKS, /* gave an OCSP answer that proves nothing */
	ADDRESS_FAILED, /* tried, and gave none */
};

enum address_sort {
	SORT_PUBLIC,
	SORT_PRIVATE, /* RFC 1918, fc00::/7 and the like */
	SORT_FAKEIP,  /* 198.18.0.0/15, fc00::/18 */
	SORT_DNS64,   /* 64:ff9b::/96, or the network's own prefix */
	SORT_BOGON,   /* 0.0.0.0/8, 127.0.0.0/8, ::, ::1 */
};

/* One address of the responder, as far as anybody named it. */
struct seen_address {
	const char *address; /* borrowed of a fact */
	enum address_sort sort;
	/* the IPv4 address, named too, that a prefix of the network's own was
	 * put before (dns64.h); or "" */
	char made_of[INET_ADDRSTRLEN];
	enum address_state state;
	unsigned tries, failures; /* fetches */
	/* by GET and by POST: a responder may know only one of them */
	struct {
		unsigned worked, failed;
	} methods[2];
	bool mixed;         /* the same method worked and failed */
	enum reason reason; /* of the last failed fetch */
	long http_status;
	bool connected; /* TCP to the responder's port was up at least once */
	size_t fetch, connect; /* evidence: last fact of each kind */
	int64_t best_ms;       /* -1: never proven */
};

enum answer_state {
	ANSWER_NOT_ASKED,
	ANSWER_SILENT, /* nothing came; ICMP counts as that */
	ANSWER_CUT,    /* reset, or TLS failed: `reason` says how */
	ANSWER_NXDOMAIN,
	ANSWER_SERVFAIL,  /* or REFUSED */
	ANSWER_EMPTY,     /* NOERROR without an address */
	ANSWER_LOOP,      /* a chain that ends in itself */
	ANSWER_TRUNCATED, /* TC=1, and TCP gave nothing */
	ANSWER_RIGHT,     /* one of its addresses is proven */
	ANSWER_WRONG,     /* all were tried and gave no OCSP at all */
	ANSWER_OPEN,      /* addresses of which neither is known */
};

/* The same question, for the responder's address, put several times. */
struct seen_repeats {
	unsigned asked, silent;
	unsigned right, odd; /* answers: by a proven address, by no good one */
	size_t right_fact, odd_fact; /* evidence, of each the last */
	/* of the first and the last answer: when, and the TTL of its records */
	int64_t first_ms, last_ms, first_ttl_s, last_ttl_s; /* -1: none */
	bool
	    rotates; /* one odd address after the other, of unrelated networks */
};

/* One who was asked, over one transport: "udp://192.0.2.53". */
struct seen_asked {
	const char *asked; /* borrowed of a fact */
	enum fact_party party;
	enum resolver_kind transport;
	const char *host; /* of the URL, for "the same server over TCP" */
	size_t host_length;

	enum answer_state responder; /* what it says of the responder's name */
	enum reason reason;
	unsigned responder_asked, responder_answered;
	bool control_ok, control_asked; /* an existing name got an address */
	bool control_answered;          /* ... or any answer at all */
	bool random_asked, random_addresses; /* one that cannot exist got one */
	bool random_honest;                  /* ... NXDOMAIN or nothing */
	bool contradiction; /* two believable answers to one question differ */
	bool genuine_late;  /* ... and one of them names a proven address */
	bool wrong_type;    /* an address in answer to a TXT question */
	bool suffix_injected; /* a random neighbour of the suspect got one,
				 while other random names did not */
	bool no_edns;         /* answers for the suspect without OPT, for the
			       control with */
	bool ttl_off;         /* their IP TTL differs by more than 1 */
	bool aa_flip;         /* AA to RD=0 alone: an authority it is not */
	bool pooled;          /* their addresses are in the given pool */
	bool confessed;       /* EDE 4, 15, 16 or 17 */
	bool cd_answers;      /* with CD=1 there was an address */
	bool bogus;           /* EDE 6 to 12: DNSSEC */
	bool authoritative;   /* AA, of an answer for the responder's names */
	bool elsewhere;       /* an answer came from another address */
	struct seen_repeats repeats;
	size_t question; /* evidence: of the responder's name, */
	size_t datagram; /* its first answer, */
	size_t second;   /* the one that contradicts it, */
	size_t odd;      /* of wrong_type or suffix_injected, */
	size_t control;  /* of the control, */
	size_t random;   /* and of one that cannot exist */
};

struct picture {
	const struct facts *facts;
	const struct fact_input *input; /* NULL: none */
	const char *host; /* the responder's, or what was asked for as if it
			     were one; "" where there is none; of a fact */
	struct dns64_prefixes dns64;
	struct seen_address addresses[PICTURE_ADDRESSES_MAX];
	size_t address_count;
	struct seen_asked asked[PICTURE_ASKED_MAX];
	size_t asked_count;
	bool any_proven;     /* an address, or a proxy's way */
	bool direct_proven;  /* without a proxy */
	size_t proof;        /* evidence */
	bool web_control_ok; /* an unrelated host could be reached */
	bool web_control_asked;
	bool v6_control_failed, v4_control_ok;
	bool v6_dead; /* no IPv6 leads anywhere: that an address of it is dead
			 says nothing of who named it */
};

/* Sum FACTS up; they must outlive OUT. */
void picture_make(const struct facts *facts, struct picture *out);

/* The address as anybody named it; NULL: nobody did. */
const struct seen_address *picture_address(
    const struct picture *picture, const char *address);

/* True if whoever answers where no resolver is does not answer everything: a
 * name was asked for there several times, and always in vain. */
bool picture_dark_chooses(const struct facts *facts);

/* What one datagram says, by itself. */
enum answer_state picture_state_of(
    const struct picture *picture, const struct fact_datagram *d);

/* True if both are the same server, by whatever transport. */
bool picture_same_server(
    const struct seen_asked *a, const struct seen_asked *b);

/* The server of ASKED over TRANSPORT, where it was asked for the responder; or
 * NULL. */
const struct seen_asked *picture_over(const struct picture *picture,
    const struct seen_asked *asked, enum resolver_kind transport);

/* What the server of ASKED says where nobody can put words in its mouth: over
 * TLS, else over TCP; NULL: it was not asked so. */
const struct seen_asked *picture_undisturbed(
    const struct picture *picture, const struct seen_asked *asked);

/* True if QUESTION's or a DATAGRAM's answer names ADDRESS. */
bool picture_names(const struct picture *picture,
    const struct seen_asked *asked, const char *address);

#endif
