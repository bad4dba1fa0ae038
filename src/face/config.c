/* SPDX-License-Identifier: ISC */
/* face/config.c -- the configuration file, by libConfuse. */
#include "face/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "face/config_certificates.h"
#include "face/config_parse.h"
#include "face/config_value.h"

enum { CONFIG_MAX = 256 << 20 }; /* bytes: of KEEPER_TARGETS_MAX blocks */

struct config {
	cfg_t *cfg;
	struct config_certificates *certificates;
	struct issuer_rules *rules;
	char **rules_where; /* they are said, as many; owned */
};

/* Whole and bounded, by our own hand: libConfuse's lexer ends the program
 * where it cannot read, as in a folder. */
static cfg_t *
load(
    const char *path, struct config_certificates *certificates, struct err *err)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	cfg_t *cfg = NULL;

	if (file_read(path, CONFIG_MAX, &bytes, &len, err) == 0)
		cfg = config_parse(path, bytes, len, certificates, err);
	free(bytes);
	return cfg;
}

/* What BLOCK says of a key; false, *OUT untouched, if nothing.  Text is
 * borrowed of it. */
static bool
get_text(cfg_t *block, const char *key, const char **out)
{
	if (cfg_size(block, key) == 0)
		return false;
	*out = cfg_getstr(block, key);
	return true;
}

static bool
get_bool(cfg_t *block, const char *key, bool *out)
{
	return cfg_size(block, key) > 0 &&
	       config_bool(cfg_getstr(block, key), out);
}

static bool
get_number(cfg_t *block, const char *key, int64_t *out)
{
	const char *text;

	return get_text(block, key, &text) &&
	       config_duration(text, 0, INT64_MAX, out);
}

static void
take_text(cfg_t *cfg, const char *key, const char **out)
{
	if (*out == NULL)
		(void)get_text(cfg, key, out);
}

/* The command line can only switch on. */
static void
take_flag(cfg_t *cfg, const char *key, bool *out)
{
	if (!*out)
		(void)get_bool(cfg, key, out);
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

/* What `dns` and `doctor` look with. */
static int
take_probes(cfg_t *cfg, struct options *o, struct err *err)
{
	const char *blackhole = NULL;

	take_text(cfg, "control", &o->control);
	take_text(cfg, "pool", &o->pool);
	take_text(cfg, "blackhole", &blackhole);
	return blackhole == NULL || o->has_blackhole
		   ? 0
		   : options_take_blackhole(o, blackhole, err);
}

/* Proxies, upstreams, responders. */
static int
take_roads(cfg_t *cfg, struct roads *roads, struct err *err)
{
	take_text(cfg, "proxy-auth-file", &roads->auth_file);
	take_flag(cfg, "allow-private", &roads->allow_private);
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
		const char *proxy = NULL;
		bool is_private = false;

		take_text(block, "proxy", &proxy);
		take_flag(block, "private", &is_private);
		if (roads_take_responder(
			roads, cfg_title(block), proxy, is_private, err) == -1)
			return -1;
	}
	return 0;
}

/* certid and on-revoked, which were checked when they were read. */
static void
take_choices(cfg_t *cfg, enum certid_choice *certid, enum on_revoked *revoked)
{
	const char *text;

	if (get_text(cfg, "certid", &text))
		(void)certid_parse(text, certid);
	if (get_text(cfg, "on-revoked", &text))
		(void)on_revoked_parse(text, revoked);
}

static void
take_settings(cfg_t *cfg, struct options *o)
{
	bool alarm = o->alarm[0] != NULL; /* the command line has said it */
	int64_t seconds;

	take_text(cfg, "state-dir", &o->state_dir);
	take_text(cfg, "ca-file", &o->ca_file);
	take_text(cfg, "tls-ca", &o->tls_ca);
	take_text(cfg, "log-format", &o->log_format);
	take_text(cfg, "control-group", &o->control_group);
	for (unsigned i = 0; !alarm && i < cfg_size(cfg, "alarm-command") &&
			     i < OPTIONS_ALARM_MAX;
	     i++)
		o->alarm[i] = cfg_getnstr(cfg, "alarm-command", i);
	(void)get_number(cfg, "alarm-timeout", &o->alarm_timeout_s);
	if (o->timeout_ms == 0 && get_number(cfg, "timeout", &seconds))
		o->timeout_ms = seconds * 1000;
	take_flag(cfg, "allow-sha1", &o->allow_sha1);
	take_flag(cfg, "allow-no-next-update", &o->allow_no_next_update);
	take_flag(cfg, "relay-unknown", &o->relay_unknown);
	take_choices(cfg, &o->certid, &o->on_revoked);
}

