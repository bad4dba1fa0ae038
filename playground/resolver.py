# SPDX-License-Identifier: ISC
"""A recursive resolver on UDP with a table of names, honest or lying.

`python3 -m playground.resolver` serves; `... --ask SERVER NAME [TYPE]` asks
once and prints each datagram that comes within a window, as JSON lines.
"""

import argparse
import heapq
import itertools
import json
import select
import socket
import threading
import time

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from playground import forge, util

DEFAULTS = {
    # name: {"cname": name} or {"a": [address], "aaaa": [address],
    #        "ns": [name.]}
    "names": {},
    # name: {"mode": one of LIES, "a": address, "aaaa": address,
    #        "delay_ms": of the genuine answer behind a forged one,
    #        "every": only each so manieth question is lied to}
    "lies": {},
    "delay_ms": 0,  # of every genuine answer: the way there and back
    "authoritative": False,  # AA, as a server of the zone has it
    "edns": "ok",   # "formerr": a server of before 1999; "dropped": a firewall
    "from": None,   # another address of ours that the answers come from
    "any": None,    # the address that every name has, be there one or not
    "nx": None,     # the address that names have that do not exist
    # what differs on one road: playground.roads
    "udp": {}, "tcp": {}, "tls": {}, "https": {},
}
LIES = ("forged-first",  # a forged datagram at once, the genuine one later;
                         # none for AAAA unless the lie names an address
        "forged-only",
        "poisoned",      # the genuine chain with a false last link
        "nxdomain", "servfail", "silent")
LIED = {}  # (name, type): how often it was asked
TTL, POISONED_TTL = 300, 31
EDE_OPTION, EDE_BOGUS = 15, 6  # RFC 8914


def on_road(script, road):
    """SCRIPT as it is on ROAD."""
    return {**script, **script[road]}


def one_address(query, address, ttl):
    """The answer to QUERY that its name has ADDRESS, whatever it is."""
    response = dns.message.make_response(query, recursion_available=True)
    kind = dns.rdatatype.to_text(query.question[0].rdtype)
    if kind == ("AAAA" if ":" in address else "A"):
        response.answer.append(dns.rrset.from_text(
            query.question[0].name, ttl, "IN", kind, address))
    return response


def refusal(query, rcode, ede=None):
    response = dns.message.make_response(query, recursion_available=True)
    response.set_rcode(dns.rcode.from_text(rcode))
    if ede is not None and query.edns >= 0:
        response.use_edns(0, options=[dns.edns.GenericOption(
            EDE_OPTION, ede.to_bytes(2, "big"))])
    return response


def chain_of(names, name):
    """The names from NAME along its CNAMEs, at most 16."""
    chain = [name]
    while "cname" in names.get(chain[-1], {}) and len(chain) < 16:
        chain.append(names[chain[-1]]["cname"].lower())
    return chain


def genuine(query, script, lie=None):
    """The honest answer to QUERY, or with LIE the one of a recursor whose
    look-up of the last name was poisoned."""
    response = dns.message.make_response(query, recursion_available=True)
    if script.get("authoritative"):
        response.flags |= dns.flags.AA
    question = query.question[0]
    chain = chain_of(script["names"],
                     question.name.to_text(omit_final_dot=True).lower())
    last = script["names"].get(chain[-1])
    ttl = POISONED_TTL if lie else TTL
    owners = [question.name.to_text()] + [name + "." for name in chain[1:]]
    for owner, target in zip(owners, owners[1:]):
        response.answer.append(dns.rrset.from_text(
            owner, ttl, "IN", "CNAME", target))
    if last is None:
        response.set_rcode(dns.rcode.NXDOMAIN)
        return response
    kind = dns.rdatatype.to_text(question.rdtype)
    addresses = last.get(kind.lower(), [])
    if lie and kind in ("A", "AAAA"):
        addresses = [lie[kind.lower()]] if kind.lower() in lie else []
    if addresses:
        response.answer.append(dns.rrset.from_text(
            owners[-1], ttl, "IN", kind, *addresses))
    return response


def answers(wire, script):
    """What to send for the question WIRE: (delay in seconds, octets) each."""
    try:
        query = dns.message.from_wire(wire)
    except dns.exception.DNSException:
        return []
    asked = forge.question_of(wire)
    if asked is None:
        return []
    delay = script["delay_ms"] / 1000
    if query.edns >= 0 and script["edns"] == "dropped":
        return []
    if query.edns >= 0 and script["edns"] == "formerr":
        return [(delay, forge.deny(wire, "formerr"))]
    lie = script["lies"].get(asked[0])
    if lie and "every" in lie:
        LIED[asked[:2]] = LIED.get(asked[:2], 0) + 1
        lie = None if LIED[asked[:2]] % lie["every"] else lie
    mode = lie["mode"] if lie else None
    forged = []
    if mode in ("forged-first", "forged-only"):
        octets = forge.forge(wire, lie["a"], lie.get("aaaa"))
        forged = [(0, octets)] if octets else []
    if mode == "forged-only" and not forged:
        response = dns.message.make_response(query, recursion_available=True)
        return [(0, response.to_wire())]
    if mode == "forged-only":
        return forged
    if mode == "silent":
        return []
    if mode in ("nxdomain", "servfail"):
        return [(delay, refusal(query, mode, lie.get("ede")).to_wire())]
    if mode == "bogus" and not query.flags & dns.flags.CD:
        return [(delay, refusal(query, "servfail", EDE_BOGUS).to_wire())]
    response = genuine(query, script, lie if mode in (
        "poisoned", "bogus") else None)
    if mode == "empty":
        response.answer = []
    if script["any"]:
        response = one_address(query, script["any"], 1)
    elif script["nx"] and response.rcode() == dns.rcode.NXDOMAIN:
        response = one_address(query, script["nx"], TTL)
    if mode == "forged-first":
        delay = lie.get("delay_ms", 0) / 1000 or delay
        return forged + [(delay, response.to_wire())]
    return [(delay, response.to_wire())]


