/* SPDX-License-Identifier: ISC */
/* servers/nginx_conf.c -- what `nginx -T` prints, as facts.
 *
 * The dump is the files one behind the other, each under a line
 * `# configuration file PATH:` and with one line feed more at its end.  The
 * words are cut as ngx_conf_read_token() does it: a quote or a '#' means
 * something only where a word begins, '{' ends a word unless a '$' stands
 * before it, and '}' does not end one. */
#include "servers/nginx_conf.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "servers/grow.h"
#include "servers/nginx_lua.h"
#include "servers/nginx_sites.h"

enum token { WORD, SEMICOLON, OPEN, CLOSE, END, BAD };

/* Where the reading of one file stands. */
struct reader {
	const char *path, *text;
	size_t len, at;
	int line;
	int depth;
	size_t *total; /* directives so far, of all files */
	struct buf word;
	size_t word_start; /* of the last token */
	struct err *err;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int
fail(struct reader *r, const char *what)
{
	return err_set(r->err, REASON_SERVER_CONFIG,
	    "%s in '%s', line %d of nginx's configuration: `nginx -t` tells "
	    "more",
	    what, r->path, r->line);
}

static void
advance(struct reader *r)
{
	if (r->text[r->at] == '\n')
		r->line++;
	r->at++;
}

static void
skip_line(struct reader *r)
{
	while (r->at < r->len && r->text[r->at] != '\n')
		r->at++;
}

static void
skip_blanks_and_comments(struct reader *r)
{
	while (r->at < r->len) {
		if (r->text[r->at] == '#')
			skip_line(r);
		else if (is_blank(r->text[r->at]))
			advance(r);
		else
			return;
	}
}

/* Add the raw bytes START..END to the word without their escapes. */
static void
add_unescaped(struct reader *r, size_t start, size_t end)
{
	size_t run = start; /* what is to be copied as it is */

	for (size_t i = start; i + 1 < end; i++) {
		char next = r->text[i + 1];

		if (r->text[i] != '\\' || strchr("\"'\\trn", next) == NULL ||
		    next == '\0')
			continue;
		buf_add(&r->word, r->text + run, i - run);
		next = next == 't'   ? '\t'
		       : next == 'r' ? '\r'
		       : next == 'n' ? '\n'
				     : next;
		buf_add(&r->word, &next, 1);
		run = ++i + 1;
	}
	buf_add(&r->word, r->text + run, end - run);
}

static enum token
read_quoted(struct reader *r)
{
	char quote = r->text[r->at];
	size_t start = r->at + 1;

	for (advance(r); r->at < r->len && r->text[r->at] != quote;) {
		if (r->text[r->at] == '\\' && r->at + 1 < r->len)
			advance(r);
		advance(r);
	}
	if (r->at >= r->len) {
		(void)fail(r, "a quote that is not closed");
		return BAD;
	}
	add_unescaped(r, start, r->at);
	advance(r);
	if (r->at < r->len && !is_blank(r->text[r->at]) &&
	    strchr(";{)", r->text[r->at]) == NULL) {
		(void)fail(r, "text right behind a closing quote");
		return BAD;
	}
	return WORD;
}

static enum token
read_plain(struct reader *r)
{
	size_t start = r->at;
	bool variable = false; /* a '$' stands right before */

	while (r->at < r->len) {
		char c = r->text[r->at];

		if (is_blank(c) || c == ';' || (c == '{' && !variable))
			break;
		variable = c == '$';
		if (c == '\\' && r->at + 1 < r->len)
			advance(r);
		advance(r);
	}
	add_unescaped(r, start, r->at);
	return WORD;
}

static enum token
next_token(struct reader *r)
{
	enum token token;
	char c;

	buf_done(&r->word);
	skip_blanks_and_comments(r);
	r->word_start = r->at;
	if (r->at >= r->len)
		return END;
	c = r->text[r->at];
	if (c == ';' || c == '{' || c == '}') {
		r->at++;
		return c == ';' ? SEMICOLON : c == '{' ? OPEN : CLOSE;
	}
	token = c == '"' || c == '\'' ? read_quoted(r) : read_plain(r);
	if (r->word.full) {
		(void)fail(r, "a word that is too long");
		return BAD;
	}
	return token;
}

/* --- directives --- */

static bool
is_lua(const char *name)
{
	static const char suffix[] = "_by_lua_block";
	size_t len = strlen(name);

	return len >= sizeof(suffix) &&
	       strcmp(name + len - (sizeof(suffix) - 1), suffix) == 0;
}

static int
skip_lua(struct reader *r)
{
	size_t end;

	if (!nginx_lua_end(r->text, r->len, r->at, &end))
		return fail(r, "a block of Lua without its '}'");
	while (r->at < end)
		advance(r);
	return 0;
}

static void
directive_done(struct nginx_directive *directive)
{
	for (size_t i = 0; i < directive->child_count; i++)
		directive_done(&directive->children[i]);
	for (size_t i = 0; i < directive->arg_count; i++)
		free(directive->args[i]);
	free(directive->children);
	free(directive->args);
	free(directive->name);
}

static int read_block(
    struct reader *r, struct nginx_directive **list, size_t *count);

static int
read_inside(struct reader *r, struct nginx_directive *directive)
{
	int rc;

	directive->block = true;
	if (is_lua(directive->name))
		return skip_lua(r);
	if (r->depth == NGINX_DEPTH_MAX)
		return fail(r, "too many nested blocks");
	r->depth++;
	rc = read_block(r, &directive->children, &directive->child_count);
	r->depth--;
	return rc;
}

/* The name has been read; now the arguments up to ';' or the whole block. */
static int
read_directive(struct reader *r, struct nginx_directive *directive)
{
	enum token token;

	directive->name = buf_take(&r->word);
	directive->file = r->path;
	directive->line = r->line;
	directive->start = r->word_start;
	while ((token = next_token(r)) == WORD) {
		directive->args = grow(directive->args, directive->arg_count,
		    sizeof(*directive->args));
		directive->args[directive->arg_count++] = buf_take(&r->word);
	}
	if (token == BAD)
		return -1;
	if (token == OPEN && read_inside(r, directive) == -1)
		return -1;
	if (token == CLOSE)
		return fail(r, "a '}' where a ';' is missing");
	if (token == END)
		return fail(r, "an end of the file where a ';' is missing");
	directive->last_line = r->line;
	directive->end = r->at;
	return 0;
}

/* Directives up to the '}' of a block or, at depth 0, the end of the file. */
static int
read_block(struct reader *r, struct nginx_directive **list, size_t *count)
{
	enum token token;

	while ((token = next_token(r)) == WORD) {
		if (++*r->total > NGINX_DIRECTIVES_MAX)
			return fail(r, "too many directives");
		*list = grow(*list, *count, sizeof(**list));
		(*list)[*count] = (struct nginx_directive){0};
		if (read_directive(r, &(*list)[(*count)++]) == -1)
			return -1;
	}
	if (token == BAD)
		return -1;
	if (token == SEMICOLON || token == OPEN)
		return fail(r, "a ';' or '{' without a directive");
	if (token == CLOSE && r->depth == 0)
		return fail(r, "a '}' that closes nothing");
	if (token == END && r->depth > 0)
		return fail(r, "an end of the file where a '}' is missing");
	return 0;
}

static int
read_file(struct nginx_file *file, size_t *total, struct err *err)
{
	struct reader r = {
	    .path = file->path,
	    .text = file->text,
	    .len = file->len,
	    .line = 1,
	    .total = total,
	    .err = err,
	};
	int rc;

	buf_init(&r.word, NGINX_WORD_MAX);
	rc = read_block(&r, &file->directives, &file->directive_count);
	buf_done(&r.word);
	return rc;
}

/* --- the dump --- */

static const char headline[] = "# configuration file ";

/* A path that has had its headline. */
struct seen {
	const char *path; /* borrowed of the conf */
	UT_hash_handle hh;
};

/* If LINE (LEN bytes, without its end) begins a file, its path; else NULL.
 * nginx prints each file once, so a second headline for the same path is a
 * comment: somebody has saved a dump as a configuration. */
static char *
headline_path(struct seen **seen, const char *line, size_t len)
{
	size_t skip = sizeof(headline) - 1;
	struct seen *known = NULL;
	char *path;

	if (len < skip + 2 || memcmp(line, headline, skip) != 0 ||
	    line[len - 1] != ':' || memchr(line, '\0', len) != NULL)
		return NULL;
	path = mem_copy(line + skip, len - skip);
	path[len - skip - 1] = '\0';
	HASH_FIND_STR(*seen, path, known);
	if (known != NULL) {
		free(path);
		return NULL;
	}
	known = mem_new(sizeof(*known));
	known->path = path;
	HASH_ADD_KEYPTR(hh, *seen, path, strlen(path), known);
	return path;
}

/* The file that began at START ends before END, where a headline or the end of
 * the dump is. */
static void
close_file(struct nginx_conf *conf, const char *dump, size_t start, size_t end)
{
	struct nginx_file *file;

	if (conf->file_count == 0)
		return;
	file = &conf->files[conf->file_count - 1];
	file->len = end - start;
	if (file->len > 0 && dump[end - 1] == '\n')
		file->len--; /* nginx's own */
	file->text = mem_new(file->len + 1);
	memcpy(file->text, dump + start, file->len);
}

static int
split(struct nginx_conf *conf, const char *dump, size_t len, struct err *err)
{
	struct seen *seen = NULL, *one, *another;
	size_t start = 0; /* of the text of the file that is open */
	size_t next;

	for (size_t at = 0; at < len; at = next) {
		const char *end = memchr(dump + at, '\n', len - at);
		size_t line =
		    end == NULL ? len - at : (size_t)(end - (dump + at));
		char *path = NULL;

		next = at + line + (end != NULL);
		if (conf->file_count < NGINX_FILES_MAX)
			path = headline_path(&seen, dump + at, line);
		if (path == NULL)
			continue;
		close_file(conf, dump, start, at);
		conf->files =
		    grow(conf->files, conf->file_count, sizeof(*conf->files));
		conf->files[conf->file_count++] =
		    (struct nginx_file){.path = path};
		start = next;
	}
	close_file(conf, dump, start, len);
	HASH_ITER(hh, seen, one, another)
	{
		HASH_DEL(seen, one);
		free(one);
	}
	if (conf->file_count == 0)
		return err_set(err, REASON_SERVER_CONFIG,
		    "`nginx -T` printed no configuration");
	if (conf->file_count == NGINX_FILES_MAX)
		return err_set(err, REASON_SERVER_CONFIG,
		    "nginx's configuration has %d files or more, which is more "
		    "than can be taken",
		    NGINX_FILES_MAX);
	return 0;
}

int
nginx_conf_parse(
    const char *dump, size_t len, struct nginx_conf **out, struct err *err)
{
	struct nginx_conf *conf = mem_new(sizeof(*conf));
	size_t total = 0;
	int rc = split(conf, dump, len, err);

	for (size_t i = 0; rc == 0 && i < conf->file_count; i++)
		rc = read_file(&conf->files[i], &total, err);
	if (rc == 0)
		rc = nginx_sites_find(conf, err);
	if (rc == 0)
		*out = conf;
	else
		nginx_conf_free(conf);
	return rc;
}

void
nginx_conf_free(struct nginx_conf *conf)
{
	if (conf == NULL)
		return;
	nginx_sites_free(conf);
	for (size_t i = 0; i < conf->file_count; i++) {
		struct nginx_file *file = &conf->files[i];

		for (size_t k = 0; k < file->directive_count; k++)
			directive_done(&file->directives[k]);
		free(file->directives);
		free(file->path);
		free(file->text);
	}
	free(conf->files);
	free(conf);
}

const struct nginx_file *
nginx_conf_file(
    const struct nginx_conf *conf, const struct nginx_directive *directive)
{
	for (size_t i = 0; i < conf->file_count; i++) {
		if (conf->files[i].path == directive->file)
			return &conf->files[i];
	}
	return NULL;
}

char *
nginx_conf_path(const struct nginx_conf *conf, const char *path)
{
	const char *main_file = conf->files[0].path;
	const char *slash = strrchr(main_file, '/');

	return path[0] == '/' || slash == NULL
		   ? mem_string(path)
		   : mem_printf("%.*s%s", (int)(slash - main_file) + 1,
			 main_file, path);
}
