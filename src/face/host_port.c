/* SPDX-License-Identifier: ISC */
/* face/host_port.c -- HOST[:PORT] as people write it. */
#include "face/host_port.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/sockaddr.h"
#include "base/text.h"
#include "doctor/names.h"

int
host_port_parse(
    const char *text, int default_port, char **host, int *port, struct err *err)
{
	const char *last = strrchr(text, ':');
	const char *end = strchr(text, ']');
	int64_t number = default_port;
	struct sockaddr_storage numeric;
	char *copy;
	int rc = 0;

	if (text[0] == '[' &&
	    (end == NULL || (end[1] != ':' && end[1] != '\0')))
		return err_set(err, REASON_USAGE,
		    "'%s': give an IPv6 address with a port as [ADDRESS]:PORT",
		    text);
	if (text[0] == '[')
		last = end[1] == ':' ? end + 1 : NULL;
	else if (last != NULL && strchr(text, ':') != last)
		last = NULL; /* more than one colon: a bare IPv6 address */
	if (last != NULL && !text_number(last + 1, 1, 65535, &number))
		return err_set(err, REASON_USAGE,
		    "'%s': the port is a number from 1 to 65535", text);
	copy = mem_string(text);
	if (last != NULL)
		copy[last - text] = '\0';
	if (copy[0] == '[') {
		memmove(copy, copy + 1, strlen(copy));
		copy[strcspn(copy, "]")] = '\0';
	}
	if (copy[0] == '\0')
		rc = err_set(err, REASON_USAGE, "'%s' names no host", text);
	else if (!sockaddr_make(copy, (int)number, &numeric))
		rc = names_check(copy, err);
	if (rc == -1) {
		free(copy);
		return -1;
	}
	*host = copy;
	*port = (int)number;
	return 0;
}
