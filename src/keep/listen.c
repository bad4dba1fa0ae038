/* SPDX-License-Identifier: ISC */
/* keep/listen.c -- where the keeper listens, and what it serves there. */
#include "keep/listen.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sockaddr.h"
#include "http/server.h"
#include "keep/process.h"
#include "keep/relay.h"

enum { LISTEN_UNIX_MODE = 0660 };

/* One address that is served. */
struct outpost {
	struct listen *listen;
	struct server *server;
	struct listen_spec spec; /* as it was wanted; its address is owned */
	unsigned connections;    /* as it has them */
	bool stays;
	unsigned serves;
	char text[LISTEN_TEXT];
	struct relay_thread *threads[SERVER_THREADS_MAX];
};

struct listen {
	uv_loop_t *loop;
	struct relay *relay;
	struct outpost *outposts[LISTEN_MAX];
	size_t count;
	bool (*answer)(void *cookie, const struct server_question *question,
	    unsigned serves);
	void *cookie;
};

static const struct {
	const char *word;
	unsigned serves;
} words[] = {
    {"ocsp", LISTEN_OCSP},
    {"status", LISTEN_STATUS},
    {"metrics", LISTEN_METRICS},
    {"health", LISTEN_HEALTH},
    {"all", LISTEN_ALL},
};

bool
listen_serves_parse(const char *word, unsigned *out)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, word) == 0) {
			*out = words[i].serves;
			return true;
		}
	}
	return false;
}

static bool
is_loopback(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET) {
		const struct sockaddr_in *v4 =
		    (const struct sockaddr_in *)address;

		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	}
	return IN6_IS_ADDR_LOOPBACK(
	    &((const struct sockaddr_in6 *)address)->sin6_addr);
}

unsigned
listen_usual(const char *address)
{
	struct sockaddr_storage parsed;

	if (server_is_path(address) ||
	    (sockaddr_parse_listen(address, &parsed) && is_loopback(&parsed)))
		return LISTEN_ALL;
	return LISTEN_OCSP | LISTEN_HEALTH;
}

bool
listen_check(const char *address, struct err *err)
{
	struct sockaddr_storage parsed;

	if (server_is_path(address) || sockaddr_parse_listen(address, &parsed))
		return true;
	(void)err_set(err, REASON_USAGE,
	    "'%s' is no address to listen at: give ADDR:PORT, [ADDR]:PORT or "
	    "the path of a Unix socket",
	    address);
	return false;
}

unsigned
listen_connections(unsigned asked, uint64_t files, size_t count)
{
	uint64_t most = files / 2 / (count == 0 ? 1 : count);

	if (asked == 0)
		asked = SERVER_CONNECTIONS;
	if (files == 0 || asked <= most)
		return asked;
	return most == 0 ? 1 : (unsigned)most;
}

/* --- by path --- */

/* What a question for PATH is about.  No OCSP request in base64 begins as these
 * do: it begins with M. */
static unsigned
about(const char *path)
{
	if (path[0] != '/')
		return LISTEN_OCSP;
	switch (path[1]) {
	case 'a':
		return strncmp(path, "/api/", 5) == 0 ? LISTEN_STATUS
						      : LISTEN_OCSP;
	case 's':
		return strcmp(path, "/status") == 0 ? LISTEN_STATUS
						    : LISTEN_OCSP;
	case 'm':
		return strcmp(path, "/metrics") == 0 ? LISTEN_METRICS
						     : LISTEN_OCSP;
	case 'h':
		return strcmp(path, "/healthz") == 0 ? LISTEN_HEALTH
						     : LISTEN_OCSP;
	case 'r':
		return strcmp(path, "/readyz") == 0 ? LISTEN_HEALTH
						    : LISTEN_OCSP;
	default:
		return LISTEN_OCSP;
	}
}

