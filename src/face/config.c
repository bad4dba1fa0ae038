/* SPDX-License-Identifier: ISC */
/* face/config.c -- the configuration file, by libConfuse. */
#include "face/config.h"

#include <confuse.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

enum { CONFIG_MAX = 4 << 20 }; /* bytes */

/* libConfuse takes the end of the file for the end of all blocks; half a file,
 * as it is while it is being written, must not be taken for a whole one. */
#define END_KEY "oclasp-end-of-file"
static const char end_mark[] = "\n" END_KEY " = true\n";

struct config {
	cfg_t *cfg;
	struct target_spec *specs;
};

/* libConfuse hands its error function no cookie: where its words go while a
 * file is parsed (on one thread, for the time of config_load only). */
static struct err *parse_err;

__attribute__((format(printf, 2, 0))) static void
take_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[256];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	(void)err_set(parse_err, REASON_USAGE, "%s:%d: %s",
	    cfg != NULL && cfg->filename != NULL ? cfg->filename : "?",
	    cfg != NULL ? cfg->line : 0, text);
}

/* What is wrong with a value, with file and line. */
static int
refuse(cfg_t *cfg, const struct err *err)
{
	cfg_error(cfg, "%s", err->text);
	return -1;
}

/* The value that was read just now. */
static const char *
last_text(cfg_opt_t *opt)
{
	return cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1);
}

static int
check_resolver(cfg_t *cfg, cfg_opt_t *opt)
{
	struct resolver resolver;
	struct err err = {0};

	return resolver_parse(last_text(opt), &resolver, &err) == -1
		   ? refuse(cfg, &err)
		   : 0;
}

static int
check_pin(cfg_t *cfg, cfg_opt_t *opt)
{
	struct acquire_pin pin;
	struct err err = {0};

	return acquire_pin_parse(last_text(opt), &pin, &err) == -1
		   ? refuse(cfg, &err)
		   : 0;
}

/* The sentence never repeats what may hold a password. */
static int
check_proxy(cfg_t *cfg, cfg_opt_t *opt)
{
	struct proxy proxy;
	struct err err = {0};

	return strcmp(last_text(opt), "none") != 0 &&
		       proxy_parse(last_text(opt), true, &proxy, &err) == -1
		   ? refuse(cfg, &err)
		   : 0;
}

static int
check_timeout(cfg_t *cfg, cfg_opt_t *opt)
{
	long timeout = cfg_opt_getnint(opt, cfg_opt_size(opt) - 1);
	struct err err = {0};

	if (timeout >= 1 && timeout <= OPTIONS_TIMEOUT_MAX_S)
		return 0;
	(void)err_set(&err, REASON_USAGE, "timeout = %ld: give 1 to %d seconds",
	    timeout, OPTIONS_TIMEOUT_MAX_S);
	return refuse(cfg, &err);
}

static int
check_server(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *server =
	    cfg_title(cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1));
	struct err err = {0};

	if (strcmp(server, "nginx") == 0)
		return 0;
	(void)err_set(&err, REASON_USAGE,
	    "server %s: this version publishes to nginx", server);
	return refuse(cfg, &err);
}

