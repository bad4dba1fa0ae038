/* SPDX-License-Identifier: ISC */
/* test_discover.c -- servers/discover: what ACME clients leave in files.
 *
 * Each layout is that of the client's own documentation.  Private keys are
 * FIFOs that nobody writes to: opening one would never end (I4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>

#include "base/clock.h"
#include "base/file.h"
#include "pki_fixture.h"
#include "scratch.h"
#include "servers/discover_part.h"
#include "servers/nginx_conf.h"

static struct scratch scratch;
static struct pki pki;
static struct pki_party other; /* without OCSP URL */
static struct discovery found;
static struct discover_options options;

static int
set_up(void **state)
{
	(void)state;
	scratch_make(&scratch);
	options = (struct discover_options){.root = scratch.dir};
	found = (struct discovery){0};
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	discovery_done(&found);
	scratch_remove(&scratch);
	return 0;
}

static int
make_pki(void **state)
{
	(void)state;
	pki = pki_make(PKI_EC);
	other = pki_party(
	    &(struct pki_spec){.cn = "other.test", .issuer = &pki.issuer});
	return 0;
}

static int
end_pki(void **state)
{
	(void)state;
	pki_party_done(&other);
	pki_done(&pki);
	return 0;
}

/* --- a machine --- */

/* NAME under the root, its folder made. */
static char *
place(const char *name)
{
	char *path = scratch_path(&scratch, name);
	char *end = strrchr(path, '/');

	*end = '\0';
	assert_int_equal(file_make_dir(path, 0755, NULL), 0);
	*end = '/';
	return path;
}

static void
text(const char *name, const char *what)
{
	char *path = place(name);

	scratch_write(path, what);
	free(path);
}

static void
pem(const char *name, const struct cert *leaf, const struct cert *issuer)
{
	char *first = cert_pem(leaf);
	char *second = issuer == NULL ? mem_string("") : cert_pem(issuer);
	char *both = mem_printf("%s%s", first, second);

	text(name, both);
	free(both);
	free(second);
	free(first);
}

static void
key(const char *name)
{
	char *path = place(name);

	assert_int_equal(mkfifo(path, 0600), 0);
	free(path);
}

static void
link_to(const char *name, const char *target)
{
	char *path = place(name);

	assert_int_equal(symlink(target, path), 0);
	free(path);
}

static void
chain(const char *name)
{
	pem(name, pki.leaf.cert, pki.issuer.cert);
}

/* --- what was found --- */

static void
assert_place(size_t item, size_t at, const char *finder, const char *name)
{
	const struct discovered_at *got;
	char *path = scratch_path(&scratch, name);

	if (item >= found.count || at >= found.items[item].place_count)
		fail_msg("%s: %s was not found", finder, name);
	got = &found.items[item].places[at];
	assert_string_equal(got->finder, finder);
	assert_string_equal(got->path, path);
	if (at == 0)
		assert_string_equal(found.items[item].path, path);
	free(path);
}

static void
look(size_t items, size_t notes)
{
	discover(&options, &found);
	for (size_t i = 0; found.note_count != notes && i < found.note_count;
	     i++)
		print_message("note: %s\n", found.notes[i].err.text);
	assert_int_equal(found.count, items);
	assert_int_equal(found.note_count, notes);
}

static void
assert_note(size_t at, const char *finder, const char *says)
{
	assert_true(at < found.note_count);
	assert_string_equal(found.notes[at].finder, finder);
	if (strstr(found.notes[at].err.text, says) == NULL)
		fail_msg("%s", found.notes[at].err.text);
}

/* --- tests --- */

static void
test_nothing(void **state)
{
	(void)state;
	look(0, 0);
}