static struct server_answer
nothing_here(void)
{
	static const char text[] = "There is nothing here.\n";

	return (struct server_answer){.status = 404,
	    .content_type = "text/plain; charset=utf-8",
	    .body = {(const uint8_t *)text, sizeof(text) - 1}};
}

static bool
at_once(void *cookie, const struct server_question *question,
    struct server_answer *answer)
{
	struct outpost *outpost = cookie;
	unsigned what = about(question->path);

	if ((outpost->serves & what) == 0) {
		*answer = nothing_here();
		return true;
	}
	return what == LISTEN_OCSP &&
	       relay_answer(
		   outpost->threads[question->thread], question, answer);
}

static void
later(void *cookie, const struct server_question *question)
{
	struct outpost *outpost = cookie;
	struct listen *listen = outpost->listen;
	struct server_answer answer;

	if (about(question->path) == LISTEN_OCSP) {
		relay_answer_later(listen->relay, question);
		return;
	}
	if (listen->answer != NULL &&
	    listen->answer(listen->cookie, question, outpost->serves))
		return;
	answer = nothing_here();
	server_reply(question->call, &answer);
}

/* --- begin and end --- */

static void
outpost_free(struct outpost *outpost)
{
	server_stop(&outpost->server);
	if (server_is_path(outpost->text))
		(void)unlink(outpost->text);
	for (size_t i = 0; i < SERVER_THREADS_MAX; i++)
		relay_thread_free(&outpost->threads[i]);
	free((void *)(uintptr_t)outpost->spec.address);
	free(outpost);
}

/* "127.0.0.1:0" with the PORT that it came to. */
static void
write_text(struct outpost *outpost, const char *address, int port)
{
	const char *colon = strrchr(address, ':');

	if (server_is_path(address) || colon == NULL)
		(void)snprintf(
		    outpost->text, sizeof(outpost->text), "%s", address);
	else
		(void)snprintf(outpost->text, sizeof(outpost->text), "%.*s:%d",
		    (int)(colon - address), address, port);
}

/* The names of what SERVES has. */
static const char *
serves_text(unsigned serves, char out[LISTEN_TEXT])
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].serves == LISTEN_ALL ||
		    (serves & words[i].serves) == 0)
			continue;
		len += (size_t)snprintf(out + len, LISTEN_TEXT - len, "%s%s",
		    len == 0 ? "" : ", ", words[i].word);
	}
	return out;
}

static struct outpost *
outpost_new(struct listen *listen, const struct listen_spec *spec,
    unsigned connections, struct err *err)
{
	struct outpost *outpost = mem_new(sizeof(*outpost));
	struct server_options options = {
	    .threads = server_threads(spec->threads),
	    .connections = connections,
	    .per_address = spec->per_address,
	    .body_max = LISTEN_BODY_MAX,
	    .handler = {at_once, later, outpost},
	};
	int port = 0;

	outpost->listen = listen;
	outpost->serves =
	    spec->serves == 0 ? listen_usual(spec->address) : spec->serves;
	options.listener = server_listen(spec->address,
	    spec->mode == 0 ? LISTEN_UNIX_MODE : spec->mode, &port, err);
	if (options.listener == -1) {
		free(outpost);
		return NULL;
	}
	write_text(outpost, spec->address, port);
	outpost->spec = *spec;
	outpost->spec.address = mem_string(spec->address);
	outpost->connections = connections;
	/* before the first question can come */
	for (size_t i = 0; i < options.threads; i++)
		outpost->threads[i] = relay_thread_new(listen->relay);
	if (server_start(listen->loop, &options, &outpost->server, err) == -1) {
		outpost_free(outpost);
		return NULL;
	}
	return outpost;
}

/* What SPEC's listener may have, one of COUNT; said if it is less than wanted. */
static unsigned
find_connections(const struct listen_spec *spec, size_t count)
{
	uint64_t files = process_max_files();
	unsigned wanted = listen_connections(spec->connections, 0, count);
	unsigned most = listen_connections(spec->connections, files, count);

	if (most < wanted)
		log_event(LOG_NOTICE, (struct log_about){.event = "listen"},
		    "at %s %u connections are served at once, not %u: this "
		    "process may open %" PRIu64 " files only (RLIMIT_NOFILE)",
		    spec->address, most, wanted, files);
	return most;
}

