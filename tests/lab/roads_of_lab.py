# SPDX-License-Identifier: ISC
"""Resolvers on other roads than plain UDP, for the lab's tests."""

import ipaddress

from cryptography import x509

from playground import pki, util
from playground.lab import EDGE, HOST, MIDDLE, NAMES, WORLD

NAME = "dns.lab.test"  # has no address in this world's DNS


class Roads:
    """Serves in the world, with certificates of the lab's CA."""

    def __init__(self, lab, folder):
        self.lab, self.folder = lab, folder
        self.processes = []
        self.number = 0

    def poison(self, *resolvers, **forged):
        """No road by UDP at RESOLVERS: the genuine answer is suppressed."""
        for address in resolvers:
            self.lab.resolver(address, lies={
                name: {"mode": "forged-only", **forged}
                for name in (HOST, MIDDLE, EDGE)})

    def certificate(self, names=(NAME,), addresses=(), days=(1, 90)):
        """The lab CA's certificate for NAMES and ADDRESSES."""
        ca, key = self.lab.authority, pki.new_key()
        san = [x509.DNSName(name) for name in names]
        san += [x509.IPAddress(ipaddress.ip_address(a)) for a in addresses]
        # the subject must not be looked at
        certificate = pki.sign(
            pki.name_of(NAME), key, ca.certificate.subject, ca.key,
            [(x509.BasicConstraints(False, None), True),
             (x509.SubjectAlternativeName(san), False)], days)
        self.number += 1
        return pki.Leaf(certificate, key, [ca.certificate]).write(
            self.folder / f"dns{self.number}")

    def open(self, *words, leaf=None, names=None, lies=None, delay_ms=0,
             ahead_s=0):
        """Serve; WORDS are those of playground.roads.  The log's path."""
        self.number += 1
        script = self.folder / f"roads{self.number}.json"
        log = self.folder / f"roads{self.number}.log"
        util.write_json(script, {"names": names or NAMES,
                                 "lies": lies or {},
                                 "delay_ms": delay_ms,
                                 "ahead_s": ahead_s})
        leaf = leaf or self.certificate()
        self.processes.append(self.lab.spaces.serve(
            WORLD, "playground.roads", *words, "--certificate", leaf.path,
            "--key", leaf.key_path, "--script", script, "--log", log))
        return log

    def close(self):
        for process in self.processes:
            process.terminate()
            process.wait()
        self.processes = []