static void
take_rule(cfg_t *block, struct issuer_rules *rule)
{
	const char *nonce;

	rule->issuer = cfg_title(block);
	take_text(block, "url", &rule->url);
	take_text(block, "signer-file", &rule->signer);
	(void)get_number(block, "no-next-update-life", &rule->no_next_update_s);
	if (get_text(block, "nonce", &nonce))
		(void)nonce_parse(nonce, &rule->nonce);
	take_choices(block, &rule->certid, &rule->on_revoked);
	take_flag(block, "allow-sha1", &rule->allow_sha1);
}

static void
take_rules(struct config *config, struct options *o)
{
	unsigned count = cfg_size(config->cfg, "issuer");

	config->rules = mem_array(count, sizeof(config->rules[0]));
	config->rules_where = mem_array(count, sizeof(config->rules_where[0]));
	for (unsigned i = 0; i < count; i++) {
		cfg_t *block = cfg_getnsec(config->cfg, "issuer", i);

		take_rule(block, &config->rules[i]);
		config->rules_where[i] =
		    mem_printf("%s:%d", config->cfg->filename, block->line);
		config->rules[i].where = config->rules_where[i];
	}
	o->rules = config->rules;
	o->rule_count = count;
}

/* Those of the command line are instead of these. */
static int
take_listeners(cfg_t *cfg, struct options *o, struct err *err)
{
	if (o->listener_count > 0 || o->listen_nowhere)
		return 0;
	for (unsigned i = 0; i < cfg_size(cfg, "listen"); i++) {
		cfg_t *block = cfg_getnsec(cfg, "listen", i);
		struct listen_spec *spec = &o->listeners[o->listener_count];
		const char *mode = NULL;
		int64_t n = 0;

		if (options_take_listen(o, cfg_title(block), err) == -1)
			return -1;
		if (o->listen_nowhere)
			continue;
		for (unsigned k = 0; k < cfg_size(block, "serves"); k++) {
			unsigned serves = 0;

			(void)listen_serves_parse(
			    cfg_getnstr(block, "serves", k), &serves);
			spec->serves |= serves;
		}
		if (get_number(block, "threads", &n))
			spec->threads = (unsigned)n;
		if (get_number(block, "connections", &n))
			spec->connections = (unsigned)n;
		if (get_number(block, "per-address", &n))
			spec->per_address = (unsigned)n;
		if (get_text(block, "mode", &mode))
			spec->mode = (unsigned)strtoul(mode, NULL, 8);
	}
	return 0;
}

/* The block alone says that what is found shall be kept. */
static int
take_discover(cfg_t *cfg, struct options *o, struct err *err)
{
	cfg_t *block;

	if (cfg_size(cfg, "discover") == 0)
		return 0;
	block = cfg_getnsec(cfg, "discover", 0);
	o->discover = true;
	for (unsigned i = 0; i < cfg_size(block, "places"); i++) {
		if (o->place_count == DISCOVER_PLACES_MAX)
			return err_set(err, REASON_USAGE, "more than %d places",
			    DISCOVER_PLACES_MAX);
		if (discover_place_parse(cfg_getnstr(block, "places", i),
			&o->places[o->place_count++], err) == -1)
			return -1;
	}
	return 0;
}

static void
take_blocks(struct config *config, struct options *o)
{
	o->specs =
	    config_certificates_specs(config->certificates, &o->spec_count);
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
	if (path == NULL && access(CONFIG_DEFAULT, R_OK) != 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			(void)err_set(&options->unread, REASON_FILE,
			    "cannot read '%s': %s", CONFIG_DEFAULT,
			    strerror(errno));
		return 0;
	}
	config = mem_new(sizeof(*config));
	config->certificates = config_certificates_new();
	config->cfg = load(
	    path == NULL ? CONFIG_DEFAULT : path, config->certificates, err);
	if (config->cfg == NULL) {
		config_free(config);
		return -1;
	}
	take_settings(config->cfg, options);
	take_rules(config, options);
	take_blocks(config, options);
	if (take_lists(config->cfg, options, &why) == -1 ||
	    take_probes(config->cfg, options, &why) == -1 ||
	    take_discover(config->cfg, options, &why) == -1 ||
	    take_listeners(config->cfg, options, &why) == -1 ||
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
	for (size_t i = 0;
	     config->rules != NULL && i < cfg_size(config->cfg, "issuer"); i++)
		free(config->rules_where[i]);
	free(config->rules_where);
	if (config->cfg != NULL)
		cfg_free(config->cfg);
	config_certificates_free(config->certificates);
	free(config->rules);
	free(config);
}
