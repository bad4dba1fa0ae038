/* SPDX-License-Identifier: ISC */
/* test_system.c -- dns/system, with a getaddrinfo of our own in its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netdb.h>
#include <netinet/in.h>
#include <semaphore.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "dns/system.h"

/* The script: what the next lookups return. */
static const char *const *script_addresses;
static int script_status;
static bool script_waits; /* until `go` is posted */
static sem_t asked, go;
static int asked_family;
static int asked_flags;

/* libuv's threads find this one before the C library's. */
__attribute__((visibility("default"))) int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
    struct addrinfo **out)
{
	struct addrinfo *first = NULL;
	struct addrinfo **last = &first;

	(void)name;
	(void)service;
	asked_family = hints->ai_family;
	asked_flags = hints->ai_flags;
	sem_post(&asked);
	if (script_waits)
		sem_wait(&go);
	if (script_status != 0)
		return script_status;
	for (const char *const *a = script_addresses; *a != NULL; a++) {
		struct addrinfo *ai = mem_new(sizeof(*ai));
		struct sockaddr_in *v4;
		struct sockaddr_in6 *v6;

		ai->ai_addr = mem_new(sizeof(*v6));
		v4 = (struct sockaddr_in *)ai->ai_addr;
		v6 = (struct sockaddr_in6 *)ai->ai_addr;
		ai->ai_family = AF_UNIX;
		if (inet_pton(AF_INET, *a, &v4->sin_addr) == 1)
			ai->ai_family = AF_INET;
		else if (inet_pton(AF_INET6, *a, &v6->sin6_addr) == 1)
			ai->ai_family = AF_INET6;
		*last = ai;
		last = &ai->ai_next;
	}
	*out = first;
	return 0;
}

__attribute__((visibility("default"))) void
freeaddrinfo(struct addrinfo *ai)
{
	while (ai != NULL) {
		struct addrinfo *next = ai->ai_next;

		free(ai->ai_addr);
		free(ai);
		ai = next;
	}
}

static uv_loop_t loop;
static struct system_query *query;
static int calls;
static char found[1024];
static struct err found_err;

static void
took(void *cookie, const char *const *addresses, size_t count,
    const struct err *err)
{
	assert_ptr_equal(cookie, &loop);
	assert_non_null(query); /* never from within system_start */
	calls++;
	found[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(found);

		(void)snprintf(
		    found + used, sizeof(found) - used, "%s ", addresses[i]);
	}
	found_err = *err;
	system_cancel(&query); /* in the own callback: no harm */
}

static void
ask(const char *name, int family)
{
	calls = 0;
	memset(&found_err, 0, sizeof(found_err));
	query = system_start(&loop, name, family, took, &loop);
	assert_int_equal(calls, 0);
	loop_run(&loop);
}

static void
test_addresses(void **state)
{
	static const char *const some[] = {"192.0.2.2", "2001:db8::1",
	    "192.0.2.2", "a socket", "192.0.2.1", NULL};

	(void)state;
	script_addresses = some;
	ask("ocsp.test", AF_UNSPEC);
	assert_int_equal(calls, 1);
	assert_string_equal(found, "192.0.2.2 2001:db8::1 192.0.2.1 ");
	assert_int_equal(found_err.reason, REASON_NONE);
	assert_int_equal(asked_family, AF_UNSPEC);
	assert_int_equal(asked_flags & AI_ADDRCONFIG, 0);
	ask("ocsp.test", AF_INET6);
	assert_int_equal(asked_family, AF_INET6);
}

static void
test_many(void **state)
{
	static const char *many[SYSTEM_ADDRESSES_MAX + 10];
	static char texts[SYSTEM_ADDRESSES_MAX + 9][32];

	(void)state;
	for (int i = 0; i < SYSTEM_ADDRESSES_MAX + 9; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "192.0.2.%d", i);
		many[i] = texts[i];
	}
	script_addresses = many;
	ask("ocsp.test", AF_UNSPEC);
	assert_null(strstr(found, "192.0.2.64"));
	assert_non_null(strstr(found, "192.0.2.63 "));
}

static void
test_failures(void **state)
{
	static const struct {
		const char *name;
		int status;
		enum reason reason;
	} rows[] = {
	    {"EAI_NONAME", EAI_NONAME, REASON_DNS_NXDOMAIN},
	    {"EAI_NODATA", EAI_NODATA, REASON_DNS_NXDOMAIN},
	    {"EAI_AGAIN: SERVFAIL or none", EAI_AGAIN, REASON_DNS_NO_ANSWER},
	    {"EAI_FAIL", EAI_FAIL, REASON_DNS_SERVFAIL},
	    {"EAI_MEMORY", EAI_MEMORY, REASON_DNS_NO_ANSWER},
	    {"success without address", 0, REASON_DNS_NO_ANSWER},
	};
	static const char *const none[] = {"a socket", NULL};
	char long_name[2000];

	(void)state;
	script_addresses = none;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		script_status = rows[i].status;
		ask("ocsp.test", AF_UNSPEC);
		if (calls != 1 || found_err.reason != rows[i].reason)
			fail_msg("%s: %s", rows[i].name,
			    reason_name(found_err.reason));
		assert_string_equal(found, "");
		assert_non_null(strstr(found_err.text, "ocsp.test"));
	}
	script_status = 0;

	/* one that libuv does not even start */
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	ask(long_name, AF_UNSPEC);
	assert_int_equal(calls, 1);
	assert_int_equal(found_err.reason, REASON_DNS_NO_ANSWER);
	query = system_start(&loop, long_name, AF_UNSPEC, took, &loop);
	system_cancel(&query);
	loop_run(&loop);
	assert_int_equal(calls, 1);
}

/* Cancelled while a thread is in getaddrinfo, and while waiting for one. */
static void
test_cancel(void **state)
{
	enum { MANY = 12 }; /* libuv has 4 threads unless told */
	static const char *const some[] = {"192.0.2.2", NULL};
	struct system_query *many[MANY];

	(void)state;
	calls = 0;
	script_addresses = some;
	script_waits = true;
	while (sem_trywait(&asked) == 0)
		;
	for (int i = 0; i < MANY; i++)
		many[i] =
		    system_start(&loop, "ocsp.test", AF_UNSPEC, took, &loop);
	sem_wait(&asked); /* one is under way now */
	for (int i = 0; i < MANY; i++) {
		system_cancel(&many[i]);
		assert_null(many[i]);
		system_cancel(&many[i]);
	}
	for (int i = 0; i < MANY; i++)
		sem_post(&go);
	loop_run(&loop);
	assert_int_equal(calls, 0);
	script_waits = false;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_failures),
	    cmocka_unit_test(test_cancel),
	};
	int failed;

	sem_init(&asked, 0, 0);
	sem_init(&go, 0, 0);
	(void)uv_loop_init(&loop);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	loop_end(&loop);
	return failed;
}
