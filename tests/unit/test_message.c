/* SPDX-License-Identifier: ISC */
/* test_message.c -- dns/message: what is read from a message, and what not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "dns/message.h"
#include "dns_wire.h"

static struct dns_message parsed; /* large; one at a time */

static int
parse(const struct wire *wire, struct err *err)
{
	/* A copy of exact size, so that the sanitizer sees an overread. */
	uint8_t *exact = malloc(wire->len + 1);
	int rc;

	memcpy(exact, wire->at, wire->len);
	memset(&parsed, 0, sizeof(parsed));
	rc = dns_message_parse(exact, wire->len, &parsed, err);
	free(exact);
	return rc;
}

static void
parse_good(const struct wire *wire)
{
	struct err err = {0};

	if (parse(wire, &err) != 0)
		fail_msg("refused: %s", err.text);
}

static void
test_query_on_the_wire(void **state)
{
	/* RFC 1035, section 4.1, RD, one question; RFC 6891, section 6.1.2:
	 * one OPT record with our size, no options. */
	static const uint8_t expected[] = {0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0,
	    0, 0, 0, 1, 4, 'o', 'c', 's', 'p', 4, 't', 'e', 's', 't', 0, 0, 28,
	    0, 1, 0, 0, 41, 1232 >> 8, 1232 & 0xff, 0, 0, 0, 0, 0, 0};
	uint8_t out[512];
	size_t len = 0;
	struct err err = {0};

	(void)state;
	assert_int_equal(0, dns_query_write("ocsp.test", DNS_AAAA, 0x1234, out,
				sizeof(out), &len, &err));
	assert_int_equal(len, sizeof(expected));
	assert_memory_equal(out, expected, sizeof(expected));
	/* with the final dot it is the same name */
	assert_int_equal(0, dns_query_write("ocsp.test.", DNS_AAAA, 0x1234, out,
				sizeof(out), &len, &err));
	assert_int_equal(len, sizeof(expected));
	assert_memory_equal(out, expected, sizeof(expected));
}

#define LABEL_63 \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME_253                  \
	LABEL_63                  \
	"." LABEL_63 "." LABEL_63 \
	".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void
test_query_names(void **state)
{
	static const struct {
		const char *name, *asked;
		int rc;
	} rows[] = {
	    {"ordinary", "ocsp.example.com", 0},
	    {"one label", "localhost", 0},
	    {"punycode", "xn--bcher-kva.example", 0},
	    {"underscore", "_ocsp.example", 0},
	    {"253 octets", NAME_253, 0},
	    {"label of 63", LABEL_63 ".example", 0},
	    {"empty", "", -1},
	    {"root", ".", -1},
	    {"leading dot", ".example", -1},
	    {"empty label", "a..b", -1},
	    {"label of 64", LABEL_63 "a.example", -1},
	    {"254 octets", NAME_253 "a", -1},
	    {"300 octets", NAME_253 ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		-1},
	    {"blank", "a b.example", -1},
	    {"newline", "a.example\n", -1},
	    {"raw UTF-8", "b\303\274cher.example", -1},
	    {"escape out of range", "\\999.example", -1},
	    {"lone backslash", "a\\", -1},
	};
	uint8_t out[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct err err = {0};
		size_t len = 7;
		int rc = dns_query_write(
		    rows[i].asked, DNS_A, 1, out, sizeof(out), &len, &err);

		if (rc != rows[i].rc)
			fail_msg("%s: %d (%s)", rows[i].name, rc, err.text);
		if (rc == 0)
			continue;
		assert_int_equal(err.reason, REASON_DNS_NO_ANSWER);
		assert_int_equal(len, 7);
	}
}

static void
test_query_room(void **state)
{
	uint8_t out[512] = {0};
	size_t len = 7;
	struct err err = {0};

	(void)state;
	assert_int_equal(
	    -1, dns_query_write("ocsp.test", DNS_A, 1, out, 20, &len, &err));
	assert_int_equal(err.reason, REASON_DNS_NO_ANSWER);
	assert_int_equal(len, 7);
	assert_int_equal(out[0] | out[1] | out[19] | out[20], 0);
}

