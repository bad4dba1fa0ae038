/* SPDX-License-Identifier: ISC */
/* http/server_listen.c -- sockets to serve at. */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sockaddr.h"
#include "http/server.h"

enum { LISTEN_BACKLOG = 1024 };

static int
new_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static int
fail(int fd, const char *text, const char *advice, struct err *err)
{
	int error = errno;

	if (fd >= 0)
		close(fd);
	return err_set(err, REASON_FILE, "cannot listen at %s: %s; %s", text,
	    strerror(error), advice);
}

static int
listen_tcp(const char *text, const struct sockaddr_storage *address, int *port,
    struct err *err)
{
	const char *advice =
	    "end what uses it, or give another address and port";
	struct sockaddr_storage bound = *address;
	socklen_t len = address->ss_family == AF_INET
			    ? sizeof(struct sockaddr_in)
			    : sizeof(struct sockaddr_in6);
	int fd = new_socket(address->ss_family), one = 1;

	if (fd < 0)
		return fail(fd, text, advice, err);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* [::] shall leave 0.0.0.0 to whoever wants it */
	if (address->ss_family == AF_INET6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)address, len) != 0 ||
	    listen(fd, LISTEN_BACKLOG) != 0 ||
	    getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
		return fail(fd, text, advice, err);
	if (port != NULL)
		*port = ntohs(bound.ss_family == AF_INET
				  ? ((struct sockaddr_in *)&bound)->sin_port
				  : ((struct sockaddr_in6 *)&bound)->sin6_port);
	return fd;
}

/* True if nothing stands at ADDRESS, or what nobody listens to any more, which
 * is removed.  Else errno says why not. */
static bool
clear_path(const struct sockaddr_un *address)
{
	struct stat there;
	int fd, rc;

	if (lstat(address->sun_path, &there) != 0)
		return errno == ENOENT;
	if (!S_ISSOCK(there.st_mode)) {
		errno = EEXIST;
		return false;
	}
	fd = new_socket(AF_UNIX);
	if (fd < 0)
		return false;
	rc = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	if (rc == 0)
		errno = EADDRINUSE;
	rc = rc != 0 && errno == ECONNREFUSED;
	close(fd);
	return rc != 0 && unlink(address->sun_path) == 0;
}

static int
listen_unix(const char *text, unsigned mode, int *port, struct err *err)
{
	const char *advice = "give a path that oclasp may write, of at most "
			     "107 characters";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(text) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return fail(-1, text, advice, err);
	}
	memcpy(address.sun_path, text, strlen(text));
	if (!clear_path(&address))
		return fail(-1, text, advice, err);
	fd = new_socket(AF_UNIX);
	if (fd < 0)
		return fail(fd, text, advice, err);
	/* The socket's own mode bounds that of its path from the first moment
	 * on; what the umask took away comes back after. */
	if (fchmod(fd, (mode_t)mode) != 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    chmod(text, (mode_t)mode) != 0 || listen(fd, LISTEN_BACKLOG) != 0)
		return fail(fd, text, advice, err);
	if (port != NULL)
		*port = 0;
	return fd;
}

bool
server_is_path(const char *text)
{
	return strchr(text, '/') != NULL;
}

int
server_listen(const char *text, unsigned mode, int *port, struct err *err)
{
	struct sockaddr_storage address;

	if (server_is_path(text))
		return listen_unix(text, mode, port, err);
	if (!sockaddr_parse_listen(text, &address))
		return err_set(err, REASON_USAGE,
		    "'%s' is no address to listen at; write ADDR:PORT, "
		    "[ADDR]:PORT or the path of a Unix socket",
		    text);
	return listen_tcp(text, &address, port, err);
}
