/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "servers/nginx_conf.h"

enum { TEXT_MAX = 1 << 20 };

#define MAIN "# configuration file /e/nginx.conf:\n"
#define FILE_IS(path) "\n# configuration file " path ":\n"

static void
add_list(struct buf *out, const char *title, char **list, size_t count)
{
	buf_printf(out, " %s", title);
	for (size_t i = 0; i < count; i++)
		buf_printf(out, "%s%s", i == 0 ? "" : ",", list[i]);
}

/* "FILE:LINE c:CERTIFICATES n:NAMES l:LISTENS" and marks, a line a site. */
static void
render(struct buf *out, const struct nginx_conf *conf)
{
	for (size_t i = 0; i < conf->site_count; i++) {
		const struct nginx_site *site = &conf->sites[i];

		buf_printf(
		    out, "%s:%d", site->server->file, site->server->line);
		add_list(
		    out, "c:", site->certificates, site->certificate_count);
		add_list(out, "n:", site->names, site->name_count);
		add_list(out, "l:", site->listens, site->listen_count);
		if (site->stream)
			buf_puts(out, " stream");
		if (site->inherited)
			buf_puts(out, " inherited");
		if (site->unusable != NULL)
			buf_printf(out, " unusable:%d", site->unusable->line);
		if (site->stapling_count > 0)
			buf_printf(out, " stapling:%zu", site->stapling_count);
		if (site->first_certificate != NULL)
			buf_printf(out, " at:%s:%d",
			    site->first_certificate->file,
			    site->first_certificate->line);
		buf_puts(out, "\n");
	}
	if (conf->stapling_for_all != NULL)
		buf_printf(out, "for all:%d\n", conf->stapling_for_all->line);
}