static void
test_facts(void **state)
{
	struct wire wire;

	(void)state;
	wire_start(&wire, 0xbeef, WIRE_RESPONSE | WIRE_AA);
	wire_question(&wire, "OCSP.test", DNS_A);
	wire_cname(&wire, "ocsp.test", "ocsp.cdn.test");
	wire_cname(&wire, "OCSP.cdn.test", "e1.cdn.test");
	wire_address(&wire, "e1.cdn.test", "192.0.2.1");
	wire_address(&wire, "e1.cdn.test", "192.0.2.2");
	wire_address(&wire, "e1.cdn.test", "192.0.2.1");
	wire_edns(&wire, 1232, 0);
	parse_good(&wire);
	assert_int_equal(parsed.id, 0xbeef);
	assert_int_equal(parsed.rcode, 0);
	assert_true(parsed.response);
	assert_true(parsed.authoritative);
	assert_true(parsed.edns);
	assert_false(parsed.truncated);
	assert_string_equal(parsed.question, "OCSP.test");
	assert_int_equal(parsed.question_type, DNS_A);
	assert_int_equal(parsed.chain_length, 2);
	assert_string_equal(parsed.chain[0], "ocsp.cdn.test");
	assert_string_equal(parsed.chain[1], "e1.cdn.test");
	assert_int_equal(parsed.address_count, 2);
	assert_string_equal(parsed.addresses[0], "192.0.2.1");
	assert_string_equal(parsed.addresses[1], "192.0.2.2");
}

static void
test_rcodes(void **state)
{
	struct wire wire;

	(void)state;
	wire_start(&wire, 1, WIRE_RESPONSE | 3);
	wire_question(&wire, "ocsp.test", DNS_A);
	parse_good(&wire);
	assert_int_equal(parsed.rcode, 3);
	assert_int_equal(parsed.address_count, 0);
	assert_false(parsed.edns);

	/* RFC 6891, section 6.1.3: BADVERS is 16 */
	wire_start(&wire, 1, WIRE_RESPONSE | WIRE_TC);
	wire_question(&wire, "ocsp.test", DNS_A);
	wire_edns(&wire, 512, 1);
	parse_good(&wire);
	assert_int_equal(parsed.rcode, 16);
	assert_true(parsed.truncated);
}

/* What injectors send is a claim all the same. */
static void
test_forgeries(void **state)
{
	struct wire wire;

	(void)state;
	/* an A record owned by the name asked, chain left out, for TXT */
	wire_start(&wire, 1, WIRE_RESPONSE);
	wire_question(&wire, "ocsp.test", DNS_TXT);
	wire_address(&wire, "ocsp.test", "198.51.100.7");
	parse_good(&wire);
	assert_int_equal(parsed.question_type, DNS_TXT);
	assert_int_equal(parsed.address_count, 1);
	assert_int_equal(parsed.chain_length, 0);

	/* A for AAAA, and an owner that nobody asked for */
	wire_start(&wire, 1, WIRE_RESPONSE);
	wire_question(&wire, "ocsp.test", DNS_AAAA);
	wire_address(&wire, "other.test", "198.51.100.7");
	wire_address(&wire, "ocsp.test", "2001:DB8::0:1");
	parse_good(&wire);
	assert_int_equal(parsed.address_count, 2);
	assert_string_equal(parsed.addresses[0], "198.51.100.7");
	assert_string_equal(parsed.addresses[1], "2001:db8::1");

	/* no question at all */
	wire_start(&wire, 1, WIRE_RESPONSE);
	wire_address(&wire, "ocsp.test", "198.51.100.7");
	parse_good(&wire);
	assert_string_equal(parsed.question, "");
	assert_int_equal(parsed.address_count, 1);

	/* another class, and addresses outside of the answer section */
	wire_start(&wire, 1, WIRE_RESPONSE);
	wire_question(&wire, "ocsp.test", DNS_A);
	wire_record(&wire, 1, "ocsp.test", 1, 3, 4);
	wire_u16(&wire, 0xc000);
	wire_u16(&wire, 0x0207);
	wire_record(&wire, 3, "ns.test", 1, 1, 4);
	wire_u16(&wire, 0xc000);
	wire_u16(&wire, 0x0208);
	parse_good(&wire);
	assert_int_equal(parsed.address_count, 0);
}

