/* SPDX-License-Identifier: ISC */
/* keep/resting.h -- a state folder as a keeper would find it, for commands that
 * look while none runs: the same targets, of the same files and the same store,
 * verified again (I1); and nothing is fetched, written or published. */
#ifndef OCLASP_KEEP_RESTING_H
#define OCLASP_KEEP_RESTING_H

#include <stddef.h>

struct err;
struct keeper_options;
struct resting;
struct store;
struct target;

/* OPTIONS as a keeper would have them, borrowed; of its lists that of the store
 * counts.  Errors: REASON_STORE (also where nothing has been kept yet), reasons
 * of settings_load(). */
struct resting *resting_open(
    const struct keeper_options *options, struct err *err);
void resting_close(struct resting *resting);

/* Borrowed. */
struct target *const *resting_targets(
    const struct resting *resting, size_t *count);
struct store *resting_store(const struct resting *resting);
const char *resting_staple_dir(const struct resting *resting);

#endif
