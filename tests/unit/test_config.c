/* SPDX-License-Identifier: ISC */
/* test_config.c -- face/config: every key, and what is said of wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "face/config.h"
#include "face/config_keys.h"
#include "scratch.h"

static struct scratch scratch;
static char *path;

static int
set_up(void **state)
{
	(void)state;
	scratch_make(&scratch);
	path = scratch_path(&scratch, "oclasp.conf");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	free(path);
	scratch_remove(&scratch);
	return 0;
}

static void
assert_rules(const struct options *o)
{
	const struct issuer_rules *said = o->rules;

	assert_int_equal(o->rule_count, 2);
	assert_string_equal(said[0].issuer, "CA one");
	assert_null(said[0].url);
	assert_null(said[0].signer);
	assert_true(said[0].no_next_update_s == 0 && !said[0].allow_sha1);
	assert_int_equal(said[0].nonce, NONCE_NONE);
	assert_int_equal(said[0].certid, CERTID_UNSAID);
	assert_int_equal(said[0].on_revoked, ON_REVOKED_UNSAID);
	assert_string_equal(said[1].issuer, "/etc/ca.pem");
	assert_string_equal(said[1].url, "http://other.test/");
	assert_string_equal(said[1].signer, "/etc/signers.pem");
	assert_true(said[1].no_next_update_s == 172800 && said[1].allow_sha1);
	assert_int_equal(said[1].nonce, NONCE_STRICT);
	assert_int_equal(said[1].certid, CERTID_BOTH);
	assert_int_equal(said[1].on_revoked, ON_REVOKED_WITHDRAW);
}

static void
assert_listeners(const struct options *o)
{
	assert_int_equal(o->listener_count, 2);
	assert_string_equal(o->listeners[0].address, "127.0.0.1:1");
	assert_int_equal(o->listeners[0].serves, 0);
	assert_int_equal(o->listeners[0].mode, 0);
	assert_string_equal(o->listeners[1].address, "/run/x");
	assert_int_equal(o->listeners[1].serves, LISTEN_OCSP | LISTEN_HEALTH);
	assert_int_equal(o->listeners[1].threads, 3);
	assert_int_equal(o->listeners[1].connections, 100);
	assert_int_equal(o->listeners[1].per_address, 10);
	assert_int_equal(o->listeners[1].mode, 0600);
}

static void
test_every_key(void **state)
{
	struct options o = {.config = path};
	struct config *config = NULL;
	struct err err = {0};

	(void)state;
	scratch_write(path,
	    "# a comment\n"
	    "state-dir = \"/srv/state\"\n"
	    "ca-file = /etc/ca.pem\n"
	    "tls-ca = '/etc/tls.pem'\n"
	    "log-format = json\n"
	    "resolvers = {\"udp://192.0.2.53\", \"198.51.100.53\"}\n"
	    "pins = {\"ocsp.test=192.0.2.1\"}\n"
	    "timeout = \"1 min 5 s\"\n"
	    "allow-sha1 = true\n"
	    "allow-no-next-update = yes\n"
	    "certid = sha256\n"
	    "on-revoked = keep\n"
	    "issuer \"CA one\" {}\n"
	    "issuer \"/etc/ca.pem\" {\n"
	    "	url = \"http://other.test/\"\n"
	    "	signer-file = /etc/signers.pem\n"
	    "	no-next-update-life = \"2 d\"\n"
	    "	nonce = strict\n"
	    "	certid = both\n"
	    "	on-revoked = withdraw\n"
	    "	allow-sha1 = on\n"
	    "}\n"
	    "certificate \"/etc/one.pem\" {}\n"
	    "certificate \"/etc/two.pem\" {\n"
	    "	issuer = \"/etc/ca2.pem\"\n"
	    "	url = \"http://ocsp.test/\"\n"
	    "}\n"
	    "relay-unknown = true\n"
	    "listen \"127.0.0.1:1\" {}\n"
	    "listen /run/x {\n"
	    "	serves = {ocsp, health}\n"
	    "	threads = 3\n"
	    "	connections = 100\n"
	    "	per-address = 10\n"
	    "	mode = 0600\n"
	    "}\n"
	    "discover { places = {\"lego=/srv/.lego\"} }\n"
	    "server nginx { command = \"nginx -c /srv/nginx.conf\" }\n");
	if (config_load(&o, &config, &err) == -1)
		fail_msg("%s", err.text);
	assert_string_equal(o.state_dir, "/srv/state");
	assert_string_equal(o.ca_file, "/etc/ca.pem");
	assert_string_equal(o.tls_ca, "/etc/tls.pem");
	assert_string_equal(o.log_format, "json");
	assert_int_equal(o.resolver_count, 2);
	assert_string_equal(o.resolvers[1].url, "udp://198.51.100.53");
	assert_int_equal(o.pin_count, 1);
	assert_string_equal(o.pins[0].address, "192.0.2.1");
	assert_true(o.timeout_ms == 65000);
	assert_true(o.allow_sha1 && o.allow_no_next_update);
	assert_int_equal(o.certid, CERTID_SHA256);
	assert_int_equal(o.on_revoked, ON_REVOKED_KEEP);
	assert_rules(&o);
	assert_int_equal(o.spec_count, 2);
	assert_string_equal(o.specs[0].certificate, "/etc/one.pem");
	assert_null(o.specs[0].issuer);
	assert_null(o.specs[0].url);
	assert_string_equal(o.specs[1].issuer, "/etc/ca2.pem");
	assert_string_equal(o.specs[1].url, "http://ocsp.test/");
	assert_true(o.relay_unknown);
	assert_listeners(&o);
	assert_true(o.discover);
	assert_int_equal(o.place_count, 1);
	assert_string_equal(o.places[0].finder, "lego");
	assert_string_equal(o.places[0].dir, "/srv/.lego");
	assert_string_equal(o.server, "nginx");
	assert_string_equal(o.server_command, "nginx -c /srv/nginx.conf");
	config_free(config);
}

/* The addresses of the command line are instead of all others. */
static void
test_listen(void **state)
{
	static const struct {
		const char *file, *line, *first;
		size_t count;
		bool nowhere;
	} rows[] = {
	    {"listen \"127.0.0.1:1\" {}\nlisten \"127.0.0.1:2\" {}", NULL,
		"127.0.0.1:1", 2, false},
	    {"listen \"127.0.0.1:1\" {}", "127.0.0.1:9", "127.0.0.1:9", 1,
		false},
	    {"listen \"127.0.0.1:1\" {}", "none", NULL, 0, true},
	    {"listen none {}", NULL, NULL, 0, true},
	    {"listen none {}", "127.0.0.1:9", "127.0.0.1:9", 1, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct options o = {.config = path};
		struct config *config = NULL;

		if (rows[i].line != NULL)
			assert_int_equal(
			    options_take_listen(&o, rows[i].line, NULL), 0);
		scratch_write(path, rows[i].file);
		assert_int_equal(config_load(&o, &config, NULL), 0);
		assert_int_equal(o.listener_count, rows[i].count);
		assert_int_equal(o.listen_nowhere, rows[i].nowhere);
		if (rows[i].count > 0)
			assert_string_equal(
			    o.listeners[0].address, rows[i].first);
		config_free(config);
	}
}

/* The command line wins; lists are one. */
static void
test_command_line_wins(void **state)
{
	struct options o = {.config = path,
	    .state_dir = "/mine",
	    .ca_file = "/my-ca",
	    .timeout_ms = 5000,
	    .server = "nginx",
	    .server_command = "mine",
	    .alarm = {"/mine"},
	    .pin_count = 1,
	    .pins = {{"a.test", "192.0.2.9"}}};
	struct config *config = NULL;

	(void)state;
	scratch_write(path, "state-dir = /theirs\nca-file = /theirs\n"
			    "timeout = 20\npins = {\"b.test=192.0.2.1\"}\n"
			    "allow-sha1 = false\n"
			    "alarm-command = {\"/theirs\", \"word\"}\n"
			    "server nginx { command = theirs }\n");
	assert_int_equal(config_load(&o, &config, NULL), 0);
	assert_string_equal(o.state_dir, "/mine");
	assert_string_equal(o.ca_file, "/my-ca");
	assert_string_equal(o.server_command, "mine");
	assert_string_equal(o.alarm[0], "/mine");
	assert_null(o.alarm[1]);
	assert_true(o.timeout_ms == 5000);
	assert_false(o.allow_sha1);
	assert_int_equal(o.pin_count, 2);
	assert_string_equal(o.pins[0].host, "a.test");
	assert_string_equal(o.pins[1].host, "b.test");
	config_free(config);
}

static void
test_nothing_said(void **state)
{
	struct options o = {.config = path};
	struct config *config = NULL;

	(void)state;
	scratch_write(path, "");
	assert_int_equal(config_load(&o, &config, NULL), 0);
	assert_non_null(config);
	assert_null(o.state_dir);
	assert_null(o.server);
	assert_true(o.timeout_ms == 0);
	assert_int_equal(o.spec_count, 0);
	assert_false(o.discover);
	assert_int_equal(o.listener_count, 0);
	assert_false(o.listen_nowhere);
	config_free(config);
	config_free(NULL);
}

/* Comments may stand wherever a blank may, and are none in a text. */
static void
test_comments(void **state)
{
	struct options o = {.config = path};
	struct config *config = NULL;
	struct err err = {0};

	(void)state;
	scratch_write(path, "pins = { # two, isn't it\n"
			    "\t\"a=192.0.2.1\", // one\n"
			    "\t/* \"and */ \"b=192.0.2.2\" # two\n"
			    "}\n"
			    "pool = \"/a#b//c/*d\\\"\\\\\"#e\n"
			    "state-dir = /a//b # c\n"
			    "ca-file = '/a\"#b' // c\n"
			    "certificate /* a */ /b.pem # c\n"
			    "{ url = http://c.test/ /**/ }\n"
			    "# the end");
	if (config_load(&o, &config, &err) == -1)
		fail_msg("%s", err.text);
	assert_int_equal(o.pin_count, 2);
	assert_string_equal(o.pool, "/a#b//c/*d\"\\");
	assert_string_equal(o.state_dir, "/a//b");
	assert_string_equal(o.ca_file, "/a\"#b");
	assert_int_equal(o.spec_count, 1);
	assert_string_equal(o.specs[0].certificate, "/b.pem");
	assert_string_equal(o.specs[0].url, "http://c.test/");
	config_free(config);
}

static const struct wrong {
	const char *name, *text, *line, *says;
} wrongs[] = {
    /* keys */
    {"a slip in a key", "timeout = 3\nresolvrs = {\"1.1.1.1\"}\n",
	":2:", "unknown key 'resolvrs': did you mean 'resolvers'?"},
    {"letters swapped", "resolvesr = {\"1.1.1.1\"}\n",
	":1:", "did you mean 'resolvers'?"},
    {"like no key", "timeout = 3\ncolour = red\n",
	":2:", "unknown key 'colour': oclasp.conf(5) has all"},
    {"a slip in a block", "certificate \"a\" {\n\n\tisuer = \"b\"\n}\n",
	":3:", "'isuer' in a block 'certificate': did you mean 'issuer'?"},
    {"like no key of a block", "certificate \"a\" {\n\tcolour = b\n}\n",
	":2:", "'colour' in a block 'certificate': oclasp.conf(5)"},
    {"a slip in a block's kind", "certificates \"a\" {}\n",
	":1:", "did you mean 'certificate'?"},
    {"like no block", "apache x {}\n", ":1:", "unknown key 'apache'"},
    {"a block's key outside", "\nurl = \"http://a/\"\n", ":2:",
	"'url' belongs into a block 'certificate' or 'issuer', not outside"},
    {"a key in a wrong block", "server nginx {\nurl = \"http://a/\"\n}\n",
	":2:", "a block 'certificate' or 'issuer', not into one 'server'"},
    {"a key inside that is outside", "server nginx {\ntimeout = 3\n}\n",
	":2:", "'timeout' is no key of a block 'server', but one outside"},
    {"a command of blanks", "server nginx {\n\tcommand = \" \"\n}\n",
	":2:", "command: ' ' is no command"},
    {"a path of keys", "server nginx {}\nserver|command = x\n",
	":2:", "'command' belongs into a block 'server'"},
    {"a path to nothing", "server|command = x\n", ":1:", "a '|' does not"},
    {"no includes", "include(\"x\")\n", ":1:", "unknown key 'include'"},
    {"given twice", "timeout = 3\n\ntimeout = 4\n",
	":3:", "'timeout' is there twice, first in line 1: take one out"},
    {"twice in a block", "server nginx { command = a\ncommand = b }\n",
	":2:", "'command' is there twice, first in line 1"},
    {"a list given twice",
	"pins = {\"a=192.0.2.1\", \"b=192.0.2.1\"}\n"
	"pins = {\"c=192.0.2.1\"}\n",
	":2:", "'pins' is there twice, first in line 1: make it one list"},
    {"the words of our end", "oclasp-end-of-file = true\n}\n",
	":2:", "closes nothing"},
    /* values */
    {"no value", "timeout =\n", ":1:", "'timeout' has no value"},
    {"an empty value", "timeout = \"\"\n", ":1:", "timeout has an empty"},
    {"an empty entry", "pins = {\"\"}\n", ":1:", "pins has an empty value"},
    {"no time", "timeout = soon\n", ":1:",
	"timeout = 'soon': give a time from 1 s to 1 h, such as \"15 s\""},
    {"a unit of nobody", "timeout = \"3 ells\"\n", ":1:", "from 1 s to 1 h"},
    {"zero", "\n\ntimeout = 0\n", ":3:", "from 1 s to 1 h"},
    {"negative", "timeout = -1\n", ":1:", "from 1 s to 1 h"},
    {"too large", "timeout = 3601\n", ":1:", "from 1 s to 1 h"},
    {"too large by its unit", "timeout = \"2 h\"\n", ":1:", "1 s to 1 h"},
    {"far too large", "timeout = 99999999999999999999\n", ":1:", "1 h"},
    {"a blank without quotes", "timeout = 15 s\n", ":1:",
	"'s' does not belong behind the value of 'timeout': a value with "
	"blanks in it needs quotes"},
    {"a life too long", "issuer a {\nno-next-update-life = \"2 w\"\n}\n",
	":2:", "no-next-update-life = '2 w': give a time from 1 min to 10 d"},
    {"none of the words", "\nlog-format = xml\n",
	":2:", "log-format = 'xml': give one of: text json"},
    {"half of a word", "log-format = jso\n", ":1:", "one of: text json"},
    {"not a bool", "allow-sha1 = perhaps\n",
	":1:", "allow-sha1 = 'perhaps': give true or false"},
    {"no resolver", "resolvers = {\n\"udp://192.0.2.1\",\n\"gopher://x\"}\n",
	":3:", "resolvers: 'gopher://x'"},
    {"no pin", "pins = {\"ocsp.test\"}\n", ":1:", "ocsp.test"},
    {"no address", "\npins = {\"a=192.0.2.1\", \"b=c\"}\n", ":2:", "b=c"},
    {"no URL", "certificate a {\n\turl = \"ocsp.test\"\n}\n",
	":2:", "url: 'ocsp.test' is no http:// or https:// URL"},
    {"no upstream", "upstreams = {\"ftp://x\"}\n", ":1:", "'ftp://x'"},
    {"no proxy", "proxies = {\"gopher://x\"}\n", ":1:", "proxies: that is no"},
    {"too many",
	"upstreams = {\"http://a\", \"http://a\", \"http://a\",\n"
	"\"http://a\", \"http://a\", \"http://a\", \"http://a\",\n"
	"\"http://a\", \"http://a\"}\n",
	":3:", "upstreams: more than 8"},
    {"a list for one value", "timeout = {3}\n", ":1:", "'{' does not belong"},
    {"more to no list", "timeout += 3\n", ":1:", "'timeout' is no list"},
    /* titles */
    {"another server", "server apache {\n}\n",
	":1:", "server 'apache': this version publishes to nginx"},
    {"a URL for a host", "\nresponder \"http://a/\" {\n}\n",
	":2:", "give the host name alone"},
    {"two servers of one name", "server nginx {}\nserver nginx {}\n",
	":2:", "two blocks of the name 'nginx'"},
    {"a certificate twice", "certificate a {}\ncertificate a {}\n",
	":2:", "two blocks of the name 'a'"},
    {"no title", "certificate {}\n", ":1:", "a name is missing after"},
    {"no address", "listen \"localhost:80\" {}\n", ":1:", "localhost:80"},
    {"nothing that is served",
	"listen \"127.0.0.1:1\" {\n"
	"serves = {ocsp, mail}\n}\n",
	":2:", "'mail'"},
    {"a mode of its own", "listen /run/x {\nmode = 0777\n}\n", ":2:", "mode"},
    {"no thread", "listen /run/x {\nthreads = 0\n}\n", ":2:", "threads"},
    {"a block of one kind twice", "discover {}\n\ndiscover {\n}\n",
	":3:", "the block 'discover' is there twice, first in line 1"},
    {"a title too many", "discover all {\n}\n",
	":1:", "a '{' is missing: give 'discover { ... }', without a name"},
    {"a place of nobody", "discover {\nplaces = {\"x=/y\"}\n}\n",
	":2:", "places: 'x=/y' is no place of certificates"},
    {"no brace", "server nginx\n\n",
	":1:", "a '{' is missing: give 'server \"NAME\" { ... }'"},
    {"nothing behind", "certificate", ":1:", "a '{' is missing"},
    /* braces, lists, strings */
    {"never closed", "certificate a {\n\n\n",
	":1:", "the block 'certificate' is not closed: a '}' is missing"},
    {"cut within", "certificate a {\n\tissuer = \"b\"",
	":1:", "the block 'certificate' is not closed"},
    {"not closed before the next",
	"certificate a {\n\n"
	"certificate b {\n}\n",
	":3:", "is a '}' missing before it?"},
    {"closed too often", "certificate a {\n}\n}\n",
	":3:", "this '}' closes nothing"},
    {"a list never closed",
	"\npins = {\"a=192.0.2.1\",\n\n"
	"\"b=192.0.2.1\"\n",
	":2:", "the list 'pins' is not closed: a '}' is missing"},
    {"a list without an entry", "pins = {\n",
	":1:", "the list 'pins' is not closed"},
    {"no comma", "pins = {\"a=192.0.2.1\" \"b=192.0.2.1\"}\n",
	":1:", "a ',' or the '}' of the list 'pins' is missing before it"},
    {"a list runs into a key", "pins = {\"a=192.0.2.1\"\ntimeout = 3\n",
	":2:", "'timeout' does not belong here: a ',' or the '}'"},
    {"no equals sign", "timeout 3\n",
	":1:", "a '=' is missing after 'timeout'"},
    {"two of them", "timeout = = 3\n", ":1:", "'=' does not belong here"},
    {"a string never closed", "\nstate-dir = \"/srv\n\n",
	":2:", "a string is not closed"},
    {"a string that runs on", "state-dir = \"/srv\nca-file = \"/ca\"\n",
	":1:", "a string is not closed"},
    {"a title that runs on", "\ncertificate \"/srv {\n\" {}\n",
	":2:", "a string is not closed"},
    {"a string of two lines", "pool = \"a\\\nb\"\ntimeout = 3\n",
	":1:", "a string is not closed"},
    {"a string never closed, of single quotes", "pool = 'a\n# it's\n",
	":1:", "a string is not closed"},
    {"a Windows path", "state-dir = \"C:\\777\"\n",
	":1:", "for a backslash itself give two"},
    {"one that would have a tab in it", "\nstate-dir = \"C:\\temp\"\n",
	":2:", "for a backslash itself give two"},
    {"a variable", "timeout = 3\npool = \"/srv/${NOBODY}/x\"\n",
	":2:", "variables of the environment are not put in"},
    {"a variable without quotes", "pool = ${HOME}\n",
	":1:", "variables of the environment are not put in"},
    /* lines */
    {"nothing behind a key", "timeout\n",
	":1:", "a '=' is missing after 'timeout'"},
    {"behind comments", "# a\n\n// b\n/* c\n\n  \"*/ # d'\ntimeot = 5\n",
	":7:", "unknown key 'timeot': did you mean 'timeout'?"},
    {"behind a value and its comment", "timeout = 5 # s\nlog-formt = json\n",
	":2:", "unknown key 'log-formt': did you mean 'log-format'?"},
    {"in a block with comments",
	"certificate \"a\" { # a\n\t# b\n\n\turll = \"c\"\n}\n",
	":4:", "'urll' in a block 'certificate': did you mean 'url'?"},
    {"a comment never closed", "timeout = 3\n\n/* all\n# */nonsense\n/*\n",
	":5:", "a comment is not closed: its '*/' is missing"},
    {"not text", "state-dir = \x01\x02{\n", ":", ""},
};

static void
test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		const struct wrong *row = &wrongs[i];
		struct options o = {.config = path};
		struct config *config = NULL;
		struct err err = {0};

		scratch_write(path, row->text);
		if (config_load(&o, &config, &err) == 0)
			fail_msg("%s: it was taken", row->name);
		assert_null(config);
		assert_int_equal(err.reason, REASON_USAGE);
		if (strncmp(err.text, path, strlen(path)) != 0 ||
		    strncmp(err.text + strlen(path), row->line,
			strlen(row->line)) != 0 ||
		    strstr(err.text, row->says) == NULL)
			fail_msg("%s: %s", row->name, err.text);
		/* I8: once mended it is read, by the same process too */
		scratch_write(path, "timeout = 3\n");
		if (config_load(&o, &config, &err) == -1 ||
		    o.timeout_ms != 3000)
			fail_msg("after %s: %s", row->name, err.text);
		config_free(config);
	}
}

