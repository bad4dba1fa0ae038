/* SPDX-License-Identifier: ISC */
/* acquire/address_book.c -- addresses that have proven themselves. */
#include "acquire/address_book.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uthash.h>

#include "base/mem.h"

enum { CLOCK_LEAP_S = 86400 }; /* a clock may have been set back by that */

struct host {
	char *name; /* lower case */
	struct book_entry *entries[BOOK_PER_HOST_MAX];
	size_t count;
	UT_hash_handle hh;
};

struct address_book {
	struct host *hosts;
	size_t host_count;
	struct book_entry **all; /* owned; the entries too */
	size_t count;
	bool changed;
};

struct address_book *
address_book_new(void)
{
	return mem_new(sizeof(struct address_book));
}

static void
drop_host(struct address_book *book, struct host *host)
{
	HASH_DEL(book->hosts, host);
	book->host_count--;
	free(host->name);
	free(host);
}

void
address_book_free(struct address_book *book)
{
	struct host *host, *next;

	if (book == NULL)
		return;
	HASH_ITER(hh, book->hosts, host, next)
	drop_host(book, host);
	for (size_t i = 0; i < book->count; i++)
		free(book->all[i]);
	free(book->all);
	free(book);
}

static bool
is_address(const char *text)
{
	struct in6_addr address;

	return inet_pton(AF_INET, text, &address) == 1 ||
	       inet_pton(AF_INET6, text, &address) == 1;
}

bool
address_book_takes(const char *host)
{
	size_t len = strlen(host);

	if (len == 0 || len >= BOOK_HOST_TEXT || is_address(host) ||
	    host[0] == '-' || host[0] == '.')
		return false;
	for (const char *c = host; *c != '\0'; c++) {
		if (!isascii((unsigned char)*c) ||
		    (!isalnum((unsigned char)*c) && strchr("-._", *c) == NULL))
			return false;
	}
	return true;
}

/* HOST as it is kept: names differ in no case, nor in a final dot. */
static void
write_host(const char *host, char out[BOOK_HOST_TEXT])
{
	size_t len = strlen(host);

	assert(len < BOOK_HOST_TEXT);
	for (size_t i = 0; i <= len; i++)
		out[i] = (char)tolower((unsigned char)host[i]);
	if (out[len - 1] == '.')
		out[len - 1] = '\0';
}

static struct host *
find_host(const struct address_book *book, const char *name)
{
	char lower[BOOK_HOST_TEXT];
	struct host *host = NULL;

	if (!address_book_takes(name))
		return NULL;
	write_host(name, lower);
	HASH_FIND_STR(book->hosts, lower, host);
	return host;
}

static struct book_entry *
find_entry(const struct host *host, const char *address)
{
	for (size_t i = 0; host != NULL && i < host->count; i++) {
		if (strcmp(host->entries[i]->address, address) == 0)
			return host->entries[i];
	}
	return NULL;
}

static bool
is_better(const struct book_entry *a, const struct book_entry *b)
{
	if (a->failures != b->failures)
		return a->failures < b->failures;
	if (a->proven_at != b->proven_at)
		return a->proven_at > b->proven_at;
	return a->latency_ms < b->latency_ms;
}

static void
drop_entry(struct address_book *book, struct book_entry *entry)
{
	struct host *host = find_host(book, entry->host);

	for (size_t i = 0; i < host->count; i++) {
		if (host->entries[i] == entry)
			host->entries[i--] = host->entries[--host->count];
	}
	if (host->count == 0)
		drop_host(book, host);
	for (size_t i = 0; i < book->count; i++) {
		if (book->all[i] == entry) {
			book->all[i] = book->all[--book->count];
			break;
		}
	}
	free(entry);
}

/* Room for one entry of a new host, or of HOST: the worst gives way; of hosts,
 * the one whose last proof is the oldest. */
