/* SPDX-License-Identifier: ISC */
/* keep/metrics_text.c -- the page of metrics that Prometheus reads. */
#include <inttypes.h>

#include "keep/metrics_priv.h"
#include "pki/cert.h"

void
metrics_family(
    struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
add_one(struct buf *out, const char *name, const char *type, const char *help,
    uint64_t value)
{
	metrics_family(out, name, type, help);
	buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

static void
add_labelled(struct buf *out, const char *name, const char *label,
    const char *text, uint64_t value)
{
	buf_printf(out, "%s{%s=", name, label);
	buf_quoted(out, text);
	buf_printf(out, "} %" PRIu64 "\n", value);
}

/* --- certificates --- */

/* {certificate="NAME",path="PATH"}: two certificates may have one name, as an
 * RSA and an ECDSA one of a server have; a path is kept once. */
static void
add_certificate(struct buf *out, const char *name, const struct status_row *row)
{
	buf_printf(out, "%s{certificate=", name);
	buf_quoted(out, row->name);
	buf_puts(out, ",path=");
	buf_quoted(out, row->target->certificate);
}

static void
add_certificates(struct buf *out, const struct metrics_scene *scene,
    size_t states[STATUS_STATES])
{
	bool all = scene->target_count <= METRICS_CERTIFICATES_MAX;
	struct buf current; /* a family's samples stand together */
	size_t shown = 0;

	buf_init(&current, METRICS_TEXT_MAX);
	metrics_family(out, "oclasp_staple_usable_seconds", "gauge",
	    "How long the staple of a certificate may still be served.");
	for (size_t i = 0; i < scene->target_count; i++) {
		struct status_row row =
		    status_row(scene->targets[i], scene->now);
		int64_t left = row.usable_until - scene->now;

		states[row.state]++;
		if (shown == METRICS_CERTIFICATES_MAX ||
		    (!all && !target_state_is_alarm(row.state)))
			continue;
		shown++;
		add_certificate(&current, "oclasp_target_state", &row);
		buf_printf(&current, ",state=\"%s\"} 1\n",
		    target_state_name(row.state));
		/* there is nothing to wait for where none can be had */
		if (row.state == STATE_NO_RESPONDER ||
		    row.state == STATE_NOT_NEEDED)
			continue;
		add_certificate(out, "oclasp_staple_usable_seconds", &row);
		buf_printf(out, "} %" PRId64 "\n", left > 0 ? left : 0);
	}
	metrics_family(out, "oclasp_target_state", "gauge",
	    "1 for the state that a certificate is in.");
	buf_add(out, buf_text(&current), current.len);
	out->full = out->full || current.full;
	buf_done(&current);
}

static void
add_states(struct buf *out, const size_t states[STATUS_STATES])
{
	metrics_family(out, "oclasp_targets", "gauge",
	    "Kept certificates by their state.");
	for (int s = 0; s < STATUS_STATES; s++)
		add_labelled(out, "oclasp_targets", "state",
		    target_state_name((enum target_state)s), states[s]);
}

/* --- attempts --- */

static void
add_attempts(struct buf *out, const struct metrics *m)
{
	metrics_family(out, "oclasp_attempts_total", "counter",
	    "Attempts to have a response, by what the signed answer said, or "
	    "by the reason of the failure.");
	for (int s = CERT_GOOD; s <= CERT_UNKNOWN; s++)
		add_labelled(out, "oclasp_attempts_total", "result",
		    cert_status_name((enum cert_status)s), m->answers[s]);
	for (int r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		enum reason_group group = reason_group((enum reason)r);

		/* all that can be, from the start: a series that begins with
		 * its first count has no rate then */
		if (m->failures[r] > 0 || group == GROUP_NETWORK ||
		    group == GROUP_RESPONSE)
			add_labelled(out, "oclasp_attempts_total", "result",
			    reason_name((enum reason)r), m->failures[r]);
	}
}

static void
add_duration(struct buf *out, const struct metrics *m)
{
	uint64_t total = 0;

	metrics_family(out, "oclasp_attempt_seconds", "histogram",
	    "How long attempts took.");
	for (size_t b = 0; b < METRICS_BUCKETS; b++) {
		total += m->within[b];
		buf_printf(out,
		    "oclasp_attempt_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
		    (double)metrics_bounds_ms[b] / 1000, total);
	}
	total += m->slower;
	buf_printf(out,
	    "oclasp_attempt_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
	    "oclasp_attempt_seconds_sum %.3f\n"
	    "oclasp_attempt_seconds_count %" PRIu64 "\n",
	    total, (double)m->elapsed_ms / 1000, total);
}

/* The last good answer: of this run, or, after a restart, of what is known. */
static void
add_last_success(
    struct buf *out, const struct metrics *m, const struct metrics_scene *scene)
{
	int64_t last = m->last_success;

	for (size_t i = 0; i < scene->target_count; i++) {
		const struct target *target = scene->targets[i];

		if (target->failures == 0 && !target->last_final &&
		    target->last_attempt > last)
			last = target->last_attempt;
	}
	if (last != 0)
		add_one(out, "oclasp_last_success_timestamp_seconds", "gauge",
		    "When a good answer came last, of any certificate.",
		    (uint64_t)last);
}

static void
add_pairs(struct buf *out, const char *name, const char *label,
    const struct metrics_pair *list, size_t count, const char *good,
    const char *bad)
{
	for (size_t i = 0; i < count; i++) {
		for (int b = 0; b < 2; b++) {
			buf_printf(out, "%s{%s=", name, label);
			buf_quoted(out, list[i].name);
			buf_printf(out, ",result=\"%s\"} %" PRIu64 "\n",
			    b == 0 ? good : bad,
			    b == 0 ? list[i].good : list[i].bad);
		}
	}
}

/* --- the process --- */

static void
add_process(struct buf *out, const struct metrics_process *p)
{
	metrics_family(out, "process_cpu_seconds_total", "counter",
	    "Processor time of user and system.");
	buf_printf(out, "process_cpu_seconds_total %.2f\n", p->cpu_s);
	add_one(out, "process_resident_memory_bytes", "gauge",
	    "Resident memory.", p->resident);
	add_one(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.",
	    p->virtual);
	add_one(out, "process_open_fds", "gauge", "Open file descriptors.",
	    p->open_files);
	add_one(out, "process_max_fds", "gauge",
	    "How many file descriptors may be open.", p->max_files);
	add_one(out, "process_start_time_seconds", "gauge",
	    "When the process began, since 1970.", (uint64_t)p->start);
}

void
metrics_write(
    struct buf *out, const struct metrics *m, const struct metrics_scene *scene)
{
	size_t states[STATUS_STATES] = {0};

	metrics_family(
	    out, "oclasp_build_info", "gauge", "1, with the version.");
	buf_puts(out, "oclasp_build_info{version=\"" OCLASP_VERSION "\"} 1\n");
	add_certificates(out, scene, states);
	add_states(out, states);
	add_attempts(out, m);
	add_duration(out, m);
	add_last_success(out, m, scene);
	add_one(out, "oclasp_fetches_running", "gauge",
	    "Attempts that are under way.", scene->fetching);
	add_one(out, "oclasp_fetches_waiting", "gauge",
	    "Attempts that wait for a place at their responder.",
	    scene->waiting);
	add_one(out, "oclasp_store_ailing", "gauge",
	    "1: the store cannot be written; what changes is in memory only.",
	    scene->store_ailing ? 1 : 0);
	metrics_family(out, "oclasp_address_proofs_total", "counter",
	    "Addresses of a responder that were tried, by whether a signed "
	    "answer came from there.");
	add_pairs(out, "oclasp_address_proofs_total", "host", m->hosts,
	    m->host_count, "proven", "failed");
	metrics_family(out, "oclasp_publish_total", "counter",
	    "Rounds that gave a server something new, or could not.");
	add_pairs(out, "oclasp_publish_total", "server", m->published,
	    m->published_count, "ok", "failed");
	metrics_family(out, "oclasp_proofs_total", "counter",
	    "Handshakes with a server that showed what it ought to serve, or "
	    "something else.");
	add_pairs(out, "oclasp_proofs_total", "server", m->proven,
	    m->proven_count, "proven", "failed");
	metrics_family(out, "oclasp_alarm_commands_total", "counter",
	    "Runs of the alarm command.");
	add_labelled(
	    out, "oclasp_alarm_commands_total", "result", "ok", m->alarms.good);
	add_labelled(out, "oclasp_alarm_commands_total", "result", "failed",
	    m->alarms.bad);
	add_process(out, &scene->process);
}
