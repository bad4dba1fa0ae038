/* SPDX-License-Identifier: ISC */
/* A configuration in, the findings that it comes to out: what lint says. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "doctor/finding.h"
#include "doctor/remedy.h"
#include "doctor/stapling.h"
#include "pki_fixture.h"
#include "scratch.h"
#include "servers/nginx_conf.h"

enum { TEXT_MAX = 1 << 16 };

/* A server block that does everything right, but for what FILE is. */
#define LISTEN "listen 443 ssl;\n"
#define ON "ssl_stapling on;\n"
#define TRUST "ssl_trusted_certificate trust.pem;\nssl_stapling_verify on;\n"
#define CHAIN "ssl_certificate chain.pem;\n"
#define RESOLVER "resolver 192.0.2.53;\n"
#define LOG "error_log none.log;\n"
#define SERVER(text) "server {\n" LISTEN text "}\n"
#define STAPLED(name) ON "ssl_stapling_file " name ";\n"

static struct scratch scratch;
static struct pki pki;
static struct pki_party plain, rsa, tls_only, rooted;

/* --- a machine --- */

static void
write_pem(const char *name, const struct cert *first, const struct cert *second)
{
	char *path = scratch_path(&scratch, name);
	char *one = cert_pem(first);
	char *two = second == NULL ? mem_string("") : cert_pem(second);
	char *both = mem_printf("%s%s", one, two);

	scratch_write(path, both);
	free(both);
	free(two);
	free(one);
	free(path);
}

static void
write_staple(const char *name, const struct pki_single *single,
    const struct pki_party *signer)
{
	const struct pki_response spec = {
	    .signer = signer, .singles = single, .single_count = 1};
	struct buf der = pki_response(&spec);
	char *path = scratch_path(&scratch, name);

	scratch_write_bytes(path, buf_text(&der), der.len);
	free(path);
	buf_done(&der);
}

static void
write_staples(void)
{
	struct pki_single one = {
	    .leaf = pki.leaf.cert, .issuer = pki.issuer.cert};
	char *path;

	write_staple("good.der", &one, &pki.issuer);
	write_staple("forged.der", &one, &pki.root);
	one.this_update = PKI_NOW - 2 * CLOCK_DAY;
	one.next_update = PKI_NOW - CLOCK_DAY;
	write_staple("old.der", &one, &pki.issuer);
	one = (struct pki_single){.leaf = pki.leaf.cert,
	    .issuer = pki.issuer.cert,
	    .status = CERT_REVOKED};
	write_staple("revoked.der", &one, &pki.issuer);
	one = (struct pki_single){.leaf = rsa.cert, .issuer = pki.issuer.cert};
	write_staple("other.der", &one, &pki.issuer);
	path = scratch_path(&scratch, "text.der");
	scratch_write(path, "<html>");
	free(path);
}

