/* SPDX-License-Identifier: ISC */
/* face/survey_list.c -- what a survey is about: the table, URLs, certificates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "face/survey.h"
#include "http/fetch.h"

enum { CA_TEXT_MAX = 256 };

static const char blanks[] = " \t\r";

static bool
is_url(const char *text)
{
	return strstr(text, "://") != NULL;
}

/* --- lists, as text --- */

static int
check_url(const char *url, struct err *err)
{
	char *host = NULL;
	int port;

	if (strlen(url) > SURVEY_LINE_MAX ||
	    !fetch_split_url(url, &host, &port))
		return err_set(err, REASON_USAGE,
		    "'%.200s' is no URL of a responder: write http://HOST/ or "
		    "https://HOST/",
		    url);
	free(host);
	return 0;
}

static int
take_line(const char *name, struct span line, size_t number,
    struct survey_lines *lines, struct err *err)
{
	struct survey_line *item;
	struct err why = {0};
	char *text;

	while (line.len > 0 && strchr(blanks, line.at[0]) != NULL &&
	       line.at[0] != '\0') {
		line.at++;
		line.len--;
	}
	while (line.len > 0 && line.at[line.len - 1] != '\0' &&
	       strchr(blanks, line.at[line.len - 1]) != NULL)
		line.len--;
	if (line.len == 0 || line.at[0] == '#')
		return 0;
	for (size_t i = 0; i < line.len; i++) {
		if (line.at[i] < ' ' || line.at[i] == 0x7f)
			return err_set(err, REASON_USAGE,
			    "%s:%zu: this is neither a list nor a file of "
			    "certificates",
			    name, number);
	}
	if (line.len > SURVEY_LINE_MAX || lines->count == SURVEY_RESPONDERS_MAX)
		return err_set(err, REASON_USAGE, "%s:%zu: %s", name, number,
		    line.len > SURVEY_LINE_MAX
			? "the line is too long for a URL or a path"
			: "more than 512 lines are not taken at once");
	text = mem_printf("%.*s", (int)line.len, (const char *)line.at);
	if (is_url(text) && check_url(text, &why) == -1) {
		free(text);
		return err_set(
		    err, REASON_USAGE, "%s:%zu: %s", name, number, why.text);
	}
	lines->items =
	    mem_resize(lines->items, lines->count + 1, sizeof(lines->items[0]));
	item = &lines->items[lines->count++];
	*item = (struct survey_line){text, number, is_url(text)};
	return 0;
}

int
survey_lines_parse(const char *name, const uint8_t *bytes, size_t len,
    struct survey_lines *out, struct err *err)
{
	struct survey_lines lines = {0};
	size_t number = 0;

	for (size_t at = 0; at < len;) {
		const uint8_t *end = memchr(bytes + at, '\n', len - at);
		size_t stop = end == NULL ? len : (size_t)(end - bytes);

		if (take_line(name, (struct span){bytes + at, stop - at},
			++number, &lines, err) == -1) {
			survey_lines_done(&lines);
			return -1;
		}
		at = stop + 1;
	}
	*out = lines;
	return 0;
}

void
survey_lines_done(struct survey_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->items[i].text);
	free(lines->items);
	*lines = (struct survey_lines){0};
}

/* --- entries --- */

/* Both lead to the same place: "http://h" and "http://h/". */
static bool
same_url(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);

	a_len -= a_len > 0 && a[a_len - 1] == '/';
	b_len -= b_len > 0 && b[b_len - 1] == '/';
	return a_len == b_len && strncmp(a, b, a_len) == 0;
}

static const struct responder_fact *
find_fact(const char *url)
{
	for (size_t i = 0; i < responder_fact_count; i++) {
		if (same_url(responder_facts[i].url, url))
			return &responder_facts[i];
	}
	return NULL;
}

/* The entry of URL, made if there is none; NULL for URL: a new one.  NULL if
 * there are too many. */
static struct survey_entry *
entry_for(struct survey_list *list, const char *url, struct err *err)
{
	struct survey_entry *entry;

	for (size_t i = 0; i < list->count && url != NULL; i++) {
		if (list->entries[i].url != NULL &&
		    same_url(list->entries[i].url, url))
			return &list->entries[i];
	}
	if (list->count == SURVEY_RESPONDERS_MAX) {
		(void)err_set(err, REASON_USAGE,
		    "more than %d responders are not surveyed at once",
		    SURVEY_RESPONDERS_MAX);
		return NULL;
	}
	list->entries = mem_resize(
	    list->entries, list->count + 1, sizeof(list->entries[0]));
	entry = &list->entries[list->count++];
	*entry = (struct survey_entry){0};
	if (url != NULL) {
		entry->url = mem_string(url);
		entry->fact = find_fact(url);
	}
	if (entry->fact != NULL)
		entry->ca = mem_string(entry->fact->ca);
	return entry;
}

static int
add_url(struct survey_list *list, const char *url, struct err *err)
{
	struct survey_entry *entry = entry_for(list, url, err);

	if (entry == NULL)
		return -1;
	entry->is_given = true;
	return 0;
}

int
survey_list_add_table(struct survey_list *list, struct err *err)
{
	for (size_t i = 0; i < responder_fact_count; i++) {
		if (entry_for(list, responder_facts[i].url, err) == NULL)
			return -1;
	}
	return 0;
}

/* --- certificates --- */

