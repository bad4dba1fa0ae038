/* SPDX-License-Identifier: ISC */
/* bench/store.c -- what the keeper's store costs.
 *
 *	bench-store FOLDER [CERTIFICATES [ROUNDS]]
 *
 * Puts an attempt, the state and a new staple of each certificate, in an order
 * that is no order, ROUNDS times; and loads all of them into a new process's
 * store.  CPU of all threads, and the wall's time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "keep/store.h"

enum {
	CERTIFICATES = 100000,
	ROUNDS = 3,
	STAPLE = 1500, /* with a delegate's certificate in it */
	STEP = 7919,   /* prime: walks through all, far from one to the next */
};

struct spent {
	double cpu_s, wall_s;
};

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static struct spent
spent(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (struct spent){seconds(usage.ru_utime) + seconds(usage.ru_stime),
	    (double)clock_mono_ms() / 1e3};
}

static void
fail(const struct err *err)
{
	(void)fprintf(stderr, "bench-store: %s\n", err->text);
	exit(1);
}

static struct store *
must_open(const char *path)
{
	struct err err = {0};
	struct store *store = store_keep(path, &err);

	if (store == NULL)
		fail(&err);
	return store;
}

static void
put(struct store *store, size_t which, int64_t round)
{
	static uint8_t staple[STAPLE];
	const struct store_attempt attempt = {.at = 1800000000 + round,
	    .outcome = "good",
	    .url = "http://ocsp.example.test/",
	    .address = "192.0.2.17",
	    .source = "udp://192.0.2.53",
	    .elapsed_ms = 23,
	    .size = STAPLE,
	    .this_update = 1799999000,
	    .next_update = 1800604000};
	const struct store_state state = {
	    .last_attempt = attempt.at, .random = (uint32_t)which};
	const struct store_change change = {.attempt = &attempt,
	    .state = &state,
	    .staple = {staple, sizeof(staple)},
	    .this_update = attempt.this_update};
	struct err err = {0};
	char fingerprint[65];

	/* fingerprints have no order either */
	(void)snprintf(fingerprint, sizeof(fingerprint), "%016llx%048zu",
	    (unsigned long long)which * 0x9e3779b97f4a7c15ULL, which);
	if (store_save(store, fingerprint, &change, &err) == -1)
		fail(&err);
}

static void
count(void *cookie, const struct store_item *item)
{
	size_t *octets = cookie;

	*octets += item->staple.len;
}

static void
bench_puts(const char *path, size_t certificates, int rounds)
{
	struct store *store = must_open(path);
	struct err err = {0};

	for (int round = 0; round < rounds; round++) {
		struct spent before = spent(), after;
		double cpu;

		for (size_t i = 0; i < certificates; i++)
			put(store, i * STEP % certificates, round);
		if (store_flush(store, &err) == -1)
			fail(&err);
		after = spent();
		cpu = after.cpu_s - before.cpu_s;
		(void)printf(
		    "%s %zu puts of attempt, state and staple: %.1f us "
		    "CPU each, %.0f a second\n",
		    round == 0 ? "new:  " : "again:", certificates,
		    cpu * 1e6 / (double)certificates,
		    (double)certificates / (after.wall_s - before.wall_s));
	}
	store_close(store);
}

static void
bench_load(const char *path, size_t certificates)
{
	struct spent before = spent(), opened, loaded;
	struct store *store = must_open(path);
	struct err err = {0};
	size_t octets = 0;

	opened = spent();
	if (store_each(store, NULL, count, &octets, &err) == -1)
		fail(&err);
	loaded = spent();
	(void)printf("load:  %zu certificates, %zu MB: %.2f s CPU to open and "
		     "check, %.2f s to walk\n",
	    certificates, octets / 1000000, opened.cpu_s - before.cpu_s,
	    loaded.cpu_s - opened.cpu_s);
	store_close(store);
}

int
main(int argc, char **argv)
{
	size_t certificates =
	    argc > 2 ? strtoul(argv[2], NULL, 10) : CERTIFICATES;
	int rounds = argc > 3 ? (int)strtol(argv[3], NULL, 10) : ROUNDS;
	char *path;

	if (argc < 2 || certificates == 0) {
		(void)fprintf(stderr,
		    "usage: bench-store FOLDER [CERTIFICATES [ROUNDS]]\n");
		return 2;
	}
	path = mem_printf("%s/bench.db", argv[1]);
	bench_puts(path, certificates, rounds);
	bench_load(path, certificates);
	free(path);
	return 0;
}
