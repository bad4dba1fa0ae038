# SPDX-License-Identifier: ISC
"""`make demo` tells the truth and leaves nothing behind."""

import glob
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

from playground import netns, util

DEMO = netns.ROOT / "playground" / "demo"


def processes_of(marker):
    """The processes in whose environment MARKER is."""
    found = []
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            if marker.encode() in pathlib.Path(path).read_bytes():
                found.append(path.split("/")[2])
        except OSError:
            pass
    return found


@pytest.fixture
def demo(tmp_path):
    """The demo as a process whose offspring can be told by a mark."""
    marker = f"DEMO_MARK={os.getpid()}-{time.monotonic_ns()}"
    name, value = marker.split("=")
    process = subprocess.Popen(
        [sys.executable, DEMO], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
        env={**os.environ, name: value, "TMPDIR": str(tmp_path),
             "OCLASP": os.path.abspath(os.environ.get(
                 "OCLASP", netns.ROOT / "build/oclasp"))})
    process.marker = marker
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def left_behind(process, folder):
    util.wait_for("its processes to end",
                  lambda: not processes_of(process.marker))
    return os.listdir(folder)


def test_demo(demo, tmp_path):
    """Before and after, in under a minute."""
    start = time.monotonic()
    output, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0, output
    assert time.monotonic() - start < 45
    assert "127.66.6.6" in output and "In short" in output, output
    waited = re.search(r"waits\s+([0-9.]+) s", output)
    assert 2.5 < float(waited.group(1)) < 4, output
    assert "\033[" not in output, "colours only on a terminal"
    assert left_behind(demo, tmp_path) == []


@pytest.mark.parametrize("seconds", [0.5, 2.0, 5.0])
def test_interrupted_demo(demo, tmp_path, seconds):
    """^C at any time: nothing is left behind."""
    with pytest.raises(subprocess.TimeoutExpired):
        demo.wait(seconds)
    os.killpg(demo.pid, signal.SIGINT)
    demo.communicate(timeout=20)
    assert demo.returncode not in (0, None)
    assert left_behind(demo, tmp_path) == []
