/* SPDX-License-Identifier: ISC */
/* http/local.c -- a question to a program of this machine. */
#include "http/local.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

enum { URL_MAX = 16384 }; /* more than a server takes of a head */

bool
local_address(const char *path, char out[LOCAL_PATH], int *folder)
{
	const char *slash = strrchr(path, '/');
	char *dir;

	*folder = -1;
	if (strlen(path) < LOCAL_PATH) {
		(void)snprintf(out, LOCAL_PATH, "%s", path);
		return true;
	}
	/* the folder by a descriptor makes a short name of any long one */
	dir = slash == NULL ? mem_string(".")
			    : mem_printf("%.*s", (int)(slash - path), path);
	*folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	return *folder != -1 &&
	       snprintf(out, LOCAL_PATH, "/proc/self/fd/%d/%s", *folder,
		   slash == NULL ? path : slash + 1) < LOCAL_PATH;
}

/* Look who is there before anything is asked: what curl says of a failure does
 * not tell nobody from forbidden.  As local_ask() returns. */
static int
knock(const char *address, const char *socket_path, struct err *err)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc;

	memcpy(name.sun_path, address, strlen(address));
	if (fd == -1)
		return err_set(err, REASON_FILE, "no socket to be had: %s",
		    strerror(errno));
	rc = connect(fd, (const struct sockaddr *)&name, sizeof(name));
	if (rc == -1)
		rc = errno;
	close(fd);
	if (rc == 0)
		return 0;
	if (rc == ENOENT || rc == ECONNREFUSED || rc == ENOTDIR)
		return 1;
	return err_set(err, REASON_FILE, "cannot ask at '%s': %s%s",
	    socket_path, strerror(rc),
	    rc == EACCES ? "; be the user of the one who listens there, or in "
			   "its group"
			 : "");
}

static size_t
got_bytes(char *bytes, size_t size, size_t count, void *cookie)
{
	struct buf *body = cookie;

	buf_add(body, bytes, size * count);
	return body->full ? 0 : size * count;
}

static char *
make_url(CURL *curl, const char *path, const char *const *query)
{
	struct buf url;
	bool first = true;

	buf_init(&url, URL_MAX);
	buf_printf(&url, "http://localhost%s", path);
	for (; query != NULL && query[0] != NULL; query += 2) {
		char *value;

		if (query[1] == NULL)
			continue;
		value = curl_easy_escape(curl, query[1], 0);
		buf_printf(&url, "%c%s=%s", first ? '?' : '&', query[0],
		    value == NULL ? "" : value);
		curl_free(value);
		first = false;
	}
	return buf_take(&url);
}

static int
ask(CURL *curl, const char *address, const char *method, const char *url,
    int64_t timeout_ms, struct local_answer *out, struct err *err)
{
	struct buf body;
	CURLcode code;

	buf_init(&body, LOCAL_BODY_MAX);
	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, address);
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, got_bytes);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
	if (strcmp(method, "POST") == 0) {
		(void)curl_easy_setopt(curl, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
	}
	code = curl_easy_perform(curl);
	if (code == CURLE_OPERATION_TIMEDOUT)
		(void)err_set(err, REASON_FILE,
		    "the one who listens gave no answer within %lld s: look "
		    "into its log, or restart it",
		    (long long)timeout_ms / 1000);
	else if (code != CURLE_OK)
		(void)err_set(err, REASON_FILE,
		    "no whole answer from the one who listens: %s",
		    body.full ? "it is too large" : curl_easy_strerror(code));
	if (code != CURLE_OK) {
		buf_done(&body);
		return -1;
	}
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out->status);
	out->len = body.len;
	out->body = buf_take(&body);
	return 0;
}

int
local_ask(const char *socket_path, const char *method, const char *path,
    const char *const *query, int64_t timeout_ms, struct local_answer *out,
    struct err *err)
{
	char address[LOCAL_PATH];
	CURL *curl = NULL;
	char *url = NULL;
	int folder, rc = 1;

	if (local_address(socket_path, address, &folder))
		rc = knock(address, socket_path, err);
	if (rc == 0)
		curl = curl_easy_init();
	if (curl != NULL) {
		url = make_url(curl, path, query);
		rc = ask(curl, address, method, url, timeout_ms, out, err);
	} else if (rc == 0) {
		rc = err_set(err, REASON_FILE, "curl has no memory");
	}
	if (folder != -1)
		close(folder);
	curl_easy_cleanup(curl);
	free(url);
	return rc;
}
