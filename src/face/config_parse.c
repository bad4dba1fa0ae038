/* SPDX-License-Identifier: ISC */
/* face/config_parse.c -- the text of a configuration, by libConfuse.
 *
 * libConfuse reads the words, the braces and the blocks of a text that has no
 * comments any more (config_plain).  Each value comes to take_value() first,
 * where the table of keys says what it must be; what libConfuse itself has to
 * complain of is said again in our words, with what it does not know: which
 * block, which list, what may have been meant. */
#include "face/config_parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "face/config_certificates.h"
#include "face/config_keys.h"
#include "face/config_plain.h"

enum {
	OPTIONS_MAX = 64, /* keys of one block */
	BLOCKS_MAX = 16,  /* kinds of blocks */
	WORDS_MAX = 256,  /* octets of what libConfuse says */
};

#define CONFIG_CERTIFICATE "certificate"

/* libConfuse takes the end of the file for the end of all blocks; half a file,
 * as it is while it is being written, must not be taken for a whole one. */
#define END_KEY "oclasp-end-of-file"
static const char end_mark[] = "\n" END_KEY " = true\n";

/* What libConfuse cannot know. */
struct parse {
	const char *path;
	const char *text; /* without comments, with the end mark */
	size_t len;
	const struct config_key *last; /* whose value was read last, */
	int last_line;                 /* where that list began */
	/* up to where all blocks have been read: there LINE begins */
	struct mark {
		const char *at;
		int line;
	} read;
	struct config_certificates *certificates;
	struct err *err;
};

/* libConfuse hands its functions no cookie: what is parsed now (on one thread,
 * for the time of config_parse only). */
static struct parse *now;

/* --- sentences --- */

__attribute__((format(printf, 2, 3))) static int
fault(int line, const char *fmt, ...)
{
	char text[ERR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* what stands in the file may be anything */
	text_clean(text);
	return err_set(
	    now->err, REASON_USAGE, "%s:%d: %s", now->path, line, text);
}

static const char *
block_name(const cfg_t *cfg)
{
	return strcmp(cfg->name, "root") == 0 ? "" : cfg->name;
}

/* True if the first word at AT, a line's begin, is WORD. */
static bool
begins(const char *at, const char *word)
{
	size_t len = strlen(word);

	at += strspn(at, " \t");
	return strncmp(at, word, len) == 0 && strcspn(at, " \t\n+={\"'") == len;
}

/* The last line from *FROM up to LINE that begins with WORD; 0: none.  *FROM
 * becomes LINE. */
static int
find_from(struct mark *from, const char *word, int line)
{
	int found = 0;

	for (;; from->line++) {
		const char *end;

		if (begins(from->at, word))
			found = from->line;
		end = strchr(from->at, '\n');
		if (from->line >= line || end == NULL)
			return found;
		from->at = end + 1;
	}
}

/* The last line up to LINE that begins with WORD, where its block or list
 * begins; LINE itself if none does.  *AT_LINE: whether LINE does. */
static int
find_line(const char *word, int line, bool *at_line)
{
	struct mark from = {now->text, 1};
	int found = find_from(&from, word, line);

	if (at_line != NULL)
		*at_line = found == line;
	return found == 0 ? line : found;
}

/* The same for a block's name when its end has come, in line LINE: there are
 * many blocks, and most begin behind the end of the one before. */
static int
find_begin(const char *word, int line)
{
	int found = find_from(&now->read, word, line);

	return found != 0 ? found : find_line(word, line, NULL);
}

static void
unknown_key(const cfg_t *cfg, const char *name)
{
	const char *block = block_name(cfg);
	struct err why = {0};
	bool first;

	if (strcmp(name, END_KEY) == 0) {
		(void)fault(find_line(block, cfg->line, NULL),
		    "the block '%s' is not closed: a '}' is missing", block);
		return;
	}
	(void)find_line(name, cfg->line, &first);
	if (now->last != NULL && !first &&
	    config_key_find(block, name) == NULL) {
		(void)fault(cfg->line,
		    "'%s' does not belong behind the value of '%s': a value "
		    "with blanks in it needs quotes, \"...\"",
		    name, now->last->name);
		return;
	}
	(void)config_key_unknown(block, name, &why);
	(void)fault(cfg->line, "%s", why.text);
}

static void
unexpected(const cfg_t *cfg, const char *token)
{
	const struct config_key *last = now->last;

	if (last != NULL && last->kind == KEY_LIST &&
	    strcmp(token, END_KEY) == 0)
		(void)fault(now->last_line,
		    "the list '%s' is not closed: a '}' is missing",
		    last->name);
	else if (last != NULL && last->kind == KEY_LIST)
		(void)fault(cfg->line,
		    "'%s' does not belong here: a ',' or the '}' of the list "
		    "'%s' is missing before it",
		    token, last->name);
	else
		(void)fault(cfg->line, "'%s' does not belong here", token);
}

static void
no_brace(const cfg_t *cfg, const char *name)
{
	const struct config_key *key = config_key_find("", name);
	int line = find_line(name, cfg->line, NULL);

	if (key != NULL && key->kind == KEY_SECTION)
		(void)fault(line,
		    "a '{' is missing: give '%s { ... }', without a name",
		    name);
	else
		(void)fault(
		    line, "a '{' is missing: give '%s \"NAME\" { ... }'", name);
}

static void
no_equals(const cfg_t *cfg, const char *name)
{
	const struct config_key *block = config_key_find("", name);

	(void)fault(find_line(name, cfg->line, NULL),
	    "a '=' is missing after '%s'%s", name,
	    block != NULL && block->kind == KEY_BLOCK ? ", which is a key here"
						      : "");
}

static void
no_title(const cfg_t *cfg, const char *name)
{
	(void)fault(cfg->line,
	    "a name is missing after '%s': give '%s \"NAME\" { ... }'", name,
	    name);
}

static void
twice(const cfg_t *cfg, const char *title)
{
	(void)fault(cfg->line,
	    "there are two blocks of the name '%s': make them one", title);
}

static void
stray_brace(const cfg_t *cfg, const char *nothing)
{
	(void)nothing;
	(void)fault(cfg->line, "this '}' closes nothing");
}

static void
no_path(const cfg_t *cfg, const char *name)
{
	(void)fault(cfg->line, "a '|' does not belong into a key: '%s'", name);
}

static void
no_append(const cfg_t *cfg, const char *name)
{
	(void)fault(cfg->line, "'%s' is no list: give it by '='", name);
}

/* What libConfuse 3.3 says, up to where it names a word; test_config has a row
 * for each, so that another version's words are noticed. */
static const struct words {
	const char *begin;
	void (*say)(const cfg_t *cfg, const char *word);
} words[] = {
    {"no such option", unknown_key},
    {"unexpected token", unexpected},
    {"unexpected closing brace", stray_brace},
    {"missing opening brace", no_brace},
    {"missing equal sign", no_equals},
    {"missing title", no_title},
    {"found duplicate title", twice},
    {"attempt to append", no_append},
    {"no sub-section title", no_path},
};

/* What stands between the quotes of TEXT, the last being its end. */
static const char *
quoted(char *text)
{
	char *begin = strchr(text, '\'');
	char *end = strrchr(text, '\'');

	if (begin == NULL || begin == end)
		return "";
	*end = '\0';
	return begin + 1;
}

__attribute__((format(printf, 2, 0))) static void
take_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[WORDS_MAX];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (text_starts(text, words[i].begin)) {
			words[i].say(cfg, quoted(text));
			return;
		}
	}
	(void)fault(cfg->line, "%s", text);
}

