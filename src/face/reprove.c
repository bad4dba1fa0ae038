/* SPDX-License-Identifier: ISC */
/* face/reprove.c -- ask the addresses of the book once more, each alone. */
#include "face/reprove.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "http/fetch.h"
#include "keep/store.h"
#include "pki/staple.h"

struct batch;

/* One address on its way. */
struct job {
	struct batch *batch;
	struct reproof *proof;
	const struct kept *kept; /* NULL: none names the host */
	const char *url;
	struct acquire_pin pin;
	struct acquire_options options;
};

struct batch {
	const struct options *o;
	struct address_book *book;
	uv_loop_t loop;
	struct fetch_pool *pool;
	struct job *jobs;
	size_t count, next, running;
};

static void start_more(struct batch *batch);

static void
acquired(void *cookie, struct acquire_result *result)
{
	struct job *job = cookie;
	struct batch *batch = job->batch;
	struct reproof *proof = job->proof;

	/* signed is proven, whatever it says of the certificate */
	if (result->accepted) {
		proof->proven_at = clock_wall_s();
		address_book_prove(batch->book, proof->host, proof->address,
		    result->winner == NULL ? result->elapsed_ms
					   : result->winner->elapsed_ms,
		    proof->proven_at);
	} else {
		proof->err = result->err;
	}
	staple_free(result->staple);
	batch->running--;
	start_more(batch);
}

static void
start(struct batch *batch, struct job *job)
{
	const struct acquire_target target = {
	    .leaf = job->kept->id.leaf,
	    .issuer = job->kept->id.issuer,
	    .extra = &job->kept->id.extra,
	    .url = job->url,
	    .policy = state_policy(batch->o),
	};

	(void)snprintf(
	    job->pin.host, sizeof(job->pin.host), "%s", job->proof->host);
	memcpy(job->pin.address, job->proof->address, sizeof(job->pin.address));
	/* nobody is asked for another address, and no proxy leads elsewhere */
	job->options = (struct acquire_options){
	    .pins = &job->pin,
	    .pin_count = 1,
	    .family = batch->o->family,
	    .timeout_ms = batch->o->timeout_ms > 0 ? batch->o->timeout_ms
						   : ACQUIRE_TIMEOUT_MS,
	};
	batch->running++;
	(void)acquire_start(
	    &batch->loop, batch->pool, &target, &job->options, acquired, job);
}

static void
start_more(struct batch *batch)
{
	while (batch->running < REPROVE_AT_ONCE && batch->next < batch->count) {
		struct job *job = &batch->jobs[batch->next++];

		if (job->kept != NULL)
			start(batch, job);
	}
}

/* --- who proves whom --- */

static bool
has_staple(struct store *store, const struct kept *kept)
{
	uint8_t *der = NULL;
	size_t len = 0;
	int found =
	    store_get(store, kept->id.leaf->fingerprint, &der, &len, NULL);

	free(der);
	return found == 1;
}

/* The certificate, and its URL, that proves an address of HOST. */
static void
choose(struct job *job, struct store *store, const struct kept_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *urls[CERT_URLS_MAX];
		size_t count = state_urls(&list->items[i], urls);

		for (size_t u = 0; u < count; u++) {
			char *host = NULL;
			int port;

			if (!fetch_split_url(urls[u], &host, &port))
				continue;
			if (strcasecmp(host, job->proof->host) == 0 &&
			    (job->kept == NULL ||
				(!has_staple(store, job->kept) &&
				    has_staple(store, &list->items[i])))) {
				job->kept = &list->items[i];
				job->url = urls[u];
			}
			free(host);
		}
		if (job->kept != NULL && has_staple(store, job->kept))
			return;
	}
	if (job->kept == NULL)
		(void)err_set(&job->proof->err, REASON_NO_OCSP_URL,
		    "no certificate that is kept names '%s', so it cannot be "
		    "proven again",
		    job->proof->host);
}

static int
by_name(const void *a, const void *b)
{
	const struct reproof *left = a, *right = b;
	int order = strcmp(left->host, right->host);

	return order != 0 ? order : strcmp(left->address, right->address);
}

/* What the book would claim, as a list of its own: it changes on the way. */
static struct reproof *
list_claims(const struct address_book *book, size_t *count)
{
	size_t all = address_book_count(book);
	struct reproof *list = mem_array(all, sizeof(list[0]));
	size_t n = 0;

	for (size_t i = 0; i < all; i++) {
		const struct book_entry *entry = address_book_at(book, i);

		if (entry->failures >= BOOK_FAILURES_MAX)
			continue;
		memcpy(list[n].host, entry->host, sizeof(list[n].host));
		memcpy(
		    list[n].address, entry->address, sizeof(list[n].address));
		list[n++].proven_at = entry->proven_at;
	}
	qsort(list, n, sizeof(list[0]), by_name);
	*count = n;
	return list;
}

void
reprove(const struct options *options, struct store *store,
    struct address_book *book, const struct kept_list *kept,
    struct reproof **out, size_t *count)
{
	struct batch batch = {.o = options, .book = book};

	*out = list_claims(book, count);
	batch.count = *count;
	batch.jobs = mem_array(*count, sizeof(batch.jobs[0]));
	for (size_t i = 0; i < *count; i++) {
		batch.jobs[i] =
		    (struct job){.batch = &batch, .proof = &(*out)[i]};
		choose(&batch.jobs[i], store, kept);
	}
	(void)uv_loop_init(&batch.loop);
	batch.pool = fetch_pool_new(&batch.loop);
	start_more(&batch);
	loop_run(&batch.loop);
	fetch_pool_free(batch.pool);
	loop_end(&batch.loop);
	free(batch.jobs);
}
