/* SPDX-License-Identifier: ISC */
/* dns_wire.h -- write DNS messages octet by octet, good ones and bad ones.
 *
 * On purpose without ldns: the tests must not take the codec's word for what
 * is on the wire. */
#ifndef OCLASP_TESTS_DNS_WIRE_H
#define OCLASP_TESTS_DNS_WIRE_H

#include <arpa/inet.h>
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wire {
	uint8_t at[8192];
	size_t len;
};

enum { WIRE_RESPONSE = 0x8180, WIRE_TC = 0x0200, WIRE_AA = 0x0400 };

static inline void
wire_u8(struct wire *wire, unsigned value)
{
	assert(wire->len < sizeof(wire->at));
	wire->at[wire->len++] = (uint8_t)value;
}

static inline void
wire_u16(struct wire *wire, unsigned value)
{
	wire_u8(wire, value >> 8 & 0xff);
	wire_u8(wire, value & 0xff);
}

/* A new message with no records yet. */
static inline void
wire_start(struct wire *wire, unsigned id, unsigned flags)
{
	wire->len = 0;
	wire_u16(wire, id);
	wire_u16(wire, flags);
	for (int section = 0; section < 4; section++)
		wire_u16(wire, 0);
}

/* One more record in section 0 (question) to 3 (additional). */
static inline void
wire_count(struct wire *wire, size_t section)
{
	if (++wire->at[4 + 2 * section + 1] == 0)
		wire->at[4 + 2 * section]++;
}

/* NAME, "a.b.c" without escapes, uncompressed; "" is the root. */
static inline void
wire_name(struct wire *wire, const char *name)
{
	while (*name != '\0') {
		size_t len = strcspn(name, ".");

		wire_u8(wire, (unsigned)len);
		for (size_t i = 0; i < len; i++)
			wire_u8(wire, (uint8_t)name[i]);
		name += len;
		if (*name == '.')
			name++;
	}
	wire_u8(wire, 0);
}

static inline void
wire_question(struct wire *wire, const char *name, unsigned type)
{
	wire_count(wire, 0);
	wire_name(wire, name);
	wire_u16(wire, type);
	wire_u16(wire, 1);
}

/* The part of a record before its data, of which LEN octets follow. */
static inline void
wire_record(struct wire *wire, size_t section, const char *owner, unsigned type,
    unsigned class, size_t len)
{
	wire_count(wire, section);
	wire_name(wire, owner);
	wire_u16(wire, type);
	wire_u16(wire, class);
	wire_u16(wire, 0);
	wire_u16(wire, 300);
	wire_u16(wire, (unsigned)len);
}

/* An A or AAAA record for ADDRESS. */
static inline void
wire_address(struct wire *wire, const char *owner, const char *address)
{
	uint8_t octets[16];
	size_t len = strchr(address, ':') != NULL ? 16 : 4;

	assert(inet_pton(len == 16 ? AF_INET6 : AF_INET, address, octets) == 1);
	wire_record(wire, 1, owner, len == 16 ? 28 : 1, 1, len);
	for (size_t i = 0; i < len; i++)
		wire_u8(wire, octets[i]);
}

static inline void
wire_cname(struct wire *wire, const char *owner, const char *target)
{
	wire_record(wire, 1, owner, 5, 1, strlen(target) + 2);
	wire_name(wire, target);
}

static inline void
wire_edns(struct wire *wire, unsigned size, unsigned extended_rcode)
{
	wire_count(wire, 3);
	wire_name(wire, "");
	wire_u16(wire, 41);
	wire_u16(wire, size);
	wire_u8(wire, extended_rcode);
	wire_u8(wire, 0);
	wire_u16(wire, 0);
	wire_u16(wire, 0);
}

/* The id of a message. */
static inline unsigned
wire_id(const uint8_t *message)
{
	return (unsigned)message[0] << 8 | message[1];
}

/* The type asked by a query with one uncompressed question. */
static inline unsigned
wire_type_asked(const uint8_t *message, size_t len)
{
	size_t at = 12;

	while (at < len && message[at] != 0)
		at += message[at] + 1U;
	assert(at + 2 < len);
	return (unsigned)message[at + 1] << 8 | message[at + 2];
}

/* The name of a query's first question to OUT, as it was written. */
static inline void
wire_name_asked(const uint8_t *message, size_t len, char out[256])
{
	size_t at = 12;
	size_t used = 0;

	while (at < len && message[at] != 0) {
		for (size_t i = 1; i <= message[at] && used < 254; i++)
			out[used++] = (char)message[at + i];
		at += message[at] + 1U;
		if (message[at] != 0)
			out[used++] = '.';
	}
	out[used] = '\0';
}

#endif
