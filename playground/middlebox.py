# SPDX-License-Identifier: ISC
"""A box on the path that ends connections which are meant for others.

It runs on the router, where routing rules bring it what it shall see
(playground.world): TCP connections to each --port, which it cuts, holds,
answers or passes on, and DNS questions over UDP, which it answers in the name
of whoever was asked.  `python3 -m playground.middlebox --script FILE`.
"""

import argparse
import socket
import struct
import threading

from playground import forge, resolver, util
from playground.proxy import carry

DEFAULTS = {
    # port: {"do": one of DEEDS, "needle": only connections whose first octets
    #        contain it, or one of several, "every": 2: only each second one,
    #        "to": address that it passes everything on to,
    #        "status", "headers", "body": what "page" says}
    "tcp": {},
    # what it says over UDP; see playground.resolver.DEFAULTS
    "dns": {},
}
DEEDS = ("pass", "reset", "hang", "page")
FIRST_MAX = 65536
TIMEOUT_S = 20
# of linux/in.h and in6.h: Python has no names for them
IP_TRANSPARENT, IP_PKTINFO, IPV6_TRANSPARENT = 19, 8, 75
PKTINFO = struct.Struct("=I4s4s")


def family_socket(kind, family=socket.AF_INET):
    """A socket that may speak as anybody."""
    made = socket.socket(family, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.setsockopt(socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
    else:
        made.setsockopt(socket.IPPROTO_IP, IP_TRANSPARENT, 1)
    return made


class Box:
    """What the script says, done to connections."""

    def __init__(self, script_file):
        self.script = util.Script(DEFAULTS, script_file)
        self.lock = threading.Lock()
        self.seen = 0

    def is_meant(self, rule, first):
        with self.lock:
            self.seen += 1
            turn = self.seen % rule.get("every", 1) == 0
        needles = rule.get("needle", "")
        if isinstance(needles, str):
            needles = [needles]
        return turn and any(one.encode("latin-1") in first for one in needles)

    def serve(self, peer, port):
        """One connection; what it was meant for is its own address here."""
        rule = self.script.now()["tcp"].get(str(port), {"do": "pass"})
        peer.settimeout(TIMEOUT_S)
        with peer:
            try:
                first = peer.recv(FIRST_MAX)
                deed = rule["do"] if self.is_meant(rule, first) else "pass"
                if deed == "reset":
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                    struct.pack("ii", 1, 0))
                elif deed == "hang":
                    peer.recv(1)
                elif deed == "page":
                    peer.sendall(page(rule))
                else:
                    self.pass_on(peer, rule, port, first)
            except OSError:
                pass

    def pass_on(self, peer, rule, port, first):
        address = rule.get("to") or peer.getsockname()[0]
        with socket.create_connection((address, port), TIMEOUT_S) as there:
            there.sendall(first)
            carry(peer, there)

    # --- DNS

    def answer_dns(self, wire, packet_socket, client, meant_for):
        if forge.question_of(wire) is None:
            return
        script = {**resolver.DEFAULTS, **self.script.now()["dns"]}
        for _, octets in resolver.answers(wire, script):
            packet_socket.sendmsg([octets], [(
                socket.IPPROTO_IP, IP_PKTINFO,
                PKTINFO.pack(0, meant_for, bytes(4)))], 0, client)


def page(rule):
    body = rule.get("body", "").encode()
    lines = [f"HTTP/1.1 {rule.get('status', 200)} x",
             f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}"
              for name, value in rule.get("headers", {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def serve_tcp(box, listener, port):
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=box.serve, args=(peer, port),
                         daemon=True).start()


def serve_dns(box, listener):
    while True:
        wire, controls, _, client = listener.recvmsg(4096, 256)
        for level, kind, data in controls:
            if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
                _, _, meant_for = PKTINFO.unpack(data)
                box.answer_dns(wire, listener, client, meant_for)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, action="append", default=[])
    parser.add_argument("--script", required=True, metavar="FILE")
    options = parser.parse_args()
    box = Box(options.script)
    for port in options.port:
        for family, any_address in ((socket.AF_INET, "0.0.0.0"),
                                    (socket.AF_INET6, "::")):
            listener = family_socket(socket.SOCK_STREAM, family)
            listener.bind((any_address, port))
            listener.listen(64)
            threading.Thread(target=serve_tcp, args=(box, listener, port),
                             daemon=True).start()
    packets = family_socket(socket.SOCK_DGRAM)
    packets.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    packets.bind(("0.0.0.0", 53))
    threading.Thread(target=serve_dns, args=(box, packets),
                     daemon=True).start()
    util.run_until_terminated("ready")


if __name__ == "__main__":
    main()