/* A file of the source tree. */
static char *
read_source(const char *name)
{
	const char *root = getenv("OCLASP_SOURCE");
	char *file = mem_printf("%s/%s", root == NULL ? "." : root, name);
	uint8_t *bytes = NULL;
	size_t len = 0;
	struct err err = {0};

	if (file_read(file, 1 << 20, &bytes, &len, &err) == -1)
		fail_msg("%s", err.text);
	free(file);
	return (char *)bytes;
}

/* Take the comment signs off the settings, "#key ..." and what belongs to them;
 * "# text" stays. */
static void
uncomment(char *text)
{
	bool begins = true;

	for (char *at = text; *at != '\0'; at++) {
		if (begins && at[0] == '#' && at[1] != ' ' && at[1] != '\n')
			*at = ' ';
		begins = *at == '\n';
	}
}

static void
test_example(void **state)
{
	char *text = read_source("etc/oclasp.conf");
	struct config *config = NULL;
	struct err err = {0};

	(void)state;
	for (int turn = 0; turn < 2; turn++) {
		struct options o = {.config = path};

		scratch_write(path, text);
		if (config_load(&o, &config, &err) == -1)
			fail_msg("turn %d: %s", turn, err.text);
		assert_int_equal(o.spec_count > 0, turn > 0);
		config_free(config);
		uncomment(text);
	}
	free(text);
}

