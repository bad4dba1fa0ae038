# SPDX-License-Identifier: ISC
"""The lab: three network namespaces and a censor between them.

    client  10.77.1.2   oclasp, nginx, and whatever asks the system
      |                 (resolv.conf names the recursor 10.77.2.53)
    router  10.77.1.1   the censor sees questions pass and injects answers
      |
    world   10.77.2.*   resolvers, the responder, and bad addresses

Resolvers, responder and censor are scripted by files that are read afresh at
each question; reset() makes all of them honest.
"""

import json
import os
import pathlib
import re
import sys
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from playground import netns, pki, responder, util

CLIENT, ROUTER, WORLD = "client", "router", "world"
NEAR4, NEAR6 = "10.77.1", "fd77:1:"  # the client's network, and the router's


class Plan:
    """Which addresses the world has: FAR4 and FAR6 are its networks, LOST the
    networks where silence is and where the router says that there is none."""

    def __init__(self, far4, far6, lost):
        self.far4, self.far6 = far4, far6
        self.recursor, self.second = f"{far4}.53", f"{far4}.54"
        self.second6 = f"{far6}:54"  # the same resolver
        self.responders = (f"{far4}.80", f"{far4}.81", f"{far6}:80")
        # they accept and stay silent
        self.tarpit, self.tarpit6 = f"{far4}.91", f"{far6}:91"
        # nobody listens there
        self.refusing, self.refusing6 = f"{far4}.90", f"{far6}:90"
        self.blackhole, self.unreachable = (f"{net}.6" for net in lost)
        self.addresses = (
            self.recursor, self.second, self.second6, *self.responders,
            self.tarpit, self.tarpit6, self.refusing, self.refusing6)
        self.names = {HOST: {"cname": MIDDLE}, MIDDLE: {"cname": EDGE},
                      EDGE: {"a": [self.responders[0]]}}


# The responder's name is a chain, as behind a CDN; the last link is the one
# that was poisoned in 2020.
HOST = "ocsp.lab.test"
MIDDLE = "ocsp.lab.edgesuite.test"
EDGE = "a771.dscq.akamai.test"
URL = f"http://{HOST}/"
# A world of private addresses; its constants are what most tests use.
PRIVATE = Plan("10.77.2", "fd77:2:", ("10.77.66", "10.77.67"))
# One that looks like the Internet, of the blocks for documentation (RFC 5737,
# RFC 3849): what comes from there is no split horizon.
PUBLIC = Plan("203.0.113", "2001:db8:2:", ("198.51.100", "192.0.2"))
RECURSOR, SECOND, SECOND6 = (PRIVATE.recursor, PRIVATE.second,
                             PRIVATE.second6)
RESPONDERS, NAMES = PRIVATE.responders, PRIVATE.names
TARPIT, TARPIT6 = PRIVATE.tarpit, PRIVATE.tarpit6
REFUSING, REFUSING6 = PRIVATE.refusing, PRIVATE.refusing6
BLACKHOLE, UNREACHABLE = PRIVATE.blackhole, PRIVATE.unreachable
# Who speaks for the system: getaddrinfo, and our own sockets to its nameserver.
NEAR = ("system", f"udp://{RECURSOR}")
# The keeper's log line once a handshake has shown the staple's very octets.
PROVEN = "proven: .*serves exactly"
FAR_MS = 30  # to the resolvers and back: time for a forgery to be first

ROUTER_SCRIPT = """
ip link add name inner type veth peer name eth0 netns {client}
ip link add name outer type veth peer name eth0 netns {world}
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
ip address add {near4}.1/24 dev inner
ip address add {far4}.1/24 dev outer
ip address add {near6}:1/64 dev inner nodad
ip address add {far6}:1/64 dev outer nodad
ip link set inner up
ip link set outer up
ip route add blackhole {blackhole}
ip route add unreachable {unreachable}
"""


def member_script(addresses, gateway4, gateway6):
    lines = []
    for address in addresses:
        suffix = "/64 dev eth0 nodad" if ":" in address else "/24 dev eth0"
        lines.append(f"ip address add {address}{suffix}")
    return "\n".join(lines + [
        "ip link set eth0 up", f"ip route add default via {gateway4}",
        f"ip route add default via {gateway6}"])


class Result:
    """What one run of oclasp gave."""

    def __init__(self, process):
        self.code = process.returncode
        self.out, self.err = process.stdout, process.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return (f"exit {self.code}\n--- stdout\n{self.out}\n"
                f"--- stderr\n{self.err}")