/* --- values --- */

/* A key that is given twice would lose one of its values without a word. */
static int
check_once(const cfg_t *cfg, cfg_opt_t *opt, const struct config_key *key)
{
	long *seen = &opt->def.number; /* of no use without defaults */

	/* the entries of one list are counted from 1, anew after each '=' */
	if (*seen != 0 && (key->kind != KEY_LIST || opt->nvalues == 1))
		return fault(cfg->line,
		    "'%s' is there twice, first in line %ld: %s", key->name,
		    *seen,
		    key->kind == KEY_LIST ? "make it one list"
					  : "take one out");
	if (*seen == 0) {
		*seen = cfg->line;
		now->last_line = cfg->line;
	}
	return 0;
}

/* Each value on its way into OPT, where it stays text. */
static int
take_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	const struct config_key *key =
	    config_key_find(block_name(cfg), opt->name);
	struct err why = {0};

	now->last = key;
	if (key == NULL && strcmp(opt->name, END_KEY) == 0)
		goto out;
	if (key == NULL) {
		unknown_key(cfg, opt->name);
		return -1;
	}
	if (strcmp(value, END_KEY) == 0 && key->kind == KEY_LIST)
		return fault(find_line(key->name, cfg->line, NULL),
		    "the list '%s' is not closed: a '}' is missing", key->name);
	if (strcmp(value, END_KEY) == 0)
		return fault(find_line(key->name, cfg->line, NULL),
		    "'%s' has no value", key->name);
	if (check_once(cfg, opt, key) == -1)
		return -1;
	if (key->kind == KEY_LIST && opt->nvalues > (unsigned long)key->max)
		return fault(cfg->line, "%s: more than %lld", key->name,
		    (long long)key->max);
	if (config_key_check(key, value, &why) == -1)
		return fault(cfg->line, "%s", why.text);
out:
	*(const char **)result = value;
	return 0;
}

/* NULL: it says nothing of KEY. */
static const char *
text_of(cfg_t *block, const char *key)
{
	return cfg_size(block, key) == 0 ? NULL : cfg_getstr(block, key);
}

