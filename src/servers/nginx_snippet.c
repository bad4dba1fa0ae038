/* SPDX-License-Identifier: ISC */
/* servers/nginx_snippet.c -- the text of our snippets. */
#include "servers/nginx_snippet.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

static const char head[] = "# Written by oclasp; do not edit: it is "
			   "replaced.\n";
static const char key[] = "ssl_stapling_file ";
static const char suffix[] = ".der";

char *
nginx_snippet_quote(const char *path)
{
	struct buf out;

	if (strpbrk(path, " \t\r\n;{}\"'\\$#") == NULL)
		return mem_string(path);
	buf_init(&out, 2 * strlen(path) + 2);
	buf_puts(&out, "\"");
	for (const char *c = path; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			buf_puts(&out, "\\");
		buf_add(&out, c, 1);
	}
	buf_puts(&out, "\"");
	return buf_take(&out);
}

char *
nginx_snippet_text(const struct nginx *nginx, const char *fingerprint)
{
	char *path, *word, *text;

	if (fingerprint == NULL)
		return mem_printf("%s# no usable staple now\n", head);
	path = mem_printf("%s/%s%s", nginx->staple_dir, fingerprint, suffix);
	word = nginx_snippet_quote(path);
	text = mem_printf("%sssl_stapling on;\n%s%s;\n", head, key, word);
	free(path);
	free(word);
	return text;
}

bool
nginx_snippet_is_staple(const char *name)
{
	size_t hex = strspn(name, "0123456789abcdef");

	return hex > 0 && strcmp(name + hex, suffix) == 0;
}

int
nginx_snippet_staple(const char *path, char **name)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	char *found, *slash;

	*name = NULL;
	if (file_read(path, NGINX_SNIPPET_MAX, &bytes, &len, NULL) == -1)
		return -1;
	found = strstr((char *)bytes, key);
	if (found != NULL) {
		found += sizeof(key) - 1;
		found[strcspn(found, "\n")] = '\0';
		slash = strrchr(found, '/');
		found = slash == NULL ? found : slash + 1;
		found[strcspn(found, "\";")] = '\0';
		if (nginx_snippet_is_staple(found))
			*name = mem_string(found);
	}
	free(bytes);
	return 0;
}

char *
nginx_staple_named(const struct nginx *nginx, const char *certificate)
{
	char *path = nginx_snippet_path(nginx, certificate);
	char *name = NULL;

	(void)nginx_snippet_staple(path, &name);
	if (name != NULL)
		name[strlen(name) - strlen(suffix)] = '\0';
	free(path);
	return name;
}

/* By its end alone: that of "/.lego/..." begins with a dot. */
static bool
is_snippet(const char *name)
{
	size_t len = strlen(name);

	return len > 5 && strcmp(name + len - 5, ".conf") == 0;
}

int
nginx_snippet_each(const struct nginx *nginx,
    void (*visit)(void *cookie, const char *path, const char *name),
    void *cookie)
{
	DIR *folder = opendir(nginx->snippet_dir);
	const struct dirent *entry;
	int rc = 0;

	if (folder == NULL)
		return -1;
	while ((entry = readdir(folder)) != NULL) {
		char *path, *name;

		/* Not the marker, nor what a killed write has left. */
		if (!is_snippet(entry->d_name))
			continue;
		path = mem_printf("%s/%s", nginx->snippet_dir, entry->d_name);
		if (nginx_snippet_staple(path, &name) == -1)
			rc = -1;
		if (name != NULL)
			visit(cookie, path, name);
		free(name);
		free(path);
	}
	(void)closedir(folder);
	return rc;
}

struct search {
	const char *name;
	bool found;
};

static void
compare(void *cookie, const char *path, const char *name)
{
	struct search *search = cookie;

	(void)path;
	search->found = search->found || strcmp(name, search->name) == 0;
}

bool
nginx_snippet_names(const struct nginx *nginx, const char *name)
{
	struct search search = {.name = name};

	(void)nginx_snippet_each(nginx, compare, &search);
	return search.found;
}

bool
nginx_has_snippets(const struct nginx *nginx)
{
	DIR *folder = opendir(nginx->snippet_dir);
	const struct dirent *entry;
	bool found = false;

	while (folder != NULL && !found && (entry = readdir(folder)) != NULL)
		found = is_snippet(entry->d_name);
	if (folder != NULL)
		(void)closedir(folder);
	return found;
}