static void
test_bounds(void **state)
{
	char owner[32], target[32], address[32];
	struct wire wire;

	(void)state;
	wire_start(&wire, 1, WIRE_RESPONSE);
	wire_question(&wire, "c0.test", DNS_A);
	for (int i = 0; i < DNS_CHAIN_MAX + 4; i++) {
		(void)snprintf(owner, sizeof(owner), "c%d.test", i);
		(void)snprintf(target, sizeof(target), "c%d.test", i + 1);
		wire_cname(&wire, owner, target);
	}
	for (int i = 0; i < DNS_ADDRESSES_MAX + 4; i++) {
		(void)snprintf(address, sizeof(address), "192.0.2.%d", i);
		wire_address(&wire, "x.test", address);
	}
	parse_good(&wire);
	assert_int_equal(parsed.chain_length, DNS_CHAIN_MAX);
	assert_string_equal(parsed.chain[DNS_CHAIN_MAX - 1], "c16.test");
	assert_int_equal(parsed.address_count, DNS_ADDRESSES_MAX);
	assert_string_equal(
	    parsed.addresses[DNS_ADDRESSES_MAX - 1], "192.0.2.63");
}

static void
test_loops(void **state)
{
	struct wire wire;

	(void)state;
	wire_start(&wire, 1, WIRE_RESPONSE);
	wire_question(&wire, "a.test", DNS_A);
	wire_cname(&wire, "a.test", "b.test");
	wire_cname(&wire, "b.test", "A.test");
	parse_good(&wire);
	assert_int_equal(parsed.chain_length, 1);
	assert_true(parsed.loop);

	wire_start(&wire, 1, WIRE_RESPONSE);
	wire_question(&wire, "a.test", DNS_A);
	wire_cname(&wire, "a.test", "a.test");
	parse_good(&wire);
	assert_int_equal(parsed.chain_length, 0);
	assert_true(parsed.loop);

	wire_start(&wire, 1, WIRE_RESPONSE);
	wire_question(&wire, "a.test", DNS_A);
	wire_cname(&wire, "a.test", "b.test");
	wire_cname(&wire, "b.test", "c.test");
	wire_cname(&wire, "c.test", "b.test");
	parse_good(&wire);
	assert_int_equal(parsed.chain_length, 2);
	assert_true(parsed.loop);

	wire_start(&wire, 1, WIRE_RESPONSE);
	wire_question(&wire, "a.test", DNS_A);
	wire_cname(&wire, "a.test", "b.test");
	wire_cname(&wire, "b.test", "c.test");
	parse_good(&wire);
	assert_int_equal(parsed.chain_length, 2);
	assert_false(parsed.loop);
}

static void
write_short_header(struct wire *wire)
{
	wire->len = 11;
}

static void
write_nothing(struct wire *wire)
{
	wire->len = 0;
}

static void
write_missing_answer(struct wire *wire)
{
	wire_count(wire, 1);
}

static void
write_cut_address(struct wire *wire)
{
	wire_address(wire, "ocsp.test", "192.0.2.1");
	wire->len--;
}

static void
write_short_address(struct wire *wire)
{
	wire_record(wire, 1, "ocsp.test", 28, 1, 4);
	wire_u16(wire, 0xc000);
	wire_u16(wire, 0x0201);
}

static void
write_pointer_to_itself(struct wire *wire)
{
	wire_count(wire, 1);
	wire_u16(wire, 0xc000 | (unsigned)wire->len);
	wire_u16(wire, 1);
	wire_u16(wire, 1);
	wire_u16(wire, 0);
	wire_u16(wire, 0);
	wire_u16(wire, 4);
	wire_u16(wire, 0xc000);
	wire_u16(wire, 0x0201);
}

static void
write_pointer_beyond(struct wire *wire)
{
	wire_count(wire, 1);
	wire_u16(wire, 0xffff);
	wire_u16(wire, 1);
	wire_u16(wire, 1);
	wire_u16(wire, 0);
	wire_u16(wire, 0);
	wire_u16(wire, 0);
}

static void
write_long_name(struct wire *wire)
{
	wire_count(wire, 1);
	for (int label = 0; label < 5; label++) {
		wire_u8(wire, 63);
		for (int i = 0; i < 63; i++)
			wire_u8(wire, 'a');
	}
	wire_u8(wire, 0);
	wire_u16(wire, 1);
	wire_u16(wire, 1);
	wire_u16(wire, 0);
	wire_u16(wire, 0);
	wire_u16(wire, 0);
}