/* Each key of the table is described in oclasp.conf(5), and has a line in the
 * example. */
static void
test_every_key_is_described(void **state)
{
	char *page = read_source("man/oclasp.conf.5.scd");
	char *example = read_source("etc/oclasp.conf");
	const struct config_key *key;

	(void)state;
	for (size_t i = 0; (key = config_key_at(i)) != NULL; i++) {
		char *bold = mem_printf("*%s*", key->name);
		char *line =
		    mem_printf("\n#%s%s", key->block[0] ? "\t" : "", key->name);

		if (strstr(page, bold) == NULL)
			fail_msg("oclasp.conf(5) lacks %s", bold);
		if (strstr(example, line) == NULL)
			fail_msg("etc/oclasp.conf lacks %s", line + 1);
		free(bold);
		free(line);
	}
	free(page);
	free(example);
}

static void
test_too_many(void **state)
{
	struct options o = {.config = path};
	struct config *config = NULL;
	struct err err = {0};
	FILE *file = fopen(path, "w");

	(void)state;
	assert_non_null(file);
	(void)fprintf(file, "resolvers = {");
	for (int i = 0; i <= RESOLVERS_MAX; i++)
		(void)fprintf(
		    file, "%s\"192.0.2.%d\"", i > 0 ? ", " : "", i + 1);
	(void)fprintf(file, "}\n");
	(void)fclose(file);
	assert_int_equal(config_load(&o, &config, &err), -1);
	assert_non_null(strstr(err.text, "more than"));
	assert_non_null(strstr(err.text, path));
}

