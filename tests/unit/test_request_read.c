/* SPDX-License-Identifier: ISC */
/* test_request_read.c -- pki/request_read: requests from anybody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/mem.h"
#include "pki/request.h"
#include "pki/request_read.h"
#include "own_pki.h"

/* What we ask ourselves is read back. */
static void
test_own(void **state)
{
	for (int i = 0; i < 4; i++) {
		const struct request_kind kind = {.sha256 = i % 2 == 1,
		    .nonce = {(const uint8_t *)"0123456789", i < 2 ? 0 : 10}};
		struct request_asked asked;
		uint8_t *der = NULL;
		size_t len = 0;

		(void)state;
		assert_int_equal(
		    0, request_make_as(pki.leaf.cert, pki.issuer.cert, &kind,
			   &der, &len, NULL));
		assert_true(request_read((struct span){der, len}, &asked));
		assert_int_equal(asked.count, 1);
		assert_int_equal(asked.ids[0].hash,
		    kind.sha256 ? CERT_ID_SHA256 : CERT_ID_SHA1);
		assert_int_equal(
		    asked.ids[0].name_hash.len, kind.sha256 ? 32 : 20);
		assert_int_equal(
		    asked.ids[0].key_hash.len, kind.sha256 ? 32 : 20);
		assert_true(
		    span_equal(asked.ids[0].serial, pki.leaf.cert->serial_der));
		/* no shorter one is one */
		for (size_t cut = 0; cut < len; cut++)
			assert_false(
			    request_read((struct span){der, cut}, &asked));
		free(der);
	}
}

/* --- requests of parts --- */

#define SHA1 "\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00"
#define SHA1_BARE "\x30\x07\x06\x05\x2b\x0e\x03\x02\x1a"
#define SHA256 "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00"
#define MD5 "\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00"
#define H20        \
	"\x04\x14" \
	"ABCDEFGHIJKLMNOPQRST"
#define H32        \
	"\x04\x20" \
	"ABCDEFGHIJKLMNOPQRSTabcdefghijkl"
#define H16        \
	"\x04\x10" \
	"ABCDEFGHIJKLMNOP"
#define SERIAL "\x02\x02\x12\x34"
#define NONCE                                                       \
	"\x30\x11\x30\x0f\x06\x09+\x06\x01\x05\x05\x07\x30\x01\x02" \
	"\x04\x02\x04\x00"

struct parts {
	const char *name;
	struct span id;     /* within each CertID */
	size_t count;       /* of them; 0: one */
	struct span before; /* the list, within TBSRequest */
	struct span single; /* behind the CertID, within Request */
	struct span after;  /* the list */
	struct span tail;   /* behind TBSRequest */
	struct span end;    /* behind all */
	bool empty;         /* no Request at all */
	bool good;
	enum cert_id_hash hash;
};

#define B PKI_BYTES

