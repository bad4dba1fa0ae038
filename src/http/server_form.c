/* SPDX-License-Identifier: ISC */
/* http/server_form.c -- answers whose shape stays while their words change.
 *
 * A response of libmicrohttpd costs three allocations for each of its headers,
 * and all of them are freed when it has been sent.  Most answers of a responder
 * are as long as the one before, header by header.  So a thread keeps those
 * that have been sent, and writes the next answer of the same lengths into one
 * of them.  A form is in the list or in use, never both, and belongs to one
 * thread: nobody reads it while it is written. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/server_priv.h"

enum {
	FORM_BODY_MAX = 8192, /* octets; longer ones are made anew */
	FORM_HEADERS = 8,     /* more are made anew */
	FORM_SHAPES = 64,     /* places in the table of a thread */
	FORM_KEPT = 4,        /* forms in each */
	FORM_DATE = 29,       /* characters of a date (RFC 9110, 5.6.7) */
};

struct form_header {
	const char *name; /* borrowed: a constant */
	char *value;      /* within the response; NULL: not found yet */
	size_t len;
};

struct server_form {
	struct server_form *next;
	struct MHD_Response *response; /* owned */
	const char *content_type;      /* borrowed: a constant */
	struct form_header headers[FORM_HEADERS];
	char *date; /* within the response; libmicrohttpd would make its own */
	int64_t date_s;
	size_t header_count, body_len, place;
	uint8_t body[];
};

struct server_forms {
	int64_t date_s; /* what DATE says */
	char date[CLOCK_HTTP];
	struct {
		struct server_form *first;
		size_t count;
	} places[FORM_SHAPES];
};

static void
form_free(struct server_form *form)
{
	MHD_destroy_response(form->response);
	free(form);
}

void
server_forms_free(struct server_forms **forms)
{
	for (size_t i = 0; *forms != NULL && i < FORM_SHAPES; i++) {
		struct server_form *form = (*forms)->places[i].first;

		while (form != NULL) {
			struct server_form *next = form->next;

			form_free(form);
			form = next;
		}
	}
	free(*forms);
	*forms = NULL;
}

/* What RESPONSE has for NAME: a copy of its own, shown as const.  It is what will
 * be sent, and nothing is being sent. */
static char *
value_of(struct MHD_Response *response, const char *name)
{
	return (char *)(uintptr_t)MHD_get_response_header(response, name);
}

/* Find where FORM's response has the value of header AT, which shall be TEXT.
 * False: it cannot be written there. */
static bool
find_value(struct server_form *form, size_t at, const char *text)
{
	char *value = value_of(form->response, form->headers[at].name);

	if (value == NULL || value == text || strcmp(value, text) != 0)
		return false;
	for (size_t i = 0; i < at; i++) {
		if (form->headers[i].value == value) /* a name that is twice */
			return false;
	}
	form->headers[at].value = value;
	return true;
}

/* Fresh.  LENS: names and lengths of the headers.  NULL: of ANSWER none can be made. */
static struct server_form *
form_new(const struct server_answer *answer,
    const struct form_header lens[FORM_HEADERS], size_t place)
{
	struct server_form *form = mem_new(sizeof(*form) + answer->body.len);
	struct server_answer made = *answer;
	static const char no_date[FORM_DATE + 1] =
	    "Thu, 01 Jan 1970 00:00:00 GMT";
	bool good = true;

	made.body.at = form->body;
	form->response = server_response_around(&made);
	form->content_type = answer->content_type;
	form->header_count = answer->header_count;
	form->body_len = answer->body.len;
	form->place = place;
	for (size_t i = 0; i < answer->header_count; i++) {
		form->headers[i] = lens[i];
		good = good && find_value(form, i, answer->headers[i].value);
	}
	good = good && value_of(form->response, MHD_HTTP_HEADER_DATE) == NULL;
	if (good && MHD_add_response_header(form->response,
			MHD_HTTP_HEADER_DATE, no_date) == MHD_YES)
		form->date = value_of(form->response, MHD_HTTP_HEADER_DATE);
	if (form->date != NULL && strcmp(form->date, no_date) == 0)
		return form;
	form_free(form);
	return NULL;
}

static bool
form_fits(const struct server_form *form, const struct server_answer *answer,
    const struct form_header lens[FORM_HEADERS])
{
	if (form->body_len != answer->body.len ||
	    form->content_type != answer->content_type ||
	    form->header_count != answer->header_count)
		return false;
	for (size_t i = 0; i < form->header_count; i++) {
		if (form->headers[i].name != lens[i].name ||
		    form->headers[i].len != lens[i].len)
			return false;
	}
	return true;
}

/* Take a form that fits ANSWER out of its place, or make one. */
static struct server_form *
form_find(struct server_forms *forms, const struct server_answer *answer)
{
	struct form_header lens[FORM_HEADERS];
	size_t place = answer->body.len;
	struct server_form **at, *form;

	for (size_t i = 0; i < answer->header_count; i++) {
		lens[i].name = answer->headers[i].name;
		lens[i].len = strlen(answer->headers[i].value);
		place += lens[i].len;
	}
	place %= FORM_SHAPES;
	for (at = &forms->places[place].first; *at != NULL; at = &(*at)->next) {
		form = *at;
		if (!form_fits(form, answer, lens))
			continue;
		*at = form->next;
		forms->places[place].count--;
		return form;
	}
	return form_new(answer, lens, place);
}

/* RFC 9110, section 6.6.1.  FORMS keep the text, which is another only once a
 * second. */
static void
write_date(struct server_forms *forms, struct server_form *form, int64_t now_s)
{
	if (form->date_s == now_s)
		return;
	if (forms->date_s != now_s)
		(void)clock_http(now_s, forms->date);
	forms->date_s = form->date_s = now_s;
	memcpy(form->date, forms->date, FORM_DATE);
}

struct server_form *
server_form_fill(struct server_forms **forms,
    const struct server_answer *answer, int64_t now_s)
{
	struct server_form *form;

	if (answer->release != NULL || answer->body.len > FORM_BODY_MAX ||
	    answer->header_count > FORM_HEADERS)
		return NULL;
	if (*forms == NULL)
		*forms = mem_new(sizeof(**forms));
	form = form_find(*forms, answer);
	if (form == NULL)
		return NULL;
	for (size_t i = 0; i < form->header_count; i++)
		memcpy(form->headers[i].value, answer->headers[i].value,
		    form->headers[i].len);
	write_date(*forms, form, now_s);
	if (form->body_len > 0)
		memcpy(form->body, answer->body.at, form->body_len);
	return form;
}

struct MHD_Response *
server_form_response(const struct server_form *form)
{
	return form->response;
}

void
server_form_done(struct server_forms *forms, struct server_form **form)
{
	struct server_form *f = *form;

	*form = NULL;
	if (f == NULL)
		return;
	if (forms->places[f->place].count == FORM_KEPT) {
		form_free(f);
		return;
	}
	f->next = forms->places[f->place].first;
	forms->places[f->place].first = f;
	forms->places[f->place].count++;
}
