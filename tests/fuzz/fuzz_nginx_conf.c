/* SPDX-License-Identifier: ISC */
/* What `nginx -T` prints.  The bytes are the text of the main file; a line of
 * "\1" and a digit begins another file of the dump. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/text.h"
#include "servers/nginx_conf.h"

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
		nginx_conf_free(conf);
	} else {
		assert(err.reason == REASON_SERVER_CONFIG);
	}
	buf_done(&dump);
	return 0;
}