static void
test_certbot(void **state)
{
	(void)state;
	chain("etc/letsencrypt/archive/a.test/fullchain1.pem");
	link_to("etc/letsencrypt/live/a.test/fullchain.pem",
	    "../../archive/a.test/fullchain1.pem");
	key("etc/letsencrypt/live/a.test/privkey.pem");
	text("etc/letsencrypt/live/README", "This directory contains ...\n");
	text("etc/letsencrypt/renewal/a.test.conf",
	    "# renew_before_expiry = 30 days\n"
	    "version = 2.1.0\n"
	    "archive_dir = /etc/letsencrypt/archive/a.test\n"
	    "privkey = /etc/letsencrypt/live/a.test/privkey.pem\n"
	    "fullchain = /etc/letsencrypt/live/a.test/fullchain.pem\n"
	    "[renewalparams]\nauthenticator = nginx\n");
	look(1, 0);
	/* the link, behind which a renewal puts the next file */
	assert_place(
	    0, 0, "certbot", "etc/letsencrypt/live/a.test/fullchain.pem");
	assert_int_equal(found.items[0].place_count, 1);
	assert_non_null(found.items[0].id.issuer);
	assert_null(found.items[0].issuer);
}

/* A lineage elsewhere, and one whose files are gone. */
static void
test_certbot_renewal(void **state)
{
	(void)state;
	chain("srv/tls/b.test/fullchain.pem");
	text("etc/letsencrypt/renewal/b.test.conf",
	    "fullchain = /srv/tls/b.test/fullchain.pem\n");
	text("etc/letsencrypt/renewal/c.test.conf",
	    "fullchain = /srv/tls/c.test/fullchain.pem\n");
	text("etc/letsencrypt/renewal/d.test.conf", "fullchain = there\n");
	text("etc/letsencrypt/renewal/e.test.conf", "");
	text("etc/letsencrypt/renewal/f.test.conf~",
	    "fullchain = /srv/tls/f.test/fullchain.pem\n");
	look(1, 1);
	assert_place(0, 0, "certbot", "srv/tls/b.test/fullchain.pem");
	assert_note(0, "certbot", "c.test/fullchain.pem', which is not there");
}

static void
test_acme_sh(void **state)
{
	(void)state;
	text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"
			   "nobody:x:65534:65534::/nonexistent:/bin/false\n"
			   "daemon:x:1:1::/:/bin/false\n"
			   "web:x:1000:1000::/home/web:/bin/sh\n");
	chain("home/web/.acme.sh/a.test_ecc/fullchain.cer");
	pem("home/web/.acme.sh/a.test_ecc/a.test.cer", pki.leaf.cert, NULL);
	key("home/web/.acme.sh/a.test_ecc/a.test.key");
	text("home/web/.acme.sh/a.test_ecc/a.test.csr.conf",
	    "Le_RealFullChainPath='/wrong'\n");
	text("home/web/.acme.sh/a.test_ecc/a.test.conf",
	    "Le_Domain='a.test'\n"
	    "Le_RealCertPath=''\n"
	    "Le_RealKeyPath='/etc/nginx/a.key'\n"
	    "Le_ReloadCmd='__ACME_BASE64__START_eA==__ACME_BASE64__END_'\n"
	    "Le_RealFullChainPath='/etc/nginx/a.pem'\n");
	chain("etc/nginx/a.pem");
	text("home/web/.acme.sh/account.conf", "SAVED_Token='secret'\n");
	text("home/web/.acme.sh/dnsapi/dns_cf.sh", "\n");
	/* not issued yet */
	text("home/web/.acme.sh/b.test/b.test.conf", "Le_Domain='b.test'\n");
	look(1, 0);
	assert_place(0, 0, "acme.sh", "etc/nginx/a.pem");
	assert_place(
	    0, 1, "acme.sh", "home/web/.acme.sh/a.test_ecc/fullchain.cer");
}

/* passwd(5) of NIS: lines of "+" alone have no home. */
static void
test_acme_sh_passwd_of_nis(void **state)
{
	(void)state;
	text("etc/passwd", "+\n-\n+@web::::::\nodd\n"
			   "web:x:1000:1000::/home/web:/bin/sh\n");
	chain("home/web/.acme.sh/a.test/fullchain.cer");
	look(1, 0);
	assert_place(0, 0, "acme.sh", "home/web/.acme.sh/a.test/fullchain.cer");
}

