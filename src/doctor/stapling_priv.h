/* SPDX-License-Identifier: ISC */
/* doctor/stapling_priv.h -- the inside of stapling_nginx(). */
#ifndef OCLASP_DOCTOR_STAPLING_PRIV_H
#define OCLASP_DOCTOR_STAPLING_PRIV_H

#include <uthash.h>

#include "base/err.h"
#include "doctor/stapling.h"
#include "pki/cert.h"
#include "servers/nginx_conf.h"

/* One file with certificates; each is read once. */
struct stapling_certs {
	char *path;
	struct cert_list list;
	struct err err; /* REASON_NONE: read */
	UT_hash_handle hh;
};

struct stapling {
	struct facts *facts;
	const struct stapling_request *request;
	struct stapling_certs *files;
	char *hosts; /* the hosts file's text; NULL: none */
	size_t hosts_len;
	const struct cert_list *more; /* of --ca-file, or NULL */
};

/* One certificate of one server block. */
struct stapling_pair {
	const struct nginx_site *site;
	const char *path;             /* of the certificate */
	const struct cert_list *list; /* of its file */
	const struct cert *leaf;
	const struct cert_list *trusted; /* ssl_trusted_certificate; or NULL */
	const char *trusted_path;        /* or NULL; owned by `files` */
	const struct nginx_directive *line; /* where the certificate is named */
};

/* The certificates of PATH, a path of the configuration; borrowed.  What
 * cannot be read is said once. */
const struct stapling_certs *stapling_load(
    struct stapling *s, const char *path);

/* CODE at DIRECTIVE, about PAIR (or NULL), with what was seen there.  The same
 * once more is not added. */
__attribute__((format(printf, 5, 6))) struct fact_setting *stapling_fault(
    struct stapling *s, const char *code,
    const struct nginx_directive *directive, const struct stapling_pair *pair,
    const char *fmt, ...);

__attribute__((format(printf, 3, 4))) void stapling_untested(
    struct stapling *s, const char *what, const char *fmt, ...);

/* A file that the configuration names cannot be read: ERR says why. */
void stapling_unread(
    struct stapling *s, const char *path, const struct err *err);

/* True if the setting is there and its first argument is "on". */
bool stapling_is_on(const struct nginx_site *site, enum nginx_setting setting);

/* The issuer of PAIR's leaf: in its own file (*SENT: it is sent to clients), in
 * the trusted certificates, or in --ca-file; NULL: in none. */
const struct cert *stapling_issuer(
    const struct stapling *s, const struct stapling_pair *pair, bool *sent);

/* --- stapling_chain.c: what is sent, and what staples are verified with --- */
void stapling_chain(struct stapling *s, const struct stapling_pair *pair);
void stapling_trust(struct stapling *s, const struct stapling_pair *pair);

/* --- stapling_file.c: ssl_stapling_file --- */
void stapling_file(struct stapling *s, const struct stapling_pair *pair);

/* --- stapling_fetch.c: how nginx asks the responder itself --- */
void stapling_fetch(struct stapling *s, const struct stapling_pair *pair);
void stapling_logs(struct stapling *s);

#endif