static int
set_up(void **state)
{
	char *path;

	(void)state;
	scratch_make(&scratch);
	pki = pki_make(PKI_EC);
	plain = pki_party(
	    &(struct pki_spec){.cn = "plain.test", .issuer = &pki.issuer});
	rsa = pki_party(&(struct pki_spec){.cn = "rsa.test",
	    .issuer = &pki.issuer,
	    .kind = PKI_RSA,
	    .ext = {{"authorityInfoAccess", "OCSP;URI:http://ocsp.test/"}}});
	tls_only = pki_party(&(struct pki_spec){.cn = "tls.test",
	    .issuer = &pki.issuer,
	    .ext = {{"authorityInfoAccess", "OCSP;URI:https://ocsp.test/"}}});
	rooted = pki_party(&(struct pki_spec){.cn = "rooted.test",
	    .issuer = &pki.root,
	    .ext = {{"authorityInfoAccess", "OCSP;URI:http://ocsp.test/"}}});
	write_pem("chain.pem", pki.leaf.cert, pki.issuer.cert);
	write_pem("leaf.pem", pki.leaf.cert, NULL);
	write_pem("rsa.pem", rsa.cert, pki.issuer.cert);
	write_pem("plain.pem", plain.cert, pki.issuer.cert);
	write_pem("tls.pem", tls_only.cert, pki.issuer.cert);
	write_pem("rooted.pem", rooted.cert, NULL);
	write_pem("self.pem", pki.root.cert, NULL);
	write_pem("root.pem", pki.root.cert, NULL);
	write_pem("issuer.pem", pki.issuer.cert, NULL);
	write_pem("trust.pem", pki.issuer.cert, pki.root.cert);
	write_staples();
	path = scratch_path(&scratch, "hosts");
	scratch_write(path, "192.0.2.1 ocsp.test # pinned\n");
	free(path);
	path = scratch_path(&scratch, "no-pins");
	scratch_write(path, "127.0.0.1 localhost\n");
	free(path);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	scratch_remove(&scratch);
	pki_party_done(&plain);
	pki_party_done(&rsa);
	pki_party_done(&tls_only);
	pki_party_done(&rooted);
	pki_done(&pki);
	return 0;
}

/* --- from a configuration to findings --- */

static struct nginx_conf *
parse(const char *body)
{
	struct nginx_conf *conf = NULL;
	struct err err = {0};
	char *dump = mem_printf(
	    "# configuration file %s/nginx.conf:\n%s", scratch.dir, body);

	if (nginx_conf_parse(dump, strlen(dump), &conf, &err) == -1)
		print_message("%s\n", err.text);
	assert_non_null(conf);
	free(dump);
	return conf;
}

static size_t
look(struct facts *facts, const struct nginx_conf *conf, const char *hosts,
    const char *fingerprint)
{
	char *path = scratch_path(&scratch, hosts);
	char *command = mem_printf("nginx -p %s", scratch.dir);
	const struct stapling_request request = {.conf = conf,
	    .command = command,
	    .now = PKI_NOW,
	    .hosts_file = path,
	    .fingerprint = fingerprint};
	size_t looked = stapling_nginx(facts, &request);

	free(command);
	free(path);
	return looked;
}

/* "CODE:LINE" of each finding, a blank behind each. */
static void
render(struct buf *out, const struct facts *facts)
{
	size_t count;
	struct finding *list = diagnose_settings(facts, &count);

	for (size_t i = 0; i < count; i++) {
		const struct fact *fact = &facts->items[list[i].evidence[0]];

		buf_printf(out, "%s:%d ", finding_row(list[i].code)->code,
		    fact->kind == FACT_SETTING ? fact->u.setting.line : 0);
	}
	free(list);
}

