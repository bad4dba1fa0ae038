/* SPDX-License-Identifier: ISC */
/* bench/floor.c -- the least an HTTP server on epoll can do.
 *
 *	floor FILE
 *
 * One thread; each request, recognised by its blank line and not read any
 * further, is answered with the octets of FILE, head and all.  It prints the
 * port it has taken, and ends when standard input does.  What a real server
 * costs beyond this is its own doing. */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	FLOOR_FDS = 4096,
	FLOOR_EVENTS = 64,
	FLOOR_REQUEST = 4096,
	FLOOR_ANSWER = 1 << 17,
};

static char answer[FLOOR_ANSWER];
static size_t answer_len;

static void
load(const char *path)
{
	FILE *file = fopen(path, "rb");

	assert(file != NULL);
	answer_len = fread(answer, 1, sizeof(answer), file);
	assert(answer_len > 0 && answer_len < sizeof(answer));
	fclose(file);
}

/* Whether the peer is still there. */
static int
serve(int fd)
{
	static char request[FLOOR_REQUEST];
	ssize_t len = recv(fd, request, sizeof(request) - 1, 0);

	if (len <= 0)
		return len < 0 && (errno == EAGAIN || errno == EINTR);
	request[len] = '\0';
	/* one request at a time, each in one piece: a generator's manners */
	if (strstr(request, "\r\n\r\n") == NULL)
		return 0;
	return send(fd, answer, answer_len, MSG_NOSIGNAL) ==
	       (ssize_t)answer_len;
}

static void
watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	int rc = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);

	assert(rc == 0);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int epoll = epoll_create1(0), one = 1, rc;

	assert(argc == 2);
	load(argv[1]);
	rc = bind(listener, (struct sockaddr *)&address, size);
	assert(rc == 0 && listen(listener, 1024) == 0);
	(void)getsockname(listener, (struct sockaddr *)&address, &size);
	printf("%d\n", ntohs(address.sin_port));
	(void)fflush(stdout);
	watch(epoll, listener);
	watch(epoll, STDIN_FILENO);
	for (;;) {
		struct epoll_event events[FLOOR_EVENTS];
		int count = epoll_wait(epoll, events, FLOOR_EVENTS, -1);

		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;

			if (fd == STDIN_FILENO)
				return 0;
			if (fd == listener) {
				fd = accept4(listener, NULL, NULL,
				    SOCK_NONBLOCK | SOCK_CLOEXEC);
				if (fd < 0)
					continue;
				(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY,
				    &one, sizeof(one));
				watch(epoll, fd);
			} else if (!serve(fd)) {
				close(fd);
			}
		}
	}
}