static const struct parts parts[] = {
    {.name = "SHA-1", .id = B(SHA1 H20 H20 SERIAL), .good = true},
    {.name = "SHA-1 without NULL",
	.id = B(SHA1_BARE H20 H20 SERIAL),
	.good = true},
    {.name = "SHA-256",
	.id = B(SHA256 H32 H32 SERIAL),
	.good = true,
	.hash = CERT_ID_SHA256},
    {.name = "another hash",
	.id = B(MD5 H16 H16 SERIAL),
	.good = true,
	.hash = CERT_ID_HASHES},
    {.name = "a hash of another length",
	.id = B(SHA1 H20 H32 SERIAL),
	.good = true,
	.hash = CERT_ID_HASHES},
    {.name = "version written",
	.id = B(SHA1 H20 H20 SERIAL),
	.before = B("\xa0\x03\x02\x01\x00"),
	.good = true},
    {.name = "requestor's name",
	.id = B(SHA1 H20 H20 SERIAL),
	.before = B("\xa1\x03\x81\x01x"),
	.good = true},
    {.name = "nonce",
	.id = B(SHA1 H20 H20 SERIAL),
	.after = B("\xa2\x13" NONCE),
	.good = true},
    {.name = "extension of the single request",
	.id = B(SHA1 H20 H20 SERIAL),
	.single = B("\xa0\x13" NONCE),
	.good = true},
    {.name = "signature",
	.id = B(SHA1 H20 H20 SERIAL),
	.tail = B("\xa0\x02\x30\x00"),
	.good = true},
    {.name = "two", .id = B(SHA1 H20 H20 SERIAL), .count = 2, .good = true},
    {.name = "as many as are looked at",
	.id = B(SHA1 H20 H20 SERIAL),
	.count = REQUEST_ASKED_MAX,
	.good = true},
    {.name = "more than that",
	.id = B(SHA1 H20 H20 SERIAL),
	.count = 700,
	.good = true},
    {.name = "a negative serial",
	.id = B(SHA1 H20 H20 "\x02\x01\xff"),
	.good = true},
    /* what is none */
    {.name = "nobody asked for", .id = B(SHA1 H20 H20 SERIAL), .empty = true},
    {.name = "version 2",
	.id = B(SHA1 H20 H20 SERIAL),
	.before = B("\xa0\x03\x02\x01\x01")},
    {.name = "version twice",
	.id = B(SHA1 H20 H20 SERIAL),
	.before = B("\xa0\x06\x02\x01\x00\x02\x01\x00")},
    {.name = "empty version",
	.id = B(SHA1 H20 H20 SERIAL),
	.before = B("\xa0\x00")},
    {.name = "no serial", .id = B(SHA1 H20 H20)},
    {.name = "empty serial", .id = B(SHA1 H20 H20 "\x02\x00")},
    {.name = "serial in too many octets",
	.id = B(SHA1 H20 H20 "\x02\x02\x00\x01")},
    {.name = "no key hash", .id = B(SHA1 H20 SERIAL)},
    {.name = "no algorithm", .id = B(H20 H20 SERIAL)},
    {.name = "an algorithm of no arc",
	.id = B("\x30\x02\x06\x00" H20 H20 SERIAL)},
    {.name = "more in the CertID", .id = B(SHA1 H20 H20 SERIAL "\x05\x00")},
    {.name = "more in the Request",
	.id = B(SHA1 H20 H20 SERIAL),
	.single = B("\x05\x00")},
    {.name = "more in TBSRequest",
	.id = B(SHA1 H20 H20 SERIAL),
	.after = B("\x05\x00")},
    {.name = "more in OCSPRequest",
	.id = B(SHA1 H20 H20 SERIAL),
	.tail = B("\x05\x00")},
    {.name = "more behind it", .id = B(SHA1 H20 H20 SERIAL), .end = B("\x00")},
    {.name = "a length beyond the end", .id = B(SHA1 H20 H20 "\x02\x7f\x12")},
    {.name = "an indefinite length", .id = B("\x30\x80" SHA1 H20 H20 SERIAL)},
};

static struct buf
make(const struct parts *p)
{
	struct buf out, inner, list, id;

	buf_init(&out, 1 << 17);
	buf_init(&inner, 1 << 17);
	buf_init(&list, 1 << 17);
	buf_init(&id, 1 << 17);
	for (size_t i = 0; !p->empty && i < (p->count == 0 ? 1 : p->count);
	     i++) {
		pki_tlv(&id, 0x30, p->id);
		buf_add(&id, p->single.at, p->single.len);
		pki_wrap(&list, 0x30, &id);
	}
	buf_add(&inner, p->before.at, p->before.len);
	pki_wrap(&inner, 0x30, &list);
	buf_add(&inner, p->after.at, p->after.len);
	pki_wrap(&list, 0x30, &inner);
	buf_add(&list, p->tail.at, p->tail.len);
	pki_wrap(&out, 0x30, &list);
	buf_add(&out, p->end.at, p->end.len);
	buf_done(&inner);
	buf_done(&list);
	buf_done(&id);
	return out;
}

static void
test_parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const struct parts *p = &parts[i];
		struct buf der = make(p);
		size_t count = p->count == 0 ? 1 : p->count;
		struct request_asked asked = {.count = 99};

		if (request_read(pki_span(&der), &asked) != p->good)
			fail_msg("%s: not as it should be", p->name);
		if (p->good) {
			assert_int_equal(asked.count, count < REQUEST_ASKED_MAX
							  ? count
							  : REQUEST_ASKED_MAX);
			if (asked.ids[asked.count - 1].hash != p->hash)
				fail_msg("%s: hash %d", p->name,
				    (int)asked.ids[0].hash);
		}
		buf_done(&der);
	}
}

/* --- paths --- */

/* BEFORE, the request as base64 with ESCAPED characters percent-encoded, and
 * BEHIND. */
static char *
path_of(struct span der, const char *before, const char *escaped,
    const char *behind, bool padding)
{
	char *base64 = base64_write(der.at, der.len);
	struct buf out;

	buf_init(&out, 1 << 16);
	buf_puts(&out, before);
	for (const char *c = base64; *c != '\0'; c++) {
		if (*c == '=' && !padding)
			break;
		if (strchr(escaped, *c) != NULL)
			buf_printf(&out, "%%%02x", (unsigned)*c);
		else
			buf_add(&out, c, 1);
	}
	buf_puts(&out, behind);
	free(base64);
	return buf_take(&out);
}

