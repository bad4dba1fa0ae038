/* SPDX-License-Identifier: ISC */
/* keep/status.c -- how the kept certificates stand. */
#include "keep/status.h"

#include <stdio.h>
#include <string.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/err.h"
#include "pki/cert.h"
#include "pki/staple.h"

unsigned
status_all(void)
{
	return (1U << STATUS_STATES) - 1;
}

unsigned
status_alarms(void)
{
	unsigned bits = 0;

	for (int s = 0; s < STATUS_STATES; s++) {
		if (target_state_is_alarm((enum target_state)s))
			bits |= 1U << s;
	}
	return bits;
}

static bool
find_state(const char *word, size_t len, unsigned *bits)
{
	if (len == strlen("alarm") && strncmp(word, "alarm", len) == 0) {
		*bits |= status_alarms();
		return true;
	}
	for (int s = 0; s < STATUS_STATES; s++) {
		const char *name = target_state_name((enum target_state)s);

		if (len == strlen(name) && strncmp(word, name, len) == 0) {
			*bits |= 1U << s;
			return true;
		}
	}
	return false;
}

bool
status_states_parse(const char *text, unsigned *out)
{
	unsigned bits = 0;

	for (const char *word = text;; word++) {
		size_t len = strcspn(word, ",");

		if (!find_state(word, len, &bits))
			return false;
		word += len;
		if (*word == '\0')
			break;
	}
	*out = bits;
	return true;
}

/* --- a row --- */

static const char *
failure_of(const struct target *target, enum target_state state)
{
	const struct trouble *trouble =
	    state == STATE_ERROR ? target->unreadable : target->failure;

	return trouble == NULL ? NULL : trouble->text;
}

struct status_row
status_row(const struct target *target, int64_t now)
{
	const struct policy_facts facts = target_facts(target, now);
	const struct policy_decision d = policy_decide(&facts);
	const struct staple *staple = target_servable(target, now);

	return (struct status_row){
	    .target = target,
	    .name = target_name(target),
	    .state = d.state,
	    .reason = target_reason(target, d.state),
	    .detail = failure_of(target, d.state),
	    .usable_until = staple == NULL ? 0 : staple_usable_until(staple),
	    .next_refresh = d.next_attempt,
	    .fetching = target->place.state != PLACE_NONE,
	};
}

/* "next refresh in 5 min", or what is done now; "" where nothing is. */
static const char *
say_next(const struct status_row *row, int64_t now, char out[64])
{
	char span[CLOCK_SPAN];

	out[0] = '\0';
	if (row->fetching)
		return "; being refreshed now";
	if (row->next_refresh > now)
		(void)snprintf(out, 64, "; next refresh in %s",
		    clock_span(row->next_refresh - now, span));
	else if (row->next_refresh > 0)
		return "; to be refreshed now";
	return out;
}

/* How the staple stands. */
static const char *
say_staple(const struct status_row *row, int64_t now, char out[96])
{
	const struct staple *staple = row->target->staple;
	char span[CLOCK_SPAN];

	if (row->usable_until > now)
		(void)snprintf(out, 96, "usable for %s",
		    clock_span(row->usable_until - now, span));
	else if (staple != NULL)
		(void)snprintf(out, 96, "its staple ended %s ago",
		    clock_span(now - staple_usable_until(staple), span));
	else
		(void)snprintf(out, 96, "no staple");
	return out;
}

/* What there is, what comes next, and why it is not better. */
static void
say_failing(const struct status_row *row, int64_t now, const char *first,
    char out[STATUS_SENTENCE])
{
	char next[64];

	(void)snprintf(out, STATUS_SENTENCE, "%s%s%s%s", first,
	    say_next(row, now, next),
	    row->detail == NULL ? "" : "; the last try: ",
	    row->detail == NULL ? "" : row->detail);
}

/* How ROW stands, apart from its file. */
static const char *
say_state(const struct status_row *row, int64_t now, char out[STATUS_SENTENCE])
{
	const struct cert *leaf = row->target->leaf;
	char staple[96], span[CLOCK_SPAN], at[CLOCK_TEXT];
	char nobody[ACQUIRE_NOBODY_TEXT];
	const char *text = "";

	switch (row->state) {
	case STATE_REVOKED:
		text = "the responder says, signed, that it is revoked: "
		       "replace it now";
		break;
	case STATE_UNKNOWN:
		(void)snprintf(out, STATUS_SENTENCE,
		    "the responder says, signed, that it does not know it: ask "
		    "the CA; %s",
		    say_staple(row, now, staple));
		return out;
	case STATE_MUST_STAPLE_MISSING:
		if (row->target->responder != NULL) {
			say_failing(row, now,
			    "it demands a staple (RFC 7633) and has none", out);
			return out;
		}
		(void)snprintf(out, STATUS_SENTENCE,
		    "it demands a staple (RFC 7633) and %s: have it issued "
		    "anew",
		    acquire_nobody(leaf, nobody));
		return out;
	case STATE_NO_RESPONDER:
		(void)snprintf(out, STATUS_SENTENCE, "it %s: nothing to staple",
		    acquire_nobody(leaf, nobody));
		return out;
	case STATE_NOT_NEEDED:
		(void)snprintf(out, STATUS_SENTENCE,
		    "it is short-lived and %s: it needs no staple",
		    acquire_nobody(leaf, nobody));
		return out;
	case STATE_CERTIFICATE_EXPIRED:
		(void)snprintf(out, STATUS_SENTENCE,
		    "the certificate expired %s ago: renew it",
		    leaf == NULL ? ""
				 : clock_span(now - leaf->not_after, span));
		return out;
	case STATE_ERROR:
		text = row->detail == NULL ? "it cannot be used" : row->detail;
		break;
	case STATE_PENDING:
		if (leaf != NULL && leaf->not_before > now) {
			(void)snprintf(out, STATUS_SENTENCE,
			    "the certificate is valid from %s on: its staple "
			    "is fetched then (or is this clock wrong?)",
			    clock_rfc3339(leaf->not_before, at));
			return out;
		}
		say_failing(row, now, say_staple(row, now, staple), out);
		return out;
	case STATE_FRESH:
	case STATE_DUE:
	case STATE_RETRYING:
	case STATE_EXPIRING:
	case STATE_EXPIRED:
		say_failing(row, now, say_staple(row, now, staple), out);
		return out;
	}
	(void)snprintf(out, STATUS_SENTENCE, "%s", text);
	return out;
}

const char *
status_sentence(
    const struct status_row *row, int64_t now, char out[STATUS_SENTENCE])
{
	const struct trouble *file = row->target->unreadable;
	size_t len = strlen(say_state(row, now, out));

	/* what was read before is in force, until the next start */
	if (file != NULL && row->state != STATE_ERROR)
		(void)snprintf(out + len, STATUS_SENTENCE - len,
		    "; but its file cannot be used any more: %s", file->text);
	return out;
}
