/* SPDX-License-Identifier: ISC */
/* test_der.c -- pki/der: what is DER, and what only looks like it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pki/der.h"
#include "pki_fixture.h"

enum reader { CONTENT, INTEGER, SMALL, OID, BOOLEAN, BITS, TIME };

/* Read one value of the kind from a copy of exact size, so that the sanitizer
 * sees an overread; its number, or the length of its content. */
static int64_t
read_one(enum reader reader, struct span bytes, struct der_fault *fault,
    size_t *left)
{
	uint8_t *exact = malloc(bytes.len + (bytes.len == 0));
	struct der der;
	int64_t value = 0;

	if (bytes.len > 0)
		memcpy(exact, bytes.at, bytes.len);
	der = der_over((struct span){exact, bytes.len}, fault);
	switch (reader) {
	case CONTENT:
		value = (int64_t)der_content(&der, DER_SEQUENCE, "x").len;
		break;
	case INTEGER:
		value = (int64_t)der_integer(&der, "x").len;
		break;
	case SMALL:
		value = der_small(&der, DER_ENUMERATED, "x");
		break;
	case OID:
		value = (int64_t)der_oid(&der, "x").len;
		break;
	case BOOLEAN:
		value = der_boolean(&der, "x");
		break;
	case BITS:
		value = (int64_t)der_bits(&der, "x").len;
		break;
	case TIME:
		value = der_time(&der, "x");
		break;
	}
	*left = der.left;
	free(exact);
	return value;
}

static const struct row {
	const char *name;
	enum reader reader;
	struct span bytes;
	int64_t value; /* -1: a fault */
} rows[] = {
    {"empty sequence", CONTENT, PKI_BYTES("\x30\x00"), 0},
    {"one octet", CONTENT, PKI_BYTES("\x30\x01x"), 1},
    {"nothing", CONTENT, PKI_BYTES(""), -1},
    {"tag alone", CONTENT, PKI_BYTES("\x30"), -1},
    {"other tag", CONTENT, PKI_BYTES("\x31\x00"), -1},
    {"primitive for constructed", CONTENT, PKI_BYTES("\x10\x00"), -1},
    {"tag number over 30", CONTENT, PKI_BYTES("\x3f\x10\x00"), -1},
    {"one octet missing", CONTENT, PKI_BYTES("\x30\x02x"), -1},
    {"indefinite", CONTENT, PKI_BYTES("\x30\x80\x00\x00"), -1},
    {"long form of 1", CONTENT, PKI_BYTES("\x30\x81\x01x"), -1},
    {"long form with a leading 0", CONTENT, PKI_BYTES("\x30\x82\x00\x01x"), -1},
    {"length octets missing", CONTENT, PKI_BYTES("\x30\x82\x01"), -1},
    {"four octets of length, beyond the end", CONTENT,
	PKI_BYTES("\x30\x84\x7f\xff\xff\xff"), -1},
    {"largest length", CONTENT, PKI_BYTES("\x30\x84\xff\xff\xff\xff"), -1},
    {"five octets of length", CONTENT,
	PKI_BYTES("\x30\x85\x01\x00\x00\x00\x00"), -1},
    {"127 octets of length", CONTENT, PKI_BYTES("\x30\xff\x01"), -1},

    {"integer 0", INTEGER, PKI_BYTES("\x02\x01\x00"), 1},
    {"integer 127", INTEGER, PKI_BYTES("\x02\x01\x7f"), 1},
    {"integer 128", INTEGER, PKI_BYTES("\x02\x02\x00\x80"), 2},
    {"integer -1", INTEGER, PKI_BYTES("\x02\x01\xff"), 1},
    {"integer -129", INTEGER, PKI_BYTES("\x02\x02\xff\x7f"), 2},
    {"integer of no octets", INTEGER, PKI_BYTES("\x02\x00"), -1},
    {"127 in two octets", INTEGER, PKI_BYTES("\x02\x02\x00\x7f"), -1},
    {"-1 in two octets", INTEGER, PKI_BYTES("\x02\x02\xff\xff"), -1},

    {"enumerated 6", SMALL, PKI_BYTES("\x0a\x01\x06"), 6},
    {"enumerated 127", SMALL, PKI_BYTES("\x0a\x01\x7f"), 127},
    {"enumerated -128", SMALL, PKI_BYTES("\x0a\x01\x80"), -1},
    {"enumerated of no octets", SMALL, PKI_BYTES("\x0a\x00"), -1},
    {"enumerated of two", SMALL, PKI_BYTES("\x0a\x02\x00\x06"), -1},

    {"1.2.3.4", OID, PKI_BYTES("\x06\x03\x2a\x03\x04"), 3},
    {"an arc of two octets", OID, PKI_BYTES("\x06\x03\x2a\x86\x48"), 3},
    {"no arc", OID, PKI_BYTES("\x06\x00"), -1},
    {"an arc with a leading 0", OID, PKI_BYTES("\x06\x03\x2a\x80\x01"), -1},
    {"the first arc with a leading 0", OID, PKI_BYTES("\x06\x02\x80\x01"), -1},
    {"an arc without an end", OID, PKI_BYTES("\x06\x02\x2a\x86"), -1},

    {"true", BOOLEAN, PKI_BYTES("\x01\x01\xff"), 1},
    {"false", BOOLEAN, PKI_BYTES("\x01\x01\x00"), 0},
    {"BER true", BOOLEAN, PKI_BYTES("\x01\x01\x01"), -1},
    {"boolean of no octets", BOOLEAN, PKI_BYTES("\x01\x00"), -1},
    {"boolean of two", BOOLEAN, PKI_BYTES("\x01\x02\xff\xff"), -1},

    {"eight bits", BITS, PKI_BYTES("\x03\x02\x00\xff"), 1},
    {"no bits", BITS, PKI_BYTES("\x03\x01\x00"), 0},
    {"no octet at all", BITS, PKI_BYTES("\x03\x00"), -1},
    {"unused bits", BITS, PKI_BYTES("\x03\x02\x01\xfe"), -1},
    {"constructed bits", BITS, PKI_BYTES("\x23\x04\x03\x02\x00\xff"), -1},

    {"epoch 0", TIME,
	PKI_BYTES("\x18\x0f"
		  "19700101000000Z"),
	0},
    {"year 2038 and on", TIME,
	PKI_BYTES("\x18\x0f"
		  "20400101000000Z"),
	2208988800},
    {"leap day", TIME,
	PKI_BYTES("\x18\x0f"
		  "20000229000000Z"),
	951782400},
    {"last second", TIME,
	PKI_BYTES("\x18\x0f"
		  "99991231235959Z"),
	253402300799},
    {"no leap day", TIME,
	PKI_BYTES("\x18\x0f"
		  "21000229000000Z"),
	-1},
    {"UTCTime", TIME,
	PKI_BYTES("\x17\x0d"
		  "270115070000Z"),
	-1},
};

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct der_fault fault = {0};
		size_t left = 0;
		int64_t value =
		    read_one(rows[i].reader, rows[i].bytes, &fault, &left);

		if ((fault.why != NULL) != (rows[i].value == -1))
			fail_msg("%s: fault %s", rows[i].name, fault.why);
		if (fault.why == NULL && (value != rows[i].value || left != 0))
			fail_msg("%s: %lld, %zu left", rows[i].name,
			    (long long)value, left);
		if (fault.why != NULL && value != 0)
			fail_msg("%s: a value after a fault", rows[i].name);
	}
}