static void
test_paths(void **state)
{
	static const struct {
		const char *before, *escaped, *behind;
		bool bare; /* without padding */
		bool bad;
	} rows[] = {
	    {"/", "+/=", "", false, false},
	    {"/", "", "", false, false},
	    {"/", "=", "", false, false},
	    {"/", "", "", true, false},
	    {"/",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz012345"
		"6789+/=",
		"", false, false},
	    {"//", "", "", false, false},
	    {"/ocsp/", "+/=", "", false, false},
	    {"/a/b//c/", "", "", false, false},
	    {"/MFM/", "", "", false, false},
	    {"/ocsp/M/", "+/=", "", false, false},
	    {"/", "", "%0D%0a", false, false},
	    /* what is none */
	    {"", "", "", false, true},
	    {"/x", "", "", false, true},
	    {"/", "", "/", false, true},
	    {"/", "", "x", false, true},
	    {"/", "", "A", true, true},
	    {"/", "", "%", false, true},
	    {"/", "", "%4", false, true},
	    {"/", "", "%zz", false, true},
	    {"/", "", "%00", false, true},
	    {"/", "", "=/", false, true},
	    {"/", "", "\x80", false, true},
	    {"/", "", "-_", true, true},
	    {"/", "%2B", "?a", false, true},
	};
	/* of all three lengths of padding, and with every digit in it */
	for (size_t extra = 0; extra < 3; extra++) {
		static const uint8_t serials[] =
		    "\x02\x24\x01\xfb\xff\xbf\xfb\xef\xbe\xff\xff\xff"
		    "\x10\x41\x04\x3f\xf0\x0f\xaa\x55\x5a\xa5\xfb\xff"
		    "\xbf\xfb\xef\xbe\xff\xff\xff\x12\x34\x56\x78\x9a\xbc\xde";
		uint8_t id[128];
		struct parts p = {.name = "path"};
		struct buf der;

		(void)state;
		memcpy(id, SHA1 H20 H20, sizeof(SHA1 H20 H20) - 1);
		memcpy(id + sizeof(SHA1 H20 H20) - 1, serials, 38);
		id[sizeof(SHA1 H20 H20)] = (uint8_t)(0x24 - extra);
		p.id = (struct span){id, sizeof(SHA1 H20 H20) - 1 + 38 - extra};
		der = make(&p);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			char *path = path_of(pki_span(&der), rows[i].before,
			    rows[i].escaped, rows[i].behind, !rows[i].bare);
			uint8_t room[REQUEST_PATH_MAX];
			struct request_asked asked;
			bool good = request_read_path(path, room, &asked);

			if (good == rows[i].bad)
				fail_msg("row %zu: %s", i, path);
			if (good)
				assert_int_equal(
				    asked.ids[0].serial.len, 0x24 - extra);
			free(path);
		}
		buf_done(&der);
	}
}

/* A request whose base64 has "//" in it, and begins behind nothing but slashes:
 * nothing is merged. */
static void
test_double_slash(void **state)
{
	struct parts p = {.name = "slashes",
	    .id = B(SHA1 "\x04\x14\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
			 "\xff\xff\xff\xff\xff\xff\xff\xff\xff" H20 SERIAL)};
	struct buf der = make(&p);
	char *path = path_of(pki_span(&der), "/ocsp//", "", "", true);
	uint8_t room[REQUEST_PATH_MAX];
	struct request_asked asked;

	(void)state;
	assert_non_null(strstr(path, "//////"));
	assert_true(request_read_path(path, room, &asked));
	assert_int_equal(asked.ids[0].name_hash.at[0], 0xff);
	free(path);
	buf_done(&der);
}

static void
test_long_path(void **state)
{
	struct parts p = {
	    .name = "long", .id = B(SHA1 H20 H20 SERIAL), .count = 50};
	uint8_t room[REQUEST_PATH_MAX];
	struct request_asked asked;

	(void)state;
	for (; p.count < 70; p.count++) {
		struct buf der = make(&p);
		char *path = path_of(pki_span(&der), "/", "", "", true);

		assert_int_equal(request_read_path(path, room, &asked),
		    der.len <= REQUEST_PATH_MAX);
		free(path);
		buf_done(&der);
	}
	assert_false(request_read_path("", room, &asked));
	assert_false(request_read_path("/", room, &asked));
	assert_false(request_read_path("/favicon.ico", room, &asked));
	assert_false(request_read_path("/M", room, &asked));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_own),
	    cmocka_unit_test(test_parts),
	    cmocka_unit_test(test_paths),
	    cmocka_unit_test(test_double_slash),
	    cmocka_unit_test(test_long_path),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
