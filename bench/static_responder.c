/* SPDX-License-Identifier: ISC */
/* bench/static_responder.c -- answers OCSP requests out of a table, fast.
 *
 *	static-responder TABLE [port=N] [delay=MS] [hang=N]
 *
 * TABLE is what bench/farm has made.  One thread, epoll, HTTP/1.1 with
 * keep-alive, GET and POST, on 127.0.0.1.  `delay`: each answer waits so long;
 * `hang`: requests for the first N certificates get none.  Says "ready PORT" on
 * standard output.  At SIGUSR1 it says what has happened since the last time, as
 * one line of JSON; at SIGTERM it ends. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	REQUEST_MAX = 4096, /* bytes of a request, head and body */
	EVENTS_MAX = 64,
	HEAD_MAX = 256,
	BACKLOG = 4096,
};

struct entry {
	const uint8_t *request;
	size_t request_len;
	uint8_t *answer; /* head and body */
	size_t answer_len;
};

struct connection {
	int fd;
	bool closing; /* after this answer */
	size_t used;
	char in[REQUEST_MAX + 1];
	const struct entry *owed; /* its answer waits until `due` */
	int64_t due_ms;
	struct connection *next_owed;
};

struct responder {
	struct entry *entries;
	size_t count;
	uint32_t *slots; /* index + 1 by hash; 0: free */
	size_t slot_mask;
	struct entry failure; /* what is answered to all else: 404 */
	size_t hang;
	int64_t delay_ms;
	int epoll;
	struct connection *owed, **owed_end; /* in the order of `due_ms` */
	uint64_t requests, connections, misses, in_progress, most;
	int64_t first_ns, last_ns;
};

