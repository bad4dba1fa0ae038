/* SPDX-License-Identifier: ISC */
/* keep/settings.c -- one reading of the configuration. */
#include "keep/settings.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"

static void
free_one(struct settings *settings)
{
	const struct keeper_options *options = &settings->options;

	rules_free(settings->rules);
	cert_list_done(&settings->extra);
	if (options->owner != NULL && options->retire != NULL)
		options->retire(options->cookie, options->owner);
	free(settings);
}

static int
load_extra(struct settings *settings, const char *path, struct err *err)
{
	struct err why = {0};

	return path == NULL || cert_list_load(&settings->extra, path, &why) == 0
		   ? 0
		   : err_set(err, why.reason, "ca-file: %s", why.text);
}

struct settings *
settings_load(const struct keeper_options *options, struct err *err)
{
	struct settings *settings = mem_new(sizeof(*settings));

	settings->rules = rules_load(options->rules, options->rule_count, err);
	if (settings->rules == NULL ||
	    load_extra(settings, options->ca_file, err) == -1) {
		free_one(settings);
		return NULL;
	}
	settings->options = *options;
	return settings;
}

void
settings_free(struct settings *settings)
{
	while (settings != NULL) {
		struct settings *older = settings->older;

		free_one(settings);
		settings = older;
	}
}

void
settings_sweep(struct settings *settings)
{
	struct settings **at = &settings->older;

	while (*at != NULL) {
		struct settings *old = *at;

		if (old->users > 0) {
			at = &old->older;
			continue;
		}
		*at = old->older;
		free_one(old);
	}
}
