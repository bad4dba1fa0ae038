/* SPDX-License-Identifier: ISC */
/* face/config_state.c -- where a keeper is, by a configuration with a fault.
 *
 * Whoever edits the file of a keeper that runs, and mistypes, must still be able
 * to ask that keeper (I8): the one line that says where it is counts by itself,
 * whatever is wrong with the others. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "face/config.h"

enum { READ_MAX = 16 << 20 }; /* bytes; who writes more names it himself */

static const char blank[] = " \t\r";

/* The value in LINE if it is a whole "state-dir = VALUE"; owned. */
static char *
value_of(const char *line)
{
	static const char key[] = "state-dir";
	const char *at = line + strspn(line, blank);
	char quote = '\0';
	size_t len;

	if (strncmp(at, key, sizeof(key) - 1) != 0)
		return NULL;
	at += sizeof(key) - 1;
	at += strspn(at, blank);
	if (*at++ != '=')
		return NULL;
	at += strspn(at, blank);
	if (*at == '"' || *at == '\'')
		quote = *at++;
	len = strcspn(at, quote == '"'    ? "\"\n\\"
			  : quote == '\'' ? "'\n\\"
					  : " \t\r\n#\"'\\");
	if (len == 0 || at[len] == '\\' || (quote != '\0' && at[len] != quote))
		return NULL;
	return mem_printf("%.*s", (int)len, at);
}

char *
config_state_dir(const struct options *options)
{
	const char *path =
	    options->config == NULL ? CONFIG_DEFAULT : options->config;
	uint8_t *bytes = NULL;
	char *found = NULL;
	size_t len;

	if (file_read(path, READ_MAX, &bytes, &len, NULL) == -1)
		return NULL;
	for (const char *line = (const char *)bytes;
	     line != NULL && found == NULL;) {
		found = value_of(line);
		line = strchr(line, '\n');
		line = line == NULL ? NULL : line + 1;
	}
	free(bytes);
	return found;
}
