/* SPDX-License-Identifier: ISC */
/* nginx_real.h -- a real nginx on a prefix of its own, for the tests of
 * servers/nginx*.c.  It listens on a port of the kernel's choosing. */
#ifndef OCLASP_TESTS_NGINX_REAL_H
#define OCLASP_TESTS_NGINX_REAL_H

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "servers/nginx.h"
#include "tls/handshake.h"

enum { REAL_DEADLINE_MS = 20000, REAL_FILE_MAX = 1 << 20 };

struct real {
	char *dir;      /* a fresh folder under /tmp */
	char *binary;   /* NULL: no nginx here */
	char *command;  /* "nginx -p DIR -c nginx.conf" */
	char *snippets; /* DIR/state/nginx */
	char *staples;  /* DIR/state/staples */
	int port;
	uv_loop_t loop;
	struct nginx nginx;
};

static inline char *
real_path(const struct real *real, const char *name)
{
	return mem_printf("%s/%s", real->dir, name);
}

static inline void
real_write(const struct real *real, const char *name, const char *text)
{
	char *path = real_path(real, name);
	struct err err = {0};

	(void)file_replace(path, text, strlen(text), 0644, &err);
	assert_string_equal(err.text, "");
	free(path);
}

/* Owned; "" for a missing file. */
static inline char *
real_read(const struct real *real, const char *name)
{
	char *path = name[0] == '/' ? mem_string(name) : real_path(real, name);
	uint8_t *bytes = NULL;
	size_t len = 0;

	if (file_read(path, REAL_FILE_MAX, &bytes, &len, NULL) == -1)
		bytes = mem_new(1);
	free(path);
	return (char *)bytes;
}

static inline bool
real_exists(const struct real *real, const char *name)
{
	char *path = real_path(real, name);
	bool found = access(path, F_OK) == 0;

	free(path);
	return found;
}

/* NAME.pem and NAME.key under the folder. */
static inline void
real_certificate(const struct real *real, const char *name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509 = X509_new();
	X509_NAME *subject = X509_get_subject_name(x509);
	char *pem = mem_printf("%s/%s.pem", real->dir, name);
	char *secret = mem_printf("%s/%s.key", real->dir, name);
	FILE *file;

	(void)X509_set_version(x509, X509_VERSION_3);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
	(void)X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	(void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
	    (const unsigned char *)name, -1, -1, 0);
	(void)X509_set_issuer_name(x509, subject);
	(void)X509_set_pubkey(x509, key);
	assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
	file = fopen(pem, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, x509), 1);
	(void)fclose(file);
	file = fopen(secret, "w");
	assert_non_null(file);
	assert_int_equal(
	    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	(void)fclose(file);
	X509_free(x509);
	EVP_PKEY_free(key);
	free(pem);
	free(secret);
}

static inline int
real_free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static inline char *
real_find_nginx(void)
{
	static const char *const places[] = {
	    "/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (access(places[i], X_OK) == 0)
			return mem_string(places[i]);
	}
	return NULL;
}

/* The folder, a certificate a.pem and b.pem in it, nginx not started. */
static inline void
real_init(struct real *real)
{
	char dir[] = "/tmp/oclasp-nginx.XXXXXX";

	*real = (struct real){.binary = real_find_nginx()};
	assert_non_null(mkdtemp(dir));
	real->dir = mem_string(dir);
	real->command = mem_printf("%s -p %s -c nginx.conf",
	    real->binary == NULL ? "nginx" : real->binary, real->dir);
	real->snippets = real_path(real, "state/nginx");
	real->staples = real_path(real, "state/staples");
	real->port = real_free_port();
	real->nginx = (struct nginx){.command = real->command,
	    .snippet_dir = real->snippets,
	    .staple_dir = real->staples};
	real_certificate(real, "a");
	real_certificate(real, "b");
	assert_int_equal(uv_loop_init(&real->loop), 0);
}