/* The list grows: all are in it, in order, and each is known again. */
static void
test_many_certificates(void **state)
{
	enum { MANY = 1000 };

	(void)state;
	for (int again = -1; again < MANY; again += 111) {
		struct options o = {.config = path};
		struct config *config = NULL;
		struct err err = {0};
		FILE *file = fopen(path, "w");

		assert_non_null(file);
		for (int i = 0; i < MANY; i++)
			(void)fprintf(file,
			    "certificate \"/c/%d.pem\" { %s }\n", i,
			    i % 2 == 0 ? "" : "issuer = \"/ca.pem\"");
		if (again >= 0)
			(void)fprintf(
			    file, "certificate \"/c/%d.pem\" {}\n", again);
		(void)fclose(file);
		assert_int_equal(
		    config_load(&o, &config, &err), again >= 0 ? -1 : 0);
		if (again >= 0) {
			if (strstr(err.text,
				"there are two blocks of the name") == NULL)
				fail_msg("%d: %s", again, err.text);
			continue;
		}
		assert_int_equal(o.spec_count, MANY);
		for (int i = 0; i < MANY; i++) {
			char *name = mem_printf("/c/%d.pem", i);

			assert_string_equal(o.specs[i].certificate, name);
			assert_null(o.specs[i].url);
			if (i % 2 == 0)
				assert_null(o.specs[i].issuer);
			else
				assert_string_equal(
				    o.specs[i].issuer, "/ca.pem");
			free(name);
		}
		config_free(config);
	}
}