/* I5: nobody waits for a pipe in the home of somebody who never writes to it. */
static void
test_pipes(void **state)
{
	static const char *const names[] = {
	    "home/web/.acme.sh/a.test/fullchain.cer",
	    "home/web/.acme.sh/b.test/b.test.conf"};
	int64_t began_ms = clock_mono_ms();
	int held[2];

	(void)state;
	text("etc/passwd", "web:x:1000:1000::/home/web:/bin/sh\n");
	chain("home/web/.acme.sh/b.test/fullchain.cer");
	for (size_t i = 0; i < 2; i++) {
		char *path = place(names[i]);

		assert_int_equal(mkfifo(path, 0600), 0);
		held[i] = open(path, O_RDWR | O_CLOEXEC);
		assert_true(held[i] != -1);
		free(path);
	}
	look(1, 2);
	assert_note(0, "acme.sh", "a.test/fullchain.cer' is no ordinary file");
	assert_note(1, "acme.sh", "b.test.conf' is no ordinary file");
	assert_true(clock_mono_ms() - began_ms < 5000); /* a pipe has 10 s */
	for (size_t i = 0; i < 2; i++)
		(void)close(held[i]);
}

/* Only the leaf was installed: its issuer is known from the client's copy. */
static void
test_acme_sh_leaf_alone(void **state)
{
	char *lent = scratch_path(&scratch, "acme.sh/a.test/fullchain.cer");

	(void)state;
	chain("acme.sh/a.test/fullchain.cer");
	text("acme.sh/a.test/a.test.conf",
	    "Le_RealCertPath='/etc/nginx/a.crt'\nLe_RealFullChainPath=''\n");
	pem("etc/nginx/a.crt", pki.leaf.cert, NULL);
	look(1, 0);
	assert_place(0, 0, "acme.sh", "etc/nginx/a.crt");
	assert_string_equal(found.items[0].issuer, lent);
	assert_non_null(found.items[0].id.issuer);
	assert_int_equal(found.items[0].err.reason, REASON_NONE);
	free(lent);
}

/* An installed copy that is behind the client's is a certificate in use. */
static void
test_acme_sh_not_deployed(void **state)
{
	(void)state;
	chain("acme.sh/a.test/fullchain.cer");
	text("acme.sh/a.test/a.test.conf",
	    "Le_RealFullChainPath='/etc/nginx/a.pem'\n");
	pem("etc/nginx/a.pem", other.cert, pki.issuer.cert);
	look(2, 0);
	assert_place(0, 0, "acme.sh", "etc/nginx/a.pem");
	assert_place(1, 0, "acme.sh", "acme.sh/a.test/fullchain.cer");
}

static void
test_lego(void **state)
{
	char *issuer =
	    scratch_path(&scratch, "etc/lego/certificates/a.test.issuer.crt");

	(void)state;
	pem("etc/lego/certificates/a.test.crt", pki.leaf.cert, NULL);
	pem("etc/lego/certificates/a.test.issuer.crt", pki.issuer.cert, NULL);
	key("etc/lego/certificates/a.test.key");
	text("etc/lego/certificates/a.test.json", "{}");
	pem("etc/lego/certificates/_.b.test.crt", other.cert, pki.issuer.cert);
	look(2, 0);
	assert_place(0, 0, "lego", "etc/lego/certificates/_.b.test.crt");
	assert_null(found.items[0].issuer);
	assert_place(1, 0, "lego", "etc/lego/certificates/a.test.crt");
	assert_string_equal(found.items[1].issuer, issuer);
	assert_non_null(found.items[1].id.issuer);
	free(issuer);
}

