/* SPDX-License-Identifier: ISC */
/* servers/nginx.h -- staples into a real nginx.
 *
 * oclasp owns one include snippet for each certificate path: either the two
 * lines `ssl_stapling on; ssl_stapling_file ...;` or nothing but a comment, so
 * that a staple can really be withdrawn (an nginx that is told of a missing or
 * damaged staple file does not start, and one that has read a staple serves it
 * for ever).  nginx reads both only at a reload. */
#ifndef OCLASP_SERVERS_NGINX_H
#define OCLASP_SERVERS_NGINX_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/err.h"
#include "base/text.h"
#include "servers/nginx_conf.h"

enum { NGINX_DEADLINE_MS = 30000 }; /* nginx -t, -T, -s reload: each */

/* How to reach one nginx.  Borrowed strings; must outlive. */
struct nginx {
	const char *command;     /* "nginx", "nginx -p /srv -c nginx.conf" */
	const char *snippet_dir; /* STATE/nginx */
	const char *staple_dir;  /* STATE/staples */
};

/* --- reading --- */

/* True if the command "nginx" is found where servers are. */
bool nginx_is_installed(void);

/* Run `COMMAND -T` and parse it.  CB once; CONF is the callback's to free, or
 * NULL with ERR (REASON_SERVER_CONFIG: nginx's own words in the text). */
struct nginx_scan;
struct nginx_scan *nginx_scan_start(uv_loop_t *loop, const struct nginx *nginx,
    void (*cb)(void *cookie, struct nginx_conf *conf, const struct err *err),
    void *cookie);
void nginx_scan_cancel(struct nginx_scan **scan);

/* The snippet's path for a certificate path: readable, stable over renewals,
 * without collisions.  Owned by the caller. */
char *nginx_snippet_path(const struct nginx *nginx, const char *certificate);

/* The one certificate of SITE that a staple can be published for; NULL if it
 * has several (one staple file would serve them all) or one that is no file.
 * Borrowed. */
const char *nginx_site_certificate(const struct nginx_site *site);

/* True if SITE includes the snippet of CERTIFICATE. */
bool nginx_site_includes(const struct nginx *nginx,
    const struct nginx_site *site, const char *certificate);

/* True if some snippet puts the staple file NAME, "FINGERPRINT.der", in force:
 * nginx does not start without it. */
bool nginx_snippet_names(const struct nginx *nginx, const char *name);

/* True if there are snippets of ours: nginx is one of those who read staples. */
bool nginx_has_snippets(const struct nginx *nginx);

/* --- publishing --- */

/* What shall be in force for one certificate path.  Borrowed. */
struct nginx_change {
	const char *certificate; /* path */
	const char *fingerprint; /* names the staple file FINGERPRINT.der; NULL:
				    unknown, to withdraw only */
	struct span staple;      /* DER; empty: withdraw */
	/* nginx has something else in memory that is still right (the old
	 * certificate with its staple): for this change alone it is not
	 * reloaded.  Its files are written all the same, so that whoever
	 * reloads it next gets nothing wrong. */
	bool may_wait;
	/* nginx may have something else in memory, though the files are as they
	 * shall be: what a publish has held back is not held any more */
	bool unread;
};

/* Bring the snippets and staple files to CHANGES, the whole of what is wanted:
 * a snippet that no change is about is emptied.  Write, `nginx -t`, reload;
 * if the test fails, put back every byte.  If no byte differs, and no earlier
 * publish was cut short before its reload, nothing runs and *RELOADED is
 * false.  CB once.
 *
 * Where the reload fails, as it does when nginx does not run, the files stay:
 * they have passed the test, and the next start of nginx reads them; the next
 * publish reloads again.
 *
 * One at a time for one snippet folder, and nobody else writes there or in the
 * staple folder: a staple file that somebody else has written would look as if
 * nginx had read it.
 * Errors: REASON_FILE, REASON_SERVER_CONFIG, REASON_SERVER_RELOAD. */
struct nginx_publish;
struct nginx_publish *nginx_publish_start(uv_loop_t *loop,
    const struct nginx *nginx, const struct nginx_change *changes, size_t count,
    void (*cb)(void *cookie, bool reloaded, const struct err *err),
    void *cookie);

/* The files for CHANGES, and `nginx -t`, but no reload: the next one, whoever's,
 * puts them in force, and so does the next publish.  The snippets that no
 * change is about stay as they are.  *RELOADED is false.  The law and the errors
 * of nginx_publish_start. */
struct nginx_publish *nginx_prepare_start(uv_loop_t *loop,
    const struct nginx *nginx, const struct nginx_change *changes, size_t count,
    void (*cb)(void *cookie, bool reloaded, const struct err *err),
    void *cookie);

/* Empty the snippets that name a staple file which is not there or is none: with
 * them nginx tests no configuration and tells none, so nothing could be published
 * any more.  The next publish reloads.  *COUNT: how many.  The law of
 * nginx_publish_start.  Errors: REASON_FILE. */
int nginx_mend(const struct nginx *nginx, size_t *count, struct err *err);

/* True if the staple file of FINGERPRINT is there and the next reload, whoever's,
 * gives it to all server blocks that somebody has published it for: no publish
 * is on its way between the files. */
bool nginx_staple_in_place(const struct nginx *nginx, const char *fingerprint);

/* The fingerprint of the staple that the snippet of CERTIFICATE names; owned, or
 * NULL: none. */
char *nginx_staple_named(const struct nginx *nginx, const char *certificate);

/* What nginx has not tested yet is put back. */
void nginx_publish_cancel(struct nginx_publish **publish);

/* --- installing --- */

/* One file before and after. */
struct nginx_edit {
	char *path; /* of the file itself, symbolic links followed */
	char *before, *after;
};

struct nginx_plan {
	struct nginx_edit *edits; /* none: everything is in place */
	size_t edit_count;
	char **notes; /* sentences for the operator: what cannot be done and
			 why (two certificates in one server block: one staple
			 file serves both, so it is left alone) */
	size_t note_count;
};

/* Plan an `include SNIPPET;` for each site after its ssl_certificate, or at the
 * end of its server block where the certificate is that of others too; and the
 * ssl_stapling and ssl_stapling_file lines of the site commented out
 * ("# oclasp: "), since nginx refuses a directive that is given twice.
 * Idempotent. */
void nginx_plan_make(const struct nginx *nginx, const struct nginx_conf *conf,
    struct nginx_plan **out);
void nginx_plan_free(struct nginx_plan *plan);

/* The plan as a unified diff, for a reader and for `patch -d / -p0`; "" if
 * there is nothing to edit.  Owned by the caller. */
char *nginx_plan_diff(const struct nginx_plan *plan);

/* Apply: empty snippets where none is, the edits, `nginx -t`, reload; put back
 * every byte if the test or the reload fails.  Only where the reload fails
 * because nginx does not run, the tested files stay for its next start: then
 * ERR has REASON_SERVER_RELOAD and says so.  If there is nothing to change,
 * nothing runs.  CB once.
 * Errors: REASON_FILE, REASON_SERVER_CONFIG, REASON_SERVER_RELOAD. */
struct nginx_apply;
struct nginx_apply *nginx_apply_start(uv_loop_t *loop,
    const struct nginx *nginx, const struct nginx_conf *conf,
    const struct nginx_plan *plan,
    void (*cb)(void *cookie, const struct err *err), void *cookie);

/* What nginx has not tested yet is put back. */
void nginx_apply_cancel(struct nginx_apply **apply);

#endif