/* The certificate of BLOCK, the last of OPT, which is not needed any more. */
static int
take_certificate(cfg_t *cfg, cfg_opt_t *opt, cfg_t *block)
{
	struct target_spec spec = {.certificate = cfg_title(block)};

	spec.issuer = text_of(block, "issuer");
	spec.url = text_of(block, "url");
	if (!config_certificates_add(now->certificates, &spec)) {
		twice(cfg, spec.certificate);
		return -1;
	}
	return cfg_opt_rmnsec(opt, cfg_opt_size(opt) - 1);
}

/* A block has been read to its end: its name. */
static int
take_block(cfg_t *cfg, cfg_opt_t *opt)
{
	const struct config_key *key = config_key_find("", opt->name);
	cfg_t *block = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
	const char *title = cfg_title(block);
	struct err why = {0};
	int begin = find_begin(opt->name, cfg->line);

	now->last = NULL;
	if (key->kind == KEY_SECTION && opt->def.number != 0)
		return fault(begin,
		    "the block '%s' is there twice, first in line %ld",
		    key->name, opt->def.number);
	opt->def.number = block->line = begin;
	if (title != NULL && config_key_check(key, title, &why) == -1)
		return fault(begin, "%s", why.text);
	return strcmp(opt->name, CONFIG_CERTIFICATE) == 0
		   ? take_certificate(cfg, opt, block)
		   : 0;
}

/* --- the whole --- */

/* The options of BLOCK, and for "" those of the blocks. */
static void
make_options(const char *block, cfg_opt_t out[OPTIONS_MAX],
    cfg_opt_t blocks[BLOCKS_MAX][OPTIONS_MAX])
{
	const struct config_key *key;
	size_t count = 0, block_count = 0;

	for (size_t i = 0; (key = config_key_at(i)) != NULL; i++) {
		cfg_opt_t one =
		    CFG_STR_CB(NULL, NULL, CFGF_NODEFAULT, take_value);

		if (strcmp(key->block, block) != 0)
			continue;
		if (key->kind == KEY_BLOCK || key->kind == KEY_SECTION) {
			cfg_opt_t *inner = blocks[block_count++];

			make_options(key->name, inner, NULL);
			one = (cfg_opt_t)CFG_SEC(NULL, inner,
			    key->kind == KEY_BLOCK
				? CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES
				: CFGF_MULTI);
			one.validcb = take_block;
		}
		one.name = key->name;
		if (key->kind == KEY_LIST)
			one.flags |= CFGF_LIST;
		out[count++] = one;
	}
	if (blocks != NULL)
		out[count++] = (cfg_opt_t)CFG_STR_CB(
		    END_KEY, NULL, CFGF_NODEFAULT, take_value);
	out[count] = (cfg_opt_t)CFG_END();
}

static cfg_t *
run(struct parse *parse)
{
	cfg_opt_t top[OPTIONS_MAX], blocks[BLOCKS_MAX][OPTIONS_MAX];
	FILE *file = fmemopen((void *)(uintptr_t)parse->text, parse->len, "r");
	int rc = CFG_PARSE_ERROR;
	cfg_t *cfg;

	make_options("", top, blocks);
	cfg = cfg_init(top, CFGF_NONE);
	(void)cfg_set_error_function(cfg, take_error);
	/* libConfuse would call a stream "FILE", and frees the name itself */
	cfg->filename = mem_string(parse->path);
	now = parse;
	if (file != NULL)
		rc = cfg_parse_fp(cfg, file);
	now = NULL;
	if (file != NULL)
		(void)fclose(file);
	if (rc == CFG_SUCCESS)
		return cfg;
	(void)err_set(parse->err, REASON_USAGE, "%s:%d: this cannot be read",
	    parse->path, cfg->line);
	cfg_free(cfg);
	return NULL;
}

cfg_t *
config_parse(const char *path, const void *text, size_t len,
    struct config_certificates *certificates, struct err *err)
{
	struct parse parse = {
	    .path = path, .certificates = certificates, .err = err};
	struct buf whole;
	cfg_t *cfg = NULL;
	const char *wrong;
	int line;

	if (memchr(text, '\0', len) != NULL) {
		(void)err_set(err, REASON_USAGE,
		    "'%s' has NUL bytes in it: it is no text", path);
		return NULL;
	}
	buf_init(&whole, len + sizeof(end_mark));
	buf_add(&whole, text, len);
	buf_puts(&whole, end_mark);
	wrong = config_plain(whole.text, &line);
	parse.text = buf_text(&whole);
	parse.len = whole.len;
	parse.read = (struct mark){parse.text, 1};
	if (wrong == NULL)
		cfg = run(&parse);
	else
		(void)err_set(
		    err, REASON_USAGE, "%s:%d: %s", path, line, wrong);
	buf_done(&whole);
	return cfg;
}
