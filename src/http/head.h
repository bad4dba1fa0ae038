/* SPDX-License-Identifier: ISC */
/* http/head.h -- the head of an HTTP answer: what its lines say to us.
 *
 * Pure: lines in, facts out.  Lines come whole, as libcurl gives them. */
#ifndef OCLASP_HTTP_HEAD_H
#define OCLASP_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HEAD_TYPE_TEXT = 64,
	HEAD_VALUE_TEXT = 1024,   /* of a value, cut if longer */
	HEAD_LOCATION_TEXT = 256, /* of one that is only shown */
};

struct head {
	char content_type[HEAD_TYPE_TEXT]; /* media type, lower case, or "" */
	char location[HEAD_LOCATION_TEXT];
	int64_t max_age_s, retry_after_s; /* -1: none */
	int64_t date;                     /* of Date, wall seconds; 0: none */
	bool oversize; /* Content-Length is beyond what we take */
};

/* Nothing said yet. */
void head_init(struct head *head);

/* Take LINE, which need not end in NUL.  A status line begins anew: what an
 * interim answer (1xx) said is past.  LENGTH_MAX is the largest
 * Content-Length that is taken, NOW the wall time for Retry-After.  True when
 * LINE is the blank one that ends the head. */
bool head_line(struct head *head, const char *line, size_t len,
    int64_t length_max, int64_t now);

#endif
