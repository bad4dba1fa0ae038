/* SPDX-License-Identifier: ISC */
/* relay_scene.h -- what tests of the relay share: staples, requests, a clock. */
#ifndef OCLASP_TESTS_RELAY_SCENE_H
#define OCLASP_TESTS_RELAY_SCENE_H

#include <openssl/ocsp.h>
#include <stdatomic.h>

#include "base/base64.h"
#include "base/mem.h"
#include "keep/relay.h"
#include "pki/request.h"
#include "pki/staple.h"
#include "pki_fixture.h"

/* The relay asks this one, on every thread. */
static _Atomic int64_t scene_now = PKI_NOW;

static inline int64_t
scene_wall_s(void)
{
	return atomic_load(&scene_now);
}

/* A response for LEAF, by CertIDs of these kinds (NIDs; SECOND may be 0). */
static inline struct buf
scene_response(const struct pki *pki, const struct cert *leaf, int first,
    int second, int64_t this_update, int64_t next_update)
{
	struct pki_single singles[2] = {{.leaf = leaf,
	    .issuer = pki->issuer.cert,
	    .md_nid = first,
	    .this_update = this_update,
	    .next_update = next_update}};
	struct pki_response spec = {.signer = &pki->issuer,
	    .singles = singles,
	    .single_count = second == 0 ? 1 : 2};

	singles[1] = singles[0];
	singles[1].md_nid = second;
	return pki_response(&spec);
}

static inline struct staple *
scene_staple(const struct pki *pki, const struct cert *leaf, int first,
    int second, int64_t this_update, int64_t next_update)
{
	struct buf der =
	    scene_response(pki, leaf, first, second, this_update, next_update);
	struct verify_input input = {.leaf = leaf,
	    .issuer = pki->issuer.cert,
	    .der = (const uint8_t *)der.text,
	    .len = der.len};
	struct verify_policy policy = verify_policy_default(PKI_NOW);
	struct staple *staple = NULL;
	struct verdict facts;
	bool accepted;
	int rc =
	    verify_staple(&input, &policy, &staple, &facts, &accepted, NULL);

	assert(rc == 0);
	(void)rc;
	buf_done(&der);
	return staple;
}

/* The request for LEAF.  Owned. */
static inline struct buf
scene_request(const struct pki *pki, const struct cert *leaf, bool sha256)
{
	const struct request_kind kind = {.sha256 = sha256};
	struct buf out;
	uint8_t *der = NULL;
	size_t len = 0;
	int rc =
	    request_make_as(leaf, pki->issuer.cert, &kind, &der, &len, NULL);

	assert(rc == 0);
	(void)rc;
	buf_init(&out, 4096);
	buf_add(&out, der, len);
	free(der);
	return out;
}

/* The same as a path behind "/". */
static inline char *
scene_path(const struct pki *pki, const struct cert *leaf, bool sha256)
{
	struct buf der = scene_request(pki, leaf, sha256);
	char *base64 = base64_write((const uint8_t *)der.text, der.len);
	char *path = mem_printf("/%s", base64);

	buf_done(&der);
	free(base64);
	return path;
}

#endif
