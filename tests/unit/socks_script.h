/* SPDX-License-Identifier: ISC */
/* socks_script.h -- a tiny SOCKS5 proxy that serves one connection and plays the
 * web server behind it too (RFC 1928, RFC 1929). */
#ifndef OCLASP_TESTS_SOCKS_SCRIPT_H
#define OCLASP_TESTS_SOCKS_SCRIPT_H

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct socks {
	const char *user, *password; /* wanted; NULL: no credentials */
	uint8_t reply;               /* RFC 1928, section 6; 0: succeeded */
	bool hangs_up;               /* after the greeting */
	const char *answer;          /* of the web server */
	size_t answer_len;           /* 0: a string */
	/* what it saw */
	char destination[300]; /* "ocsp.test:80", "127.0.0.1:80" */
	char request[4096];
	/* its own */
	int fd, port;
	pthread_t thread;
};

static inline bool
socks_read(int fd, uint8_t *out, size_t len)
{
	return recv(fd, out, len, MSG_WAITALL) == (ssize_t)len;
}

static inline void
socks_say(int fd, const void *bytes, size_t len)
{
	(void)send(fd, bytes, len, MSG_NOSIGNAL);
}

/* Greeting and credentials; false if the client is not wanted. */
static inline bool
socks_greet(struct socks *s, int fd)
{
	uint8_t head[2], methods[255], text[2][256];
	uint8_t method = s->user == NULL ? 0 : 2;

	if (!socks_read(fd, head, 2) || !socks_read(fd, methods, head[1]))
		return false;
	if (s->hangs_up)
		return false;
	if (memchr(methods, method, head[1]) == NULL) {
		socks_say(fd, "\x05\xff", 2);
		return false;
	}
	socks_say(fd, (uint8_t[]){5, method}, 2);
	if (method == 0)
		return true;
	memset(text, 0, sizeof(text));
	if (!socks_read(fd, head, 2) || !socks_read(fd, text[0], head[1]) ||
	    !socks_read(fd, head, 1) || !socks_read(fd, text[1], head[0]))
		return false;
	if (strcmp((char *)text[0], s->user) != 0 ||
	    strcmp((char *)text[1], s->password) != 0) {
		socks_say(fd, "\x01\x01", 2);
		return false;
	}
	socks_say(fd, "\x01\x00", 2);
	return true;
}

static inline bool
socks_connect(struct socks *s, int fd)
{
	uint8_t head[4], address[256], port[2], len = 4;
	char text[INET6_ADDRSTRLEN] = "";
	uint8_t answer[10] = {5, s->reply, 0, 1};

	memset(address, 0, sizeof(address));
	if (!socks_read(fd, head, 4))
		return false;
	if (head[3] == 3 && !socks_read(fd, &len, 1))
		return false;
	if (head[3] == 4)
		len = 16;
	if (!socks_read(fd, address, len) || !socks_read(fd, port, 2))
		return false;
	if (head[3] != 3)
		(void)inet_ntop(head[3] == 4 ? AF_INET6 : AF_INET, address,
		    text, sizeof(text));
	(void)snprintf(s->destination, sizeof(s->destination), "%s:%d",
	    head[3] == 3 ? (char *)address : text, port[0] << 8 | port[1]);
	socks_say(fd, answer, sizeof(answer));
	return s->reply == 0;
}

static inline void *
socks_serve(void *cookie)
{
	struct socks *s = cookie;
	int fd = accept(s->fd, NULL, NULL);
	size_t len = 0;
	ssize_t got;

	if (fd == -1)
		return NULL;
	if (socks_greet(s, fd) && socks_connect(s, fd)) {
		while (strstr(s->request, "\r\n\r\n") == NULL &&
		       (got = recv(fd, s->request + len,
			    sizeof(s->request) - 1 - len, 0)) > 0)
			len += (size_t)got;
		socks_say(fd, s->answer,
		    s->answer_len > 0 ? s->answer_len : strlen(s->answer));
	}
	(void)shutdown(fd, SHUT_WR);
	close(fd);
	return NULL;
}

static inline void
socks_start(struct socks *s)
{
	struct sockaddr_in any = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(any);

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(bind(s->fd, (struct sockaddr *)&any, sizeof(any)) == 0);
	assert(listen(s->fd, 8) == 0);
	(void)getsockname(s->fd, (struct sockaddr *)&any, &size);
	s->port = ntohs(any.sin_port);
	assert(pthread_create(&s->thread, NULL, socks_serve, s) == 0);
}

static inline void
socks_stop(struct socks *s)
{
	(void)shutdown(s->fd, SHUT_RDWR); /* if nobody came */
	(void)pthread_join(s->thread, NULL);
	close(s->fd);
}

#endif