static const struct dehydrated_row {
	const char *name, *config, *more; /* files of /etc/dehydrated */
	const char *chain;                /* found there; NULL: a note */
} dehydrated_rows[] = {
    {"nothing said", "", NULL, "etc/dehydrated/certs/a/fullchain.pem"},
    {"BASEDIR", "BASEDIR=/srv/d\n", NULL, "srv/d/certs/a/fullchain.pem"},
    {"both", "BASEDIR=/srv/d\nCERTDIR=\"${BASEDIR}/c\"\n", NULL,
	"srv/d/c/a/fullchain.pem"},
    {"CERTDIR of nothing said", "CERTDIR=$BASEDIR/c # here\n", NULL,
	"etc/dehydrated/c/a/fullchain.pem"},
    {"CERTDIR alone", "#BASEDIR=/no\nCERTDIR='/srv/c'\n", NULL,
	"srv/c/a/fullchain.pem"},
    {"Debian's", "CONFIG_D=/etc/dehydrated/conf.d\nBASEDIR=/srv/d\n",
	"CERTDIR=/srv/e\n", "srv/e/a/fullchain.pem"},
    {"the last word counts", "BASEDIR=/srv/1\nBASEDIR=/srv/2\n", NULL,
	"srv/2/certs/a/fullchain.pem"},
    {"somebody else's variable", "CERTDIR=$HOME/certs\n", NULL, NULL},
    {"a base of one", "BASEDIR=${HOME}/d\n", NULL, NULL},
    {"a command", "CERTDIR=$(pwd)/certs\n", NULL, NULL},
    {"a relative one", "CERTDIR=certs\n", NULL, NULL},
};

static void
test_dehydrated(void **state)
{
	for (size_t i = 0;
	     i < sizeof(dehydrated_rows) / sizeof(dehydrated_rows[0]); i++) {
		const struct dehydrated_row *row = &dehydrated_rows[i];

		(void)set_up(state);
		print_message("%s\n", row->name);
		text("etc/dehydrated/config", row->config);
		if (row->more != NULL)
			text("etc/dehydrated/conf.d/local.sh", row->more);
		if (row->chain != NULL)
			chain(row->chain);
		look(row->chain != NULL, row->chain == NULL);
		if (row->chain != NULL)
			assert_place(0, 0, "dehydrated", row->chain);
		else
			assert_note(0, "dehydrated", "only a shell can read");
		(void)tear_down(state);
	}
	(void)set_up(state);
}

/* One certificate in many places is told once, the server's place first. */
static void
test_once(void **state)
{
	char *dump = mem_printf(
	    "# configuration file /etc/nginx/nginx.conf:\n"
	    "events {}\nhttp { server { listen 443 ssl;\n"
	    "ssl_certificate %s/etc/ssl/a.pem; ssl_certificate_key k; }\n"
	    "server { listen 444 ssl; ssl_certificate %s/etc/ssl/a.pem; } }\n",
	    scratch.dir, scratch.dir);
	struct nginx_conf *conf = NULL;

	(void)state;
	assert_int_equal(nginx_conf_parse(dump, strlen(dump), &conf, NULL), 0);
	options.nginx = conf;
	chain("etc/ssl/a.pem");
	chain("etc/letsencrypt/live/a.test/fullchain.pem");
	chain("etc/lego/certificates/a.test.crt");
	pem("etc/letsencrypt/live/b.test/fullchain.pem", other.cert,
	    pki.issuer.cert);
	look(2, 0);
	assert_int_equal(found.items[0].place_count, 3);
	assert_place(0, 0, "nginx", "etc/ssl/a.pem");
	assert_place(
	    0, 1, "certbot", "etc/letsencrypt/live/a.test/fullchain.pem");
	assert_place(0, 2, "lego", "etc/lego/certificates/a.test.crt");
	assert_place(
	    1, 0, "certbot", "etc/letsencrypt/live/b.test/fullchain.pem");
	assert_true(discovered_by(&found.items[0], "lego"));
	assert_false(discovered_by(&found.items[1], "nginx"));
	nginx_conf_free(conf);
	free(dump);
}

