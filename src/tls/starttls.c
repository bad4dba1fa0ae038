/* SPDX-License-Identifier: ISC */
/* tls/starttls.c -- from a plain-text protocol to the start of TLS.
 *
 * Four of the six protocols are lines: a table says what is sent, which reply
 * moves on and what is stepped over.  LDAP and PostgreSQL are one message each
 * way. */
#include "tls/starttls.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"

enum {
	BER_INTEGER = 0x02,
	BER_ENUMERATED = 0x0a,
	BER_SEQUENCE = 0x30,
	LDAP_EXTENDED_RESPONSE = 0x78, /* [APPLICATION 24], constructed */
	LDAP_SUCCESS = 0,
};

/* One exchange of a line protocol. */
struct step {
	const char *send;  /* NULL: the greeting is awaited */
	const char *reply; /* the line that moves on begins so */
	const char *skip; /* lines that are stepped over begin so; NULL: none */
	bool codes;       /* "250-" announces more lines, "250 " is the last */
	bool extensions;  /* STARTTLS has to be among those lines */
};

enum { STEPS_MAX = 3 };

struct protocol {
	const char *word; /* of the command line */
	const char *title;
	struct step steps[STEPS_MAX]; /* up to the first without a reply */
	struct span message;          /* of the protocols without lines */
};

/* LDAPMessage { messageID 1, ExtendedRequest { 1.3.6.1.4.1.1466.20037 } } */
static const uint8_t ldap_request[] = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
				      "1.3.6.1.4.1.1466.20037";

/* Its length, and the code 1234.5679 that no protocol version has. */
static const uint8_t postgres_request[] = "\0\0\0\x08\x04\xd2\x16\x2f";

/* An address literal is the one name of ourselves that is always right in
 * form (RFC 5321, section 4.1.3). */
static const struct protocol protocols[] = {
    [STARTTLS_NONE] = {"none", "TLS", {{0}}, {0}},
    [STARTTLS_SMTP] = {"smtp", "SMTP",
	{
	    {.reply = "220", .codes = true},
	    {"EHLO [127.0.0.1]\r\n", "250", NULL, true, true},
	    {"STARTTLS\r\n", "220", NULL, true, false},
	},
	{0}},
    [STARTTLS_IMAP] = {"imap", "IMAP",
	{
	    {.reply = "* OK"},
	    {"a STARTTLS\r\n", "a OK", "* ", false, false},
	},
	{0}},
    [STARTTLS_POP3] = {"pop3", "POP3",
	{
	    {.reply = "+OK"},
	    {"STLS\r\n", "+OK", NULL, false, false},
	},
	{0}},
    [STARTTLS_FTP] = {"ftp", "FTP",
	{
	    {NULL, "220", "120", true, false},
	    {"AUTH TLS\r\n", "234", NULL, true, false},
	},
	{0}},
    [STARTTLS_LDAP] = {"ldap", "LDAP", {{0}},
	{ldap_request, sizeof(ldap_request) - 1}},
    [STARTTLS_POSTGRES] = {"postgres", "PostgreSQL", {{0}},
	{postgres_request, sizeof(postgres_request) - 1}},
};

bool
handshake_starttls_find(const char *name, enum handshake_starttls *out)
{
	for (size_t i = STARTTLS_SMTP; i <= STARTTLS_POSTGRES; i++) {
		if (strcmp(name, protocols[i].word) == 0) {
			*out = (enum handshake_starttls)i;
			return true;
		}
	}
	return false;
}

static struct span
words(const char *text)
{
	struct span span = {0};

	if (text != NULL) {
		span.at = (const uint8_t *)text;
		span.len = strlen(text);
	}
	return span;
}

void
starttls_init(
    struct starttls *talk, enum handshake_starttls kind, struct span *out)
{
	*talk = (struct starttls){.kind = kind, .ready = kind == STARTTLS_NONE};
	buf_init(&talk->line, STARTTLS_LINE_MAX);
	*out = protocols[kind].message;
}

void
starttls_done(struct starttls *talk)
{
	buf_done(&talk->line);
}

const char *
starttls_waits_for(const struct starttls *talk)
{
	const struct protocol *protocol = &protocols[talk->kind];

	if (protocol->message.len == 0 && talk->step == 0)
		return "send its greeting";
	return "answer the request to start TLS";
}

