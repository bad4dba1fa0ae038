# SPDX-License-Identifier: ISC
"""Network namespaces that vanish with the process that made them.

Each is held by a process that reads our pipe, so nothing is left behind in
/run or /etc whatever happens.  Each has a mount namespace too, for an
/etc/resolv.conf and an nsswitch.conf of its own.  As an ordinary user all of
it lives in one user namespace, where that user is root.
"""

import os
import pathlib
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HOLD = "echo ready; exec cat"  # until we close its input, or are gone
# Nobody else is there: link-local addresses that wait two seconds to be sure
# of it let no neighbour be asked for before.
QUIET = """
for each in all default; do
  dad=/proc/sys/net/ipv6/conf/$each/accept_dad
  [ ! -e $dad ] || echo 0 > $dad
done
ip link set lo up
"""


class Unavailable(Exception):
    """This machine lets us make no network namespaces."""


def hold(words, script=HOLD):
    """Start WORDS with a shell that stays; wait until it is there."""
    process = subprocess.Popen(
        [*words, "sh", "-ec", script], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if process.stdout.readline() != "ready\n":
        raise Unavailable(process.stderr.read().strip() or "unshare failed")
    return process


class Namespaces:
    """A set of namespaces by name; close() ends all that runs in them."""

    def __init__(self):
        # a shell's background job ignores it, and so would all we start
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self.holders, self.members, self.children = [], {}, []
        self.enter = []
        if os.geteuid() != 0:
            user = hold(["unshare", "--user", "--map-root-user"])
            self.holders.append(user)
            self.enter = ["nsenter", "--target", str(user.pid), "--user",
                          "--preserve-credentials"]

    def add(self, name, folder, nameserver=None):
        """A namespace with loopback up and NAMESERVER in its resolv.conf;
        FOLDER keeps the files that are mounted over those of /etc."""
        script = QUIET
        if nameserver:
            resolv = pathlib.Path(folder) / f"{name}.resolv.conf"
            resolv.write_text(f"nameserver {nameserver}\n"
                              "options timeout:2 attempts:1\n",
                              encoding="utf-8")
            switch = pathlib.Path(folder) / f"{name}.nsswitch.conf"
            switch.write_text("hosts: files dns\n", encoding="utf-8")
            script += (f"mount --bind '{resolv}' /etc/resolv.conf; "
                       f"mount --bind '{switch}' /etc/nsswitch.conf; ")
        holder = hold([*self.enter, "unshare", "--net", "--mount"],
                      script + HOLD)
        self.holders.append(holder)
        self.members[name] = holder.pid
        return holder.pid

    def inside(self, name):
        """The words before a command that shall run in namespace NAME."""
        words = ["nsenter", "--target", str(self.members[name])]
        if self.enter:
            words += ["--user", "--preserve-credentials"]
        return [*words, "--net", "--mount", "--"]

    def run(self, name, *words, timeout=60, **options):
        options = {"capture_output": True, "text": True, **options}
        return subprocess.run(self.inside(name) + [str(w) for w in words],
                              timeout=timeout, env=environment(), **options)

    def must(self, name, *words, **options):
        result = self.run(name, *words, **options)
        if result.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, words))}: "
                               f"{result.stderr or result.stdout}")
        return result

    def popen(self, name, *words, **options):
        options = {"stdin": subprocess.DEVNULL, **options}
        process = subprocess.Popen(
            self.inside(name) + [str(word) for word in words],
            env=environment(), **options)
        self.children.append(process)
        return process

    def serve(self, name, module, *words):
        """Run a block, `python3 -m MODULE WORDS`, and wait for "ready"."""
        process = self.popen(name, sys.executable, "-m", module, *words,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             text=True)
        if not process.stdout.readline().startswith("ready"):
            raise RuntimeError(f"{module} did not start")
        return process

    def close(self):
        for process in self.children + self.holders[::-1]:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()
        self.children, self.holders = [], []


def environment(**more):
    """Ours, with this tree's modules to be found from any folder, and without
    the proxies of a network that cannot be reached from here."""
    ours = {name: value for name, value in os.environ.items()
            if not name.lower().endswith("_proxy")}
    return {**ours, "PYTHONPATH": str(ROOT), **more}