static void
write_reserved_label(struct wire *wire)
{
	wire_count(wire, 1);
	wire_u8(wire, 0x80);
	for (int i = 0; i < 200; i++)
		wire_u8(wire, 0);
}

static void
write_two_questions(struct wire *wire)
{
	wire_question(wire, "ocsp.test", DNS_AAAA);
}

static void
write_an_update(struct wire *wire)
{
	wire->at[2] = 0x80 | 5 << 3;
}

static void
test_malformed(void **state)
{
	static const struct {
		const char *name;
		void (*write)(struct wire *wire);
	} rows[] = {
	    {"header of 11 octets", write_short_header},
	    {"empty", write_nothing},
	    {"counted answer is missing", write_missing_answer},
	    {"address cut", write_cut_address},
	    {"AAAA of 4 octets", write_short_address},
	    {"pointer to itself", write_pointer_to_itself},
	    {"pointer beyond the end", write_pointer_beyond},
	    {"name of 321 octets", write_long_name},
	    {"reserved label type", write_reserved_label},
	    {"two questions", write_two_questions},
	    {"opcode UPDATE", write_an_update},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		static struct dns_message untouched;
		struct err err = {0};
		struct wire wire;

		wire_start(&wire, 1, WIRE_RESPONSE);
		wire_question(&wire, "ocsp.test", DNS_A);
		rows[i].write(&wire);
		if (parse(&wire, &err) == 0)
			fail_msg("%s: taken", rows[i].name);
		assert_int_equal(err.reason, REASON_DNS_NO_ANSWER);
		assert_non_null(strstr(err.text, "malformed"));
		assert_memory_equal(&parsed, &untouched, sizeof(parsed));
	}
}

/* RFC 2181, section 9: what a truncated one has beside its question is of no
 * account. */
static void
test_cut_with_tc(void **state)
{
	struct wire whole, wire;
	size_t question;

	(void)state;
	wire_start(&whole, 1, WIRE_RESPONSE | WIRE_TC);
	wire_question(&whole, "ocsp.test", DNS_A);
	question = whole.len;
	wire_address(&whole, "ocsp.test", "192.0.2.1");
	wire_edns(&whole, 1232, 0);
	for (size_t len = 0; len < whole.len; len++) {
		wire = whole;
		wire.len = len;
		if (len < question) {
			assert_int_equal(-1, parse(&wire, NULL));
			continue;
		}
		parse_good(&wire);
		assert_true(parsed.truncated);
		assert_string_equal(parsed.question, "ocsp.test");
		assert_int_equal(parsed.address_count, 0);
	}
}

/* Every cut and every flipped octet of a good message: no crash, no hang. */
static void
test_damaged(void **state)
{
	struct wire whole, wire;

	(void)state;
	wire_start(&whole, 1, WIRE_RESPONSE);
	wire_question(&whole, "ocsp.test", DNS_A);
	wire_cname(&whole, "ocsp.test", "e.cdn.test");
	wire_address(&whole, "e.cdn.test", "192.0.2.1");
	wire_edns(&whole, 1232, 0);
	for (size_t len = 0; len < whole.len; len++) {
		wire = whole;
		wire.len = len;
		assert_int_equal(-1, parse(&wire, NULL));
	}
	for (size_t at = 0; at < whole.len; at++) {
		for (unsigned value = 0; value < 256; value += 5) {
			wire = whole;
			wire.at[at] = (uint8_t)value;
			(void)parse(&wire, NULL);
			assert_true(parsed.address_count <= DNS_ADDRESSES_MAX);
		}
	}
}