static bool
begins(const char *line, const char *prefix)
{
	return strncasecmp(line, prefix, strlen(prefix)) == 0;
}

static int
refused(const struct starttls *talk, const char *line, struct err *err)
{
	const struct protocol *protocol = &protocols[talk->kind];
	const char *sent = protocol->steps[talk->step].send;

	if (sent == NULL)
		return err_set(err, REASON_TLS_FAILED,
		    "the server greets with '%.200s', which is not a greeting "
		    "of %s that allows to go on",
		    line, protocol->title);
	return err_set(err, REASON_TLS_FAILED,
	    "the %s server answers '%.200s' to '%.*s'", protocol->title, line,
	    (int)strcspn(sent, "\r"), sent);
}

/* LINE is the last one of the reply that was awaited. */
static int
next_step(struct starttls *talk, struct span *out, struct err *err)
{
	const struct protocol *protocol = &protocols[talk->kind];

	if (protocol->steps[talk->step].extensions && !talk->offered)
		return err_set(err, REASON_TLS_FAILED,
		    "the %s server does not offer STARTTLS", protocol->title);
	talk->step++;
	talk->code[0] = '\0';
	if (talk->step == STEPS_MAX ||
	    protocol->steps[talk->step].reply == NULL) {
		talk->ready = true;
		return 0;
	}
	*out = words(protocol->steps[talk->step].send);
	return 0;
}

static bool
is_starttls(const char *extension)
{
	static const char word[] = "STARTTLS";
	char end;

	if (!begins(extension, word))
		return false;
	end = extension[sizeof(word) - 1];
	return end == '\0' || end == ' ';
}

/* One line without its end.  RFC 5321, section 4.2.1, and RFC 959, section
 * 4.2: in a reply of many lines the last has the first one's code, and FTP
 * may have any text between. */
static int
take_line(
    struct starttls *talk, const char *line, struct span *out, struct err *err)
{
	const struct step *step = &protocols[talk->kind].steps[talk->step];
	bool first = talk->code[0] == '\0';

	if (first && step->skip != NULL && begins(line, step->skip) &&
	    (!step->codes || line[3] != '-'))
		return 0;
	if (!step->codes) {
		if (!begins(line, step->reply))
			return refused(talk, line, err);
		return next_step(talk, out, err);
	}
	if (first && !begins(line, step->reply))
		return refused(talk, line, err);
	if (!begins(line, step->reply))
		return 0;
	if (line[3] != '\0' && is_starttls(line + 4))
		talk->offered = true;
	memcpy(talk->code, line, 3);
	return line[3] == '-' ? 0 : next_step(talk, out, err);
}

static int
lines_input(struct starttls *talk, const uint8_t *bytes, size_t len,
    struct span *out, struct err *err)
{
	uint8_t plain;

	for (size_t i = 0; i < len; i++) {
		if (talk->ready || out->len > 0)
			/* RFC 3207, section 6: what is between the go-ahead
			 * and TLS was put in by somebody on the path. */
			return err_set(err, REASON_TLS_FAILED,
			    "the server sends %zu bytes more after its answer, "
			    "before it was asked anything",
			    len - i);
		if (bytes[i] != '\n') {
			/* It may be shown, so it has to be text. */
			plain =
			    bytes[i] > 0 && bytes[i] < 0x7f ? bytes[i] : '?';
			buf_add(&talk->line, &plain, 1);
			if (talk->line.full)
				return err_set(err, REASON_TLS_FAILED,
				    "the server sends a line of more than %d "
				    "bytes instead of %s",
				    STARTTLS_LINE_MAX,
				    protocols[talk->kind].title);
			continue;
		}
		if (++talk->lines > STARTTLS_LINES_MAX)
			return err_set(err, REASON_TLS_FAILED,
			    "the server sends more than %d lines before TLS",
			    STARTTLS_LINES_MAX);
		if (talk->line.len > 0 &&
		    talk->line.text[talk->line.len - 1] == '\r')
			talk->line.text[--talk->line.len] = '\0';
		if (take_line(talk, buf_text(&talk->line), out, err) == -1)
			return -1;
		buf_done(&talk->line);
	}
	return 0;
}

