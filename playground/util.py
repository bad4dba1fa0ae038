# SPDX-License-Identifier: ISC
"""Small things that every block needs."""

import json
import os
import signal
import socket
import stat
import sys
import threading
import time


def free_port(address="127.0.0.1", kind=socket.SOCK_STREAM):
    """A port that the kernel says is free on ADDRESS at this moment."""
    with socket.socket(family_of(address), kind) as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def parse_endpoint(text, default_port):
    """"ADDR", "ADDR:PORT" or "[ADDR]:PORT" as (address, port)."""
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return address, int(port[1:] or default_port)
    if text.count(":") == 1:
        address, port = text.split(":")
        return address, int(port)
    return text, default_port


def write_atomic(path, data):
    """Replace PATH by DATA; a reader sees the old file or the new one."""
    data = data if isinstance(data, bytes) else data.encode()
    temporary = f"{path}.{os.getpid()}.tmp"
    with open(temporary, "wb") as out:
        out.write(data)
    os.replace(temporary, path)


def write_json(path, value):
    write_atomic(path, json.dumps(value))


def read_json(path):
    with open(path, encoding="utf-8") as source:
        return json.load(source)


def read_lines(path):
    """The JSON documents of a log that has one on each line."""
    try:
        with open(path, encoding="utf-8") as source:
            return [json.loads(line) for line in source]
    except FileNotFoundError:
        return []


def wait_for(what, probe, seconds=10.0, interval=0.02):
    """Poll PROBE until it returns something true, and return that.

    Raises TimeoutError that names WHAT when SECONDS are over.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(interval)


class Script:
    """What a block shall do: a dict, or a JSON file that is read afresh at
    each use, so that another process can switch it."""

    def __init__(self, defaults, path=None):
        self.values = dict(defaults)
        self.path = path

    def now(self):
        if self.path is None:
            return dict(self.values)
        return {**self.values, **read_json(self.path)}


def run_until_terminated(what):
    """Say that WHAT is ready and stay until SIGTERM or ^C, or until our input
    ends if that is a pipe: then whoever started us is gone."""
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    signal.signal(signal.SIGINT, lambda *_: done.set())
    print(what, flush=True)
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        threading.Thread(target=lambda: (sys.stdin.read(), done.set()),
                         daemon=True).start()
    done.wait()