static const struct {
	const char *name, *body, *hosts, *want;
} cases[] = {
    {"A10 a good staple file", SERVER(CHAIN STAPLED("good.der")), "hosts", ""},
    {"an expired staple file", SERVER(CHAIN STAPLED("old.der")), "hosts",
	"server-cfg-file-stale:5 "},
    {"a staple file for another certificate",
	SERVER(CHAIN STAPLED("other.der")), "hosts",
	"server-cfg-file-other-cert:5 "},
    {"a staple that the wrong one signed", SERVER(CHAIN STAPLED("forged.der")),
	"hosts", "server-cfg-file-bad:5 "},
    {"a staple that says revoked", SERVER(CHAIN STAPLED("revoked.der")),
	"hosts", "server-cfg-file-bad:5 "},
    {"a staple file with a page in it", SERVER(CHAIN STAPLED("text.der")),
	"hosts", "server-cfg-file-bad:5 "},
    {"a staple file that is not there: not tested, no fault",
	SERVER(CHAIN STAPLED("none.der")), "hosts", ""},
    {"RSA and ECDSA with one file",
	SERVER(CHAIN "ssl_certificate rsa.pem;\n" STAPLED("good.der")), "hosts",
	"server-cfg-two-certs-one-file:6 "},
    {"look-alike: RSA and ECDSA in two blocks",
	SERVER(CHAIN STAPLED("good.der")) "server {\nlisten 444 ssl;\n"
					  "ssl_certificate rsa.pem;\n" STAPLED(
					      "other.der") "}\n",
	"hosts", ""},
    {"32 a resolver beside a pin", SERVER(CHAIN ON TRUST RESOLVER LOG), "hosts",
	"server-cfg-resolver-ignores-hosts:7 "},
    {"32 look-alike: a resolver, no pin", SERVER(CHAIN ON TRUST RESOLVER LOG),
	"no-pins", ""},
    {"32 a resolver of http {}", RESOLVER SERVER(CHAIN ON TRUST LOG), "hosts",
	"server-cfg-resolver-ignores-hosts:1 "},
    {"32 the same for two server blocks: one line, said once",
	RESOLVER SERVER(CHAIN ON TRUST LOG) SERVER(CHAIN ON TRUST LOG), "hosts",
	"server-cfg-resolver-ignores-hosts:1 "},
    {"32 two resolvers on one line",
	SERVER(CHAIN ON TRUST LOG "resolver 192.0.2.53 192.0.2.54;\n"), "hosts",
	"server-cfg-resolver-ignores-hosts:8 "
	"server-cfg-resolver-ignores-hosts:8 "},
    {"33 no resolver: a frozen address", SERVER(CHAIN ON TRUST LOG), "hosts",
	"server-cfg-frozen-addr:4 "},
    {"33 look-alike: the responder is an address",
	SERVER(
	    CHAIN ON TRUST LOG "ssl_stapling_responder http://192.0.2.1/;\n"),
	"hosts", ""},
    {"an ssl_stapling_responder of another kind",
	SERVER(
	    CHAIN ON TRUST LOG "ssl_stapling_responder https://ocsp.test/;\n"),
	"hosts", "server-cfg-responder-unusable:8 "},
    {"a certificate with an https:// responder",
	SERVER("ssl_certificate tls.pem;\n" ON TRUST LOG), "hosts",
	"server-cfg-responder-unusable:3 "},
    {"50 stapling on without an OCSP URL",
	SERVER("ssl_certificate plain.pem;\n" ON TRUST LOG), "hosts",
	"server-cfg-no-ocsp-url:4 "},
    {"50 look-alike: stapling off without an OCSP URL",
	SERVER("ssl_certificate plain.pem;\n"), "hosts", ""},
    {"stapling is not there", SERVER(CHAIN), "hosts",
	"server-cfg-stapling-off:3 "},
    {"stapling is off", SERVER(CHAIN "ssl_stapling off;\n"), "hosts",
	"server-cfg-stapling-off:4 "},
    {"an inner off beats an outer on", ON SERVER(CHAIN "ssl_stapling off;\n"),
	"hosts", "server-cfg-stapling-off:5 "},
    {"the chain is incomplete",
	SERVER("ssl_certificate leaf.pem;\n" STAPLED(
	    "good.der") "ssl_trusted_certificate trust.pem;\n"),
	"hosts", "server-cfg-chain-incomplete:3 "},
    {"look-alike: a root signed it",
	SERVER("ssl_certificate rooted.pem;\n" ON TRUST RESOLVER LOG),
	"no-pins", ""},
    {"50 stapling on for one that signed itself",
	SERVER("ssl_certificate self.pem;\n" ON), "hosts",
	"server-cfg-no-ocsp-url:4 "},
    {"50 look-alike: it signed itself, and stapling is off",
	SERVER("ssl_certificate self.pem;\n"), "hosts", ""},
    {"the issuer is nowhere",
	SERVER("ssl_certificate leaf.pem;\n" ON
	       "ssl_stapling_verify on;\n" RESOLVER LOG),
	"no-pins",
	"server-cfg-chain-incomplete:3 server-cfg-trusted-missing:3 "},
    {"look-alike: it may be in a file that cannot be read",
	SERVER("ssl_certificate leaf.pem;\n" ON
	       "ssl_trusted_certificate nobody-may-read.pem;\n"
	       "ssl_stapling_verify on;\n" RESOLVER LOG),
	"no-pins", "server-cfg-chain-incomplete:3 "},
    {"verify on, and no trusted certificates",
	SERVER(CHAIN ON "ssl_stapling_verify on;\n" RESOLVER LOG), "no-pins",
	"server-cfg-trusted-incomplete:5 "},
    {"verify on, the root is not trusted",
	SERVER(CHAIN ON "ssl_trusted_certificate issuer.pem;\n"
			"ssl_stapling_verify on;\n" RESOLVER LOG),
	"no-pins", "server-cfg-trusted-incomplete:5 "},
    {"look-alike: the root alone is trusted, the issuer is sent",
	SERVER(CHAIN ON "ssl_trusted_certificate root.pem;\n"
			"ssl_stapling_verify on;\n" RESOLVER LOG),
	"no-pins", ""},
    {"verify is off", SERVER(CHAIN ON RESOLVER LOG), "no-pins",
	"server-cfg-no-verify:4 "},
    {"the default server is silent",
	SERVER(CHAIN) SERVER(CHAIN STAPLED("good.der")), "hosts",
	"server-cfg-default-server:3 "},
    {"default_server says which",
	SERVER(CHAIN) "server {\nlisten 443 ssl default_server;\n" CHAIN
	    STAPLED("good.der") "}\n",
	"hosts", "server-cfg-stapling-off:3 "},
    {"look-alike: another address has another default",
	SERVER(CHAIN STAPLED("good.der")) "server {\nlisten 444 ssl;\n" CHAIN
					  "}\n",
	"hosts", "server-cfg-stapling-off:9 "},
    {"no TLS", "server { listen 80; }\n", "hosts", ""},
};

