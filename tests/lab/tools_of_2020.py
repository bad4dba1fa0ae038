# SPDX-License-Identifier: ISC
"""What the operator of 2020 had: dig at two resolvers, ping, openssl ocsp and
s_client -status, on the same network, and what he would have concluded.

The rules by which a conclusion is drawn are those of conclude(), in its order;
each is what the posts of that year did."""

import concurrent.futures
import re

from playground import util
from playground.lab import CLIENT, HOST, URL
from playground.nginx import Nginx
from playground.world import RECURSOR, SECOND

SECONDS = 4


class Operator:
    """His tools, side by side, while the doctor looks too."""

    def __init__(self, world, leaf, folder, dressed):
        self.world, self.dressed = world, dressed
        self.nginx = Nginx(folder / "nginx", 1, world.spaces.inside(CLIENT))
        self.port = self.nginx.add_site(leaf, util.free_port(), lines=[
            "ssl_stapling on;", f"resolver {RECURSOR} ipv6=off;"])
        trust = folder / "trust.pem"
        trust.write_bytes(world.authority.path.read_bytes()
                          + world.authority.root_path.read_bytes())
        pool = concurrent.futures.ThreadPoolExecutor(4)
        self.runs = {
            "first": pool.submit(self.dig, RECURSOR),
            "second": pool.submit(self.dig, SECOND),
            "ocsp": pool.submit(
                self.run, "openssl", "ocsp", "-issuer", world.authority.path,
                "-cert", leaf.leaf_path, "-CAfile", trust, "-url", URL,
                "-timeout", SECONDS),
            "staple": pool.submit(self.shake),
        }
        pool.shutdown(wait=False)

    def run(self, *words):
        result = self.world.run(*self.dressed, *words, timeout=30)
        return result.stdout + result.stderr

    def dig(self, resolver):
        return self.run("dig", f"@{resolver}", HOST, "A", "+time=2",
                        "+tries=1")

    def shake(self):
        self.nginx.start()
        try:
            return self.run("openssl", "s_client", "-status", "-connect",
                            f"127.0.0.1:{self.port}", "-servername",
                            "localhost")
        finally:
            self.nginx.stop()

    def conclusion(self):
        said = {name: run.result() for name, run in self.runs.items()}
        addresses = addresses_of(said["first"])
        pings = addresses and "1 received" in self.run(
            "ping", "-n", "-c", 1, "-W", 1, addresses[0])
        return conclude(said, bool(pings))


def start(world, leaf, folder, dressed):
    return Operator(world, leaf, folder, dressed)


def addresses_of(dig):
    """The A records of the answer section."""
    return re.findall(r"(?m)^[^;\s]\S*\s+\d+\s+IN\s+A\s+(\S+)$", dig)


def status_of(dig):
    found = re.search(r"status: (\w+)", dig)
    return found.group(1) if found else "no answer"


def conclude(said, pings):
    """(the group of causes, the conclusion in words)."""
    sets = [set(addresses_of(said[which])) for which in ("first", "second")]
    states = [status_of(said[which]) for which in ("first", "second")]
    ocsp = said["ocsp"]
    if sets[0] and sets[1] and not sets[0] & sets[1]:
        return "dns", "DNS pollution: the resolvers name other addresses"
    for which, found in enumerate(sets):
        if not found:
            state = states[which].replace("NOERROR", "no address")
            return "dns", (f"DNS is broken: {state} from the "
                           f"{('first', 'second')[which]} resolver")
    if re.search(r": revoked", ocsp):
        return "revoked", "the certificate is revoked"
    if "Responder Error" in ocsp:
        return "responder", "the responder refuses"
    if "Response verify OK" in ocsp and re.search(r": good", ocsp):
        if "OCSP Response Status: successful" in said["staple"]:
            return "well", "all is well"
        return "server", ("OCSP works and the server staples nothing: its "
                          "configuration")
    if "Response Verify Failure" in ocsp or "WARNING: Status times" in ocsp:
        return "input", "the response does not verify: the wrong CA file"
    if not pings:
        return "network", "no ping: the address is dead, or routing is"
    return "responder", "the responder is down"
