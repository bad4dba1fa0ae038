/* SPDX-License-Identifier: ISC */
/* face/host_port.h -- HOST[:PORT] as people write it. */
#ifndef OCLASP_FACE_HOST_PORT_H
#define OCLASP_FACE_HOST_PORT_H

struct err;

/* "HOST", "HOST:PORT", "[V6]:PORT", "V6"; *HOST is owned by the caller, and an
 * address or a name in ASCII: what TLS and DNS are told is what was meant.
 * Errors: REASON_USAGE. */
int host_port_parse(const char *text, int default_port, char **host, int *port,
    struct err *err);

#endif
