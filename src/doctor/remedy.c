/* SPDX-License-Identifier: ISC */
/* doctor/remedy.c -- the catalogue's remedy, made complete for one finding. */
#include "doctor/remedy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "doctor/picture.h"

/* Where no encrypted resolver is known to work from here: whose it is to be is
 * for the operator to say. */
#define AN_ENCRYPTED_RESOLVER "tls://ADDRESS#NAME"
/* Where the certificate is known by the server that sends it. */
#define SAVED "server.pem"

/* What a line may name. */
struct words {
	const struct facts *facts;
	const struct finding *finding;
	const struct remedy_subject *subject;
	bool saved; /* SAVED was named */
};

/* Whoever made TEXT up: a shell takes it for one word and nothing else. */
static bool
is_plain(const char *text)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "._-:/#[]@%+,=";

	return text[0] != '\0' && text[0] != '-' && text[0] != '#' &&
	       text[strspn(text, plain)] == '\0';
}

static bool
put_plain(struct buf *out, const char *text)
{
	if (!is_plain(text))
		return false;
	buf_puts(out, text);
	return true;
}

/* TEXT of the operator's own, quoted where a shell needs it. */
static bool
put_quoted(struct buf *out, const char *text)
{
	if (put_plain(out, text))
		return true;
	buf_puts(out, "'");
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			buf_puts(out, "'\\''");
		else
			buf_add(out, text, 1);
	}
	buf_puts(out, "'");
	return true;
}

/* --- what stands in the braces --- */

/* The first fact of KIND that carries the finding, or NULL. */
static const struct fact *
evidence_of(const struct words *w, enum fact_kind kind)
{
	for (size_t i = 0; i < w->finding->evidence_count; i++) {
		const struct fact *fact =
		    &w->facts->items[w->finding->evidence[i]];

		if (fact->kind == kind)
			return fact;
	}
	return NULL;
}

/* The setting that the finding is about, or NULL. */
static const struct fact_setting *
setting_of(const struct words *w)
{
	const struct fact *fact = evidence_of(w, FACT_SETTING);

	return fact == NULL ? NULL : &fact->u.setting;
}

static bool
put_certificate(struct words *w, struct buf *out)
{
	const struct fact_setting *setting = setting_of(w);

	if (setting != NULL && setting->certificate[0] != '\0')
		return put_quoted(out, setting->certificate);
	if (w->subject->certificate != NULL)
		return put_quoted(out, w->subject->certificate);
	w->saved = true;
	buf_puts(out, SAVED);
	return true;
}

static bool
put_target(struct words *w, struct buf *out)
{
	const struct remedy_subject *s = w->subject;

	return put_quoted(out, s->server != NULL        ? s->server
			       : s->certificate != NULL ? s->certificate
							: "HOST");
}

/* What shakes hands: a certificate's file does not say where it is served. */
static bool
put_server(struct words *w, struct buf *out)
{
	const char *server = w->subject->server;

	return put_quoted(out, server != NULL ? server : "HOST");
}

static bool
put_name(struct words *w, struct buf *out)
{
	return put_plain(out, w->finding->name);
}

static bool
put_address(struct words *w, struct buf *out)
{
	return put_plain(out, w->finding->address);
}

/* The same as a URL has it, and before a port. */
static bool
put_literal(struct words *w, struct buf *out)
{
	const char *address = w->finding->address;
	bool v6 = strchr(address, ':') != NULL;
	char literal[DNS_ADDRESS_TEXT + 2];

	(void)snprintf(literal, sizeof(literal), v6 ? "[%s]" : "%s", address);
	return put_plain(out, literal);
}

/* Where hands were shaken: its address and port. */
static bool
put_endpoint(struct words *w, struct buf *out)
{
	const struct fact *fact = evidence_of(w, FACT_TLS);

	if (fact == NULL || !put_literal(w, out))
		return false;
	buf_printf(out, ":%d", fact->u.tls.port);
	return true;
}

static bool
put_proxy(struct words *w, struct buf *out)
{
	const struct fact *fact = evidence_of(w, FACT_FETCH);

	return fact != NULL && put_plain(out, fact->u.fetch.proxy);
}

static bool
put_resolver(struct words *w, struct buf *out)
{
	return put_plain(out, w->finding->resolver);
}