static void
finds_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* http { stands on line 1, so that lines count from there */
		char *body = mem_printf("http { %s }", cases[i].body);
		struct nginx_conf *conf = parse(body);
		struct facts facts = {0};
		struct buf got;

		buf_init(&got, TEXT_MAX);
		(void)look(&facts, conf, cases[i].hosts, NULL);
		render(&got, &facts);
		print_message("%s\n", cases[i].name);
		assert_string_equal(buf_text(&got), cases[i].want);
		buf_done(&got);
		facts_done(&facts);
		nginx_conf_free(conf);
		free(body);
	}
}

/* Who listens at another port of the address is another resolver. */
static void
tells_resolvers_apart(void **state)
{
	static const char *const want[] = {"", "2001:db8::53", "192.0.2.54"};
	struct nginx_conf *conf = parse("http { " SERVER(
	    CHAIN ON TRUST LOG "resolver 192.0.2.53:5353 [2001:db8::53]:53 "
			       "192.0.2.54 valid=30s;\n") "}");
	struct facts facts = {0};
	size_t seen = 0;

	(void)state;
	(void)look(&facts, conf, "hosts", NULL);
	for (size_t i = 0; i < facts.count; i++) {
		if (facts.items[i].kind != FACT_SETTING)
			continue;
		assert_in_range(seen, 0, 2);
		assert_string_equal(
		    facts.items[i].u.setting.address, want[seen++]);
	}
	assert_int_equal(seen, 3);
	facts_done(&facts);
	nginx_conf_free(conf);
}

static void
looks_at_one_certificate(void **state)
{
	struct nginx_conf *conf = parse(
	    "http { " SERVER(CHAIN) SERVER("ssl_certificate rsa.pem;\n") "}");
	struct facts facts = {0};

	(void)state;
	assert_int_equal(look(&facts, conf, "hosts", rsa.cert->fingerprint), 1);
	assert_int_equal(facts.count, 1);
	assert_non_null(strstr(facts.items[0].u.setting.certificate, "rsa"));
	facts_done(&facts);
	facts = (struct facts){0};
	assert_int_equal(
	    look(&facts, conf, "hosts", plain.cert->fingerprint), 0);
	facts_done(&facts);
	nginx_conf_free(conf);
}

