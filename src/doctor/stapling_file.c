/* SPDX-License-Identifier: ISC */
/* doctor/stapling_file.c -- ssl_stapling_file: nginx serves what is in it,
 * unread, as long as it runs. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "doctor/stapling_priv.h"
#include "pki/identity.h"
#include "pki/staple.h"
#include "pki/verify.h"

static const char *
code_for(enum reason reason)
{
	switch (reason) {
	case REASON_EXPIRED:
	case REASON_LIFETIME_TOO_LONG:
		return "server-cfg-file-stale";
	case REASON_WRONG_CERTIFICATE:
		return "server-cfg-file-other-cert";
	default:
		return "server-cfg-file-bad";
	}
}

static void
judge(struct stapling *s, const struct stapling_pair *pair,
    const struct identity *id, const char *path, const uint8_t *der, size_t len)
{
	const struct verify_policy policy =
	    verify_policy_default(s->request->now);
	const struct verify_input input = {
	    .leaf = pair->leaf,
	    .issuer = id->issuer,
	    .extra = pair->trusted,
	    .der = der,
	    .len = len,
	};
	struct verdict facts = {0};
	struct staple *staple = NULL;
	struct err err = {0};
	bool accepted = false;

	if (verify_staple(&input, &policy, &staple, &facts, &accepted, &err) ==
	    0)
		staple_free(staple);
	else if (accepted && err.reason == REASON_NONE)
		(void)stapling_fault(s, "server-cfg-file-bad",
		    pair->site->in_force[NGINX_STAPLING_FILE], pair,
		    "%s says that '%s' is %s", path, cert_name(pair->leaf),
		    cert_status_name(facts.status));
	else
		(void)stapling_fault(s, code_for(err.reason),
		    pair->site->in_force[NGINX_STAPLING_FILE], pair, "%s: %s",
		    path, err.text);
}

void
stapling_file(struct stapling *s, const struct stapling_pair *pair)
{
	const struct nginx_directive *line =
	    pair->site->in_force[NGINX_STAPLING_FILE];
	char *path = nginx_conf_path(s->request->conf, line->args[0]);
	struct identity id = {.leaf = pair->leaf};
	struct err err = {0};
	uint8_t *der = NULL;
	size_t len = 0;
	bool sent;

	id.issuer = stapling_issuer(s, pair, &sent);
	if (id.issuer == NULL)
		(void)identity_find_issuer(&id, false, NULL);
	if (file_read(path, VERIFY_RESPONSE_MAX, &der, &len, &err) == -1)
		stapling_unread(s, path, &err);
	else if (id.issuer == NULL)
		stapling_untested(s, path,
		    "the issuer of '%s' is at hand nowhere: give --ca-file",
		    cert_name(pair->leaf));
	else
		judge(s, pair, &id, path, der, len);
	identity_done(&id);
	free(der);
	free(path);
}
