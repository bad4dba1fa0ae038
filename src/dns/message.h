/* SPDX-License-Identifier: ISC */
/* dns/message.h -- DNS messages: bytes to facts and back, by ldns as codec.
 *
 * Pure: no sockets, no clock.  RFC 1035 section 4, RFC 6891. */
#ifndef OCLASP_DNS_MESSAGE_H
#define OCLASP_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum {
	DNS_MESSAGE_MAX = 65535,
	DNS_UDP_MAX = 4096,     /* receive buffer for one datagram */
	DNS_EDNS_SIZE = 1232,   /* what we offer; DNS flag day 2020 */
	DNS_NAME_TEXT = 1025,   /* "\ddd" for each of 255 octets, NUL */
	DNS_ADDRESSES_MAX = 64, /* addresses taken of one message */
	DNS_CHAIN_MAX = 16,     /* CNAME links followed */
	DNS_SERVERS_MAX = 4,    /* name servers taken of one message */
	DNS_ADDRESS_TEXT = 46,  /* INET6_ADDRSTRLEN */
};

enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_HTTPS = 65,
};

/* "AAAA"; "?" for one that is none of these. */
const char *dns_type_name(unsigned type);

/* How a question differs from the usual one. */
enum dns_manner {
	DNS_NO_EDNS = 1 << 0,
	DNS_NO_RD = 1 << 1, /* RD=0: an authority is asked, or a liar shown */
	DNS_CD = 1 << 2,    /* RFC 4035, section 3.2.2: checking disabled */
};

struct dns_message {
	uint16_t id;
	int rcode; /* RFC 1035: 0 NOERROR, 2 SERVFAIL, 3 NXDOMAIN ... */
	bool response, truncated, authoritative, recursion, edns;
	int ede; /* info-code of RFC 8914; -1: none */
	/* an address for the question's very name, although neither A nor
	 * AAAA was asked: no honest server answers so */
	bool wrong_type;
	int64_t ttl_s; /* the smallest of the answer's records; -1: none */
	char question[DNS_NAME_TEXT]; /* without the final dot; "" if none */
	uint16_t question_type;
	/* the CNAME chain from the question on, in lower case: chain[0] is
	 * its target */
	char chain[DNS_CHAIN_MAX][DNS_NAME_TEXT];
	size_t chain_length;
	bool loop; /* the chain comes back to a name of its own */
	char addresses[DNS_ADDRESSES_MAX][DNS_ADDRESS_TEXT]; /* A and AAAA of
							       the answer */
	size_t address_count;
	/* of the answer's NS records for the question's very name, in lower
	 * case */
	char servers[DNS_SERVERS_MAX][DNS_NAME_TEXT];
	size_t server_count;
};

/* A query for NAME with EDNS, RD=1.  Writes at most MAX bytes to OUT.
 * Errors: REASON_DNS_NO_ANSWER if NAME is no domain name. */
int dns_query_write(const char *name, enum dns_type type, uint16_t id,
    uint8_t *out, size_t max, size_t *len, struct err *err);

/* The same in a MANNER (of DNS_) of its own. */
int dns_query_write_as(const char *name, enum dns_type type, uint16_t id,
    unsigned manner, uint8_t *out, size_t max, size_t *len, struct err *err);

/* Read a message.  On failure OUT is untouched.
 * Errors: REASON_DNS_NO_ANSWER, "malformed ...". */
int dns_message_parse(
    const uint8_t *bytes, size_t len, struct dns_message *out, struct err *err);

/* True if MESSAGE answers a query with this id, name (case ignored) and
 * type.  RFC 5452, section 9.1. */
bool dns_message_answers(const struct dns_message *message, uint16_t id,
    const char *name, enum dns_type type);

/* True if MESSAGE's question is NAME to the letter, upper and lower case. */
bool dns_message_echoes(const struct dns_message *message, const char *name);

#endif
