# SPDX-License-Identifier: ISC
"""Many certificates, a responder that answers for them out of a table on a
core of its own, and the program that is measured."""

import json
import os
import pathlib
import signal
import subprocess
import sys

from playground import util

ROOT = pathlib.Path(__file__).resolve().parents[1]
TOOLS = ("farm", "static-responder")
CORES = sorted(os.sched_getaffinity(0))
CLIENT, SERVER = CORES[-1], CORES[0]


def program():
    return os.path.abspath(os.environ.get("OCLASP", ROOT / "build/oclasp"))


def tool(name):
    return ROOT / "build/bench" / name


def build(*more):
    """oclasp as it is now, the farm, its responder, and MORE of
    bench/meson.build."""
    if not (ROOT / "build/build.ninja").exists():
        subprocess.run(["make"], cwd=ROOT, check=True)
    subprocess.run(["ninja", "-C", "build", "--quiet", "oclasp"] +
                   [f"bench/{name}" for name in TOOLS + more], cwd=ROOT,
                   check=True, stdout=subprocess.DEVNULL)


def pinned(core, command):
    return ["taskset", "-c", str(core)] + [str(word) for word in command]


class Farm:
    """Certificates and their answers, all of one kind."""

    def __init__(self, folder, count, key, signer):
        self.folder, self.count = folder, count
        self.port = util.free_port()
        # a name, so that there is something to resolve
        self.url = f"http://localhost:{self.port}/"
        subprocess.run([tool("farm"), folder, str(count), key, signer,
                        self.url], check=True)
        self.issuer, self.list = folder / "issuer.pem", folder / "list"

    def leaf(self, number):
        return self.folder / f"{number}.pem"


class Responder:
    """static-responder on its core."""

    def __init__(self, farm, *options):
        self.process = subprocess.Popen(
            pinned(SERVER, [tool("static-responder"), farm.folder / "table",
                            f"port={farm.port}", *options]),
            stdout=subprocess.PIPE, text=True)
        if not self.process.stdout.readline().startswith("ready"):
            sys.exit("bench: the responder did not begin")

    def told(self):
        """What it has seen since it was asked last."""
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def wait_fresh(count, *curl):
    """Until a keeper, asked by CURL, has a good response for COUNT."""
    def fresh():
        said = subprocess.run(["curl", "-s", *curl], capture_output=True,
                              text=True, check=False).stdout
        return f'\noclasp_targets{{state="fresh"}} {count}\n' in said
    util.wait_for(f"{count} responses", fresh, seconds=3600, interval=0.5)
