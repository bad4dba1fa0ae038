/* SPDX-License-Identifier: ISC */
/* face/config_certificates.c -- the `certificate` blocks of a configuration. */
#include "face/config_certificates.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/mem.h"

struct name {
	UT_hash_handle hh;
	char *issuer, *url;
	char certificate[];
};

struct config_certificates {
	struct name *names;        /* a hash */
	struct target_spec *specs; /* borrow of NAMES */
	size_t count, room;
};

struct config_certificates *
config_certificates_new(void)
{
	return mem_new(sizeof(struct config_certificates));
}

void
config_certificates_free(struct config_certificates *list)
{
	struct name *name, *next;

	if (list == NULL)
		return;
	HASH_ITER(hh, list->names, name, next)
	{
		HASH_DEL(list->names, name);
		free(name->issuer);
		free(name->url);
		free(name);
	}
	free(list->specs);
	free(list);
}

bool
config_certificates_add(
    struct config_certificates *list, const struct target_spec *spec)
{
	size_t len = strlen(spec->certificate);
	struct name *name = NULL;

	HASH_FIND(hh, list->names, spec->certificate, len, name);
	if (name != NULL)
		return false;
	name = mem_new(sizeof(*name) + len + 1);
	memcpy(name->certificate, spec->certificate, len);
	name->issuer = mem_string(spec->issuer);
	name->url = mem_string(spec->url);
	HASH_ADD_KEYPTR(hh, list->names, name->certificate, len, name);
	if (list->count == list->room) {
		list->room = list->room * 2 + 16;
		list->specs =
		    mem_resize(list->specs, list->room, sizeof(list->specs[0]));
	}
	list->specs[list->count++] = (struct target_spec){
	    .certificate = name->certificate,
	    .issuer = name->issuer,
	    .url = name->url,
	};
	return true;
}

const struct target_spec *
config_certificates_specs(const struct config_certificates *list, size_t *count)
{
	*count = list->count;
	return list->specs;
}