class Keep:
    """A running `oclasp keep`; its log is in a file."""

    def __init__(self, lab, log, words):
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as out:
            self.process = lab.spaces.popen(
                CLIENT, lab.program, "keep", *words, stdout=out, stderr=out,
                start_new_session=True)
        self.pid = self.process.pid

    @property
    def text(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_line(self, pattern, seconds=15.0, count=1):
        """Wait until COUNT lines of the log match PATTERN."""
        def found():
            hits = re.findall(f"(?m)^.*{pattern}.*$", self.text)
            if len(hits) >= count:
                return hits
            assert self.process.poll() is None, (
                f"keep ended with {self.process.returncode} before it logged "
                f"{pattern!r}:\n{self.text}")
            return None
        try:
            return util.wait_for(f"log line {pattern!r}", found, seconds)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.text}") from None

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """kill -9 of it and of the nginx commands that it runs."""
        if self.process.poll() is None:
            self.process.kill()
        return self.process.wait()

    def stop(self, seconds=10):
        """SIGTERM; its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(seconds)


class Lab:
    """Everything up and running; close() takes it down."""

    def __init__(self, folder, program=None, plan=PRIVATE):
        self.plan = plan
        self.folder = pathlib.Path(folder)
        self.program = os.path.abspath(
            program or os.environ.get("OCLASP", netns.ROOT / "build/oclasp"))
        self.files = self.folder / "scripts"
        self.files.mkdir(parents=True)
        self.authority = pki.Authority.create(self.folder / "ca", "Lab CA")
        self.keeps = []
        self.hanging = set()
        self.reset()
        self.spaces = netns.Namespaces()
        try:
            self.build()
            self.serve()
        except BaseException:
            self.close()
            raise

    def build(self):
        plan = self.plan
        pids = {name: self.spaces.add(name, self.folder, plan.recursor
                                      if name == CLIENT else None)
                for name in (CLIENT, ROUTER, WORLD)}
        for name, script in (
                (ROUTER, ROUTER_SCRIPT.format(
                    near4=NEAR4, near6=NEAR6, **pids, **vars(plan))),
                (CLIENT, member_script((f"{NEAR4}.2", f"{NEAR6}:2"),
                                       f"{NEAR4}.1", f"{NEAR6}:1")),
                (WORLD, member_script(plan.addresses, f"{plan.far4}.1",
                                      f"{plan.far6}:1"))):
            self.spaces.must(name, "sh", "-ec", script)

    def serve(self):
        serve, file = self.spaces.serve, self.file
        serve(ROUTER, "playground.censor", "inner",
              "--script", file("censor"), "--log", file("censor.log"))
        plan = self.plan
        for address, endpoint in (
                (plan.recursor, f"{plan.recursor}:53"),
                (plan.second, f"{plan.second}:53"),
                (plan.second, f"[{plan.second6}]:53")):
            serve(WORLD, "playground.resolver", "--listen", endpoint,
                  "--script", file(address), "--log", file(f"{address}.log"))
        self.start_responder()
        self.hang_at(plan.tarpit, plan.tarpit6)

    def hang_at(self, *addresses):
        """From now on connections are taken there, and nothing is said."""
        addresses = [a for a in addresses if a not in self.hanging]
        if not addresses:
            return
        self.hanging.update(addresses)
        self.spaces.serve(
            WORLD, "playground.responder", self.authority.folder,
            *listen(*addresses), "--script", self.file("tarpit"),
            "--log", self.file("tarpit.log"))

    def start_responder(self):
        self.responder_process = self.spaces.serve(
            WORLD, "playground.responder", self.authority.folder,
            *listen(*self.plan.responders), "--script", self.file("responder"),
            "--log", self.file("responder.log"))

    def stop_responder(self):
        """The responder's host answers with RST from now on."""
        self.responder_process.terminate()
        self.responder_process.wait()

    def stop_keeps(self):
        for keep in self.keeps:
            keep.kill()
        self.keeps = []

    def close(self):
        self.stop_keeps()
        self.spaces.close()

    # --- scripts

    def file(self, name):
        return self.files / name

    def reset(self):
        """Honest resolvers, no censor, a good responder, empty logs."""
        self.stop_keeps()
        for log in self.files.glob("*.log"):
            log.write_text("", encoding="utf-8")
        self.censor()
        for address in (self.plan.recursor, self.plan.second):
            self.resolver(address)
        self.respond()
        util.write_json(self.file("tarpit"), {"mode": "hang", "hang_s": 600})
        process = getattr(self, "responder_process", None)
        if process and process.poll() is not None:
            self.start_responder()

    def censor(self, names=None, **more):
        """NAMES and MORE: see playground.censor; none: no censor."""
        util.write_json(self.file("censor"), {"names": names or {}, **more})

    def race(self, names):
        """A censor, and genuine answers from so far away that the forgery is
        first on a busy machine, too."""
        self.censor(names)
        for address in (self.plan.recursor, self.plan.second):
            self.resolver(address, delay_ms=FAR_MS * 5)

    def resolver(self, address, names=None, lies=None, delay_ms=FAR_MS,
                 **more):
        """What the resolver does; see playground.resolver.DEFAULTS."""
        util.write_json(self.file(address), {
            "names": names or self.plan.names, "lies": lies or {}, "delay_ms": delay_ms,
            **more})

    def questions(self, address):
        """What the resolver at ADDRESS was asked since reset()."""
        return util.read_lines(self.file(f"{address}.log"))

    def respond(self, mode="good", age_s=None, **script):
        """The responder's mode, and more of playground.responder.DEFAULTS;
        with AGE_S answers that were made so long ago."""
        if age_s is not None:
            script["this_update"] = time.time() - age_s
        util.write_json(self.file("responder"), {"mode": mode, **script})

    def requests(self, address=None):
        """The requests that the responder has seen since reset()."""
        return [entry for entry in util.read_lines(self.file("responder.log"))
                if address in (None, entry["address"])]

    def wait_requests(self, count, seconds=15):
        return util.wait_for(f"{count} requests", lambda: (
            len(self.requests()) >= count), seconds)

    def tarpit_requests(self):
        return util.read_lines(self.file("tarpit.log"))

    # --- the client's side

    def leaf(self, folder, name="server", urls=(URL,), **more):
        """A new certificate for localhost, written to FOLDER."""
        more = {"names": ["localhost", f"{name}.test"], **more}
        return self.authority.issue(urls=urls, **more).write(folder, name)

    def answer(self, leaf, mode="good", **script):
        """The DER that the responder would give for LEAF in MODE."""
        request = ocsp.OCSPRequestBuilder().add_certificate(
            leaf.certificate, self.authority.certificate, hashes.SHA1())
        der = request.build().public_bytes(serialization.Encoding.DER)
        return responder.Signer(self.authority).answer(
            der, {**responder.DEFAULTS, "mode": mode, **script})

    def run(self, *words, timeout=60, **options):
        return self.spaces.run(CLIENT, *words, timeout=timeout, **options)

    def dress(self, files):
        """The words before a command of the client's that shall see other
        FILES, {path: text}, such as /etc/hosts."""
        script = ""
        for number, (path, text) in enumerate(files.items()):
            own = self.folder / f"file{number}"
            own.write_text(text, encoding="utf-8")
            parent = pathlib.Path(path).parent
            if not parent.exists():  # below /run: an empty one, for this once
                script += (f"mount -t tmpfs none /{parent.parts[1]}; "
                           f"mkdir -p '{parent}'; : >'{path}'; ")
            script += f"mount --bind '{own}' '{path}'; "
        return ["unshare", "--mount", "sh", "-ec", script + 'exec "$@"', "sh"]

    def fetch_with(self, files, certificate, *words, timeout=60):
        """fetch() where the client has other FILES for this once."""
        return Result(self.run(
            *self.dress(files), self.program, "fetch", certificate, "--json",
            *words, timeout=timeout))

    def oclasp(self, *words, timeout=60):
        return Result(self.run(self.program, *words, timeout=timeout))

    def alone(self, *words, timeout=60):
        """oclasp in a namespace without any network."""
        if "alone" not in self.spaces.members:
            self.spaces.add("alone", self.folder, self.plan.recursor)
        return Result(self.spaces.run("alone", self.program, *words,
                                      timeout=timeout))

    def fetch(self, certificate, *words, timeout=60):
        return self.oclasp("fetch", certificate, "--json", *words,
                           timeout=timeout)

    def keep(self, log, *words):
        keep = Keep(self, log, words)
        self.keeps.append(keep)
        return keep

    def ask(self, server, name, kind="A", window=0.3):
        """Every datagram that answers the client's question."""
        result = self.spaces.must(
            CLIENT, sys.executable, "-m", "playground.resolver",
            "--window", window, "--ask", server, name, kind)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def handshakes(self, port, count=20, *words):
        result = self.spaces.must(
            CLIENT, sys.executable, "-m", "playground.handshake",
            "127.0.0.1", port, "-n", count, *words)
        return [json.loads(line) for line in result.stdout.splitlines()]


def listen(*addresses):
    words = []
    for address in addresses:
        words += ["--listen", f"[{address}]:80" if ":" in address
                  else f"{address}:80"]
    return words


