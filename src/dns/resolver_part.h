/* SPDX-License-Identifier: ISC */
/* dns/resolver_part.h -- what resolver_conf.c wants of resolver_text.c. */
#ifndef OCLASP_DNS_RESOLVER_PART_H
#define OCLASP_DNS_RESOLVER_PART_H

#include <stdbool.h>
#include <stddef.h>

struct resolver;

/* The udp resolver at the address TEXT of LEN characters; false, *OUT
 * untouched, if that is no address. */
bool resolver_from_ip(const char *text, size_t len, struct resolver *out);

#endif
