/* SPDX-License-Identifier: ISC */
/* tests/unit/status_fixture.h -- targets in every state, without files, store or
 * keeper. */
#ifndef OCLASP_TESTS_STATUS_FIXTURE_H
#define OCLASP_TESTS_STATUS_FIXTURE_H

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "keep/target.h"
#include "pki/staple.h"
#include "pki_fixture.h"

struct status_ca {
	struct issuers issuers; /* of the targets */
	struct pki_party issuer, www, mail, bare, must, old, early;
};

static inline struct pki_party
status_leaf(const struct status_ca *ca, const char *cn, const char *names,
    const char *feature, int64_t until)
{
	struct pki_spec spec = {
	    .cn = cn, .issuer = &ca->issuer, .until = until};
	size_t n = 0;

	if (names != NULL)
		spec.ext[n++] = (struct pki_ext){"subjectAltName", names};
	if (feature != NULL)
		spec.ext[n++] = (struct pki_ext){"tlsfeature", feature};
	else
		spec.ext[n++] = (struct pki_ext){
		    "authorityInfoAccess", "OCSP;URI:http://ocsp.test:8080/x"};
	return pki_party(&spec);
}

static inline struct status_ca
status_ca_make(void)
{
	struct status_ca ca = {
	    .issuer = pki_party(&(struct pki_spec){.cn = "issuer",
		.ext = {{"basicConstraints", "critical,CA:TRUE"}}})};

	ca.www =
	    status_leaf(&ca, "www.test", "DNS:www.test,DNS:Shop.test", NULL, 0);
	ca.mail = status_leaf(&ca, "mail.test", "DNS:mail.test", NULL, 0);
	ca.old =
	    status_leaf(&ca, "old.test", "DNS:old.test", NULL, PKI_NOW - 3600);
	ca.early = pki_party(&(struct pki_spec){.cn = "early.test",
	    .issuer = &ca.issuer,
	    .from = PKI_NOW + 7200,
	    .ext = {{"authorityInfoAccess", "OCSP;URI:http://ocsp.test/"}}});
	ca.must =
	    status_leaf(&ca, "must.test", "DNS:must.test", "status_request", 0);
	ca.bare = pki_party(&(struct pki_spec){.cn = "bare.test",
	    .issuer = &ca.issuer,
	    .ext = {{"subjectAltName", "DNS:bare.test"}}});
	return ca;
}

static inline void
status_ca_done(struct status_ca *ca)
{
	pki_party_done(&ca->issuer);
	pki_party_done(&ca->www);
	pki_party_done(&ca->mail);
	pki_party_done(&ca->bare);
	pki_party_done(&ca->must);
	pki_party_done(&ca->old);
	pki_party_done(&ca->early);
}

static inline struct staple *
status_staple(
    const struct status_ca *ca, const struct pki_party *leaf, int64_t left)
{
	struct pki_single single = {.leaf = leaf->cert,
	    .issuer = ca->issuer.cert,
	    .next_update = PKI_NOW + left};
	struct pki_response spec = {
	    .signer = &ca->issuer, .singles = &single, .single_count = 1};
	struct buf der = pki_response(&spec);
	struct verify_input input = {.leaf = leaf->cert,
	    .issuer = ca->issuer.cert,
	    .der = (const uint8_t *)der.text,
	    .len = der.len};
	struct verify_policy policy = verify_policy_default(PKI_NOW);
	struct staple *staple = NULL;
	struct verdict facts;
	bool accepted;

	assert(verify_staple(
		   &input, &policy, &staple, &facts, &accepted, NULL) == 0);
	buf_done(&der);
	return staple;
}

/* A target for PATH with LEAF (NULL: unreadable) and a staple that has LEFT
 * seconds (0: none).  The CA
 * must outlive it. */
static inline struct target *
status_target(struct status_ca *ca, const char *path,
    const struct pki_party *leaf, int64_t left)
{
	struct target *t =
	    target_new(&(struct target_spec){.certificate = path});

	if (leaf == NULL) {
		struct err err = {0};

		(void)err_set(&err, REASON_CERTIFICATE_UNREADABLE,
		    "cannot read '%s'", path);
		trouble_set(&t->unreadable, &err);
		return t;
	}
	t->leaf = cert_compact(leaf->cert);
	t->ca = issuers_take(&ca->issuers, ca->issuer.cert);
	if (leaf->cert->ocsp_url_count > 0)
		t->responder = mem_string("ocsp.test");
	if (left > 0) {
		t->staple = status_staple(ca, leaf, left);
		t->last_attempt = PKI_NOW - 3600;
	}
	return t;
}

static inline void
status_fail(struct target *t, enum reason reason, const char *text)
{
	struct err err = {0};

	t->failures++;
	t->last_attempt = PKI_NOW - 1;
	(void)err_set(&err, reason, "%s", text);
	trouble_set(&t->failure, &err);
}

#endif