/* A BER header (X.690, section 8.1) at *AT: 1 with *TAG and *CONTENT, *AT
 * moved behind it; 0 if bytes are missing; -1 if it cannot be.  Lengths may be
 * longer than needed: Active Directory always sends four octets. */
static int
ber_header(
    const uint8_t *bytes, size_t len, size_t *at, uint8_t *tag, size_t *content)
{
	size_t pos = *at;
	size_t value, octets;

	if (len - pos < 2)
		return 0;
	*tag = bytes[pos++];
	value = bytes[pos++];
	if (value >= 0x80) {
		octets = value & 0x7f;
		if (octets == 0 || octets > 4)
			return -1;
		if (len - pos < octets)
			return 0;
		for (value = 0; octets > 0; octets--)
			value = value << 8 | bytes[pos++];
	}
	if (value > STARTTLS_LINE_MAX)
		return -1;
	*content = value;
	*at = pos;
	return 1;
}

/* LDAPMessage { messageID, ExtendedResponse { resultCode, ... } }.  1 with
 * *RESULT, 0 if bytes are missing, -1 if it is something else. */
static int
ldap_result(const uint8_t *bytes, size_t len, uint8_t *result)
{
	size_t at = 0, content, end;
	uint8_t tag;
	int rc = ber_header(bytes, len, &at, &tag, &content);

	if (rc != 1)
		return len > 0 && bytes[0] != BER_SEQUENCE ? -1 : rc;
	if (tag != BER_SEQUENCE)
		return -1;
	if (len - at < content)
		return 0;
	end = at + content;
	/* From here on everything is there: a short read is an error. */
	if (len != end || ber_header(bytes, end, &at, &tag, &content) != 1 ||
	    tag != BER_INTEGER || content != 1 || end - at < 1 ||
	    bytes[at] != 1)
		return -1;
	at++;
	if (ber_header(bytes, end, &at, &tag, &content) != 1 ||
	    tag != LDAP_EXTENDED_RESPONSE || content > end - at)
		return -1;
	if (ber_header(bytes, end, &at, &tag, &content) != 1 ||
	    tag != BER_ENUMERATED || content != 1 || end - at < 1)
		return -1;
	*result = bytes[at];
	return 1;
}

static int
ldap_input(
    struct starttls *talk, const uint8_t *bytes, size_t len, struct err *err)
{
	uint8_t result = LDAP_SUCCESS;
	int rc;

	buf_add(&talk->line, bytes, len);
	rc = ldap_result(
	    (const uint8_t *)buf_text(&talk->line), talk->line.len, &result);
	if (rc == 0 && !talk->line.full)
		return 0;
	if (rc != 1)
		return err_set(err, REASON_TLS_FAILED,
		    "the server does not answer StartTLS as LDAP does");
	if (result != LDAP_SUCCESS)
		return err_set(err, REASON_TLS_FAILED,
		    "the LDAP server refuses StartTLS with result code %d",
		    result);
	talk->ready = true;
	return 0;
}

static int
postgres_input(
    struct starttls *talk, const uint8_t *bytes, size_t len, struct err *err)
{
	if (len == 0)
		return 0;
	if (bytes[0] == 'N' && len == 1)
		return err_set(err, REASON_TLS_FAILED,
		    "the PostgreSQL server does not offer TLS (ssl = off)");
	/* One byte, no more: CVE-2021-23222. */
	if (bytes[0] != 'S' || len != 1)
		return err_set(err, REASON_TLS_FAILED,
		    "the server does not answer SSLRequest as PostgreSQL does");
	talk->ready = true;
	return 0;
}

int
starttls_input(struct starttls *talk, const uint8_t *bytes, size_t len,
    struct span *out, struct err *err)
{
	*out = (struct span){0};
	switch (talk->kind) {
	case STARTTLS_NONE:
		break;
	case STARTTLS_SMTP:
	case STARTTLS_IMAP:
	case STARTTLS_POP3:
	case STARTTLS_FTP:
		return lines_input(talk, bytes, len, out, err);
	case STARTTLS_LDAP:
		return ldap_input(talk, bytes, len, err);
	case STARTTLS_POSTGRES:
		return postgres_input(talk, bytes, len, err);
	}
	return 0;
}