/* I8: what cannot be read is told, and the others are found. */
static void
test_unreadable(void **state)
{
	(void)state;
	text("etc/letsencrypt/live/a.test/fullchain.pem", "no certificate\n");
	link_to("etc/letsencrypt/live/b.test/fullchain.pem", "b.test");
	link_to("etc/letsencrypt/live/c.test/fullchain.pem", "fullchain.pem");
	chain("etc/letsencrypt/live/d.test/fullchain.pem");
	text("etc/lego/certificates/a.test.crt/x", "a folder\n");
	look(1, 3);
	assert_place(
	    0, 0, "certbot", "etc/letsencrypt/live/d.test/fullchain.pem");
	assert_note(0, "certbot", "a.test/fullchain.pem");
	assert_int_equal(
	    found.notes[0].err.reason, REASON_CERTIFICATE_UNREADABLE);
	assert_note(1, "certbot", "c.test/fullchain.pem"); /* a loop */
	assert_note(2, "lego", "a.test.crt");
}

/* The same for a folder. */
static void
test_forbidden(void **state)
{
	char *live = scratch_path(&scratch, "etc/letsencrypt/live");
	bool root = geteuid() == 0;

	(void)state;
	chain("etc/letsencrypt/live/a.test/fullchain.pem");
	chain("etc/lego/certificates/a.test.crt");
	assert_int_equal(chmod(scratch.dir, 0755), 0);
	assert_int_equal(chmod(live, 0), 0);
	if (root) /* who may look into all */
		assert_int_equal(seteuid(65534), 0);
	look(1, 1);
	if (root)
		assert_int_equal(seteuid(0), 0);
	assert_note(0, "certbot", "letsencrypt/live': Permission denied");
	assert_int_equal(chmod(live, 0755), 0);
	free(live);
}

static void
test_issuer_missing(void **state)
{
	(void)state;
	pem("etc/lego/certificates/a.test.crt", pki.leaf.cert, NULL);
	pem("etc/lego/certificates/b.test.crt", other.cert, NULL);
	look(2, 0);
	assert_int_equal(found.items[0].err.reason, REASON_ISSUER_MISSING);
	/* nobody needs it without a responder */
	assert_int_equal(found.items[1].err.reason, REASON_NONE);
}

static void
test_places(void **state)
{
	char *here = scratch_path(&scratch, "opt/le");
	char *gone = scratch_path(&scratch, "opt/gone");
	const struct discover_place places[] = {
	    {"certbot", here}, {"lego", gone}, {"certbot", here}};

	(void)state;
	options.places = places;
	options.place_count = 3;
	chain("opt/le/live/a.test/fullchain.pem");
	look(1, 1);
	assert_place(0, 0, "certbot", "opt/le/live/a.test/fullchain.pem");
	assert_int_equal(found.items[0].place_count, 1);
	assert_note(0, "lego", "opt/gone");
	free(gone);
	free(here);
}