static void
finds_sites(void **state)
{
	static const struct {
		const char *name, *dump, *want;
	} cases[] = {
	    {"one",
		MAIN "http { server { listen 443 ssl; server_name a b;\n"
		     "ssl_certificate /c/a.pem; } }",
		"/e/nginx.conf:1 c:/c/a.pem n:a,b l:127.0.0.1:443 "
		"at:/e/nginx.conf:2\n"},
	    {"a relative certificate",
		MAIN "http { server { listen 443 ssl;"
		     "ssl_certificate tls/a.pem; } }",
		"/e/nginx.conf:1 c:/e/tls/a.pem n: l:127.0.0.1:443 "
		"at:/e/nginx.conf:1\n"},
	    {"in included files, by globs, certificate in an include",
		MAIN "http { include s/*.conf; }" FILE_IS(
		    "/e/s/b.conf") "server { listen 8443 ssl;"
				   "include snip/c; }" FILE_IS("/e/snip/c") "ssl_certificate /c/b.pem;" FILE_IS(
				       "/e/s/deep/no.conf") "server { listen 1 ssl;"
							    "ssl_certificate x; }" FILE_IS(
								"/e/s/.no.conf") "server { listen 1 ssl;"
										 "ssl_certificate x; }",
		"/e/s/b.conf:1 c:/c/b.pem n: l:127.0.0.1:8443 "
		"at:/e/snip/c:1\n"},
	    {"one snippet for two servers",
		MAIN "http { server { listen 1 ssl; include /e/c; }\n"
		     "server { listen 2 ssl; include c; } }" FILE_IS(
			 "/e/c") "ssl_certificate /c/x;",
		"/e/nginx.conf:1 c:/c/x n: l:127.0.0.1:1 at:/e/c:1\n"
		"/e/nginx.conf:2 c:/c/x n: l:127.0.0.1:2 at:/e/c:1\n"},
	    {"inherited from http, also when it stands behind",
		MAIN "http { server { listen 443 ssl; }\n"
		     "server { listen 80; }\n"
		     "server { listen 443 ssl; ssl_certificate own; }\n"
		     "ssl_certificate /c/all; }",
		"/e/nginx.conf:1 c:/c/all n: l:127.0.0.1:443 inherited "
		"at:/e/nginx.conf:4\n"
		"/e/nginx.conf:3 c:/e/own n: l:127.0.0.1:443 "
		"at:/e/nginx.conf:3\n"},
	    {"two certificates",
		MAIN "http { server { listen 443 ssl; ssl_certificate /r;\n"
		     "ssl_certificate /e; } }",
		"/e/nginx.conf:1 c:/r,/e n: l:127.0.0.1:443 "
		"at:/e/nginx.conf:1\n"},
	    {"the same certificate twice",
		MAIN "http { server { listen 443 ssl; ssl_certificate /r;\n"
		     "ssl_certificate /r; } }",
		"/e/nginx.conf:1 c:/r n: l:127.0.0.1:443 "
		"at:/e/nginx.conf:1\n"},
	    {"by variable",
		MAIN "http { server { listen 443 ssl;\n"
		     "ssl_certificate /c/$ssl_server_name.crt; } }",
		"/e/nginx.conf:1 c: n: l:127.0.0.1:443 unusable:2\n"},
	    {"data:",
		MAIN "http { server { listen 443 ssl;\n"
		     "ssl_certificate data:$cert; } }",
		"/e/nginx.conf:1 c: n: l:127.0.0.1:443 unusable:2\n"},
	    {"its own useless one keeps that of http away",
		MAIN "http { ssl_certificate /c/all; server { listen 1 ssl;\n"
		     "ssl_certificate data:x; } }",
		"/e/nginx.conf:1 c: n: l:127.0.0.1:1 unusable:2\n"},
	    {"forms of listen",
		MAIN "http { server { ssl_certificate /c;\n"
		     "listen 443 ssl; listen [::]:443 ssl ipv6only=on;\n"
		     "listen 10.0.0.1:444 ssl http2; listen *:445 ssl;\n"
		     "listen 0.0.0.0:443 ssl; listen [fe80::1]:446 ssl;\n"
		     "listen localhost:447 ssl; listen 10.0.0.2 ssl;\n"
		     "listen 8443-8450 ssl; listen [2001:db8::1] ssl; } }",
		"/e/nginx.conf:1 c:/c n: l:127.0.0.1:443,[::1]:443,"
		"10.0.0.1:444,127.0.0.1:445,[fe80::1]:446,127.0.0.1:447,"
		"10.0.0.2:80,127.0.0.1:8443,[2001:db8::1]:80 "
		"at:/e/nginx.conf:1\n"},
	    {"listens that are of no use",
		MAIN "http { server { ssl_certificate /c;\n"
		     "listen unix:/run/x ssl; listen 443 quic; listen 80;\n"
		     "listen 444 ssl proxy_protocol; listen host.test:1 ssl;\n"
		     "listen 0 ssl; listen 65536 ssl; listen [::1 ssl;\n"
		     "listen [x]:1 ssl; listen 1.2.3.4:x ssl; } }",
		"/e/nginx.conf:1 c:/c n: l: at:/e/nginx.conf:1\n"},
	    {"the old ssl on",
		MAIN "http { server { listen 443; ssl on;\n"
		     "ssl_certificate /c; } }",
		"/e/nginx.conf:1 c:/c n: l:127.0.0.1:443 "
		"at:/e/nginx.conf:2\n"},
	    {"ssl said by another block that listens there",
		MAIN "http { server { listen 443; ssl_certificate /a; }\n"
		     "server { listen *:443 ssl; ssl_certificate /b; } }",
		"/e/nginx.conf:1 c:/a n: l:127.0.0.1:443 at:/e/nginx.conf:1\n"
		"/e/nginx.conf:2 c:/b n: l:127.0.0.1:443 "
		"at:/e/nginx.conf:2\n"},
	    {"names",
		MAIN "http { server { listen 443 ssl; ssl_certificate /c;\n"
		     "server_name _ ~^x a *.w w.* .d $hostname \"\" a; } }",
		"/e/nginx.conf:1 c:/c n:a,d l:127.0.0.1:443 "
		"at:/e/nginx.conf:1\n"},
	    {"stapling of its own",
		MAIN "http { server { listen 443 ssl; ssl_certificate /c;\n"
		     "ssl_stapling on; ssl_stapling_verify on;"
		     "ssl_stapling_file x; } }",
		"/e/nginx.conf:1 c:/c n: l:127.0.0.1:443 stapling:2 "
		"at:/e/nginx.conf:1\n"},
	    {"a staple for all", MAIN "http {\nssl_stapling_file x; }",
		"for all:2\n"},
	    {"stream",
		MAIN "stream { server { listen 993 ssl; ssl_certificate /c;\n"
		     "} }",
		"/e/nginx.conf:1 c:/c n: l:127.0.0.1:993 stream "
		"at:/e/nginx.conf:1\n"},
	    {"mail has no stapling",
		MAIN "mail { server { listen 993 ssl; ssl_certificate /c; } }",
		""},
	    {"a server of an upstream",
		MAIN "http { upstream u { server 1.2.3.4; } }", ""},
	    {"no TLS", MAIN "http { server { listen 80; server_name a; } }",
		""},
	    {"a server outside of http",
		MAIN "server { listen 443 ssl; ssl_certificate /c; }", ""},
	    {"an include of nothing",
		MAIN "http { include none; include n/*; }", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nginx_conf *conf = NULL;
		struct err err = {0};
		struct buf got;

		print_message("  %s\n", cases[i].name);
		(void)nginx_conf_parse(
		    cases[i].dump, strlen(cases[i].dump), &conf, &err);
		assert_string_equal(err.text, "");
		assert_non_null(conf);
		buf_init(&got, TEXT_MAX);
		render(&got, conf);
		assert_string_equal(buf_text(&got), cases[i].want);
		buf_done(&got);
		nginx_conf_free(conf);
	}
}

static void
collects_includes(void **state)
{
	static const char dump[] =
	    MAIN "http { server { listen 443 ssl; ssl_certificate /c;\n"
		 "include a; include /s/*.conf; include a; } }" FILE_IS(
		     "/e/a") "include b;" FILE_IS("/e/b") "x;";
	struct nginx_conf *conf = NULL;
	struct err err = {0};
	struct buf got;

	(void)state;
	assert_int_equal(
	    nginx_conf_parse(dump, sizeof(dump) - 1, &conf, &err), 0);
	buf_init(&got, TEXT_MAX);
	add_list(
	    &got, "i:", conf->sites[0].includes, conf->sites[0].include_count);
	assert_string_equal(buf_text(&got), " i:/e/a,/e/b,/s/*.conf");
	buf_done(&got);
	nginx_conf_free(conf);
}

/* D8: where and by which name a block is asked so that no other one answers. */
static void
tells_how_it_is_asked(void **state)
{
#define SITE(listen, rest) \
	"server { listen " listen " ssl; ssl_certificate /c; " rest " }\n"
	static const struct {
		const char *name, *blocks, *want;
	} cases[] = {
	    {"by its first name",
		SITE("1", "") SITE("1", "server_name _ a b; listen 2 ssl;"),
		"127.0.0.1:1 - 127.0.0.1:1 a"},
	    {"a wildcard, with a label in its place",
		SITE("1", "") SITE("1", "server_name *.w;")
		    SITE("1", "server_name ~x w.* *.v;"),
		"127.0.0.1:1 - 127.0.0.1:1 oclasp.w 127.0.0.1:1 w.oclasp"},
	    {"a name before a wildcard", SITE("1", "server_name *.w w;"),
		"127.0.0.1:1 w"},
	    {"who has no name and answers by default, there",
		SITE("1", "server_name a;")
		    SITE("1", "server_name ~x; listen 2 ssl;"),
		"127.0.0.1:1 a 127.0.0.1:2 -"},
	    {"who has no name, and another answers by default",
		SITE("1", "server_name a;") SITE("1", "server_name ~x;")
		    SITE("1 default_server", ""),
		"127.0.0.1:1 a - - 127.0.0.1:1 -"},
	    {"the PROXY protocol is a whole address's",
		SITE("1", "server_name a;")
		    SITE("*:1 proxy_protocol", "server_name b; listen 2 ssl;"),
		"- - 127.0.0.1:2 b"},
	    {"no handshake with anybody",
		SITE("1", "ssl_reject_handshake on;")
		    SITE("1", "server_name a; ssl_reject_handshake off;"),
		"- - 127.0.0.1:1 a"},
	    {"no handshake with anybody who asks a block without a word",
		"ssl_reject_handshake on;" SITE("1", "server_name a;")
		    SITE("1", "server_name b; ssl_reject_handshake off;"),
		"- - 127.0.0.1:1 b"},
	};
#undef SITE

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nginx_conf *conf = NULL;
		struct buf dump, got;

		print_message("  %s\n", cases[i].name);
		buf_init(&dump, TEXT_MAX);
		buf_init(&got, TEXT_MAX);
		buf_printf(&dump, MAIN "http { %s }", cases[i].blocks);
		(void)nginx_conf_parse(buf_text(&dump), dump.len, &conf, NULL);
		assert_non_null(conf);
		for (size_t k = 0; k < conf->site_count; k++)
			buf_printf(&got, "%s%s %s", k == 0 ? "" : " ",
			    conf->sites[k].ask_at == NULL
				? "-"
				: conf->sites[k].ask_at,
			    conf->sites[k].ask_for == NULL
				? "-"
				: conf->sites[k].ask_for);
		assert_string_equal(buf_text(&got), cases[i].want);
		buf_done(&dump);
		buf_done(&got);
		nginx_conf_free(conf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_sites),
	    cmocka_unit_test(collects_includes),
	    cmocka_unit_test(tells_how_it_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