/* Listen at SPEC, one of COUNT, too. */
static void
begin_at(struct listen *listen, const struct listen_spec *spec, size_t count)
{
	struct err err = {0};
	struct outpost *outpost =
	    outpost_new(listen, spec, find_connections(spec, count), &err);
	char serves[LISTEN_TEXT];

	if (outpost == NULL) {
		log_event(LOG_WARNING,
		    (struct log_about){.event = "listen", .reason = err.reason},
		    "%s; certificates are kept all the same", err.text);
		return;
	}
	listen->outposts[listen->count++] = outpost;
	log_event(LOG_NOTICE, (struct log_about){.event = "listen"},
	    "listening at %s: %s", outpost->text,
	    serves_text(outpost->serves, serves));
}

struct listen *
listen_start(uv_loop_t *loop, const struct listen_spec *specs, size_t count,
    struct relay *relay)
{
	struct listen *listen = mem_new(sizeof(*listen));

	listen->loop = loop;
	listen->relay = relay;
	listen_obey(listen, specs, count);
	return listen;
}

/* The outpost that does what SPEC, one of COUNT, wants already; NULL: none. */
static struct outpost *
find_same(
    const struct listen *listen, const struct listen_spec *spec, size_t count)
{
	unsigned connections =
	    listen_connections(spec->connections, process_max_files(), count);

	for (size_t i = 0; i < listen->count; i++) {
		struct outpost *o = listen->outposts[i];

		if (!o->stays && o->connections == connections &&
		    strcmp(o->spec.address, spec->address) == 0 &&
		    o->spec.serves == spec->serves &&
		    o->spec.threads == spec->threads &&
		    o->spec.per_address == spec->per_address &&
		    o->spec.mode == spec->mode)
			return o;
	}
	return NULL;
}

/* What does not stay goes. */
static void
clear(struct listen *listen)
{
	size_t kept = 0;

	for (size_t i = 0; i < listen->count; i++) {
		struct outpost *o = listen->outposts[i];

		if (o->stays) {
			listen->outposts[kept++] = o;
			continue;
		}
		/* whoever waits for a fetch: his call ends with the server */
		relay_let_go(listen->relay);
		log_event(LOG_NOTICE, (struct log_about){.event = "listen"},
		    "no longer listening at %s", o->text);
		outpost_free(o);
	}
	listen->count = kept;
}

void
listen_obey(
    struct listen *listen, const struct listen_spec *specs, size_t count)
{
	bool there[LISTEN_MAX] = {false};

	for (size_t i = 0; i < listen->count; i++)
		listen->outposts[i]->stays = false;
	for (size_t i = 0; i < count && i < LISTEN_MAX; i++) {
		struct outpost *same = find_same(listen, &specs[i], count);

		there[i] = same != NULL;
		if (same != NULL)
			same->stays = true;
	}
	/* first, since another one may want the same address */
	clear(listen);
	for (size_t i = 0; i < count && i < LISTEN_MAX; i++) {
		if (!there[i])
			begin_at(listen, &specs[i], count);
	}
}

void
listen_stop(struct listen **listen)
{
	if (*listen == NULL)
		return;
	for (size_t i = 0; i < (*listen)->count; i++)
		outpost_free((*listen)->outposts[i]);
	free(*listen);
	*listen = NULL;
}

void
listen_others(struct listen *listen,
    bool (*answer)(
	void *cookie, const struct server_question *question, unsigned serves),
    void *cookie)
{
	listen->answer = answer;
	listen->cookie = cookie;
}

size_t
listen_count(const struct listen *listen)
{
	return listen->count;
}

const char *
listen_text(const struct listen *listen, size_t at)
{
	return listen->outposts[at]->text;
}
