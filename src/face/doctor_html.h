/* SPDX-License-Identifier: ISC */
/* face/doctor_html.h -- a report as one page that needs nothing else.
 *
 * No script, nothing fetched, pictures as SVG made here.  DNS names and the
 * words of servers are outside bytes: every text goes through buf_html(), and
 * the page's own policy allows nothing but its style, should that ever be
 * forgotten.  The page is well-formed XML too, so that a parser can hold it to
 * that. */
#ifndef OCLASP_FACE_DOCTOR_HTML_H
#define OCLASP_FACE_DOCTOR_HTML_H

#include "base/text.h"
#include "face/dns_report.h"
#include "face/doctor_report.h"

enum { HTML_PAGE_MAX = 32 << 20 }; /* octets; facts are bounded too */

/* The page of `oclasp doctor`, or of `oclasp dns`, as of NOW (wall seconds). */
void doctor_html(
    struct buf *out, const struct doctor_report *report, int64_t now);
void dns_html(struct buf *out, const struct dns_report *report, int64_t now);

/* -1 if nothing can be written to PATH, as far as can be seen before.
 * Errors: REASON_FILE. */
int html_check(const char *path, struct err *err);

/* Replace PATH by PAGE, whole or not at all.  Errors: REASON_FILE. */
int html_write(const char *path, const struct buf *page, struct err *err);

/* --- the parts --- */

/* "good", "bad", "care", "plain": how an address is drawn. */
struct picture;
const char *html_tone(const struct picture *picture, const char *address);

/* HOST's CNAME chain, and who says what of each of its names. */
void html_chain(
    struct buf *out, const struct picture *picture, const char *host);

/* Each question as a line, each answer as a dot at its time. */
void html_timeline(struct buf *out, const struct picture *picture);

/* TEXT in SVG, cut to LETTERS, whole in its tooltip. */
void html_svg_text(struct buf *out, int x, int y, const char *tone,
    const char *text, size_t letters);

#endif
