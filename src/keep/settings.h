/* SPDX-License-Identifier: ISC */
/* keep/settings.h -- one reading of the configuration, for as long as anybody
 * works by it.
 *
 * A reload makes new settings; an acquisition that is under way goes on by the
 * old ones, which end with their last user. */
#ifndef OCLASP_KEEP_SETTINGS_H
#define OCLASP_KEEP_SETTINGS_H

#include "keep/keeper.h"

struct settings {
	struct keeper_options options;
	struct acquire_options acquire; /* of the options, and our book */
	struct rules *rules;
	bool rules_said;             /* which of them are of no use */
	struct delegates *delegates; /* the keeper's; borrowed */
	struct sealer *sealer;       /* the same; or NULL */
	struct cert_list extra;      /* of the options' ca_file */
	size_t users;                /* acquisitions under way by them */
	struct settings *older;      /* with users still */
};

/* OPTIONS are copied, what they borrow is not.  NULL: ERR tells of a faulty
 * issuer block or a file that cannot be read (reasons of keep/rules.h,
 * REASON_CERTIFICATE_UNREADABLE). */
struct settings *settings_load(
    const struct keeper_options *options, struct err *err);

/* Frees also the older ones, whoever uses them; options that have an owner are
 * retired. */
void settings_free(struct settings *settings);

/* Free those older than SETTINGS that nobody uses any more. */
void settings_sweep(struct settings *settings);

#endif