static void
make_room(struct address_book *book, struct host *host)
{
	struct book_entry *worst;

	if (host != NULL && host->count == BOOK_PER_HOST_MAX) {
		worst = host->entries[0];
		for (size_t i = 1; i < host->count; i++) {
			if (is_better(worst, host->entries[i]))
				worst = host->entries[i];
		}
		drop_entry(book, worst);
	}
	while (host == NULL && book->host_count >= BOOK_HOSTS_MAX) {
		/* a host has one entry at least, so there is one */
		worst = book->all[0];
		for (size_t i = 1; i < book->count; i++) {
			if (book->all[i]->proven_at < worst->proven_at)
				worst = book->all[i];
		}
		drop_entry(book, worst);
	}
}

static struct book_entry *
add(struct address_book *book, const char *name, const char *address)
{
	struct book_entry *entry = mem_new(sizeof(*entry));
	struct host *host = find_host(book, name);

	make_room(book, host);
	write_host(name, entry->host);
	(void)snprintf(entry->address, sizeof(entry->address), "%s", address);
	/* a host whose only entry gave way is gone too */
	host = find_host(book, name);
	if (host == NULL) {
		host = mem_new(sizeof(*host));
		host->name = mem_string(entry->host);
		HASH_ADD_KEYPTR(
		    hh, book->hosts, host->name, strlen(host->name), host);
		book->host_count++;
	}
	host->entries[host->count++] = entry;
	book->all =
	    mem_resize(book->all, book->count + 1, sizeof(book->all[0]));
	book->all[book->count++] = entry;
	return entry;
}

void
address_book_prove(struct address_book *book, const char *host,
    const char *address, int64_t latency_ms, int64_t now)
{
	struct book_entry *entry;

	if (!address_book_takes(host) || !is_address(address))
		return;
	entry = find_entry(find_host(book, host), address);
	if (entry == NULL)
		entry = add(book, host, address);
	entry->proven_at = now;
	entry->latency_ms = latency_ms;
	entry->failures = 0;
	entry->changed = book->changed = true;
}

void
address_book_fail(
    struct address_book *book, const char *host, const char *address)
{
	struct book_entry *entry = find_entry(find_host(book, host), address);

	if (entry == NULL || entry->failures >= BOOK_FAILURES_MAX)
		return;
	entry->failures++;
	entry->changed = book->changed = true;
}

/* Old facts are none, and neither are those of a clock that was wrong. */
static bool
is_current(int64_t proven_at, int64_t now)
{
	return proven_at > now - BOOK_AGE_MAX_S &&
	       proven_at <= now + CLOCK_LEAP_S;
}

void
address_book_load(
    struct address_book *book, const struct book_entry *entry, int64_t now)
{
	struct book_entry *own;

	if (!address_book_takes(entry->host) || !is_address(entry->address) ||
	    !is_current(entry->proven_at, now) || entry->latency_ms < 0 ||
	    find_entry(find_host(book, entry->host), entry->address) != NULL)
		return;
	own = add(book, entry->host, entry->address);
	own->proven_at = entry->proven_at;
	own->latency_ms = entry->latency_ms;
	own->failures = entry->failures;
}

size_t
address_book_find(const struct address_book *book, const char *name,
    int64_t now, const struct book_entry *out[BOOK_PER_HOST_MAX])
{
	const struct host *host = find_host(book, name);
	size_t count = 0;

	for (size_t i = 0; host != NULL && i < host->count; i++) {
		const struct book_entry *entry = host->entries[i];
		size_t at = count;

		if (entry->failures >= BOOK_FAILURES_MAX ||
		    !is_current(entry->proven_at, now))
			continue;
		for (; at > 0 && is_better(entry, out[at - 1]); at--)
			out[at] = out[at - 1];
		out[at] = entry;
		count++;
	}
	return count;
}

size_t
address_book_count(const struct address_book *book)
{
	return book->count;
}

const struct book_entry *
address_book_at(const struct address_book *book, size_t index)
{
	return index < book->count ? book->all[index] : NULL;
}

bool
address_book_is_changed(const struct address_book *book)
{
	return book->changed;
}

void
address_book_saved(struct address_book *book)
{
	book->changed = false;
	for (size_t i = 0; i < book->count; i++)
		book->all[i]->changed = false;
}
