/* SPDX-License-Identifier: ISC */
/* keep/status_page.h -- the same as a page for a browser: one document, without
 * scripts and without anything from elsewhere. */
#ifndef OCLASP_KEEP_STATUS_PAGE_H
#define OCLASP_KEEP_STATUS_PAGE_H

#include "base/text.h"
#include "keep/status_json.h"

enum {
	STATUS_PAGE_ROWS = 200,    /* of one page */
	STATUS_PAGE_MAX = 4 << 20, /* bytes */
};

/* What a browser may do with the page: show it, with its own style. */
extern const char status_page_policy[];

/* LIST was selected by QUERY; links lead to the other states and pages. */
void status_page(struct buf *out, const struct status_list *list,
    const struct status_query *query, const struct status_head *head);

#endif
