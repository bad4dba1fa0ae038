/* SPDX-License-Identifier: ISC */
/* face/courier_fetch.c -- oclasp courier fetch: ask for what is in a bundle. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "face/courier.h"
#include "http/fetch.h"
#include "pki/staple.h"

struct batch;

struct errand {
	struct batch *batch;
	struct courier_item *item;
	struct acquire_errand errand;
};

struct batch {
	const struct options *o;
	struct acquire_options options;
	struct courier_bundle *bundle;
	struct errand *errands; /* owned; one for each item */
	size_t next, running, done, missing;
	bool progress;
	uv_loop_t loop;
	struct fetch_pool *pool;
};

static void start_more(struct batch *batch);

static void
say_progress(const struct batch *batch)
{
	if (batch->progress)
		(void)fprintf(stderr, "\r\033[K%zu of %zu%s", batch->done,
		    batch->bundle->count,
		    batch->done == batch->bundle->count ? "\n" : "");
}

static void
acquired(void *cookie, struct acquire_result *result)
{
	struct errand *errand = cookie;
	struct batch *batch = errand->batch;
	struct courier_item *item = errand->item;

	item->response = result->carried;
	item->response_len = result->carried_len;
	if (item->response == NULL) {
		batch->missing++;
		item->reason = result->err.reason;
		item->detail = text_printable(result->err.text);
		if (!batch->progress && !batch->o->quiet)
			(void)fprintf(stderr, "oclasp courier: %s (%s)\n",
			    result->err.text, reason_name(result->err.reason));
	}
	if (result->winner != NULL) {
		item->url = mem_string(result->winner->url);
		item->address = mem_string(result->winner->address);
		item->source = mem_string(result->winner->source);
	}
	batch->running--;
	batch->done++;
	say_progress(batch);
	start_more(batch);
}

static void
start_more(struct batch *batch)
{
	while (batch->running < COURIER_AT_ONCE &&
	       batch->next < batch->bundle->count) {
		struct errand *errand = &batch->errands[batch->next];
		const struct acquire_target target = {
		    .errand = &errand->errand,
		    .policy = verify_policy_default(clock_wall_s()),
		};

		errand->batch = batch;
		errand->item = &batch->bundle->items[batch->next++];
		errand->errand = (struct acquire_errand){
		    .request = {errand->item->request,
			errand->item->request_len},
		    .urls = errand->item->urls,
		    .url_count = errand->item->url_count,
		};
		batch->running++;
		(void)acquire_start(&batch->loop, batch->pool, &target,
		    &batch->options, acquired, errand);
	}
}

int
courier_fetch(const struct options *o, struct err *err)
{
	struct courier_bundle bundle = {0};
	struct batch batch = {
	    .o = o, .options = options_acquire(o), .bundle = &bundle};
	int status = EXIT_USAGE;

	if (o->arg_count > 1)
		return (void)err_set(err, REASON_USAGE,
			   "courier fetch takes no '%s': the bundle comes by "
			   "standard input",
			   o->args[1]),
		       EXIT_USAGE;
	if (courier_read(false, &bundle, err) == -1)
		return EXIT_USAGE;
	batch.progress = isatty(STDERR_FILENO) && !o->quiet;
	batch.errands = mem_array(bundle.count, sizeof(batch.errands[0]));
	(void)uv_loop_init(&batch.loop);
	batch.pool = fetch_pool_new(&batch.loop);
	start_more(&batch);
	loop_run(&batch.loop);
	fetch_pool_free(batch.pool);
	loop_end(&batch.loop);
	bundle.answers = true;
	if (courier_print(o, &bundle, err) == 0)
		status = batch.missing == 0 ? EXIT_GOOD : EXIT_LATER;
	free(batch.errands);
	courier_done(&bundle);
	return status;
}
