/* SPDX-License-Identifier: ISC */
/* dns/datagram.h -- one DNS question over UDP, and every datagram that comes.
 *
 * An injector on the path cannot suppress the genuine answer, it can only be
 * first; so the first datagram ends nothing: the socket stays open for the
 * hold-on window, and each answer is a claim.  The socket is our own, freshly
 * bound to a random port, unconnected so that answers from elsewhere are seen
 * (and not believed), with IP_RECVTTL and IP_RECVERR.  The question's name is
 * in random upper and lower case (draft-vixie-dnsext-dns0x20), with EDNS; a
 * server that does not understand that, or stays silent, is asked once more
 * without either. */
#ifndef OCLASP_DNS_DATAGRAM_H
#define OCLASP_DNS_DATAGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "dns/message.h"

struct datagram_query;

enum {
	DATAGRAM_HOLD_MS = 3000,   /* how long after the question we listen */
	DATAGRAM_RESEND_MS = 1000, /* ask again if nothing came at all */
	DATAGRAM_ANSWERS_MAX = 32, /* answers taken of one query (I5) */
};

struct datagram_answer {
	int64_t at_ms; /* after the question */
	int ip_ttl;    /* TTL or hop limit; -1 unknown */
	size_t size;
	/* The question came back in another case than we wrote it: who has
	 * sent this had not seen our datagram (DNS 0x20), or is careless. */
	bool other_case;
	const struct dns_message *message; /* borrowed, during the callback */
};

/* A datagram that is not believed: from elsewhere, malformed, or to another
 * question.  It is seen all the same. */
struct datagram_stray {
	int64_t at_ms;
	int ip_ttl;
	size_t size;
	char from[DNS_ADDRESS_TEXT];
	bool elsewhere;                    /* not from whom was asked */
	const struct dns_message *message; /* NULL: malformed */
};

struct datagram_callbacks {
	/* one for each believable answer (right source, id, question) */
	void (*answer)(void *cookie, const struct datagram_answer *answer);
	/* the window has closed, or the query failed; once.  ERR has
	 * REASON_NONE if anything came, else REASON_DNS_NO_ANSWER or
	 * REASON_UNREACHABLE (ICMP), with the resolver in the text. */
	void (*end)(void *cookie, const struct err *err);
	/* one for each that is not believed; may be NULL */
	void (*stray)(void *cookie, const struct datagram_stray *stray);
};

struct datagram_question {
	const struct sockaddr *server; /* copied, as the name */
	const char *name;
	enum dns_type type;
	int64_t hold_ms; /* 0: DATAGRAM_HOLD_MS */
	unsigned manner; /* of DNS_ */
	/* Never asked again: then two answers are two answers to one
	 * question, and silence is silence. */
	bool once;
	/* It goes so many hops and no farther, and that routers say so is no
	 * failure; 0: as far as needed. */
	int hops;
};

/* Ask SERVER.  HOLD_MS 0 means DATAGRAM_HOLD_MS. */
struct datagram_query *datagram_start(uv_loop_t *loop,
    const struct sockaddr *server, const char *name, enum dns_type type,
    int64_t hold_ms, const struct datagram_callbacks *callbacks, void *cookie);
/* The same, in a manner of its own. */
struct datagram_query *datagram_ask(uv_loop_t *loop,
    const struct datagram_question *question,
    const struct datagram_callbacks *callbacks, void *cookie);
void datagram_cancel(struct datagram_query **query);

#endif
