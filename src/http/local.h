/* SPDX-License-Identifier: ISC */
/* http/local.h -- a question to a program of this machine, at its Unix socket;
 * waits for the answer. */
#ifndef OCLASP_HTTP_LOCAL_H
#define OCLASP_HTTP_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum {
	LOCAL_BODY_MAX = 64 << 20, /* bytes of an answer */
	LOCAL_PATH = 108,          /* what a socket's address has room for */
};

struct local_answer {
	long status; /* HTTP's */
	char *body;  /* NUL-terminated; owned */
	size_t len;
};

/* Ask the one who listens at SOCKET (a path of any length).  METHOD is GET or
 * POST; QUERY is a NULL-terminated list of keys and values in turn, of which
 * those with a NULL value are left out.
 * 0: *OUT is the answer.  1: nobody listens there.  -1: REASON_FILE. */
int local_ask(const char *socket, const char *method, const char *path,
    const char *const *query, int64_t timeout_ms, struct local_answer *out,
    struct err *err);

/* PATH as an address of a socket, however long it is: *FOLDER is a descriptor
 * to close after the use, or -1.  False: its folder is not there. */
bool local_address(const char *path, char out[LOCAL_PATH], int *folder);

#endif
