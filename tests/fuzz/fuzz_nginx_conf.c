/* SPDX-License-Identifier: ISC */
/* What `nginx -T` prints.  The bytes are the text of the main file; a line of
 * "\1" and a digit begins another file of the dump. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "servers/nginx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DUMP_MAX = 1 << 20 };

static void
check(const struct nginx_file *file, const struct nginx_directive *list,
    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert(list[i].start < list[i].end);
		assert(list[i].end <= file->len);
		assert(list[i].line <= list[i].last_line);
		assert(
		    file->text[list[i].end - 1] == (list[i].block ? '}' : ';'));
		check(file, list[i].children, list[i].child_count);
	}
}

static bool
has_nul(const struct nginx_conf *conf)
{
	for (size_t i = 0; i < conf->file_count; i++) {
		if (strlen(conf->files[i].text) != conf->files[i].len)
			return true;
	}
	return false;
}

/* A plan that is applied leaves nothing to plan. */
static void
check_plan(const struct nginx_conf *conf)
{
	static const struct nginx nginx = {
	    .command = "nginx", .snippet_dir = "/s", .staple_dir = "/d"};
	struct nginx_conf *applied = NULL;
	struct nginx_plan *plan = NULL, *again = NULL;
	struct err err = {0};
	struct buf dump;

	nginx_plan_make(&nginx, conf, &plan);
	buf_init(&dump, DUMP_MAX);
	for (size_t i = 0; i < conf->file_count; i++) {
		const struct nginx_file *file = &conf->files[i];
		const char *text = file->text;

		for (size_t k = 0; k < plan->edit_count; k++) {
			if (strcmp(plan->edits[k].path, file->path) == 0)
				text = plan->edits[k].after;
		}
		buf_printf(
		    &dump, "# configuration file %s:\n%s\n", file->path, text);
	}
	free(nginx_plan_diff(plan));
	/* A NUL ends the text for buf_printf, but not for nginx_conf. */
	if (!has_nul(conf) && !dump.full) {
		(void)nginx_conf_parse(
		    buf_text(&dump), dump.len, &applied, &err);
		assert(applied != NULL);
		nginx_plan_make(&nginx, applied, &again);
		assert(again->edit_count == 0);
	}
	nginx_plan_free(again);
	nginx_conf_free(applied);
	nginx_plan_free(plan);
	buf_done(&dump);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nginx_conf *conf = NULL;
	struct err err = {0};
	struct buf dump;

	buf_init(&dump, DUMP_MAX);
	buf_puts(&dump, "# configuration file /e/nginx.conf:\n");
	for (size_t i = 0; i < size; i++) {
		if (data[i] == 1 && i + 1 < size)
			buf_printf(&dump, "\n# configuration file /e/%c:\n",
			    'a' + data[++i] % 8);
		else
			buf_add(&dump, &data[i], 1);
	}
	if (nginx_conf_parse(buf_text(&dump), dump.len, &conf, &err) == 0) {
		for (size_t i = 0; i < conf->file_count; i++)
			check(&conf->files[i], conf->files[i].directives,
			    conf->files[i].directive_count);
		check_plan(conf);
		nginx_conf_free(conf);
	} else {
		assert(err.reason == REASON_SERVER_CONFIG);
	}
	buf_done(&dump);
	return 0;
}