static void
test_unreadable(void **state)
{
	static const char nul[] = "timeout = 3\n\0timeout = 4\n";
	struct options o = {.config = path};
	struct config *config = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(config_load(&o, &config, &err), -1); /* missing */
	assert_int_equal(err.reason, REASON_FILE);
	assert_non_null(strstr(err.text, path));
	o.config = scratch.dir; /* a folder must not end the program */
	err = (struct err){0};
	assert_int_equal(config_load(&o, &config, &err), -1);
	assert_int_equal(err.reason, REASON_FILE);
	o.config = path;
	scratch_write_bytes(path, nul, sizeof(nul) - 1);
	err = (struct err){0};
	assert_int_equal(config_load(&o, &config, &err), -1);
	assert_int_equal(err.reason, REASON_USAGE);
	assert_null(config);
}

/* clang-format off */
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
/* clang-format on */

/* I8: who mistypes must still find the keeper that runs. */
static void
test_state_dir_of_a_faulty_file(void **state)
{
	/* NULL: not found */
	static const struct {
		const char *text, *dir;
	} rows[] = {
	    {"state-dir = \"/srv/a b\"\nnonsense\n", "/srv/a b"},
	    {"nonsense\n\tstate-dir=/srv/a # ours\n", "/srv/a"},
	    {"timeout = 5 parsec\nstate-dir = /srv/a", "/srv/a"},
	    {"nonsense\nstate-dir = '/srv/a \"b' # ours\n", "/srv/a \"b"},
	    {"state-dir = '/srv/a\n", NULL},
	    {"# state-dir = /srv/a\n", NULL},
	    {"state-dirs = /srv/a\n", NULL},
	    {"state-dir\n= /srv/a\n", NULL},
	    {"state-dir = \"/srv/a\n", NULL},
	    {"state-dir = \"/srv/a\\\"b\"\n", NULL},
	    {"state-dir = \n", NULL},
	    {"state-dir = \"\"\n", NULL},
	    {"", NULL},
	};
	struct options o = {.config = path};

	(void)state;
	assert_null(config_state_dir(&o)); /* no file */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *found;

		scratch_write(path, rows[i].text);
		found = config_state_dir(&o);
		if ((found == NULL) != (rows[i].dir == NULL) ||
		    (found != NULL && strcmp(found, rows[i].dir) != 0))
			fail_msg("'%s': %s", rows[i].text,
			    found == NULL ? "none" : found);
		free(found);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_every_key),
	    TEST(test_command_line_wins),
	    TEST(test_listen),
	    TEST(test_nothing_said),
	    TEST(test_comments),
	    TEST(test_wrong),
	    TEST(test_example),
	    TEST(test_every_key_is_described),
	    TEST(test_too_many),
	    TEST(test_many_certificates),
	    TEST(test_unreadable),
	    TEST(test_state_dir_of_a_faulty_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
