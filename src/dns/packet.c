/* SPDX-License-Identifier: ISC */
/* dns/packet.c -- a datagram with what the kernel knows of it. */
#include "dns/packet.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

enum { CONTROL_MAX = 512 }; /* control data of one datagram */

static void
read_control(struct msghdr *header, struct packet *packet)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL;
	     c = CMSG_NXTHDR(header, c)) {
		struct sock_extended_err report;

		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
		    (c->cmsg_level == IPPROTO_IPV6 &&
			c->cmsg_type == IPV6_HOPLIMIT))
			memcpy(&packet->ip_ttl, CMSG_DATA(c),
			    sizeof(packet->ip_ttl));
		if ((c->cmsg_level == IPPROTO_IP &&
			c->cmsg_type == IP_RECVERR) ||
		    (c->cmsg_level == IPPROTO_IPV6 &&
			c->cmsg_type == IPV6_RECVERR)) {
			memcpy(&report, CMSG_DATA(c), sizeof(report));
			packet->sock_errno = (int)report.ee_errno;
		}
	}
}

int
packet_receive(int fd, int flags, struct packet *packet)
{
	union {
		struct cmsghdr align;
		char bytes[CONTROL_MAX];
	} control;
	struct iovec part = {packet->bytes, sizeof(packet->bytes)};
	struct msghdr header = {.msg_name = &packet->from,
	    .msg_namelen = sizeof(packet->from),
	    .msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	ssize_t len = recvmsg(fd, &header, flags | MSG_DONTWAIT);

	if (len < 0)
		return errno;
	packet->len = (size_t)len;
	packet->ip_ttl = -1;
	packet->sock_errno = 0;
	read_control(&header, packet);
	return 0;
}

/* What is wanted of FD's kernel: hop limits and ICMP messages. */
static int
turn_on(int fd, int family)
{
	int one = 1;

	if (family == AF_INET6)
		return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &one,
			   sizeof(one)) |
		       setsockopt(
			   fd, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof(one));
	return setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &one, sizeof(one)) |
	       setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
}

void
packet_limit(int fd, int family, int hops)
{
	if (family == AF_INET6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops));
	else
		(void)setsockopt(fd, IPPROTO_IP, IP_TTL, &hops, sizeof(hops));
}

int
packet_socket(int family)
{
	struct sockaddr_storage any = {.ss_family = (sa_family_t)family};
	socklen_t size = family == AF_INET6 ? sizeof(struct sockaddr_in6)
					    : sizeof(struct sockaddr_in);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int why;

	if (fd == -1)
		return -1;
	if (bind(fd, (struct sockaddr *)&any, size) == 0 &&
	    turn_on(fd, family) == 0)
		return fd;
	why = errno;
	close(fd);
	errno = why;
	return -1;
}
