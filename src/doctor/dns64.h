/* SPDX-License-Identifier: ISC */
/* doctor/dns64.h -- the prefix by which this network's DNS64 makes IPv6
 * addresses of IPv4 ones (RFC 6147), learnt of ipv4only.arpa (RFC 7050).
 *
 * An address is synthesised if it is a learnt prefix and an IPv4 address in the
 * layout of RFC 6052, section 2.2.  That it leads anywhere is another
 * question.  Pure. */
#ifndef OCLASP_DOCTOR_DNS64_H
#define OCLASP_DOCTOR_DNS64_H

#include <netinet/in.h>

#include "doctor/fact.h"

enum {
	DNS64_PREFIXES_MAX = 8
}; /* of one network; RFC 7050, 3: it may have
				    several */

/* The one name that has no IPv6 address but by DNS64 (RFC 7050, section 8.2) */
#define DNS64_NAME "ipv4only.arpa"

struct dns64_prefixes {
	struct {
		uint8_t octets[12];
		unsigned bits; /* 32, 40, 48, 56, 64 or 96 */
	} items[DNS64_PREFIXES_MAX];
	size_t count;
};

/* Add to PREFIXES what ADDRESS, which DNS64_NAME is said to have, tells of
 * them: nothing, if neither well-known address is in it. */
void dns64_learn(struct dns64_prefixes *prefixes, const char *address);

/* What all answers for DNS64_NAME tell; OUT is written whole. */
void dns64_learn_all(const struct facts *facts, struct dns64_prefixes *out);

/* The IPv4 address that ADDRESS is made of by one of PREFIXES, if anybody named
 * it for the responder or a later name of its chain; else false, and OUT
 * is "". */
bool dns64_made_of(const struct dns64_prefixes *prefixes,
    const struct facts *facts, const char *address, char out[INET_ADDRSTRLEN]);

#endif
