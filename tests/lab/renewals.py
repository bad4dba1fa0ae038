# SPDX-License-Identifier: ISC
"""What tests of renewals need: a renewed file, and somebody who watches."""

import base64
import datetime
import hashlib
import json
import os
import sys

from playground import judge, util
from playground.lab import CLIENT


def renew(site, **more):
    """A new certificate in the place of the old one, as certbot does it."""
    old = site.leaf
    site.leaf = site.lab.leaf(site.folder / "new", **more)
    for name in ("path", "key_path"):
        new = getattr(site.leaf, name)
        os.replace(new, getattr(old, name))
        setattr(site.leaf, name, getattr(old, name))
    return old


class Watch:
    """Handshakes without a pause, from now until look()."""

    def __init__(self, site, name="localhost"):
        self.site = site
        site.watches = getattr(site, "watches", 0) + 1
        self.path = site.folder / f"watch{site.watches}"
        with open(self.path, "wb") as out:
            self.process = site.lab.spaces.popen(
                CLIENT, sys.executable, "-m", "playground.handshake",
                "127.0.0.1", site.port, "-n", 1000000, "--servername", name,
                stdout=out)
        site.lab.keeps.append(self)  # a test that fails leaves none behind
        self.wait_more(1)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def lines(self):
        text = self.path.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def wait_more(self, count=20):
        """COUNT handshakes more that began after now."""
        have = len(self.lines()) + 1
        util.wait_for("more handshakes",
                      lambda: len(self.lines()) >= have + count)

    def look(self, *leaves, issuer=None):
        """The end of it: [(index of the leaf in LEAVES, fault or None)], each
        once, in the order they were first seen: for a tenth of a second
        nginx's old and new workers accept side by side."""
        self.kill()
        known = {leaf.fingerprint: number
                 for number, leaf in enumerate(leaves)}
        seen = []
        for shake in self.lines():
            assert shake["error"] is None, f"handshake: {shake['error']}"
            served = base64.b64decode(shake["leaf"])
            number = known[hashlib.sha256(served).hexdigest()]
            der = base64.b64decode(shake["staple"] or "")
            state = (number, judge.fault_of(
                der, leaves[number].certificate,
                issuer or self.site.lab.authority.certificate,
                datetime.datetime.utcfromtimestamp(shake["at"])))
            if state not in seen:
                seen.append(state)
        return seen
