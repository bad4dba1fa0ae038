/* SPDX-License-Identifier: ISC */
/* doctor/served.h -- what a server really serves: two handshakes, judged. */
#ifndef OCLASP_DOCTOR_SERVED_H
#define OCLASP_DOCTOR_SERVED_H

#include <stdbool.h>
#include <uv.h>

#include "acquire/acquire.h"
#include "doctor/penalty_client.h"
#include "doctor/served_more.h"
#include "pki/identity.h"
#include "tls/handshake.h"

struct fetch_pool;
struct served_probe;

enum {
	SERVED_HANDSHAKES = 2,
	SERVED_ADDRESSES_MAX = 16,
	SERVED_ADDRESS_MS = 5000, /* one address, while there are others */
};

struct served_request {
	const char *host; /* borrowed, all of it; must outlive */
	int port;
	const char *servername; /* NULL: HOST, unless that is an address */
	enum handshake_starttls starttls;
	const char *ca_file; /* NULL: none */
	struct verify_policy policy;
	const struct acquire_options *options; /* pins, family, timeout; its
						  first resolver for the
						  penalty */
	bool always_penalty; /* also when a staple is served */
	/* between a first handshake without a staple and the second: a server
	 * that fetches lazily has it by then; 0: none */
	int64_t pause_ms;
	bool no_penalty; /* the caller measures it, if at all */
	bool more;       /* and the handshakes of served_more.h */
};

struct served_handshake {
	struct err err; /* REASON_NONE: complete */
	bool stapled, accepted;
	bool other; /* another certificate came: its staple is not judged */
	struct verdict facts; /* of the staple, when accepted */
	struct err verdict;   /* why it was rejected */
	int64_t ended_ms;     /* monotonic */
	int64_t connect_ms, tls_ms;
	char protocol[16];
};

struct served {
	struct err err; /* no handshake was possible, or no chain came */
	char address[DNS_ADDRESS_TEXT];
	struct identity id; /* of what was served; leaf NULL: nothing */
	struct err issuer;  /* why id.issuer is NULL, if it is */
	struct served_handshake handshakes[SERVED_HANDSHAKES];
	size_t handshake_count;
	/* those beside, in the order of their end; and the one without a server
	 * name, if there was one */
	struct served_handshake more[SERVED_MORE], nameless;
	size_t more_count;
	bool has_nameless;
	bool stapled;       /* an acceptable staple came */
	size_t chain_count; /* of certificates as sent, and their octets */
	size_t chain_octets;
	bool has_penalty;
	struct penalty_one penalty; /* one try */
};

/* CB comes once; SERVED is valid during it. */
struct served_probe *served_start(uv_loop_t *loop, struct fetch_pool *pool,
    const struct served_request *request,
    void (*cb)(void *cookie, const struct served *served), void *cookie);
void served_cancel(struct served_probe **probe);

#endif
