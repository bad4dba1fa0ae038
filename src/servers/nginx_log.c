/* SPDX-License-Identifier: ISC */
/* servers/nginx_log.c -- what nginx's error log says of its OCSP fetches. */
#include "servers/nginx_log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

enum { LINE_MAX_LEN = 4096 };

static const char marker[] =
    " while requesting certificate status, responder: ";
static const char peer_word[] = ", peer: ";
static const char certificate_word[] = ", certificate: \"";

/* Take PREFIX off the front of *S. */
static bool
take(struct span *s, const char *prefix)
{
	size_t len = strlen(prefix);

	if (s->len < len || memcmp(s->at, prefix, len) != 0)
		return false;
	*s = (struct span){s->at + len, s->len - len};
	return true;
}

/* Take octets that are in SET to OUT, which has SIZE. */
static bool
take_set(struct span *s, const char *set, char *out, size_t size)
{
	size_t len = 0;

	while (len < s->len && s->at[len] != '\0' &&
	       strchr(set, s->at[len]) != NULL)
		len++;
	if (len == 0 || len >= size)
		return false;
	memcpy(out, s->at, len);
	out[len] = '\0';
	*s = (struct span){s->at + len, s->len - len};
	return true;
}

static bool
take_number(struct span *s, size_t digits, int *out)
{
	int number = 0;

	if (s->len < digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (s->at[i] < '0' || s->at[i] > '9')
			return false;
		number = 10 * number + (s->at[i] - '0');
	}
	*out = number;
	*s = (struct span){s->at + digits, s->len - digits};
	return true;
}

/* "2020/09/28 10:11:12 [" */
static bool
take_date(struct span *s, struct nginx_log_entry *e)
{
	return take_number(s, 4, &e->year) && take(s, "/") &&
	       take_number(s, 2, &e->month) && take(s, "/") &&
	       take_number(s, 2, &e->day) && take(s, " ") &&
	       take_number(s, 2, &e->hour) && take(s, ":") &&
	       take_number(s, 2, &e->minute) && take(s, ":") &&
	       take_number(s, 2, &e->second) && take(s, " [");
}

/* "192.0.2.7:80" or "[2001:db8::7]:80" */
static bool
take_peer(struct span *s, struct nginx_log_entry *e)
{
	struct in6_addr octets;
	char port[6];
	bool v6 = take(s, "[");
	int64_t number;

	if (!take_set(s, v6 ? "0123456789abcdefABCDEF:." : "0123456789.",
		e->peer, sizeof(e->peer)) ||
	    (v6 && !take(s, "]")) || !take(s, ":") ||
	    !take_set(s, "0123456789", port, sizeof(port)) ||
	    !text_number(port, 1, 65535, &number) ||
	    inet_pton(v6 ? AF_INET6 : AF_INET, e->peer, &octets) != 1)
		return false;
	e->port = (int)number;
	return true;
}

static bool
take_certificate(struct span *s, struct nginx_log_entry *e)
{
	const uint8_t *end = memchr(s->at, '"', s->len);
	size_t len = end == NULL ? 0 : (size_t)(end - s->at);

	if (len == 0 || len >= sizeof(e->certificate) ||
	    memchr(s->at, '\0', len) != NULL)
		return false;
	memcpy(e->certificate, s->at, len);
	*s = (struct span){s->at + len + 1, s->len - len - 1};
	return true;
}

/* Where the last MARKER of LINE is; NULL: nowhere. */
static const uint8_t *
last_marker(struct span line)
{
	const size_t len = sizeof(marker) - 1;

	for (size_t at = line.len; at >= len; at--) {
		if (memcmp(line.at + at - len, marker, len) == 0)
			return line.at + at - len;
	}
	return NULL;
}

bool
nginx_log_line(struct span line, struct nginx_log_entry *out)
{
	static const char host[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789.-_:[]";
	static const char client[] = ", client: ";
	struct nginx_log_entry e = {0};
	struct span rest = line, words;
	const uint8_t *mark;

	if (line.len > LINE_MAX_LEN || !take_date(&rest, &e) ||
	    (mark = last_marker(rest)) == NULL)
		return false;
	words = (struct span){rest.at, (size_t)(mark - rest.at)};
	/* who asks its responder has no client: this is a request's text */
	if (memmem(words.at, words.len, client, sizeof(client) - 1) != NULL)
		return false;
	rest = (struct span){mark, (size_t)(line.at + line.len - mark)};
	if (!take(&rest, marker) ||
	    !take_set(&rest, host, e.responder, sizeof(e.responder)) ||
	    (take(&rest, peer_word) && !take_peer(&rest, &e)) ||
	    (take(&rest, certificate_word) && !take_certificate(&rest, &e)) ||
	    rest.len != 0)
		return false;
	(void)snprintf(e.message, sizeof(e.message), "[%.*s", (int)words.len,
	    (const char *)words.at);
	memcpy(e.when, line.at, sizeof(e.when) - 1);
	text_clean(e.message);
	text_clean(e.certificate);
	*out = e;
	return true;
}

static bool
is_alike(const struct nginx_log_entry *a, const struct nginx_log_entry *b)
{
	return strcmp(a->peer, b->peer) == 0 &&
	       strcmp(a->responder, b->responder) == 0;
}

size_t
nginx_log_entries(
    struct span text, struct nginx_log_entry out[NGINX_LOG_ENTRIES_MAX])
{
	size_t count = 0;
	size_t end = text.len;

	while (end > 0 && count < NGINX_LOG_ENTRIES_MAX) {
		struct nginx_log_entry entry;
		const uint8_t *feed = memrchr(text.at, '\n', end);
		size_t start = feed == NULL ? 0 : (size_t)(feed - text.at) + 1;
		bool known = false;

		if (nginx_log_line(
			(struct span){text.at + start, end - start}, &entry)) {
			for (size_t i = 0; i < count; i++)
				known = known || is_alike(&out[i], &entry);
			if (!known)
				out[count++] = entry;
		}
		end = start == 0 ? 0 : start - 1;
	}
	return count;
}

bool
nginx_log_is_elsewhere(const char *name)
{
	return strcmp(name, "stderr") == 0 || text_starts(name, "syslog:") ||
	       text_starts(name, "memory:");
}

int
nginx_log_tail(const char *path, uint8_t **out, size_t *len, struct err *err)
{
	/* a log may be a pipe to somebody: that is not waited for */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint8_t *bytes = NULL;
	struct stat info;
	off_t from;
	ssize_t got = -1;
	int rc = 0;

	if (fd != -1 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
		from = info.st_size > NGINX_LOG_TAIL
			   ? info.st_size - NGINX_LOG_TAIL
			   : 0;
		bytes = mem_new(NGINX_LOG_TAIL);
		do
			got = pread(fd, bytes, NGINX_LOG_TAIL, from);
		while (got == -1 && errno == EINTR);
	} else if (fd != -1) {
		errno = EINVAL;
	}
	if (got == -1) {
		rc = err_set(err, REASON_FILE,
		    "the error log '%s' cannot be read: %s", path,
		    errno == EINVAL ? "it is no file" : strerror(errno));
		free(bytes);
	} else {
		*out = bytes;
		*len = (size_t)got;
	}
	if (fd != -1)
		(void)close(fd);
	return rc;
}
