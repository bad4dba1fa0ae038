/* SPDX-License-Identifier: ISC */
/* face/config_certificates.h -- the `certificate` blocks of a configuration.
 *
 * There may be a hundred thousand of them.  libConfuse compares the title of
 * each with those of all others, and gives each a copy of all that such a block
 * may say; so they are taken from it one by one. */
#ifndef OCLASP_FACE_CONFIG_CERTIFICATES_H
#define OCLASP_FACE_CONFIG_CERTIFICATES_H

#include <stdbool.h>
#include <stddef.h>

#include "keep/target.h"

struct config_certificates;

struct config_certificates *config_certificates_new(void);
void config_certificates_free(struct config_certificates *list);

/* Add a copy of SPEC.  False if there is one of its certificate already. */
bool config_certificates_add(
    struct config_certificates *list, const struct target_spec *spec);

/* All, in order; borrowed until the next is added. */
const struct target_spec *config_certificates_specs(
    const struct config_certificates *list, size_t *count);

#endif