/* The address in the resolver's URL. */
static bool
put_resolver_ip(struct words *w, struct buf *out)
{
	const char *slashes = strstr(w->finding->resolver, "://");
	char address[DNS_ADDRESS_TEXT];
	size_t len;

	if (slashes == NULL)
		return false;
	slashes += strlen("://");
	len = slashes[0] == '[' ? strcspn(slashes, "]") + 1
				: strcspn(slashes, ":/#");
	(void)snprintf(address, sizeof(address), "%.*s", (int)len, slashes);
	return put_plain(out, address);
}

static const struct fact_input *
input_of(const struct words *w)
{
	return facts_input_of(w->facts, w->finding->url);
}

static bool
put_url(struct words *w, struct buf *out)
{
	const struct fact_input *input = input_of(w);

	return input != NULL && put_plain(out, input->url);
}

static bool
put_ca_issuers(struct words *w, struct buf *out)
{
	const struct fact_input *input = input_of(w);

	return input != NULL && put_plain(out, input->ca_issuers);
}

/* The file that the finding is about, and the line in it; 0: no line. */
static const char *
file_of(const struct words *w, int *line)
{
	for (size_t i = 0; i < w->finding->evidence_count; i++) {
		const struct fact *fact =
		    &w->facts->items[w->finding->evidence[i]];

		*line = 0;
		if (fact->kind == FACT_OVERRIDE) {
			*line = fact->u.override.line;
			return fact->u.override.file;
		}
		if (fact->kind == FACT_SETTING) {
			*line = fact->u.setting.line;
			return fact->u.setting.file;
		}
	}
	return "";
}

static bool
put_file(struct words *w, struct buf *out)
{
	int line;
	const char *file = file_of(w, &line);

	return file[0] != '\0' && put_quoted(out, file);
}

static bool
put_line(struct words *w, struct buf *out)
{
	int line = 0;

	(void)file_of(w, &line);
	if (line <= 0)
		return false;
	buf_printf(out, "%d", line);
	return true;
}

/* How safe a road must be, for its resolver to be named. */
enum road { ROAD_ANY, ROAD_TCP, ROAD_ENCRYPTED };

static bool
is_by(const struct seen_asked *asked, enum road road)
{
	switch (road) {
	case ROAD_TCP:
		return asked->transport == RESOLVER_TCP;
	case ROAD_ENCRYPTED:
		return asked->transport == RESOLVER_TLS ||
		       asked->transport == RESOLVER_HTTPS;
	case ROAD_ANY:
		break;
	}
	return true;
}

/* A resolver that names a right address, and is not the one at fault. */
static bool
find_right_resolver(
    const struct words *w, enum road road, char out[RESOLVER_URL_TEXT])
{
	struct picture *picture = mem_new(sizeof(*picture));
	struct facts view;
	bool found = false;

	facts_of_url(w->facts, w->finding->url, &view, NULL);
	picture_make(&view, picture);
	for (size_t i = 0; i < picture->asked_count && !found; i++) {
		const struct seen_asked *a = &picture->asked[i];

		found = a->party == PARTY_RESOLVER &&
			a->responder == ANSWER_RIGHT && is_by(a, road) &&
			strcmp(a->asked, w->finding->resolver) != 0 &&
			is_plain(a->asked);
		if (found)
			fact_copy(out, RESOLVER_URL_TEXT, a->asked);
	}
	free(picture);
	facts_done(&view);
	return found;
}

static bool
put_other(struct words *w, struct buf *out)
{
	char known[RESOLVER_URL_TEXT];

	buf_puts(out, find_right_resolver(w, ROAD_ANY, known)
			  ? known
			  : AN_ENCRYPTED_RESOLVER);
	return true;
}

/* Where none by TLS is known to work from here, one by TCP: of that a forger
 * can only cut the connection. */
static bool
put_encrypted(struct words *w, struct buf *out)
{
	char known[RESOLVER_URL_TEXT];

	buf_puts(out, find_right_resolver(w, ROAD_ENCRYPTED, known) ||
			      find_right_resolver(w, ROAD_TCP, known)
			  ? known
			  : AN_ENCRYPTED_RESOLVER);
	return true;
}

static const struct {
	const char *word;
	bool (*put)(struct words *w, struct buf *out); /* false: not known */
} keys[] = {
    {"certificate", put_certificate},
    {"target", put_target},
    {"server", put_server},
    {"name", put_name},
    {"address", put_address},
    {"literal", put_literal},
    {"endpoint", put_endpoint},
    {"proxy", put_proxy},
    {"resolver", put_resolver},
    {"resolver_ip", put_resolver_ip},
    {"url", put_url},
    {"ca_issuers", put_ca_issuers},
    {"file", put_file},
    {"line", put_line},
    {"other", put_other},
    {"encrypted", put_encrypted},
};

