/* SPDX-License-Identifier: ISC */
/* servers/nginx_files.c -- nginx's configuration from its files.
 *
 * The files are put together as `nginx -T` prints them, so that there is one
 * reader of configurations.  Which ones: those that some file names, until
 * none is new.  So a file counts also where nginx would never come by it
 * (inside a `types {}`), which harms nobody. */
#include "servers/nginx_files.h"

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"
#include "servers/grow.h"
#include "servers/nginx_conf.h"
#include "servers/nginx_log.h"

static const char headline[] = "# configuration file ";

struct gathering {
	struct buf dump;
	char **paths; /* in the dump, or tried in vain */
	size_t count;
	struct nginx_unread *unread;
};

static bool
is_known(const struct gathering *g, const char *path)
{
	for (size_t i = 0; i < g->count; i++) {
		if (strcmp(g->paths[i], path) == 0)
			return true;
	}
	return false;
}

/* The text of one file under its headline.  A line of it that looks like a
 * headline is a comment, and loses the blank that makes it look so. */
static void
add_text(struct gathering *g, const char *path, const char *text, size_t len)
{
	buf_printf(&g->dump, "%s%s:\n", headline, path);
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line = end == NULL ? len : (size_t)(end - text) + 1;
		bool alike = line >= sizeof(headline) &&
			     memcmp(text, headline, sizeof(headline) - 1) == 0;

		if (alike)
			buf_puts(&g->dump, "##");
		buf_add(
		    &g->dump, text + (alike ? 2 : 0), line - (alike ? 2 : 0));
		text += line;
		len -= line;
	}
	buf_puts(&g->dump, "\n");
}

static int
add_file(struct gathering *g, const char *path, struct err *err)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	int rc;

	g->paths = grow(g->paths, g->count, sizeof(*g->paths));
	g->paths[g->count++] = mem_string(path);
	rc = file_read(path, NGINX_FILES_BYTES, &bytes, &len, err);
	if (rc == 0)
		add_text(g, path, (const char *)bytes, len);
	free(bytes);
	return rc;
}

static void
add_included(struct gathering *g, const char *path)
{
	struct err err = {0};

	if (is_known(g, path) || add_file(g, path, &err) == 0)
		return;
	if (g->unread->count < NGINX_UNREAD_MAX)
		(void)snprintf(g->unread->text[g->unread->count],
		    NGINX_UNREAD_TEXT, "%s", err.text);
	g->unread->count++;
}

static void
add_includes(struct gathering *g, const struct nginx_conf *conf,
    const struct nginx_directive *list, size_t count)
{
	for (size_t i = 0; i < count && g->count < NGINX_FILES_MAX; i++) {
		glob_t found = {0};
		char *pattern;

		add_includes(g, conf, list[i].children, list[i].child_count);
		if (strcmp(list[i].name, "include") != 0 ||
		    list[i].arg_count == 0)
			continue;
		pattern = nginx_conf_path(conf, list[i].args[0]);
		if (strpbrk(pattern, "*?[") == NULL)
			add_included(g, pattern);
		else if (glob(pattern, 0, NULL, &found) == 0) {
			for (size_t k = 0; k < found.gl_pathc; k++)
				add_included(g, found.gl_pathv[k]);
		}
		globfree(&found);
		free(pattern);
	}
}

/* Round by round: what the files so far include. */
static int
gather(struct gathering *g, struct nginx_conf **out, struct err *err)
{
	struct nginx_conf *conf = NULL;
	size_t before;
	int rc;

	do {
		nginx_conf_free(conf);
		conf = NULL;
		before = g->count;
		if (g->dump.full)
			return err_set(err, REASON_SERVER_CONFIG,
			    "nginx's configuration has more than %d bytes, "
			    "which is more than can be taken",
			    NGINX_FILES_BYTES);
		rc = nginx_conf_parse(
		    buf_text(&g->dump), g->dump.len, &conf, err);
		if (rc == -1)
			return -1;
		for (size_t i = 0; i < conf->file_count; i++)
			add_includes(g, conf, conf->files[i].directives,
			    conf->files[i].directive_count);
	} while (g->count > before);
	*out = conf;
	return 0;
}

/* What `nginx -T` printed, also with its two lines of stderr before. */
static bool
is_dump(const char *text)
{
	while (text_starts(text, "nginx: "))
		text += strcspn(text, "\n"), text += *text == '\n';
	return text_starts(text, headline);
}

int
nginx_files_read(const char *path, struct nginx_conf **out,
    struct nginx_unread *unread, struct err *err)
{
	struct gathering g = {.unread = unread};
	uint8_t *bytes = NULL;
	char *whole = NULL;
	size_t len = 0;
	int rc;

	unread->count = 0;
	buf_init(&g.dump, NGINX_FILES_BYTES);
	rc = file_read(path, NGINX_FILES_BYTES, &bytes, &len, err);
	if (rc == -1)
		goto out;
	if (is_dump((const char *)bytes)) {
		rc = nginx_conf_parse((const char *)bytes, len, out, err);
		goto out;
	}
	whole = strcmp(path, "-") == 0 ? mem_string(path) : file_absolute(path);
	g.paths = grow(g.paths, 0, sizeof(*g.paths));
	g.paths[g.count++] = mem_string(whole);
	add_text(&g, whole, (const char *)bytes, len);
	rc = gather(&g, out, err);
out:
	for (size_t i = 0; i < g.count; i++)
		free(g.paths[i]);
	free(g.paths);
	free(whole);
	free(bytes);
	buf_done(&g.dump);
	return rc;
}

/* --- whose files --- */

/* What follows OPTION in COMMAND; owned, or NULL. */
static char *
word_behind(const char *command, const char *option)
{
	static const char *const none[] = {NULL};
	char **argv = proc_argv(command, none);
	char *found = NULL;

	for (size_t i = 0; argv[i] != NULL && found == NULL; i++) {
		if (strcmp(argv[i], option) == 0 && argv[i + 1] != NULL)
			found = mem_string(argv[i + 1]);
		else if (text_starts(argv[i], option) && argv[i][2] != '\0')
			found = mem_string(argv[i] + 2);
	}
	proc_argv_free(argv);
	return found;
}

static char *
below(char *take_prefix, const char *path)
{
	char *whole = path[0] == '/' || take_prefix == NULL
			  ? mem_string(path)
			  : mem_printf("%s/%s", take_prefix, path);

	free(take_prefix);
	return whole;
}

char *
nginx_files_main(const char *command)
{
	static const char *const usual[] = {"/etc/nginx/nginx.conf",
	    "/usr/local/nginx/conf/nginx.conf",
	    "/usr/local/etc/nginx/nginx.conf",
	    "/usr/local/openresty/nginx/conf/nginx.conf"};
	char *given = word_behind(command, "-c");
	char *path;

	if (given != NULL) {
		path = below(word_behind(command, "-p"), given);
		free(given);
		return path;
	}
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (access(usual[i], F_OK) == 0)
			return mem_string(usual[i]);
	}
	return NULL;
}

char *
nginx_files_log(const char *command, const char *path)
{
	char *prefix;

	if (path[0] == '/')
		return mem_string(path);
	if (nginx_log_is_elsewhere(path))
		return NULL;
	prefix = word_behind(command, "-p");
	return prefix == NULL ? NULL : below(prefix, path);
}