static void
test_place_parse(void **state)
{
	static const struct {
		const char *text, *finder, *dir; /* NULL: refused */
	} rows[] = {
	    {"certbot=/opt/le", "certbot", "/opt/le"},
	    {"acme.sh=/a=b", "acme.sh", "/a=b"},
	    {"dehydrated=/", "dehydrated", "/"},
	    {"lego=/x", "lego", "/x"},
	    {"", NULL, NULL},
	    {"lego", NULL, NULL},
	    {"lego=", NULL, NULL},
	    {"lego=x", NULL, NULL},
	    {"=/x", NULL, NULL},
	    {"/x", NULL, NULL},
	    {"leg=/x", NULL, NULL},
	    {"legos=/x", NULL, NULL},
	    {"nginx=/x", NULL, NULL}, /* it is asked itself */
	    {"Lego=/x", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct discover_place got = {0};
		struct err err = {0};
		int rc = discover_place_parse(rows[i].text, &got, &err);

		if ((rc == 0) != (rows[i].dir != NULL))
			fail_msg("'%s'", rows[i].text);
		if (rc == -1) {
			assert_int_equal(err.reason, REASON_USAGE);
			assert_null(got.finder);
			continue;
		}
		assert_string_equal(got.finder, rows[i].finder);
		assert_string_equal(got.dir, rows[i].dir);
	}
}

/* --- the text of clients --- */

static void
test_settings(void **state)
{
	static const struct {
		const char *text, *value; /* of KEY; NULL: none */
	} rows[] = {
	    {"KEY=value", "value"},
	    {"KEY = value\n", "value"},
	    {"  KEY='a b'\n", "a b"},
	    {"KEY=\"a b\" # why\n", "a b"},
	    {"export KEY=value\n", "value"},
	    {"KEY=value # why\n", "value"},
	    {"KEY=a#b\n", "a#b"},
	    {"KEY=value \t\r\n", "value"},
	    {"KEY=\n", ""},
	    {"KEY=''\n", ""},
	    {"KEY=1\nKEY=2\n", "2"},
	    {"KEY='not closed\n", "'not closed"},
	    {"KEY='a\nb'\n", "'a"},
	    {"", NULL},
	    {"KEY", NULL},
	    {"KEY value\n", NULL},
	    {"#KEY=value\n", NULL},
	    {"# KEY=value\n", NULL},
	    {"key=value\n", NULL},
	    {"KEYS=value\n", NULL},
	    {"A_KEY=value\n", NULL},
	    {"A=KEY=value\n", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *value = discover_setting(rows[i].text, "KEY");

		if ((value == NULL) != (rows[i].value == NULL) ||
		    (value != NULL && strcmp(value, rows[i].value) != 0))
			fail_msg("'%s': %s", rows[i].text,
			    value == NULL ? "nothing" : value);
		free(value);
	}
}

static void
test_expand(void **state)
{
	static const struct {
		const char *value, *result; /* NULL: refused */
	} rows[] = {
	    {"", ""},
	    {"/plain", "/plain"},
	    {"$KEY", "/k"},
	    {"${KEY}", "/k"},
	    {"$KEY/a", "/k/a"},
	    {"${KEY}a", "/ka"},
	    {"/x${KEY}$KEY", "/x/k/k"},
	    {"$", NULL},
	    {"a$", NULL},
	    {"${}", NULL},
	    {"${KEY", NULL},
	    {"$KEYS", NULL},
	    {"${KEYS}", NULL},
	    {"$KE", NULL},
	    {"${KEY:-x}", NULL},
	    {"$(KEY)", NULL},
	    {"$$KEY", NULL},
	    {"$key", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *got = discover_expand(rows[i].value, "KEY", "/k");

		if ((got == NULL) != (rows[i].result == NULL) ||
		    (got != NULL && strcmp(got, rows[i].result) != 0))
			fail_msg("'%s': %s", rows[i].value,
			    got == NULL ? "refused" : got);
		free(got);
	}
}

/* clang-format off */
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_nothing),
	    TEST(test_certbot),
	    TEST(test_certbot_renewal),
	    TEST(test_acme_sh),
	    TEST(test_acme_sh_passwd_of_nis),
	    TEST(test_pipes),
	    TEST(test_acme_sh_leaf_alone),
	    TEST(test_acme_sh_not_deployed),
	    TEST(test_lego),
	    TEST(test_dehydrated),
	    TEST(test_once),
	    TEST(test_unreadable),
	    TEST(test_forbidden),
	    TEST(test_issuer_missing),
	    TEST(test_places),
	    cmocka_unit_test(test_place_parse),
	    cmocka_unit_test(test_settings),
	    cmocka_unit_test(test_expand),
	};

	return cmocka_run_group_tests(tests, make_pki, end_pki);
}
