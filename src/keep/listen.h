/* SPDX-License-Identifier: ISC */
/* keep/listen.h -- where the keeper listens, and what it serves there.
 *
 * A listener is one address and a list of what it serves, so that OCSP can be
 * open to a network while status stays on loopback.  By the path a question is
 * the relay's or somebody else's, who registers here. */
#ifndef OCLASP_KEEP_LISTEN_H
#define OCLASP_KEEP_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct err;
struct listen;
struct relay;
struct server_question;

enum {
	LISTEN_MAX = 64, /* addresses */
	LISTEN_TEXT = 128,
	LISTEN_BODY_MAX = 16384, /* octets of a request's body */
};

/* What is served, as bits. */
enum {
	LISTEN_STATUS = 1,  /* /status, and /api/ to read */
	LISTEN_METRICS = 2, /* /metrics */
	LISTEN_HEALTH = 4,  /* /healthz, /readyz */
	LISTEN_OCSP = 16,   /* everything else */
	LISTEN_ALL =
	    LISTEN_STATUS | LISTEN_METRICS | LISTEN_HEALTH | LISTEN_OCSP,
};

#define LISTEN_DEFAULT "127.0.0.1:8866"

/* One address.  Borrowed strings. */
struct listen_spec {
	const char *address;  /* "ADDR:PORT", "[ADDR]:PORT" or "/PATH" */
	unsigned serves;      /* 0: listen_usual() of the address */
	unsigned threads;     /* 0: one for each core */
	unsigned connections; /* at once; 0: SERVER_CONNECTIONS */
	unsigned per_address; /* of them from one address; 0: no limit */
	unsigned mode;        /* of a Unix socket; 0: 0660 */
};

/* "ocsp", "status", "metrics", "health", "all" as a bit or bits.  False: another
 * word. */
bool listen_serves_parse(const char *word, unsigned *out);

/* What is served at ADDRESS unless told: all on loopback and at a Unix socket,
 * OCSP and health elsewhere, since status and metrics name all certificates. */
unsigned listen_usual(const char *address);

/* True if ADDRESS could be listened at.  Errors: REASON_USAGE. */
bool listen_check(const char *address, struct err *err);

/* How many connections each of COUNT listeners may have of ASKED for (0:
 * SERVER_CONNECTIONS), where this process may have FILES descriptors (0: not
 * known): half of them are for the fetches and for files, whoever comes (I5). */
unsigned listen_connections(unsigned asked, uint64_t files, size_t count);

/* Begin at all of SPECS.  An address that cannot be had is a warning in the log,
 * and the others are served (I8).  RELAY must outlive. */
struct listen *listen_start(uv_loop_t *loop, const struct listen_spec *specs,
    size_t count, struct relay *relay);

/* Listen at SPECS instead.  Where one is as it was, nothing happens to those who
 * are connected; what could not be had before is tried again. */
void listen_obey(
    struct listen *listen, const struct listen_spec *specs, size_t count);

/* Every connection is closed, no question comes any more. */
void listen_stop(struct listen **listen);

/* Who answers what is not OCSP, on the loop: ANSWER(COOKIE, QUESTION, SERVES)
 * returns false, with nothing done, for what is not there. */
void listen_others(struct listen *listen,
    bool (*answer)(
	void *cookie, const struct server_question *question, unsigned serves),
    void *cookie);

/* How many there are, and where the one at AT listens: "127.0.0.1:8866". */
size_t listen_count(const struct listen *listen);
const char *listen_text(const struct listen *listen, size_t at);

#endif
