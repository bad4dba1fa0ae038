# SPDX-License-Identifier: ISC
"""The censor on the path: sees questions pass and injects forged answers.

It listens on a raw packet socket of the router's inner interface.  It cannot
suppress the genuine answer, only be first; the forged datagram bears the
resolver's address.  `python3 -m playground.censor INTERFACE --script FILE`.
"""

import argparse
import heapq
import itertools
import json
import select
import socket
import struct
import time

from playground import forge, util

DEFAULTS = {
    # name, ".suffix" or "*part of a name":
    #     {"a": address, "aaaa": address, or "rcode": one of forge.RCODES;
    #      "delay_ms": 0, "repeat": 1, "junk": octets behind the forged answer,
    #      "to": [address], only questions to these}
    "names": {},
    "reset": [],  # addresses: a SYN to port 80 there is answered by a RST
}
ETHERNET, IPV4, IPV6, TCP, UDP = 14, 0x0800, 0x86DD, 6, 17
SYN, RST_ACK, WEB_PORT = 0x02, 0x14, 80


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def parse_frame(frame):
    """(version, header, source port, payload) of a frame that carries a
    datagram to port 53, else None."""
    kind = struct.unpack_from("!H", frame, 12)[0] if len(frame) > 34 else 0
    if kind == IPV4 and frame[ETHERNET + 9] == UDP:
        length = (frame[ETHERNET] & 15) * 4
    elif kind == IPV6 and frame[ETHERNET + 6] == UDP:
        length = 40
    else:
        return None
    start = ETHERNET + length
    if len(frame) < start + 8:
        return None
    source, target, size = struct.unpack_from("!HHH", frame, start)
    if target != 53:
        return None
    return (4 if kind == IPV4 else 6, frame[ETHERNET:start], source,
            frame[start + 8:start + size])


def answer_frame(frame, header, version, port, payload):
    """The frame that brings PAYLOAD back as if the resolver had sent it; the
    probe's hop limit is mirrored, as one family of injectors does."""
    if version == 4:
        source, target = header[16:20], header[12:16]
        hops = header[8]
    else:
        source, target = header[24:40], header[8:24]
        hops = header[7]
    size = 8 + len(payload)
    datagram = struct.pack("!HHHH", 53, port, size, 0) + payload
    pseudo = source + target + struct.pack("!HH", UDP, size)
    sum_ = checksum(pseudo + datagram) or 0xFFFF
    datagram = datagram[:6] + struct.pack("!H", sum_) + datagram[8:]
    if version == 4:
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + size, 0, 0x4000,
                           hops, UDP, 0, source, target)
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    else:
        head = struct.pack("!IHBB16s16s", 6 << 28, size, UDP, hops,
                           source, target)
    return frame[6:12] + frame[:6] + frame[12:14] + head + datagram


def rule_for(names, name):
    """The rule for NAME: its own, or that of a ".suffix" or a "*part"."""
    if name in names:
        return names[name]
    return next((rule for key, rule in names.items()
                 if key.startswith(".") and ("." + name).endswith(key)
                 or key.startswith("*") and key[1:] in name), None)


def target_of(version, header):
    """The address that a datagram goes to, as text."""
    return (socket.inet_ntop(socket.AF_INET, header[16:20]) if version == 4
            else socket.inet_ntop(socket.AF_INET6, header[24:40]))


def reset_frame(frame, addresses):
    """The RST, as if of the server, for a SYN to port 80 of one of ADDRESSES;
    None for other frames (IPv4 only)."""
    if (len(frame) < 54 or struct.unpack_from("!H", frame, 12)[0] != IPV4
            or frame[ETHERNET + 9] != TCP):
        return None
    start = ETHERNET + (frame[ETHERNET] & 15) * 4
    source, target, sequence = struct.unpack_from("!HHI", frame, start)
    here, there = frame[ETHERNET + 16:ETHERNET + 20], frame[
        ETHERNET + 12:ETHERNET + 16]
    if (frame[start + 13] != SYN or target != WEB_PORT
            or socket.inet_ntop(socket.AF_INET, here) not in addresses):
        return None
    segment = struct.pack("!HHIIBBHHH", target, source, 0, sequence + 1, 0x50,
                          RST_ACK, 0, 0, 0)
    sum_ = checksum(here + there + struct.pack("!HH", TCP, 20) + segment)
    segment = segment[:16] + struct.pack("!H", sum_) + segment[18:]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0x4000, 64, TCP, 0,
                       here, there)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return frame[6:12] + frame[:6] + frame[12:14] + head + segment


def forgeries(frame, script):
    """What to inject for FRAME: (delay in seconds, frame) each."""
    reset = reset_frame(frame, script["reset"])
    if reset:
        return [(0, reset)]
    parsed = parse_frame(frame)
    asked = forge.question_of(parsed[3]) if parsed else None
    rule = rule_for(script["names"], asked[0]) if asked else None
    if rule is None:
        return []
    version, header, port, query = parsed
    if "to" in rule and target_of(version, header) not in rule["to"]:
        return []
    payload = (forge.deny(query, rule["rcode"]) if "rcode" in rule
               else forge.forge(query, rule["a"], rule.get("aaaa")))
    if payload is None:
        return []
    payload += rule.get("junk", "").encode("latin-1")
    forged = answer_frame(frame, header, version, port, payload)
    delay = rule.get("delay_ms", 0) / 1000
    return [(delay, forged)] * rule.get("repeat", 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("interface")
    parser.add_argument("--script", required=True, metavar="FILE")
    parser.add_argument("--log", metavar="FILE")
    options = parser.parse_args()
    script = util.Script(DEFAULTS, options.script)
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                        socket.ntohs(3))  # ETH_P_ALL
    raw.bind((options.interface, 0))
    waiting, number = [], itertools.count()
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            raw.send(heapq.heappop(waiting)[2])
        pause = waiting[0][0] - now if waiting else None
        if not select.select([raw], [], [], pause)[0]:
            continue
        frame, (_, _, direction, _, _) = raw.recvfrom(4096)
        if direction == socket.PACKET_OUTGOING:
            continue
        for delay, forged in forgeries(frame, script.now()):
            if delay == 0:
                raw.send(forged)
            else:
                heapq.heappush(waiting, (time.monotonic() + delay,
                                         next(number), forged))
            if options.log:
                with open(options.log, "a", encoding="utf-8") as out:
                    out.write(json.dumps({"at": time.time()}) + "\n")


if __name__ == "__main__":
    main()