/* Whose certificate it is, for the eye: O= of the issuer, else all of it. */
static char *
issuer_name(const struct cert *leaf)
{
	const char *name = leaf->issuer;
	const char *at = strstr(name, "O=");
	char text[CA_TEXT_MAX];
	size_t n = 0;

	while (at != NULL && at != name && at[-1] != ',' && at[-1] != '+')
		at = strstr(at + 1, "O=");
	if (at == NULL)
		return text_printable(name);
	for (at += 2; *at != '\0' && *at != ',' && n < sizeof(text) - 1; at++) {
		if (*at == '\\' && at[1] != '\0')
			at++; /* RFC 4514, section 2.4: an escaped comma */
		text[n++] = *at;
	}
	text[n] = '\0';
	return text_printable(text);
}

static int
add_certificate_url(struct survey_list *list, const struct identity *id,
    const char *path, const char *url, struct err *err)
{
	struct survey_entry *entry = entry_for(list, url, err);

	if (entry == NULL)
		return -1;
	entry->is_given = true;
	if (entry->certificate == NULL) {
		entry->certificate = mem_string(path);
		entry->leaf = id->issuer != NULL ? id->leaf : NULL;
		entry->issuer = id->issuer;
		entry->extra = &id->extra;
	}
	if (entry->ca == NULL)
		entry->ca = issuer_name(id->leaf);
	return 0;
}

/* The responders that ID's leaf names, each to be asked for this leaf. */
static int
add_certificate(struct survey_list *list, struct identity *id,
    const struct options *o, const char *path, struct err *err)
{
	bool any = false;

	/* without the issuer the question is about a fictitious one: what is
	 * tested is the way */
	if (identity_find_issuer(id, o->issuer != NULL, NULL) == -1)
		id->issuer = NULL;
	for (size_t i = 0; i < id->leaf->ocsp_url_count; i++) {
		const char *url = id->leaf->ocsp_urls[i];

		if (check_url(url, NULL) == -1)
			continue; /* ldap: nobody asks there by HTTP */
		any = true;
		if (add_certificate_url(list, id, path, url, err) == -1)
			return -1;
	}
	return any ? 0 : add_certificate_url(list, id, path, NULL, err);
}

static int
add_certificates(struct survey_list *list, const struct options *o,
    const char *path, struct span bytes, struct err *err)
{
	struct identity *id = mem_new(sizeof(*id));
	const struct cert *only;

	list->identities = mem_resize(list->identities,
	    list->identity_count + 1, sizeof(list->identities[0]));
	list->identities[list->identity_count++] = id;
	if (cert_list_parse(&id->chain, path, bytes.at, bytes.len, err) == -1 ||
	    (o->issuer != NULL &&
		cert_list_load(&id->issuers, o->issuer, err) == -1) ||
	    (o->ca_file != NULL &&
		cert_list_load(&id->extra, o->ca_file, err) == -1))
		return -1;
	/* every certificate of a server in the file; else what there is */
	only = cert_list_leaf(&id->chain);
	for (size_t i = 0; i < id->chain.count; i++) {
		id->leaf = id->chain.items[i];
		if (id->leaf != only && id->leaf->is_ca)
			continue;
		if (add_certificate(list, id, o, path, err) == -1)
			return -1;
	}
	return 0;
}

/* --- arguments --- */

/* PEM, or the SEQUENCE of DER with its length in the long form. */
static bool
holds_certificates(struct span bytes)
{
	static const char begin[] = "-----BEGIN";

	return (bytes.len > 1 && bytes.at[0] == 0x30 && bytes.at[1] >= 0x80) ||
	       memmem(bytes.at, bytes.len, begin, sizeof(begin) - 1) != NULL;
}

static int
add_file(struct survey_list *list, const struct options *o, const char *path,
    bool may_be_list, struct err *err)
{
	struct survey_lines lines = {0};
	struct err why = {0};
	uint8_t *bytes = NULL;
	size_t len = 0;
	int rc = -1;

	if (file_read(path, CERT_FILE_MAX, &bytes, &len, &why) == -1)
		return err_set(err, why.reason,
		    "%s; a responder is named by its URL, http://HOST/",
		    why.text);
	if (!may_be_list || holds_certificates((struct span){bytes, len})) {
		rc = add_certificates(
		    list, o, path, (struct span){bytes, len}, err);
		goto out;
	}
	if (survey_lines_parse(path, bytes, len, &lines, err) == -1)
		goto out;
	if (lines.count == 0) {
		(void)err_set(err, REASON_USAGE, "'%s' names nothing", path);
		goto out;
	}
	for (size_t i = 0; i < lines.count; i++) {
		const struct survey_line *line = &lines.items[i];

		rc = line->is_url ? add_url(list, line->text, err)
				  : add_file(list, o, line->text, false, &why);
		if (rc == 0)
			continue;
		if (why.reason != REASON_NONE)
			(void)err_set(err, why.reason, "%s:%zu: %s", path,
			    line->number, why.text);
		break;
	}
out:
	survey_lines_done(&lines);
	free(bytes);
	return rc;
}

int
survey_list_add(struct survey_list *list, const struct options *o,
    const char *argument, struct err *err)
{
	if (!is_url(argument))
		return add_file(list, o, argument, true, err);
	if (check_url(argument, err) == -1)
		return -1;
	return add_url(list, argument, err);
}

void
survey_list_done(struct survey_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->entries[i].ca);
		free(list->entries[i].url);
		free(list->entries[i].certificate);
	}
	for (size_t i = 0; i < list->identity_count; i++) {
		identity_done(list->identities[i]);
		free(list->identities[i]);
	}
	free(list->identities);
	free(list->entries);
	*list = (struct survey_list){0};
}
