/* SPDX-License-Identifier: ISC */
/* doctor/diagnose_priv.h -- the inside of diagnose(): one file for each part of
 * the way. */
#ifndef OCLASP_DOCTOR_DIAGNOSE_PRIV_H
#define OCLASP_DOCTOR_DIAGNOSE_PRIV_H

#include "doctor/finding.h"
#include "doctor/picture.h"

struct workup {
	const struct picture *p;
	struct diagnosis *out;
	/* the system's own answer leads to a signed response */
	bool works;
	/* impossible for an honest network (NETWORK-TRUTH 3.1, class I) */
	bool injected;
	int64_t ahead_s; /* our clock, by FINDING_CLOCK_SKEW; 0: it is right */
};

/* What becomes of one OCSP URL. */
struct way_out {
	bool works;  /* by the system's own answer */
	bool proven; /* in some way */
};

/* From facts to findings, where the facts are of one OCSP URL. */
void diagnose_url(
    const struct facts *facts, struct diagnosis *out, struct way_out *way);

/* Add a finding with the catalogue's sentence.  When there is no more room, a
 * scratch one. */
struct finding *finding_add(struct workup *w, enum finding_code code,
    enum certainty certainty, bool breaks);

/* The first with CODE, or NULL. */
struct finding *finding_have(struct workup *w, enum finding_code code);

bool finding_any_breaks(const struct workup *w);

/* FACT, an index, carries it; PICTURE_NONE is no evidence. */
void finding_cite(struct finding *finding, size_t fact);

/* Another sentence than the catalogue's. */
__attribute__((format(printf, 2, 3))) void finding_say(
    struct finding *finding, const char *fmt, ...);

/* The address it is about, and what was tried there. */
void finding_about_address(
    struct finding *finding, const struct seen_address *seen);

/* What resolver and name it is about; NULL: none. */
void finding_about(
    struct finding *finding, const struct seen_asked *asked, const char *name);

/* Facts of KIND from INDEX on; NULL at the end. *INDEX is of the next one. */
const struct fact *next_fact(
    const struct facts *facts, enum fact_kind kind, size_t *index);

/* Nobody on the path can put words in its mouth: an encrypted resolver, an
 * authority over TCP. */
bool is_beyond_lies(const struct seen_asked *asked);

/* ADDRESS is what somebody who cannot be lied for says, or the book; or two
 * resolvers say it alike. */
bool is_trusted_address(const struct workup *w, const char *address);
bool is_agreed_address(const struct workup *w, const char *address);

/* The system names an address, if not one that works: that a resolver names
 * none is not what its way comes to grief by. */
bool system_names_one(const struct workup *w);

/* --- diagnose_local.c: the certificate, the clock, this machine --- */
void diagnose_input(struct workup *w);
void diagnose_clock(struct workup *w);
void diagnose_local(struct workup *w);

/* --- diagnose_gone.c, diagnose_dns.c, diagnose_injection.c: what resolvers
 * say --- */
void diagnose_gone(struct workup *w);
void diagnose_injection(struct workup *w);
void diagnose_resolvers(struct workup *w);
void diagnose_encrypted(struct workup *w);

/* --- diagnose_repeats.c: what the same question several times shows --- */
void diagnose_repeats(struct workup *w);
/* In words, beginning with "; ", or "". */
const char *repeats_tell_cache(const struct seen_repeats *repeats);

/* --- diagnose_kinds.c: what only looks like trouble, where the way works --- */
void diagnose_kinds(struct workup *w);

/* --- diagnose_net.c, diagnose_outside.c: TCP, HTTP, and the responder itself
 * --- */
void diagnose_network(struct workup *w);
/* Whether it is said that nothing outside answers, or was said why.  SEEN: the
 * first address that failed, NULL for none; SILENT so many gave no sign. */
bool diagnose_outside(
    struct workup *w, const struct seen_address *seen, size_t silent);

/* --- diagnose_costs.c: what only costs time --- */
void diagnose_costs(struct workup *w);

/* --- diagnose_server.c: what the TLS server serves --- */
void diagnose_server(struct workup *w);

/* --- diagnose_settings.c: its configuration and its log --- */
/* MISSING: it was seen to serve no good staple. */
/* What our own keeper has to do with it; MISSING: the server was seen without a
 * good staple. */
void diagnose_keep(struct workup *w, bool missing);
void diagnose_server_settings(struct workup *w, bool missing);

#endif
