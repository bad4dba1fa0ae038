# SPDX-License-Identifier: ISC
"""What most tests need: an nginx with a certificate, and oclasp beside it."""

import base64
import pathlib

from playground import judge
from playground.lab import CLIENT
from playground.nginx import Nginx


class Site:
    """A running nginx with one certificate; oclasp's state is in `state`."""

    def __init__(self, lab, folder, lines=(), workers=1, start=True, **leaf):
        self.lab, self.folder = lab, pathlib.Path(folder)
        self.state = self.folder / "state"
        self.leaf = lab.leaf(self.folder, **leaf)
        self.nginx = Nginx(self.folder / "nginx", workers,
                           lab.spaces.inside(CLIENT))
        self.port = self.nginx.add_site(self.leaf, lines=lines)
        self.logs = 0
        if start:
            self.nginx.start()

    @property
    def where(self):
        return ["--state-dir", self.state,
                "--server-command", self.nginx.command]

    def install(self, *words):
        return self.lab.oclasp("install", "nginx", *self.where, *words)

    def installed(self):
        """With the snippet in place and reloads counted from here."""
        result = self.install("--apply")
        assert result.code == 0, f"install nginx --apply: {result}"
        self.nginx.settle()
        return self

    def once(self, *words, timeout=60):
        """`keep --once`, which refreshes what is due."""
        return self.lab.oclasp("keep", "--server", "nginx", "--once",
                               *self.where, *words, timeout=timeout)

    def keep(self, *words):
        self.logs += 1
        return self.lab.keep(self.folder / f"keep{self.logs}.log", "--server",
                             "nginx", *self.where, *words)

    def staple_path(self, leaf=None):
        leaf = leaf or self.leaf
        return self.state / "staples" / f"{leaf.fingerprint}.der"

    def staple(self):
        """What is published, or None."""
        path = self.staple_path()
        return path.read_bytes() if path.exists() else None

    def fault(self, der, leaf=None):
        return fault_for(self.lab, leaf or self.leaf, der)

    def shakes(self, count=20, *words):
        """COUNT handshakes: (staple or None, what is wrong with it)."""
        results = []
        for shake in self.lab.handshakes(self.port, count, *words):
            assert shake["error"] is None, f"handshake: {shake['error']}"
            der = base64.b64decode(shake["staple"] or "") or None
            results.append((der, self.fault(der)))
        return results

    def must_staple(self, why, count=20):
        """Every one of COUNT handshakes has a genuine, unexpired staple."""
        self.nginx.settle()
        faults = [fault for _, fault in self.shakes(count)]
        good = faults.count(None)
        assert good == count, f"{why}: {good} of {count} stapled: {faults}"

    def had_staple(self, **script):
        """A state in which a good staple was had, published and served.

        SCRIPT tells how the responder signs it, such as its age."""
        self.lab.respond("good", **script)
        self.installed()
        result = self.once()
        assert self.staple(), f"keep --once: {result}"
        self.must_staple("D8: after keep --once", 1)
        return self.staple()


def fault_for(lab, leaf, der):
    """Why DER is no genuine staple for LEAF; None if it is one."""
    return judge.fault_of(der, leaf.certificate, lab.authority.certificate)