/* NS records of the name asked, and of no other; a few. */
static void
test_servers(void **state)
{
	struct wire wire;

	(void)state;
	wire_start(&wire, 7, WIRE_RESPONSE);
	wire_question(&wire, "cdn.test", DNS_NS);
	wire_record(&wire, 1, "CDN.test", DNS_NS, 1, 10);
	wire_name(&wire, "NS1.test");
	wire_record(&wire, 1, "other.test", DNS_NS, 1, 10);
	wire_name(&wire, "ns2.test");
	wire_record(&wire, 1, "cdn.test", DNS_NS, 3, 10); /* of CHAOS */
	wire_name(&wire, "ns4.test");
	wire_record(&wire, 2, "cdn.test", DNS_NS, 1, 10);
	wire_name(&wire, "ns3.test");
	parse_good(&wire);
	assert_int_equal(parsed.server_count, 1);
	assert_string_equal(parsed.servers[0], "ns1.test");
	wire_start(&wire, 7, WIRE_RESPONSE);
	wire_question(&wire, "cdn.test", DNS_NS);
	for (int i = 0; i < DNS_SERVERS_MAX + 2; i++) {
		wire_record(&wire, 1, "cdn.test", DNS_NS, 1, 10);
		wire_name(&wire, "ns5.test");
	}
	parse_good(&wire);
	assert_int_equal(parsed.server_count, DNS_SERVERS_MAX);
}

/* A target that ends, by compression, in the name as we asked it. */
static void
test_chain_is_lower_case(void **state)
{
	struct wire wire;

	(void)state;
	wire_start(&wire, 7, WIRE_RESPONSE);
	wire_question(&wire, "oCsP.tEsT", DNS_A);
	wire_record(&wire, 1, "OcSp.TeSt", DNS_CNAME, 1, 7);
	wire_u8(&wire, 4);
	for (const char *c = "eDgE"; *c != '\0'; c++)
		wire_u8(&wire, (uint8_t)*c);
	wire_u16(&wire, 0xc000 | (12 + 5)); /* "tEsT" of the question */
	wire_address(&wire, "EDGE.test", "192.0.2.1");
	parse_good(&wire);
	assert_int_equal(1, parsed.chain_length);
	assert_string_equal(parsed.chain[0], "edge.test");
	assert_string_equal(parsed.question, "oCsP.tEsT");
	assert_int_equal(1, parsed.address_count);
}