/* nginx.conf around HTTP, the inside of http {}, where each @ is the port. */
static inline void
real_configure(const struct real *real, const char *http)
{
	struct buf text;

	buf_init(&text, REAL_FILE_MAX);
	buf_printf(&text,
	    "pid %s/nginx.pid;\nerror_log %s/error.log;\n"
	    "worker_processes 1;\nevents {\n}\nhttp {\n\taccess_log off;\n",
	    real->dir, real->dir);
	for (const char *const *what = (const char *const[]){"client_body",
		 "proxy", "fastcgi", "uwsgi", "scgi", NULL};
	     *what != NULL; what++)
		buf_printf(
		    &text, "\t%s_temp_path %s/%s;\n", *what, real->dir, *what);
	for (; *http != '\0'; http++) {
		if (*http == '@')
			buf_printf(&text, "%d", real->port);
		else
			buf_add(&text, http, 1);
	}
	buf_puts(&text, "}\n");
	real_write(real, "nginx.conf", buf_text(&text));
	buf_done(&text);
}

/* Run nginx with EXTRA ("-t", NULL: start); its exit status. */
static inline int
real_run(const struct real *real, const char *extra)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
		(void)execl(real->binary, real->binary, "-p", real->dir, "-c",
		    "nginx.conf", extra, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* --- what a client is given --- */

struct real_seen {
	struct err err;
	uint8_t staple[256];
	size_t len;
};

static inline void
real_note(void *cookie, const struct handshake_result *result)
{
	struct real_seen *seen = cookie;

	seen->err = result->err;
	assert_true(result->staple.len <= sizeof(seen->staple));
	seen->len = result->staple.len;
	if (seen->len > 0)
		memcpy(seen->staple, result->staple.at, seen->len);
}

static inline struct real_seen
real_look(struct real *real)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)real->port)};
	struct handshake_request request = {
	    .address = (struct sockaddr *)&address,
	    .servername = "a.test",
	    .deadline_ms = REAL_DEADLINE_MS};
	struct real_seen seen = {0};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)handshake_start(&real->loop, &request, real_note, &seen);
	loop_run(&real->loop);
	return seen;
}

/* A reload is done when the new workers answer: look until they do. */
static inline void
real_await_staple(struct real *real, struct span want)
{
	int64_t end = clock_mono_ms() + REAL_DEADLINE_MS;
	struct real_seen seen;

	do {
		seen = real_look(real);
	} while ((seen.len != want.len ||
		     (want.len > 0 &&
			 memcmp(seen.staple, want.at, want.len) != 0)) &&
		 clock_mono_ms() < end);
	assert_string_equal(seen.err.text, "");
	assert_int_equal(seen.len, want.len);
	if (want.len > 0)
		assert_memory_equal(seen.staple, want.at, want.len);
}

/* nginx opens its sockets before the command returns, and writes its pid
 * before a worker answers. */
static inline void
real_start(struct real *real)
{
	assert_int_equal(real_run(real, NULL), 0);
	assert_string_equal(real_look(real).err.text, "");
}

/* As somebody else does it. */
static inline void
real_reload(const struct real *real)
{
	char *text = real_read(real, "nginx.pid");
	int64_t pid = 0;

	text[strcspn(text, "\n")] = '\0';
	assert_true(text_number(text, 2, INT32_MAX, &pid));
	assert_int_equal(kill((pid_t)pid, SIGHUP), 0);
	free(text);
}

/* End the master by its pid, and wait until it is gone: it removes its pid
 * file when its workers have ended. */
static inline void
real_stop(struct real *real)
{
	char *text = real_read(real, "nginx.pid");
	int64_t end = clock_mono_ms() + REAL_DEADLINE_MS;
	int64_t pid = 0;

	text[strcspn(text, "\n")] = '\0';
	if (text_number(text, 2, INT32_MAX, &pid) &&
	    kill((pid_t)pid, SIGTERM) == 0) {
		while (real_exists(real, "nginx.pid") && clock_mono_ms() < end)
			(void)usleep(1000); /* it is no child of ours */
	}
	free(text);
}

static inline void
real_remove(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		char *inner;

		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		inner = mem_printf("%s/%s", path, entry->d_name);
		if (unlink(inner) == -1)
			real_remove(inner);
		free(inner);
	}
	if (folder != NULL)
		(void)closedir(folder);
	(void)rmdir(path);
}

static inline void
real_done(struct real *real)
{
	real_stop(real);
	loop_end(&real->loop);
	real_remove(real->dir);
	free(real->dir);
	free(real->binary);
	free(real->command);
	free(real->snippets);
	free(real->staples);
}

#endif
