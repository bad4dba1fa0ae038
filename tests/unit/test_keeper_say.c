/* SPDX-License-Identifier: ISC */
/* test_keeper_say.c -- keep/keeper_say: a state's line tells what it is and what
 * to do, once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "keep/keeper_priv.h"
#include "log_scene.h"

enum how { HOW_PLAIN, HOW_FAILED, HOW_REVOKED };

/* HAS is NULL where nothing is to be said. */
static const struct {
	const char *name;
	const struct pki_party *leaf;
	int64_t left;
	enum how how;
	enum target_state state;
	enum log_level level;
	const char *has;
} rows[] = {
    {"D3: must-staple without URL", &ca.must, 0, HOW_PLAIN,
	STATE_MUST_STAPLE_MISSING, LOG_ERROR, "have it issued anew"},
    {"B10: an expired certificate", &ca.old, 0, HOW_PLAIN,
	STATE_CERTIFICATE_EXPIRED, LOG_ERROR, "renew it"},
    {"B10: a certificate of tomorrow", &ca.early, 0, HOW_PLAIN, STATE_PENDING,
	LOG_NOTICE, "valid from 2027-01-15T10:00:00Z on"},
    {"C15: revoked", &ca.mail, 0, HOW_REVOKED, STATE_REVOKED, LOG_ERROR,
	"replace it now"},
    {"A10: expiring", &ca.www, 1000, HOW_FAILED, STATE_EXPIRING, LOG_ERROR,
	"the last try: the resolver failed"},
    {"3.2: no responder", &ca.bare, 0, HOW_PLAIN, STATE_NO_RESPONDER,
	LOG_NOTICE, "names no OCSP responder"},
    {"retrying", &ca.www, 200000, HOW_FAILED, STATE_RETRYING, LOG_WARNING,
	"retrying, usable for"},
    {"an unreadable one", NULL, 0, HOW_PLAIN, STATE_ERROR, LOG_ERROR,
	"error: its file cannot be used"},
    {"pending, as all begin", &ca.www, 0, HOW_PLAIN, STATE_PENDING, 0, NULL},
    {"due is a moment", &ca.www, 1000, HOW_PLAIN, STATE_DUE, 0, NULL},
    {"fresh, as its response has said", &ca.www, 200000, HOW_PLAIN, STATE_FRESH,
	0, NULL},
};

static void
test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct target *t =
		    status_target(&ca, "/c/x", rows[i].leaf, rows[i].left);

		t->state = STATE_PENDING;
		if (rows[i].how == HOW_FAILED)
			status_fail(
			    t, REASON_DNS_SERVFAIL, "the resolver failed");
		if (rows[i].how == HOW_REVOKED) {
			t->last_final = true;
			t->last_status = CERT_REVOKED;
		}
		memset(&got, 0, sizeof(got));
		keeper_say_state(t, rows[i].state, PKI_NOW);
		if (got.count != (rows[i].has != NULL) ||
		    got.level != rows[i].level ||
		    (rows[i].has != NULL &&
			strstr(got.message, rows[i].has) == NULL))
			fail_msg("%s: '%s'", rows[i].name, got.message);
		target_free(t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
