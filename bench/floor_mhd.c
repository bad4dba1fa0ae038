/* SPDX-License-Identifier: ISC */
/* bench/floor_mhd.c -- the least an HTTP server by libmicrohttpd can do.
 *
 *	floor-mhd FILE
 *
 * Like bench/floor, one answer for all, which is FILE: a head, whose lines are
 * given to the library once, and a body.  As in our own server one thread with
 * epoll, the same memory for a connection, and no look at the request.  What
 * `oclasp keep` costs beyond this is its own doing. */
#include <arpa/inet.h>
#include <assert.h>
#include <microhttpd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FLOOR_ANSWER = 1 << 17, FLOOR_POOL = 4096 + 1536 };

static struct MHD_Response *
load(const char *path)
{
	static char text[FLOOR_ANSWER];
	FILE *file = fopen(path, "rb");
	struct MHD_Response *response;
	size_t len;
	char *at = text, *body, *end, *colon;

	assert(file != NULL);
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	body = strstr(text, "\r\n\r\n");
	assert(len < sizeof(text) - 1 && body != NULL);
	body += 4;
	response = MHD_create_response_from_buffer(
	    len - (size_t)(body - text), body, MHD_RESPMEM_MUST_COPY);
	/* the library's own are not taken from us; the first is the status */
	for (at = strstr(text, "\r\n") + 2; at < body - 2; at = end + 2) {
		end = strstr(at, "\r\n");
		*end = '\0';
		colon = strstr(at, ": ");
		assert(colon != NULL);
		*colon = '\0';
		if (strcmp(at, "Date") != 0)
			(void)MHD_add_response_header(response, at, colon + 2);
	}
	return response;
}

static enum MHD_Result
answer(void *cookie, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *data, size_t *len,
    void **request)
{
	static char seen;

	(void)url;
	(void)method;
	(void)version;
	(void)data;
	*len = 0;
	if (*request != NULL)
		return MHD_queue_response(connection, MHD_HTTP_OK, cookie);
	*request = &seen;
	return MHD_YES;
}

int
main(int argc, char **argv)
{
	struct MHD_Response *response;
	struct MHD_Daemon *server;
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char end;

	assert(argc == 2);
	response = load(argv[1]);
	server = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO,
	    0, NULL, NULL, answer, response, MHD_OPTION_SOCK_ADDR, &address,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)FLOOR_POOL,
	    MHD_OPTION_END);
	assert(server != NULL);
	printf("%d\n",
	    MHD_get_daemon_info(server, MHD_DAEMON_INFO_BIND_PORT)->port);
	(void)fflush(stdout);
	while (read(STDIN_FILENO, &end, 1) > 0)
		continue;
	MHD_stop_daemon(server);
	MHD_destroy_response(response);
	return 0;
}