class Resolver:
    """Serves on ADDRESS:PORT in a thread; LOG gets a line each question."""

    def __init__(self, address="127.0.0.1", port=0, script=None,
                 script_file=None, log=None):
        self.socket = socket.socket(util.family_of(address), socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        self.port = self.socket.getsockname()[1]
        self.script = util.Script({**DEFAULTS, **(script or {})}, script_file)
        self.log = log
        self.questions = []
        self.stopping = False
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.stopping = True
        self.thread.join(2)
        self.socket.close()

    def serve(self):
        waiting, number = [], itertools.count()
        while not self.stopping:
            now = time.monotonic()
            while waiting and waiting[0][0] <= now:
                _, _, octets, client = heapq.heappop(waiting)
                self.send(octets, client)
            pause = min([0.1] + [entry[0] - now for entry in waiting[:1]])
            if not select.select([self.socket], [], [], pause)[0]:
                continue
            try:
                wire, client = self.socket.recvfrom(4096)
            except OSError:  # an ICMP error of an earlier answer
                continue
            self.note(wire, client)
            script = on_road(self.script.now(), "udp")
            for delay, octets in answers(wire, script):
                if delay == 0:
                    self.send(octets, client)
                else:
                    heapq.heappush(waiting, (time.monotonic() + delay,
                                             next(number), octets, client))

    def send(self, octets, client):
        other = self.script.now()["from"]
        try:
            if other is None:
                self.socket.sendto(octets, client)
                return
            with socket.socket(util.family_of(other),
                               socket.SOCK_DGRAM) as sender:
                sender.bind((other, 0))
                sender.sendto(octets, client)
        except OSError:  # the client's network went away
            pass

    def note(self, wire, client):
        asked = forge.question_of(wire)
        if asked is None:
            return
        entry = {"name": asked[0], "type": dns.rdatatype.to_text(asked[1]),
                 "asked": wire[12:asked[2] - 4].decode("latin-1"),
                 "id": int.from_bytes(wire[:2], "big"), "port": client[1]}
        self.questions.append(entry)
        if self.log:
            with open(self.log, "a", encoding="utf-8") as out:
                out.write(json.dumps(entry) + "\n")


def ask(server, name, kind="A", window=0.5, edns=True, port=53):
    """Ask SERVER once; yield (milliseconds, wire) for each datagram that
    comes within WINDOW seconds.  A client that takes the first one is what
    nearly every program is."""
    query = dns.message.make_query(name, kind, use_edns=0 if edns else None)
    with socket.socket(util.family_of(server), socket.SOCK_DGRAM) as client:
        client.sendto(query.to_wire(), (server, port))
        start = time.monotonic()
        while True:
            left = start + window - time.monotonic()
            if left <= 0 or not select.select([client], [], [], left)[0]:
                return
            wire, source = client.recvfrom(4096)
            if source[0] == server and wire[:2] == query.to_wire()[:2]:
                yield round((time.monotonic() - start) * 1000, 1), wire


def describe(at_ms, wire):
    """One datagram as facts."""
    message = dns.message.from_wire(wire)
    return {"at_ms": at_ms, "flags": message.flags | message.rcode(),
            "edns": message.edns >= 0,
            "records": [[rrset.name.to_text(omit_final_dot=True),
                         dns.rdatatype.to_text(rrset.rdtype), rdata.to_text()]
                        for rrset in message.answer for rdata in rrset]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", default="127.0.0.1:0",
                        metavar="ADDR[:PORT]")
    parser.add_argument("--script", metavar="FILE",
                        help="JSON, read at each question")
    parser.add_argument("--log", metavar="FILE")
    parser.add_argument("--ask", nargs="+", metavar="SERVER NAME [TYPE]")
    parser.add_argument("--window", type=float, default=0.5)
    options = parser.parse_args()
    if options.ask:
        server, port = util.parse_endpoint(options.ask[0], 53)
        for at_ms, wire in ask(server, *options.ask[1:],
                               window=options.window, port=port):
            print(json.dumps(describe(at_ms, wire)))
        return
    address, port = util.parse_endpoint(options.listen, 53)
    resolver = Resolver(address, port, None, options.script, options.log)
    resolver.start()
    util.run_until_terminated(f"ready {resolver.port}")
    resolver.stop()


if __name__ == "__main__":
    main()