static size_t
find_key(const char *word, size_t len)
{
	size_t i = 0;

	while (i < sizeof(keys) / sizeof(keys[0]) &&
	       (strlen(keys[i].word) != len ||
		   strncmp(keys[i].word, word, len) != 0))
		i++;
	return i;
}

bool
remedy_knows(const char *word, size_t len)
{
	return find_key(word, len) < sizeof(keys) / sizeof(keys[0]);
}

/* --- lines --- */

/* LINE with its braces filled in; false if one of them cannot be. */
static bool
fill(struct words *w, const char *line, struct buf *out)
{
	bool known = true;

	while (*line != '\0' && known) {
		size_t len = strcspn(line, "{"), word, key;

		buf_add(out, line, len);
		line += len;
		if (*line == '\0')
			break;
		word = strcspn(line + 1, "}");
		key = find_key(line + 1, word);
		known = key < sizeof(keys) / sizeof(keys[0]) &&
			keys[key].put(w, out);
		line += word + 2;
	}
	return known && !out->full;
}

static void
add_line(struct remedy *out, struct buf *line)
{
	out->lines[out->count++] = buf_take(line);
}

/* Another OCSP URL of the certificate gave a genuine response, where the first
 * one is what fails: then it is worth being asked instead. */
static void
add_other_url(const struct words *w, struct remedy *out)
{
	const struct fact_input *input = NULL;
	struct buf line;

	if (w->finding->url != 0 || !w->finding->breaks)
		return;
	for (size_t i = 0; i < w->facts->count && input == NULL; i++) {
		const struct fact *fact = &w->facts->items[i];

		if (fact->kind != FACT_FETCH ||
		    fact->u.fetch.err.reason != REASON_NONE)
			continue;
		if (fact->url == 0)
			return;
		input = facts_input_of(w->facts, fact->url);
	}
	/* it asks nobody by https */
	if (input == NULL || !is_plain(input->url) ||
	    strncasecmp(input->url, "http://", 7) != 0)
		return;
	buf_init(&line, REMEDY_TEXT);
	buf_printf(&line,
	    "ssl_stapling_responder %s;  # in nginx's server block: the "
	    "certificate's other responder, which answers; oclasp asks it by "
	    "itself",
	    input->url);
	memmove(
	    &out->lines[1], &out->lines[0], out->count * sizeof(out->lines[0]));
	out->lines[0] = buf_take(&line);
	out->count++;
}

/* How the certificate comes to SAVED, before the first line that names it. */
static void
add_saving(struct remedy *out, const struct remedy_subject *subject)
{
	struct buf line;

	memmove(
	    &out->lines[1], &out->lines[0], out->count * sizeof(out->lines[0]));
	buf_init(&line, REMEDY_TEXT);
	buf_puts(&line, "openssl s_client -showcerts -connect ");
	(void)put_quoted(
	    &line, subject->server == NULL ? "HOST:443" : subject->server);
	if (subject->server != NULL && strchr(subject->server, ':') == NULL)
		buf_puts(&line, ":443");
	buf_puts(&line, " </dev/null >" SAVED "  # its certificate and chain");
	out->lines[0] = buf_take(&line);
	out->count++;
}

void
remedy_make(const struct facts *facts, const struct finding *finding,
    const struct remedy_subject *subject, struct remedy *out)
{
	const struct finding_row *row = finding_row(finding->code);
	struct words w = {
	    .facts = facts, .finding = finding, .subject = subject};
	struct buf line;
	bool saved = false;

	*out = (struct remedy){0};
	for (int i = 0; i < FINDING_REMEDY_MAX && row->remedy[i] != NULL; i++) {
		buf_init(&line, REMEDY_TEXT);
		w.saved = false;
		if (fill(&w, row->remedy[i], &line)) {
			add_line(out, &line);
			saved = saved || w.saved;
		}
		buf_done(&line);
	}
	if (out->count == 0 && row->remedy[0] != NULL) {
		/* what it takes is not known here: in general words */
		buf_init(&line, REMEDY_TEXT);
		buf_printf(&line, "oclasp explain %s", row->code);
		add_line(out, &line);
		buf_done(&line);
	}
	add_other_url(&w, out);
	if (saved)
		add_saving(out, subject);
}

void
remedy_done(struct remedy *remedy)
{
	for (size_t i = 0; i < remedy->count; i++)
		free(remedy->lines[i]);
	*remedy = (struct remedy){0};
}