static void
test_faults_are_sticky(void **state)
{
	struct der_fault fault = {0};
	struct der der =
	    der_over(PKI_LITERAL("\x30\x03\x02\x01\x05\x30\x00"), &fault);
	struct der inner = der_enter(&der, DER_SEQUENCE, "outer");

	(void)state;
	assert_true(der_next_is(&inner, DER_INTEGER));
	assert_int_equal(1, der_integer(&inner, "number").len);
	assert_true(der_at_end(&inner));
	assert_false(der_at_end(&der));
	assert_int_equal(0, der_small(&inner, DER_INTEGER, "missing"));
	assert_string_equal("missing", fault.why);
	/* the outer cursor shares it, and the first reason stays */
	assert_false(der_ok(&der));
	assert_true(der_at_end(&der));
	assert_false(der_next_is(&der, DER_SEQUENCE));
	assert_int_equal(0, der_whole(&der, DER_SEQUENCE, "later").len);
	der_end(&der, "the end");
	assert_string_equal("missing", fault.why);
	assert_false(fault.trailing);
}

static void
test_trailing(void **state)
{
	struct der_fault fault = {0};
	struct der der = der_over(PKI_LITERAL("\x30\x00\x00"), &fault);
	struct span whole = der_whole(&der, DER_SEQUENCE, "value");

	(void)state;
	assert_int_equal(2, whole.len);
	der_end(&der, "the value");
	assert_true(fault.trailing);
	assert_string_equal("the value", fault.why);
}

/* What is nested, at whatever depth, is strict too; what is not constructed is
 * not looked into. */
static void
test_strict(void **state)
{
	static const struct {
		const char *name;
		struct span bytes;
		bool good;
	} cases[] = {
	    {"empty", PKI_BYTES("\x30\x00"), true},
	    {"nested", PKI_BYTES("\x30\x04\xa0\x02\x05\x00"), true},
	    {"octets that look like a value",
		PKI_BYTES("\x30\x05\x04\x03\x05\x81\x00"), true},
	    {"another tag", PKI_BYTES("\x31\x00"), false},
	    {"a long length within", PKI_BYTES("\x30\x03\x05\x81\x00"), false},
	    {"the same, deeper",
		PKI_BYTES("\x30\x07\x31\x05\xa3\x03\x05\x81\x00"), false},
	    {"indefinite within", PKI_BYTES("\x30\x06\x30\x80\x05\x00\x00\x00"),
		false},
	    {"a tag of two octets within", PKI_BYTES("\x30\x03\x1f\x20\x00"),
		false},
	    {"past the end within", PKI_BYTES("\x30\x02\x05\x01"), false},
	};
	uint8_t deep[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct der_fault fault = {0};
		struct der der = der_over(cases[i].bytes, &fault);
		struct span whole = der_strict(&der, DER_SEQUENCE, "x");

		if (der_ok(&der) != cases[i].good ||
		    whole.len != (cases[i].good ? cases[i].bytes.len : 0))
			fail_msg("%s: %s, %zu octets", cases[i].name, fault.why,
			    whole.len);
	}
	/* I5: nested so deep that nobody means it */
	for (size_t i = 0; i < sizeof(deep) / 2; i++) {
		deep[2 * i] = DER_SEQUENCE;
		deep[2 * i + 1] = (uint8_t)(sizeof(deep) - 2 * i - 2);
	}
	for (size_t from = 0; from < sizeof(deep); from += 2) {
		struct span bytes = {deep + from, sizeof(deep) - from};
		struct der_fault fault = {0};
		struct der der;

		if (bytes.len - 2 >= 0x80)
			continue; /* would want a longer head */
		der = der_over(bytes, &fault);
		(void)der_strict(&der, DER_SEQUENCE, "x");
		assert_int_equal(der_ok(&der), bytes.len / 2 <= 33);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_faults_are_sticky),
	    cmocka_unit_test(test_trailing),
	    cmocka_unit_test(test_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