/* DNS 0x20: to the letter. */
static void
test_echoes(void **state)
{
	static const struct {
		const char *question, *asked;
		bool echoes;
	} rows[] = {
	    {"oCsP.tEsT", "oCsP.tEsT", true},
	    {"oCsP.tEsT", "oCsP.tEsT.", true},
	    {"\303\244.test", "\\195\\164.test", true},
	    {"ocsp.test", "oCsP.tEsT", false},
	    {"oCsP.tEst", "oCsP.tEsT", false},
	    {"oCsP.tEsT.a", "oCsP.tEsT", false},
	    {"oCsP.tEs", "oCsP.tEsT", false},
	    {"", "oCsP.tEsT", false},
	    {"oCsP.tEsT", "", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct wire wire;

		wire_start(&wire, 7, WIRE_RESPONSE);
		wire_question(&wire, rows[i].question, DNS_A);
		parse_good(&wire);
		if (dns_message_echoes(&parsed, rows[i].asked) !=
		    rows[i].echoes)
			fail_msg(
			    "'%s' for '%s'", rows[i].question, rows[i].asked);
	}
}

static void
test_answers(void **state)
{
	static const struct {
		const char *name;
		unsigned id, flags;
		const char *question; /* NULL: none */
		unsigned type;
		bool answers;
	} rows[] = {
	    {"ours", 7, WIRE_RESPONSE, "ocsp.test", DNS_A, true},
	    {"other case", 7, WIRE_RESPONSE, "oCsP.TEST", DNS_A, true},
	    {"NXDOMAIN", 7, WIRE_RESPONSE | 3, "ocsp.test", DNS_A, true},
	    {"another id", 8, WIRE_RESPONSE, "ocsp.test", DNS_A, false},
	    {"a query", 7, 0x0100, "ocsp.test", DNS_A, false},
	    {"another name", 7, WIRE_RESPONSE, "ocsp.tes", DNS_A, false},
	    {"a longer name", 7, WIRE_RESPONSE, "ocsp.test.a", DNS_A, false},
	    {"another type", 7, WIRE_RESPONSE, "ocsp.test", DNS_AAAA, false},
	    {"root", 7, WIRE_RESPONSE, "", DNS_A, false},
	    {"no question", 7, WIRE_RESPONSE, NULL, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct wire wire;

		wire_start(&wire, rows[i].id, rows[i].flags);
		if (rows[i].question != NULL)
			wire_question(&wire, rows[i].question, rows[i].type);
		parse_good(&wire);
		if (dns_message_answers(&parsed, 7, "ocsp.test.", DNS_A) !=
		    rows[i].answers)
			fail_msg("RFC 5452, section 9.1: %s", rows[i].name);
	}
}

/* What only a diagnosis looks at: NETWORK-TRUTH 1.2, type-mismatch and RD=0
 * probes; RFC 8914. */
static void
test_oddities(void **state)
{
	static const struct {
		const char *name, *owner;
		enum dns_type type;
		bool wrong;
	} rows[] = {
	    {"an A for TXT", "ocsp.test", DNS_TXT, true},
	    {"an A for HTTPS", "OCSP.test", DNS_HTTPS, true},
	    {"an A for NS", "ocsp.test", DNS_NS, true},
	    {"an A for A", "ocsp.test", DNS_A, false},
	    {"an A for AAAA", "ocsp.test", DNS_AAAA, false},
	    {"another name's A beside TXT", "www.test", DNS_TXT, false},
	};
	struct dns_message message;
	struct wire wire;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		wire_start(&wire, 1, WIRE_RESPONSE);
		wire_question(&wire, "ocsp.test", rows[i].type);
		wire_address(&wire, rows[i].owner, "192.0.2.1");
		assert_int_equal(
		    dns_message_parse(wire.at, wire.len, &message, NULL), 0);
		if (message.wrong_type != rows[i].wrong)
			fail_msg("%s", rows[i].name);
		assert_true(message.recursion);
		assert_true(message.ttl_s >= 0);
		assert_int_equal(message.ede, -1);
	}
}

static void
test_extended_errors(void **state)
{
	struct dns_message message;
	struct wire wire;

	(void)state;
	for (unsigned length = 0; length < 4; length++) {
		wire_start(&wire, 1, WIRE_RESPONSE | 3);
		wire_question(&wire, "ocsp.test", DNS_A);
		wire_count(&wire, 3);
		wire_name(&wire, "");
		wire_u16(&wire, 41);
		wire_u16(&wire, 1232);
		wire_u16(&wire, 0);
		wire_u16(&wire, 0);
		wire_u16(&wire, 4 + length);
		wire_u16(&wire, 15); /* EDE */
		wire_u16(&wire, length);
		for (unsigned i = 0; i < length; i++)
			wire_u8(&wire, i == 1 ? 17 : i == 0 ? 0 : 'x');
		assert_int_equal(
		    dns_message_parse(wire.at, wire.len, &message, NULL), 0);
		assert_int_equal(message.ede, length < 2 ? -1 : 17);
		assert_int_equal(message.ttl_s, -1);
	}
}

/* RFC 1035, section 4.1.1; RFC 4035, section 3.2.2 */
static void
test_manners(void **state)
{
	static const struct {
		unsigned manner;
		uint8_t flags[2];
		size_t longer; /* by EDNS */
	} rows[] = {
	    {0, {0x01, 0x00}, 11},
	    {DNS_NO_RD, {0x00, 0x00}, 11},
	    {DNS_CD, {0x01, 0x10}, 11},
	    {DNS_NO_EDNS, {0x01, 0x00}, 0},
	    {DNS_NO_RD | DNS_CD | DNS_NO_EDNS, {0x00, 0x10}, 0},
	};
	uint8_t out[512];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
		    dns_query_write_as("a.test", DNS_A, 7, rows[i].manner, out,
			sizeof(out), &len, NULL),
		    0);
		assert_memory_equal(out + 2, rows[i].flags, 2);
		assert_int_equal(len, 12 + 8 + 4 + rows[i].longer);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_query_on_the_wire),
	    cmocka_unit_test(test_query_names),
	    cmocka_unit_test(test_query_room),
	    cmocka_unit_test(test_facts),
	    cmocka_unit_test(test_rcodes),
	    cmocka_unit_test(test_forgeries),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_loops),
	    cmocka_unit_test(test_malformed),
	    cmocka_unit_test(test_cut_with_tc),
	    cmocka_unit_test(test_damaged),
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_chain_is_lower_case),
	    cmocka_unit_test(test_servers),
	    cmocka_unit_test(test_echoes),
	    cmocka_unit_test(test_oddities),
	    cmocka_unit_test(test_extended_errors),
	    cmocka_unit_test(test_manners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
