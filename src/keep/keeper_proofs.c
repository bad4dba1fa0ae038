/* SPDX-License-Identifier: ISC */
/* keep/keeper_proofs.c -- what the handshakes beside the rounds have shown. */
#include "base/log.h"
#include "keep/keeper_priv.h"

static const char unaskable[] =
    "published for %s; not proven: there is no address and name by which "
    "nginx can be asked for its server block";

static void
log_failed(const struct proofs_report *report, struct log_about about)
{
	bool first = report->failures == 0;

	/* once aloud: how it stands now is in `status` */
	log_event(first ? LOG_ERROR : LOG_DETAIL, about,
	    "%s%s; it is asked again in %lld s: %s",
	    first ? "" : "still: ", report->err.text,
	    (long long)(report->again_ms + 999) / 1000,
	    reason_remedy(report->err.reason));
}

static void
proof_came(void *cookie, const struct proofs_report *report)
{
	struct keeper *k = cookie;
	bool good = report->err.reason == REASON_NONE;
	const struct log_about about = {
	    .event = good ? "proven" : "not-proven",
	    .certificate = report->name,
	    .reason = report->err.reason,
	};

	control_proof(k->control, report);
	if (!good)
		log_failed(report, about);
	else
		log_event(LOG_NOTICE, about,
		    report->withdrawn
			? "proven: nginx at %s serves no staple for it any more"
			: "proven: nginx at %s serves exactly this staple",
		    report->listen);
	keeper_check_idle(k);
}

void
keeper_placed(void *cookie, const struct proofs_place *place)
{
	struct keeper *k = cookie;

	control_placed(k->control, place);
	proofs_want(k->proofs, place);
	if (place->listen == NULL && place->anew)
		log_event(LOG_NOTICE,
		    (struct log_about){
			.event = "published", .certificate = place->name},
		    unaskable, place->certificate);
}

void
keeper_proofs_begin(struct keeper *k)
{
	k->proofs = proofs_new(&k->loop, &proofs_usual_pace, proof_came, k);
}