/* TEXT is that of the file PATH, with the end mark. */
static cfg_t *
parse(const char *path, struct buf *text, struct err *err)
{
	cfg_opt_t certificate[] = {
	    CFG_STR("issuer", NULL, CFGF_NODEFAULT),
	    CFG_STR("url", NULL, CFGF_NODEFAULT),
	    CFG_END(),
	};
	cfg_opt_t responder[] = {
	    CFG_STR("proxy", NULL, CFGF_NODEFAULT),
	    CFG_BOOL("private", cfg_false, CFGF_NODEFAULT),
	    CFG_END(),
	};
	cfg_opt_t server[] = {
	    CFG_STR("command", NULL, CFGF_NODEFAULT),
	    CFG_END(),
	};
	cfg_opt_t top[] = {
	    CFG_STR("state-dir", NULL, CFGF_NODEFAULT),
	    CFG_STR("ca-file", NULL, CFGF_NODEFAULT),
	    CFG_STR("tls-ca", NULL, CFGF_NODEFAULT),
	    CFG_STR("log-format", NULL, CFGF_NODEFAULT),
	    CFG_STR_LIST("resolvers", NULL, CFGF_NODEFAULT),
	    CFG_STR_LIST("pins", NULL, CFGF_NODEFAULT),
	    CFG_STR_LIST("proxies", NULL, CFGF_NODEFAULT),
	    CFG_STR("proxy-auth-file", NULL, CFGF_NODEFAULT),
	    CFG_STR_LIST("no-proxy", NULL, CFGF_NODEFAULT),
	    CFG_STR_LIST("upstreams", NULL, CFGF_NODEFAULT),
	    CFG_BOOL("allow-private", cfg_false, CFGF_NODEFAULT),
	    CFG_INT("timeout", 0, CFGF_NODEFAULT),
	    CFG_BOOL("allow-sha1", cfg_false, CFGF_NODEFAULT),
	    CFG_BOOL("allow-no-next-update", cfg_false, CFGF_NODEFAULT),
	    CFG_SEC("certificate", certificate,
		CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
	    CFG_SEC("responder", responder,
		CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
	    CFG_SEC("server", server,
		CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
	    CFG_BOOL(END_KEY, cfg_false, CFGF_NODEFAULT),
	    CFG_END(),
	};
	cfg_t *cfg = cfg_init(top, CFGF_NONE);
	FILE *file = fmemopen(text->text, text->len, "r");
	int rc = CFG_PARSE_ERROR;

	(void)cfg_set_validate_func(cfg, "resolvers", check_resolver);
	(void)cfg_set_validate_func(cfg, "proxies", check_proxy);
	(void)cfg_set_validate_func(cfg, "responder|proxy", check_proxy);
	(void)cfg_set_validate_func(cfg, "pins", check_pin);
	(void)cfg_set_validate_func(cfg, "timeout", check_timeout);
	(void)cfg_set_validate_func(cfg, "server", check_server);
	(void)cfg_set_error_function(cfg, take_error);
	parse_err = err;
	/* libConfuse would call a stream "FILE", and frees the name itself */
	cfg->filename = mem_string(path);
	if (file != NULL)
		rc = cfg_parse_fp(cfg, file);
	parse_err = NULL;
	if (file != NULL)
		(void)fclose(file);
	if (rc == CFG_SUCCESS)
		return cfg;
	if (err != NULL && strstr(err->text, END_KEY) != NULL) {
		err_clear(err);
		(void)err_set(err, REASON_USAGE,
		    "%s:%d: a block is not closed: a '}' is missing before the "
		    "end",
		    path, cfg->line);
	}
	(void)err_set(err, REASON_USAGE, "'%s' is faulty", path);
	cfg_free(cfg);
	return NULL;
}

/* Whole and bounded, by our own hand: libConfuse's lexer ends the program
 * where it cannot read, as in a folder. */
static cfg_t *
load(const char *path, struct err *err)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	cfg_t *cfg = NULL;
	struct buf text;

	if (file_read(path, CONFIG_MAX, &bytes, &len, err) == -1)
		return NULL;
	buf_init(&text, CONFIG_MAX + sizeof(end_mark));
	buf_add(&text, bytes, len);
	buf_puts(&text, end_mark);
	if (memchr(bytes, '\0', len) != NULL)
		(void)err_set(err, REASON_USAGE,
		    "'%s' has NUL bytes in it: it is no text", path);
	else
		cfg = parse(path, &text, err);
	buf_done(&text);
	free(bytes);
	return cfg;
}

static void
take_text(cfg_t *cfg, const char *key, const char **out)
{
	if (*out == NULL)
		*out = cfg_getstr(cfg, key);
}

static int
take_lists(cfg_t *cfg, struct options *o, struct err *err)
{
	for (unsigned i = 0; i < cfg_size(cfg, "resolvers"); i++) {
		if (o->resolver_count == RESOLVERS_MAX)
			return err_set(err, REASON_USAGE,
			    "more than %d resolvers", RESOLVERS_MAX);
		if (resolver_parse(cfg_getnstr(cfg, "resolvers", i),
			&o->resolvers[o->resolver_count++], err) == -1)
			return -1;
	}
	for (unsigned i = 0; i < cfg_size(cfg, "pins"); i++) {
		if (o->pin_count == ACQUIRE_PINS_MAX)
			return err_set(err, REASON_USAGE, "more than %d pins",
			    ACQUIRE_PINS_MAX);
		if (acquire_pin_parse(cfg_getnstr(cfg, "pins", i),
			&o->pins[o->pin_count++], err) == -1)
			return -1;
	}
	return 0;
}

/* Proxies, upstreams, responders. */
static int
take_roads(cfg_t *cfg, struct roads *roads, struct err *err)
{
	take_text(cfg, "proxy-auth-file", &roads->auth_file);
	if (cfg_size(cfg, "allow-private") > 0 &&
	    cfg_getbool(cfg, "allow-private"))
		roads->allow_private = true;
	for (unsigned i = 0; i < cfg_size(cfg, "proxies"); i++) {
		if (roads_take_proxy(roads, cfg_getnstr(cfg, "proxies", i),
			ROADS_CONFIG, err) == -1)
			return -1;
	}
	for (unsigned i = 0; i < cfg_size(cfg, "no-proxy"); i++) {
		if (roads_take_no_proxy(
			roads, cfg_getnstr(cfg, "no-proxy", i), err) == -1)
			return -1;
	}
	for (unsigned i = 0; i < cfg_size(cfg, "upstreams"); i++) {
		if (roads_take_upstream(
			roads, cfg_getnstr(cfg, "upstreams", i), err) == -1)
			return -1;
	}
	for (unsigned i = 0; i < cfg_size(cfg, "responder"); i++) {
		cfg_t *block = cfg_getnsec(cfg, "responder", i);
		bool is_private = cfg_size(block, "private") > 0 &&
				  cfg_getbool(block, "private");

		if (roads_take_responder(roads, cfg_title(block),
			cfg_getstr(block, "proxy"), is_private, err) == -1)
			return -1;
	}
	return 0;
}

static void
take_numbers(cfg_t *cfg, struct options *o)
{
	if (o->timeout_ms == 0 && cfg_size(cfg, "timeout") > 0)
		o->timeout_ms = cfg_getint(cfg, "timeout") * 1000;
	if (cfg_size(cfg, "allow-sha1") > 0 && cfg_getbool(cfg, "allow-sha1"))
		o->allow_sha1 = true;
	if (cfg_size(cfg, "allow-no-next-update") > 0 &&
	    cfg_getbool(cfg, "allow-no-next-update"))
		o->allow_no_next_update = true;
}

static void
take_blocks(struct config *config, struct options *o)
{
	unsigned count = cfg_size(config->cfg, "certificate");

	config->specs = mem_array(count, sizeof(config->specs[0]));
	for (unsigned i = 0; i < count; i++) {
		cfg_t *block = cfg_getnsec(config->cfg, "certificate", i);

		config->specs[i] = (struct target_spec){
		    .certificate = cfg_title(block),
		    .issuer = cfg_getstr(block, "issuer"),
		    .url = cfg_getstr(block, "url"),
		};
	}
	o->specs = config->specs;
	o->spec_count = count;
	for (unsigned i = 0; i < cfg_size(config->cfg, "server"); i++) {
		cfg_t *block = cfg_getnsec(config->cfg, "server", i);

		if (o->server == NULL)
			o->server = cfg_title(block);
		take_text(block, "command", &o->server_command);
	}
}

int
config_load(struct options *options, struct config **out, struct err *err)
{
	const char *path = options->config;
	struct config *config;
	struct err why = {0};

	*out = NULL;
	if (path == NULL && access(CONFIG_DEFAULT, R_OK) != 0)
		return 0;
	config = mem_new(sizeof(*config));
	config->cfg = load(path == NULL ? CONFIG_DEFAULT : path, err);
	if (config->cfg == NULL) {
		config_free(config);
		return -1;
	}
	take_text(config->cfg, "state-dir", &options->state_dir);
	take_text(config->cfg, "ca-file", &options->ca_file);
	take_text(config->cfg, "tls-ca", &options->tls_ca);
	take_text(config->cfg, "log-format", &options->log_format);
	take_numbers(config->cfg, options);
	take_blocks(config, options);
	if (take_lists(config->cfg, options, &why) == -1 ||
	    take_roads(config->cfg, &options->roads, &why) == -1) {
		config_free(config);
		return err_set(err, why.reason, "%s: %s",
		    path == NULL ? CONFIG_DEFAULT : path, why.text);
	}
	*out = config;
	return 0;
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	if (config->cfg != NULL)
		cfg_free(config->cfg);
	free(config->specs);
	free(config);
}
