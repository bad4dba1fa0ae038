/* SPDX-License-Identifier: ISC */
/* doctor/diagnose_urls.c -- a certificate with several OCSP URLs: each by
 * itself, and one word for the whole.
 *
 * Servers ask the first URL only (nginx, Apache); Apple's clients and oclasp
 * itself go on to the next one.  So the first one's cause is the primary one,
 * what is wrong with a later one breaks nothing by itself, and that a later one
 * works is the proof that the network as a whole is not to blame. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "doctor/diagnose_priv.h"

/* Of this machine or of all that goes over its network: said once. */
static bool
is_of_the_network(enum finding_code code)
{
	switch (code) {
	case FINDING_CLOCK_SKEW:
	case FINDING_CERT_REVOKED:
	case FINDING_LOCAL_FAKEIP:
	case FINDING_LOCAL_NEEDS_PROXY:
	case FINDING_LOCAL_NO_NETWORK:
	case FINDING_DNS_INTERCEPTED:
	case FINDING_DNS_NX_REWRITE:
	case FINDING_DNS_RESOLVER_DOWN:
	case FINDING_DNS_UDP_BLOCKED:
	case FINDING_ENC_DNS_BLOCKED_SNI:
	case FINDING_ENC_DNS_BLOCKED_IP:
	case FINDING_ENC_DNS_MITM:
	case FINDING_NET_V6_BROKEN:
	case FINDING_HTTP_PROXY_ERROR:
	case FINDING_CAPTIVE_PORTAL:
		return true;
	default:
		return finding_row(code)->layer == LAYER_INPUT;
	}
}

static bool
is_said(const struct diagnosis *said, const struct finding *finding)
{
	for (size_t i = 0; i < said->count; i++) {
		const struct finding *other = &said->findings[i];

		if (other->code == finding->code &&
		    strcmp(other->resolver, finding->resolver) == 0 &&
		    (is_of_the_network(finding->code) ||
			(strcasecmp(other->name, finding->name) == 0 &&
			    strcmp(other->address, finding->address) == 0)))
			return true;
	}
	return false;
}

/* What is wrong with the later URL, behind what has been said.  BACK: where its
 * facts are among all. */
static void
add_findings(struct diagnosis *out, const struct diagnosis *later,
    const size_t *back, unsigned url, const char *text)
{
	for (size_t i = 0; i < later->count; i++) {
		const struct finding *from = &later->findings[i];
		struct finding *finding = &out->findings[out->count];

		if (finding_row(from->code)->layer == LAYER_NONE &&
		    from->code != FINDING_INCONCLUSIVE)
			continue;
		if (is_said(out, from) || out->count == FINDINGS_MAX - 1)
			continue;
		*finding = *from;
		out->count++;
		finding->url = url;
		finding->breaks = false;
		finding_say(finding, "OCSP URL %u, %s: %.*s", url + 1, text,
		    FINDING_TEXT / 2, from->sentence);
		for (size_t k = 0; k < finding->evidence_count; k++)
			finding->evidence[k] = back[from->evidence[k]];
	}
}

static void
say_other_way(struct diagnosis *out, unsigned url, const char *text, bool works)
{
	(void)snprintf(out->substitution, sizeof(out->substitution),
	    "the certificate's OCSP URL %u, %s, gives the genuine response%s; "
	    "nginx and Apache ask the first URL only, oclasp asks them all",
	    url + 1, text, works ? "" : " by another way than the system's");
}

void
diagnose(const struct facts *facts, struct diagnosis *out)
{
	unsigned urls = facts_urls(facts);
	struct diagnosis *later = NULL;
	struct way_out first, way;

	for (unsigned url = 0; url < urls && url < FACT_URLS_MAX; url++) {
		const struct fact_input *input = facts_input_of(facts, url);
		const char *text = input == NULL ? "" : input->url;
		struct facts view;
		size_t *back = NULL;

		facts_of_url(facts, url, &view, &back);
		if (url == 0) {
			diagnose_url(&view, out, &first);
			for (size_t i = 0; i < out->count; i++) {
				struct finding *f = &out->findings[i];

				for (size_t k = 0; k < f->evidence_count; k++)
					f->evidence[k] = back[f->evidence[k]];
			}
		} else {
			later = later == NULL ? mem_new(sizeof(*later)) : later;
			diagnose_url(&view, later, &way);
			add_findings(out, later, back, url, text);
			if (!first.proven && way.proven &&
			    out->substitution[0] == '\0')
				say_other_way(out, url, text, way.works);
		}
		facts_done(&view);
		free(back);
	}
	free(later);
}
