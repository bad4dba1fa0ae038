/* SPDX-License-Identifier: ISC */
/* doctor/stapling_chain.c -- what a server sends with its certificate, and what
 * nginx verifies fetched staples with.
 *
 * By ngx_event_openssl_stapling.c, and as a real nginx was seen to act:
 * - The issuer is looked for in ssl_certificate, then in the trusted
 *   certificates; without one, stapling is silently off.
 * - The signer of a response is looked for in the response and among the
 *   certificates of ssl_certificate, and nowhere else: what the issuer signed
 *   itself is refused when only ssl_trusted_certificate has it.
 * - With ssl_stapling_verify, a signer of ssl_certificate is believed
 *   (OCSP_TRUSTOTHER); a delegate only with a chain to a root that is trusted. */
#include <string.h>

#include "doctor/stapling_priv.h"
#include "pki/identity.h"

enum { CHAIN_MAX = 16 }; /* certificates from a leaf to its root */

static bool
is_root(const struct cert *cert)
{
	return cert_signed_by(cert, cert);
}

static bool
holds(const struct cert_list *list, const struct cert *cert)
{
	for (size_t i = 0; list != NULL && i < list->count; i++) {
		if (strcmp(list->items[i]->fingerprint, cert->fingerprint) == 0)
			return true;
	}
	return false;
}

static const struct cert *
issuer_in(const struct cert *cert, const struct cert_list *list)
{
	const struct cert_list *const lists[] = {list, NULL};

	return list == NULL ? NULL : cert_find_issuer(cert, lists, NULL);
}

const struct cert *
stapling_issuer(
    const struct stapling *s, const struct stapling_pair *pair, bool *sent)
{
	const struct cert *issuer = issuer_in(pair->leaf, pair->list);

	*sent = issuer != NULL;
	if (issuer == NULL)
		issuer = issuer_in(pair->leaf, pair->trusted);
	if (issuer == NULL)
		issuer = issuer_in(pair->leaf, s->more);
	return issuer;
}

/* A leaf without its issuer is right only where a root signed it, which
 * clients have. */
void
stapling_chain(struct stapling *s, const struct stapling_pair *pair)
{
	struct identity id = {.leaf = pair->leaf};
	bool sent;
	const struct cert *issuer = stapling_issuer(s, pair, &sent);

	if (sent)
		return;
	if (issuer == NULL && identity_find_issuer(&id, false, NULL) == 0)
		issuer = id.issuer;
	/* an unknown issuer that the certificate says where to get is one that
	 * clients lack */
	if (issuer == NULL ? pair->leaf->ca_issuers != NULL : !is_root(issuer))
		(void)stapling_fault(s, "server-cfg-chain-incomplete",
		    pair->line, pair, "%s has '%s' and not its issuer '%s'",
		    pair->path, cert_name(pair->leaf), pair->leaf->issuer);
	identity_done(&id);
}

/* The last certificate of the chain from CERT up, as far as it is at hand. */
static const struct cert *
climb(const struct stapling_pair *pair, const struct cert *cert)
{
	for (int i = 0; i < CHAIN_MAX && !is_root(cert); i++) {
		const struct cert *next = issuer_in(cert, pair->trusted);

		if (next == NULL)
			next = issuer_in(cert, pair->list);
		if (next == NULL)
			break;
		cert = next;
	}
	return cert;
}

static void
look_at_root(struct stapling *s, const struct stapling_pair *pair,
    const struct cert *issuer)
{
	const struct nginx_site *site = pair->site;
	const struct nginx_directive *line =
	    site->in_force[NGINX_TRUSTED] != NULL
		? site->in_force[NGINX_TRUSTED]
		: site->in_force[NGINX_STAPLING_VERIFY];
	const struct cert *last = climb(pair, issuer);

	if (is_root(last) && holds(pair->trusted, last))
		return;
	(void)stapling_fault(s, "server-cfg-trusted-incomplete", line, pair,
	    "%s lacks the root '%s' of '%s'",
	    pair->trusted == NULL ? "the configuration" : pair->trusted_path,
	    is_root(last) ? last->subject : last->issuer,
	    cert_name(pair->leaf));
}

/* True if the trusted certificates have more than their own file:
 * ssl_client_certificate counts where clients are verified. */
static bool
has_client_ca(const struct nginx_site *site)
{
	const struct nginx_directive *verify =
	    site->in_force[NGINX_VERIFY_CLIENT];

	return verify != NULL && strcmp(verify->args[0], "off") != 0 &&
	       site->in_force[NGINX_CLIENT_CA] != NULL;
}

void
stapling_trust(struct stapling *s, const struct stapling_pair *pair)
{
	const struct nginx_site *site = pair->site;
	bool verify = stapling_is_on(site, NGINX_STAPLING_VERIFY);
	bool sent;
	const struct cert *issuer = stapling_issuer(s, pair, &sent);

	if (!verify)
		(void)stapling_fault(s, "server-cfg-no-verify",
		    site->in_force[NGINX_STAPLING_VERIFY] != NULL
			? site->in_force[NGINX_STAPLING_VERIFY]
			: site->in_force[NGINX_STAPLING],
		    NULL, "ssl_stapling_verify is %s",
		    site->in_force[NGINX_STAPLING_VERIFY] != NULL ? "off"
								  : "not set");
	if (has_client_ca(site)) {
		stapling_untested(s, "ssl_client_certificate",
		    "what it adds to the trusted certificates was not looked "
		    "at");
		return;
	}
	if (pair->trusted != NULL && pair->trusted->count == 0)
		return; /* not readable, which is said */
	if (!sent && issuer_in(pair->leaf, pair->trusted) == NULL)
		(void)stapling_fault(s, "server-cfg-trusted-missing",
		    pair->line, pair, "the issuer '%s' is in no file that %s",
		    pair->leaf->issuer, "nginx looks into");
	else if (verify)
		look_at_root(s, pair, issuer);
}
