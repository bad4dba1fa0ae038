/* SPDX-License-Identifier: ISC */
/* doctor/stapling.h -- what a server's configuration says, as facts.
 *
 * The facts are those that nginx's own code acts by; what they mean is for
 * diagnose() and diagnose_settings().  Nobody is asked: only files are read,
 * and of those never a key (I4). */
#ifndef OCLASP_DOCTOR_STAPLING_H
#define OCLASP_DOCTOR_STAPLING_H

#include <stdint.h>

#include "doctor/fact.h"

struct nginx_conf;

struct stapling_request {
	const struct nginx_conf *conf;
	const char *command;    /* as nginx is called: where its logs are */
	int64_t now;            /* wall seconds */
	const char *hosts_file; /* "/etc/hosts" */
	const char *ca_file;    /* where issuers may be found too, or NULL */
	/* Only server blocks with the certificate of this fingerprint, and what
	 * stands beside them; NULL: all. */
	const char *fingerprint;
};

/* Add FACT_SETTING, FACT_PEER, and FACT_UNTESTED for what could not be read.
 * Returns how many server blocks were looked at. */
size_t stapling_nginx(
    struct facts *facts, const struct stapling_request *request);

#endif
