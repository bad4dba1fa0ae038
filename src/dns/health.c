/* SPDX-License-Identifier: ISC */
/* dns/health.c -- which resolvers gave no answer at all, lately. */
#include "dns/health.h"

#include <stdio.h>
#include <string.h>

static struct health_entry *
find(struct health *health, const char *url)
{
	for (size_t i = 0; i < HEALTH_MAX; i++) {
		if (strcmp(health->entries[i].url, url) == 0)
			return &health->entries[i];
	}
	return NULL;
}

/* A free place, or that of the one who has been well for longest. */
static struct health_entry *
make_room(struct health *health)
{
	struct health_entry *oldest = &health->entries[0];

	for (size_t i = 0; i < HEALTH_MAX; i++) {
		struct health_entry *entry = &health->entries[i];

		if (entry->url[0] == '\0')
			return entry;
		if (entry->until_ms < oldest->until_ms)
			oldest = entry;
	}
	return oldest;
}

void
health_note(
    struct health *health, const char *url, bool answered, int64_t now_ms)
{
	struct health_entry *entry = find(health, url);

	if (answered) {
		if (entry != NULL)
			*entry = (struct health_entry){0};
		return;
	}
	if (entry == NULL) {
		entry = make_room(health);
		*entry = (struct health_entry){0};
		(void)snprintf(entry->url, sizeof(entry->url), "%s", url);
	}
	/* Several questions that were asked together fail together: that is
	 * one illness. */
	if (now_ms < entry->until_ms)
		return;
	entry->span_ms =
	    entry->span_ms == 0 ? HEALTH_SICK_MS : entry->span_ms * 2;
	if (entry->span_ms > HEALTH_SICK_MAX_MS)
		entry->span_ms = HEALTH_SICK_MAX_MS;
	entry->until_ms = now_ms + entry->span_ms;
}

bool
health_is_sick(const struct health *health, const char *url, int64_t now_ms)
{
	if (health == NULL)
		return false;
	for (size_t i = 0; i < HEALTH_MAX; i++) {
		if (strcmp(health->entries[i].url, url) == 0)
			return now_ms < health->entries[i].until_ms;
	}
	return false;
}
