/* SPDX-License-Identifier: ISC */
/* base/sockaddr.h -- addresses and ports as text, and back. */
#ifndef OCLASP_BASE_SOCKADDR_H
#define OCLASP_BASE_SOCKADDR_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/reason.h"

/* From a bare IP and a port.  False if ADDRESS is no IP. */
bool sockaddr_make(const char *address, int port, struct sockaddr_storage *out);

/* From "192.0.2.1:443" or "[2001:db8::1]:443". */
bool sockaddr_parse(const char *text, struct sockaddr_storage *out);

/* The same of an address to listen at: port 0 is any that is free. */
bool sockaddr_parse_listen(const char *text, struct sockaddr_storage *out);

/* Why connect(2) failed, or a connection under way: its errno as a reason. */
enum reason sockaddr_connect_reason(int error);

#endif
