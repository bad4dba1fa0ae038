/* SPDX-License-Identifier: ISC */
/* dns/packet.h -- a datagram with what the kernel knows of it.
 *
 * The socket is bound to a random port and unconnected, so that answers from
 * elsewhere are seen; it tells hop limits, and ICMP messages by its error
 * queue. */
#ifndef OCLASP_DNS_PACKET_H
#define OCLASP_DNS_PACKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "dns/message.h"

struct packet {
	struct sockaddr_storage from;
	int ip_ttl;     /* TTL or hop limit; -1: unknown */
	int sock_errno; /* of the error queue */
	uint8_t bytes[DNS_UDP_MAX];
	size_t len;
};

/* A socket of FAMILY; the caller closes it.  -1 with errno. */
int packet_socket(int family);

/* What is sent from now on goes HOPS hops at most. */
void packet_limit(int fd, int family, int hops);

/* One datagram, or one report of the error queue with MSG_ERRQUEUE in FLAGS.
 * 0 and *PACKET, or the errno. */
int packet_receive(int fd, int flags, struct packet *packet);

#endif
