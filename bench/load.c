/* SPDX-License-Identifier: ISC */
/* bench/load.c -- what it costs to have all responses back from the store.
 *
 *	bench-load STATE FARM
 *
 * FARM as bench/farm.c makes it, STATE of a keeper that has kept it all and has
 * ended.  As a start does: the store is opened and walked through, and each
 * response judged for its certificate, by our seal.  Not counted: to read the
 * certificates.  Writes the seconds of CPU, and how many there were. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "keep/seal_key.h"
#include "keep/store.h"
#include "pki/cert.h"
#include "pki/delegates.h"
#include "pki/seal.h"
#include "pki/staple.h"

enum { MANY = 1000000, BATCH = 64, PATH = 4096 };

struct load {
	struct cert **leaves; /* sorted by fingerprint */
	size_t count;
	struct cert *issuer;
	struct verify_policy policy;
	struct verify_input input;
	struct staple **staples;
	size_t staple_count, sealed;
};

static void
must(bool good, const char *what, const struct err *err)
{
	if (good)
		return;
	(void)fprintf(stderr, "bench-load: %s: %s\n", what, err->text);
	exit(1);
}

static double
cpu_s(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int
by_fingerprint(const void *a, const void *b)
{
	const struct cert *const *x = a, *const *y = b;

	return strcmp((*x)->fingerprint, (*y)->fingerprint);
}

static void
read_farm(struct load *load, const char *farm)
{
	char *list = mem_printf("%s/list", farm), path[PATH];
	FILE *names = fopen(list, "r");

	must(names != NULL, list, &(struct err){0});
	load->leaves = mem_array(MANY, sizeof(struct cert *));
	while (load->count < MANY && fgets(path, sizeof(path), names) != NULL) {
		struct cert_list chain = {0};
		struct err err = {0};

		path[strcspn(path, "\n")] = '\0';
		must(
		    cert_list_load(&chain, path, &err) == 0 && chain.count == 2,
		    path, &err);
		load->leaves[load->count++] = cert_compact(chain.items[0]);
		if (load->issuer == NULL) {
			load->issuer = chain.items[1];
			chain.count = 1;
		}
		cert_list_done(&chain);
	}
	(void)fclose(names);
	free(list);
	qsort(
	    load->leaves, load->count, sizeof(load->leaves[0]), by_fingerprint);
}

static void
judge(void *cookie, const struct store_item *item)
{
	struct load *load = cookie;
	struct cert key, *pointer = &key, **leaf;
	struct staple *staple = NULL;
	struct verdict facts;
	bool accepted;

	(void)snprintf(
	    key.fingerprint, sizeof(key.fingerprint), "%s", item->fingerprint);
	leaf = bsearch(&pointer, load->leaves, load->count,
	    sizeof(load->leaves[0]), by_fingerprint);
	if (leaf == NULL)
		return;
	load->input.leaf = *leaf;
	load->input.der = item->staple.at;
	load->input.len = item->staple.len;
	load->input.seal = item->seal;
	if (verify_staple(&load->input, &load->policy, &staple, &facts,
		&accepted, NULL) == -1)
		return;
	load->staples[load->staple_count++] = staple;
	load->sealed += item->seal.len == SEAL_LEN;
}

int
main(int argc, char **argv)
{
	struct load load = {.count = 0};
	struct err err = {0};
	struct store *store;
	int64_t after = 0;
	double before;
	char *path;
	int got;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: bench-load STATE FARM\n");
		return 2;
	}
	read_farm(&load, argv[2]);
	load.staples = mem_array(load.count, sizeof(struct staple *));
	load.policy = verify_policy_default(clock_wall_s());
	load.input.issuer = load.issuer;
	path = mem_printf("%s/oclasp.db", argv[1]);
	before = cpu_s();
	load.input.delegates = delegates_new();
	load.input.sealer = seal_key_open(argv[1], false, &err);
	must(load.input.sealer != NULL, argv[1], &err);
	store = store_keep(path, &err);
	must(store != NULL, path, &err);
	while ((got = store_some(store, &after, BATCH, judge, &load, &err)) > 0)
		continue;
	must(got == 0, path, &err);
	(void)printf("%.3f %zu\n", cpu_s() - before, load.staple_count);
	must(load.staple_count == load.count && load.sealed == load.count,
	    "not all have a sealed response", &err);
	store_close(store);
	for (size_t i = 0; i < load.count; i++) {
		staple_free(load.staples[i]);
		cert_free(load.leaves[i]);
	}
	cert_free(load.issuer);
	delegates_free(load.input.delegates);
	sealer_free(load.input.sealer);
	free(load.leaves);
	free(load.staples);
	free(path);
	return 0;
}