/* The time of a line that is AGE old, as this machine's nginx writes it. */
static int64_t
written_at(int year, int month, int day)
{
	int64_t at = 0;

	assert_int_equal(clock_local(year, month, day, 12, 0, 0, &at), 0);
	return at;
}

/* What the log says of this responder, with its age; not that of others. */
static void
reads_the_log(void **state)
{
	static const char line[] =
	    "%d/%02d/%02d 12:00:00 [error] 7#7: OCSP responder timed out while "
	    "requesting certificate status, responder: %s, peer: %s:80\n";
	struct nginx_conf *conf = parse("http { " SERVER(
	    CHAIN ON TRUST RESOLVER "error_log said.log;\n") "}");
	char *path = scratch_path(&scratch, "said.log");
	struct facts facts = {0};
	struct buf got, log;

	(void)state;
	buf_init(&log, TEXT_MAX);
	buf_printf(&log, line, 2027, 1, 10, "ocsp.test", "192.0.2.76");
	buf_printf(&log, line, 2027, 1, 15, "ocsp.test", "192.0.2.77");
	buf_printf(&log, line, 2027, 1, 15, "else.test", "192.0.2.78");
	scratch_write(path, buf_text(&log));
	(void)look(&facts, conf, "no-pins", NULL);
	assert_int_equal(facts.count, 3);
	assert_int_equal(facts.items[1].kind, FACT_PEER);
	assert_string_equal(facts.items[1].u.peer.address, "192.0.2.77");
	assert_string_equal(facts.items[1].u.peer.file, path);
	assert_string_equal(facts.items[1].u.peer.when, "2027/01/15 12:00:00");
	assert_string_equal(facts.items[2].u.peer.address, "192.0.2.76");
	assert_int_equal(
	    facts.items[2].u.peer.age_s, PKI_NOW - written_at(2027, 1, 10));
	buf_init(&got, TEXT_MAX);
	render(&got, &facts);
	/* that of five days ago says nothing of today; one of the future has no
	 * age */
	assert_string_equal(buf_text(&got), "server-fetch-fails:0 ");
	buf_done(&got);
	buf_done(&log);
	facts_done(&facts);
	nginx_conf_free(conf);
	free(path);
}

static void
fills_a_remedy_in(void **state)
{
	struct nginx_conf *conf = parse(
	    "http { " SERVER("ssl_certificate leaf.pem;\n" ON
			     "ssl_stapling_verify on;\n" RESOLVER LOG) "}");
	struct remedy_subject subject = {"/other.pem", "www.test"};
	struct facts facts = {0};
	struct finding *list;
	struct remedy remedy;
	char *want;
	size_t count;

	(void)state;
	(void)look(&facts, conf, "no-pins", NULL);
	list = diagnose_settings(&facts, &count);
	assert_int_equal(count, 2);
	/* the certificate that the setting is about, not the one asked about */
	remedy_make(&facts, &list[1], &subject, &remedy);
	want = mem_printf("oclasp show %s/leaf.pem  #", scratch.dir);
	assert_int_equal(strncmp(remedy.lines[0], want, strlen(want)), 0);
	free(want);
	want = mem_printf("# at %s/nginx.conf:3", scratch.dir);
	assert_non_null(strstr(remedy.lines[1], want));
	free(want);
	remedy_done(&remedy);
	free(list);
	facts_done(&facts);
	nginx_conf_free(conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_faults),
	    cmocka_unit_test(tells_resolvers_apart),
	    cmocka_unit_test(looks_at_one_certificate),
	    cmocka_unit_test(reads_the_log),
	    cmocka_unit_test(fills_a_remedy_in),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