static void
must(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(
	    stderr, "static-responder: cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t
now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* --- the table --- */

static size_t
hash(const uint8_t *bytes, size_t len)
{
	uint64_t sum = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ bytes[i]) * UINT64_C(1099511628211);
	return (size_t)(sum ^ sum >> 32);
}

static void
make_answer(struct entry *entry, long status, const uint8_t *body, size_t len)
{
	char head[HEAD_MAX];
	int head_len = snprintf(head, sizeof(head),
	    "HTTP/1.1 %ld %s\r\n"
	    "Content-Type: application/ocsp-response\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    status, status == 200 ? "OK" : "No", len);

	entry->answer_len = (size_t)head_len + len;
	entry->answer = malloc(entry->answer_len);
	must(entry->answer != NULL, "allocate");
	memcpy(entry->answer, head, (size_t)head_len);
	if (len > 0)
		memcpy(entry->answer + head_len, body, len);
}

static size_t
read_length(const uint8_t *at)
{
	return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 |
	       at[3];
}

/* The whole file; it stays in memory. */
static uint8_t *
read_table(const char *path, size_t *len)
{
	FILE *file = fopen(path, "r");
	struct stat st;
	uint8_t *bytes;

	must(file != NULL && fstat(fileno(file), &st) == 0, "read the table");
	*len = (size_t)st.st_size;
	bytes = malloc(*len);
	must(bytes != NULL && fread(bytes, 1, *len, file) == *len,
	    "read the table");
	(void)fclose(file);
	return bytes;
}

static void
load_table(struct responder *r, const char *path)
{
	size_t len, at = 0, room = 1024;
	const uint8_t *bytes = read_table(path, &len);

	while (at + 4 <= len) {
		struct entry entry = {0};

		entry.request_len = read_length(bytes + at);
		entry.request = bytes + at + 4;
		at += 4 + entry.request_len;
		make_answer(
		    &entry, 200, bytes + at + 4, read_length(bytes + at));
		at += 4 + read_length(bytes + at);
		r->entries = reallocarray(
		    r->entries, r->count + 1, sizeof(r->entries[0]));
		must(r->entries != NULL, "allocate");
		r->entries[r->count++] = entry;
	}
	while (room < r->count * 2)
		room *= 2;
	r->slot_mask = room - 1;
	r->slots = calloc(room, sizeof(r->slots[0]));
	must(r->slots != NULL, "allocate");
	for (size_t i = 0; i < r->count; i++) {
		size_t slot =
		    hash(r->entries[i].request, r->entries[i].request_len) &
		    r->slot_mask;

		while (r->slots[slot] != 0)
			slot = (slot + 1) & r->slot_mask;
		r->slots[slot] = (uint32_t)i + 1;
	}
}

static const struct entry *
find(const struct responder *r, const uint8_t *request, size_t len)
{
	size_t slot = hash(request, len) & r->slot_mask;

	for (; r->slots[slot] != 0; slot = (slot + 1) & r->slot_mask) {
		const struct entry *entry = &r->entries[r->slots[slot] - 1];

		if (entry->request_len == len &&
		    memcmp(entry->request, request, len) == 0)
			return entry;
	}
	return NULL;
}

/* --- requests --- */

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The request within the path of a GET: percent signs, then base64. */
static const struct entry *
find_path(const struct responder *r, const char *path, const char *end)
{
	uint8_t text[REQUEST_MAX], der[REQUEST_MAX];
	size_t len = 0, pad = 0;
	int got;

	for (const char *c = path + 1; c < end; c++) {
		if (*c == '%' && end - c > 2) {
			text[len++] =
			    (uint8_t)(hex_value(c[1]) << 4 | hex_value(c[2]));
			c += 2;
		} else {
			text[len++] = (uint8_t)*c;
		}
	}
	while (pad < 2 && len > pad && text[len - pad - 1] == '=')
		pad++;
	got = EVP_DecodeBlock(der, text, (int)len);
	return got <= (int)pad ? NULL : find(r, der, (size_t)got - pad);
}

static size_t
body_length(const char *head)
{
	static const char name[] = "\r\nContent-Length:";
	const char *field = strcasestr(head, name);

	return field == NULL ? 0 : strtoul(field + sizeof(name) - 1, NULL, 10);
}

static void
drop(struct responder *r, struct connection *c)
{
	if (c->owed != NULL) { /* it is in the list: freed when it is due */
		(void)epoll_ctl(r->epoll, EPOLL_CTL_DEL, c->fd, NULL);
		(void)close(c->fd);
		c->fd = -1;
		return;
	}
	(void)close(c->fd);
	free(c);
}

/* Once; what the socket does not take at once is more than this needs. */
static void
answer(struct responder *r, struct connection *c, const struct entry *entry)
{
	ssize_t sent =
	    send(c->fd, entry->answer, entry->answer_len, MSG_NOSIGNAL);

	r->in_progress--;
	r->last_ns = now_ns();
	c->owed = NULL;
	if (sent != (ssize_t)entry->answer_len || c->closing)
		drop(r, c);
}

static void
owe(struct responder *r, struct connection *c, const struct entry *entry)
{
	if (r->first_ns == 0)
		r->first_ns = now_ns();
	r->requests++;
	if (++r->in_progress > r->most)
		r->most = r->in_progress;
	if (entry == NULL) {
		entry = &r->failure;
		r->misses++;
	} else if ((size_t)(entry - r->entries) < r->hang) {
		return;
	}
	if (r->delay_ms == 0) {
		answer(r, c, entry);
		return;
	}
	c->owed = entry;
	c->due_ms = now_ns() / 1000000 + r->delay_ms;
	c->next_owed = NULL;
	*r->owed_end = c;
	r->owed_end = &c->next_owed;
}

/* Pay what is due.  How long to wait for the next, in milliseconds; -1: for
 * nothing. */
static int
pay(struct responder *r)
{
	while (r->owed != NULL) {
		struct connection *c = r->owed;
		int64_t left = c->due_ms - now_ns() / 1000000;

		if (left > 0)
			return (int)left;
		r->owed = c->next_owed;
		if (r->owed == NULL)
			r->owed_end = &r->owed;
		if (c->fd == -1) {
			r->in_progress--;
			free(c);
		} else {
			answer(r, c, c->owed);
		}
	}
	return -1;
}

static void
read_request(struct responder *r, struct connection *c)
{
	ssize_t got = recv(c->fd, c->in + c->used, REQUEST_MAX - c->used, 0);
	const struct entry *entry = NULL;
	char *end, *space;
	size_t head, body;

	if (got <= 0) {
		drop(r, c);
		return;
	}
	c->used += (size_t)got;
	c->in[c->used] = '\0';
	end = strstr(c->in, "\r\n\r\n");
	if (end == NULL)
		return;
	head = (size_t)(end - c->in) + 4;
	body = body_length(c->in);
	if (c->used < head + body)
		return;
	c->used = 0;
	*end = '\0';
	c->closing = strstr(c->in, " HTTP/1.0") != NULL ||
		     strcasestr(c->in, "\r\nConnection: close") != NULL;
	if (strncmp(c->in, "GET ", 4) == 0) {
		space = strchr(c->in + 4, ' ');
		if (space != NULL)
			entry = find_path(r, c->in + 4, space);
	} else {
		entry = find(r, (const uint8_t *)c->in + head, body);
	}
	owe(r, c, entry);
}

static void
take_connections(struct responder *r, int listener)
{
	int fd, one = 1;

	while ((fd = accept4(listener, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		struct connection *c = calloc(1, sizeof(*c));
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

		must(c != NULL, "allocate");
		c->fd = fd;
		(void)setsockopt(
		    fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		must(epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &event) == 0,
		    "wait for a connection");
		r->connections++;
	}
}

/* --- the program --- */

static int
open_listener(struct responder *r, unsigned port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	socklen_t len = sizeof(address);
	int one = 1;

	must(fd != -1 &&
		 setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ==
		     0 &&
		 bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		 listen(fd, BACKLOG) == 0 &&
		 getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
		 epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &event) == 0,
	    "listen");
	(void)printf("ready %u\n", (unsigned)ntohs(address.sin_port));
	(void)fflush(stdout);
	return fd;
}

static int
open_signals(struct responder *r)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = r};
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	must(fd != -1 && epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &event) == 0,
	    "wait for signals");
	return fd;
}

