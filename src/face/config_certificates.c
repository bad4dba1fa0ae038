/* SPDX-License-Identifier: ISC */
/* face/config_certificates.c -- the `certificate` blocks of a configuration. */
#include "face/config_certificates.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { ROOM = 16 }; /* at first; powers of two */

/* A table of open addressing beside the list: a handle for each name would be
 * half of what a certificate takes here. */
struct config_certificates {
	struct target_spec *specs; /* the strings of each are one block */
	size_t count, room;
	size_t *places; /* twice the room: numbers from 1 on; 0: free */
};

struct config_certificates *
config_certificates_new(void)
{
	return mem_new(sizeof(struct config_certificates));
}

void
config_certificates_free(struct config_certificates *list)
{
	if (list == NULL)
		return;
	for (size_t i = 0; i < list->count; i++)
		free((void *)(uintptr_t)list->specs[i].certificate);
	free(list->specs);
	free(list->places);
	free(list);
}

/* Where the certificate of this name is, or would be. */
static size_t *
find(const struct config_certificates *list, const char *certificate)
{
	size_t mask = 2 * list->room - 1;
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	size_t i;

	for (const char *c = certificate; *c != '\0'; c++)
		hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
	hash ^= hash >> 32;
	for (i = hash & mask; list->places[i] != 0; i = (i + 1) & mask) {
		const struct target_spec *spec =
		    &list->specs[list->places[i] - 1];

		if (strcmp(spec->certificate, certificate) == 0)
			break;
	}
	return &list->places[i];
}

static void
grow(struct config_certificates *list)
{
	list->room = list->room == 0 ? ROOM : 2 * list->room;
	list->specs =
	    mem_resize(list->specs, list->room, sizeof(list->specs[0]));
	free(list->places);
	list->places = mem_array(2 * list->room, sizeof(list->places[0]));
	for (size_t i = 0; i < list->count; i++)
		*find(list, list->specs[i].certificate) = i + 1;
}

static size_t
room_of(const char *text)
{
	return text == NULL ? 0 : strlen(text) + 1;
}

/* TEXT, or NULL, copied to *AT, which moves behind it. */
static const char *
copy(char **at, const char *text)
{
	char *to = *at;

	if (text == NULL)
		return NULL;
	memcpy(to, text, room_of(text));
	*at += room_of(text);
	return to;
}

bool
config_certificates_add(
    struct config_certificates *list, const struct target_spec *spec)
{
	struct target_spec *own;
	size_t *place;
	char *at;

	if (list->count == list->room)
		grow(list);
	place = find(list, spec->certificate);
	if (*place != 0)
		return false;
	own = &list->specs[list->count++];
	*place = list->count;
	at = mem_new(room_of(spec->certificate) + room_of(spec->issuer) +
		     room_of(spec->url));
	own->certificate = copy(&at, spec->certificate);
	own->issuer = copy(&at, spec->issuer);
	own->url = copy(&at, spec->url);
	return true;
}

const struct target_spec *
config_certificates_specs(const struct config_certificates *list, size_t *count)
{
	*count = list->count;
	return list->specs;
}
