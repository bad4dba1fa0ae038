/* SPDX-License-Identifier: ISC */
/* test_keeper_list.c -- keep/keeper_list: what is said of a certificate when its
 * file is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keeper_fixture.h"

static struct {
	size_t count; /* lines with `word` */
	const char *word;
	enum log_level level;
} heard;

static bool
listen_in(const struct log_entry *entry)
{
	if (strstr(entry->message, heard.word) != NULL) {
		heard.count++;
		heard.level = entry->level;
	}
	return true;
}

/* D4, RFC 7633 section 4.2.2: the CA has the TLS feature, its leaf may lack it;
 * said once, and no reason not to keep it. */
static void
test_lacks_feature(void **state)
{
	static const struct {
		const char *name, *ca, *leaf;
		size_t lines;
	} rows[] = {
	    {"the leaf lacks it", "status_request", NULL, 1},
	    {"both have it", "status_request", "status_request", 0},
	    {"the leaf alone has it", NULL, "status_request", 0},
	    {"nobody has it", NULL, NULL, 0},
	};

	(void)state;
	log_set_level(LOG_WARNING);
	log_set_sink(listen_in);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pki_spec ca = {.cn = "strict",
		    .from = clock_wall_s() - CLOCK_DAY,
		    .until = clock_wall_s() + CLOCK_DAY,
		    .ext = {{"basicConstraints", "critical,CA:TRUE"}}};
		struct pki_spec leaf = {.cn = "leaf",
		    .from = clock_wall_s() - CLOCK_DAY,
		    .until = clock_wall_s() + CLOCK_DAY};
		struct keeper_options options = options_for(1, true);
		struct pki_party other = issuer;
		enum keeper_end end = KEEPER_LATER;

		if (rows[i].ca != NULL)
			ca.ext[1] = (struct pki_ext){"tlsfeature", rows[i].ca};
		if (rows[i].leaf != NULL)
			leaf.ext[0] =
			    (struct pki_ext){"tlsfeature", rows[i].leaf};
		issuer = pki_party(&ca);
		leaf.issuer = &issuer;
		leaves[0] = pki_party(&leaf);
		paths[0] = scratch_path(&scratch, "leaf.pem");
		specs[0] = (struct target_spec){.certificate = paths[0]};
		write_certificate(0, paths[0]);
		heard.word = "lacks it";
		heard.count = 0;
		assert_int_equal(keeper_run(&options, &end, NULL), 0);
		if (heard.count != rows[i].lines ||
		    (heard.count > 0 && heard.level != LOG_WARNING) ||
		    /* must-staple without a responder: D3 */
		    (end == KEEPER_ALARM) != (rows[i].leaf != NULL))
			fail_msg("%s: %zu lines, end %d", rows[i].name,
			    heard.count, (int)end);
		pki_party_done(&leaves[0]);
		pki_party_done(&issuer);
		free(paths[0]);
		paths[0] = NULL;
		issuer = other;
	}
	log_set_sink(NULL);
	log_set_level(LOG_ERROR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_lacks_feature),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