static void
tell(struct responder *r)
{
	(void)printf("{\"requests\": %llu, \"connections\": %llu, "
		     "\"misses\": %llu, \"most_at_once\": %llu, "
		     "\"span_s\": %.6f}\n",
	    (unsigned long long)r->requests, (unsigned long long)r->connections,
	    (unsigned long long)r->misses, (unsigned long long)r->most,
	    (double)(r->last_ns - r->first_ns) / 1e9);
	(void)fflush(stdout);
	r->requests = r->connections = r->misses = r->most = 0;
	r->first_ns = r->last_ns = 0;
}

static unsigned long
option(int argc, char **argv, const char *name)
{
	size_t len = strlen(name);

	for (int i = 2; i < argc; i++) {
		if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=')
			return strtoul(argv[i] + len + 1, NULL, 10);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct responder r = {0};
	struct epoll_event events[EVENTS_MAX];
	struct signalfd_siginfo signal_info;
	int listener, signals, count;

	if (argc < 2) {
		(void)fprintf(stderr,
		    "usage: static-responder TABLE [port=N] [delay=MS] "
		    "[hang=N]\n");
		return 2;
	}
	r.owed_end = &r.owed;
	r.hang = option(argc, argv, "hang");
	r.delay_ms = (int64_t)option(argc, argv, "delay");
	load_table(&r, argv[1]);
	make_answer(&r.failure, 404, NULL, 0);
	r.epoll = epoll_create1(EPOLL_CLOEXEC);
	signals = open_signals(&r);
	listener = open_listener(&r, (unsigned)option(argc, argv, "port"));
	for (;;) {
		count = epoll_wait(r.epoll, events, EVENTS_MAX, pay(&r));
		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr == NULL) {
				take_connections(&r, listener);
				continue;
			}
			if (events[i].data.ptr != &r) {
				read_request(&r, events[i].data.ptr);
				continue;
			}
			must(read(signals, &signal_info, sizeof(signal_info)) ==
				 sizeof(signal_info),
			    "read a signal");
			if (signal_info.ssi_signo == SIGTERM)
				return 0;
			tell(&r);
		}
	}
}
