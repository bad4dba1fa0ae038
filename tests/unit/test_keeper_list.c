/* SPDX-License-Identifier: ISC */
/* test_keeper_list.c -- keep/keeper_list: what is said of a certificate when its
 * file is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keeper_fixture.h"
#include "servers/discover.h"

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

/* A certificate that the operator names, with a responder of its own, and
 * that is found on this machine too: it is kept as he says, by that alone. */
static void
test_named_and_found(void **state)
{
	char *folder = scratch_path(&scratch, "lego");
	char *certificates = mem_printf("%s/certificates", folder);
	const struct discover_place place = {"lego", folder};
	const struct discover_options discover = {
	    .root = scratch.dir, .places = &place, .place_count = 1};
	struct keeper_options options = options_for(1, true);
	struct script named;
	char *url;

	(void)state;
	make_leaves(1);
	assert_int_equal(file_make_dir(certificates, 0755, NULL), 0);
	free(paths[0]);
	paths[0] = mem_printf("%s/leaf.crt", certificates);
	write_certificate(0, paths[0]);
	sign(1, CERT_GOOD, 60, CLOCK_DAY);
	assert_true(script_start(&named, &loop, "127.0.0.1", 0, SCRIPT_CLOSE,
	    responder.reply, responder.reply_len));
	url = mem_printf("http://127.0.0.1:%d/", named.port);
	specs[0] = (struct target_spec){.certificate = paths[0], .url = url};
	options.discover = &discover;
	/* the second run knows it from the first one, too */
	for (int run = 0; run < 2; run++) {
		assert_int_equal(await_exit(begin(&options)), KEEPER_GOOD);
		assert_true(first_is_there());
		assert_int_equal(named.requests, 1);
		assert_int_equal(responder.requests, 0);
	}
	specs[0].url = NULL;
	script_stop(&named);
	free(url);
	free(certificates);
	free(folder);
}

/* A certificate without its chain in nginx's configuration: its issuer is found
 * beside it, and it is kept once. */
static void
test_served_and_found(void **state)
{
	char *folder = scratch_path(&scratch, "lego");
	char *certificates = mem_printf("%s/certificates", folder);
	char *beside = mem_printf("%s/leaf.issuer.crt", certificates);
	char *command = scratch_path(&scratch, "nginx");
	const struct discover_place place = {"lego", folder};
	const struct discover_options discover = {
	    .root = scratch.dir, .places = &place, .place_count = 1};
	struct keeper_options options = options_for(0, true);
	char *pem, *text;

	(void)state;
	make_leaves(1);
	assert_int_equal(file_make_dir(certificates, 0755, NULL), 0);
	free(paths[0]);
	paths[0] = mem_printf("%s/leaf.crt", certificates);
	pem = cert_pem(leaves[0].cert);
	scratch_write(paths[0], pem);
	free(pem);
	pem = cert_pem(issuer.cert);
	scratch_write(beside, pem);
	text = mem_printf("#!/bin/sh\n"
			  "[ \"$1\" = -T ] && cat <<.\n"
			  "# configuration file %s/nginx.conf:\n"
			  "http {\nserver {\nlisten unix:/nowhere ssl;\n"
			  "ssl_certificate %s;\n}\n}\n.\n"
			  "exit 0\n",
	    scratch.dir, paths[0]);
	scratch_write(command, text);
	assert_int_equal(chmod(command, 0755), 0);
	sign(1, CERT_GOOD, 60, CLOCK_DAY);
	options.use_nginx = true;
	options.nginx_command = command;
	options.discover = &discover;
	for (int run = 0; run < 2; run++) {
		assert_int_equal(await_exit(begin(&options)), KEEPER_GOOD);
		assert_true(first_is_there());
		assert_int_equal(responder.requests, 1);
	}
	free(text);
	free(pem);
	free(command);
	free(beside);
	free(certificates);
	free(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_lacks_feature),
	    TEST(test_named_and_found),
	    TEST(test_served_and_found),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
