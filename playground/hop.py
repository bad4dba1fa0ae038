# SPDX-License-Identifier: ISC
"""A hop that is far away, or loses packets: a TUN device in userspace.

Routing rules of the router lead packets into it (playground.world); each comes
out again after a while, or not at all.  `python3 -m playground.hop NAME
--delay-ms 30 --larger 600`.
"""

import argparse
import fcntl
import heapq
import itertools
import os
import select
import struct
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
PACKET_MAX = 65536


def open_tun(name):
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(),
                                            IFF_TUN | IFF_NO_PI))
    return tun


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--larger", type=int, default=PACKET_MAX,
                        help="packets of more octets are lost, silently")
    options = parser.parse_args()
    tun = open_tun(options.name)
    waiting, number = [], itertools.count()
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            os.write(tun, heapq.heappop(waiting)[2])
        pause = waiting[0][0] - now if waiting else None
        if not select.select([tun], [], [], pause)[0]:
            continue
        packet = os.read(tun, PACKET_MAX)
        if len(packet) <= options.larger:
            heapq.heappush(waiting, (
                time.monotonic() + options.delay_ms / 1000, next(number),
                packet))


if __name__ == "__main__":
    main()
