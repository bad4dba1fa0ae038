# SPDX-License-Identifier: ISC
"""What becomes of a command whose output nobody gets, or gets the half of."""

import os
import subprocess

import pytest

WORDS = [["help"], ["--version"], ["fetch", "--help"], ["explain"],
         ["explain", "--json"], ["show", "LEAF"], ["show", "LEAF", "--json"]]


def run(lab, leaf, words, out):
    words = [leaf.path if word == "LEAF" else word for word in words]
    return subprocess.run([lab.program, *words], stdout=out, text=True,
                          stderr=subprocess.PIPE, check=False)


@pytest.mark.parametrize("words", WORDS)
def test_full(lab, leaf, words):
    """A script must not take the half of a document for the whole."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        result = run(lab, leaf, words, full)
    assert result.returncode == 2, result
    assert result.stderr.count("\n") == 1, result
    assert "cannot write standard output" in result.stderr, result


@pytest.mark.parametrize("words", WORDS)
def test_reader_gone(lab, leaf, words):
    """As `| head` goes when it has seen enough: no fault of anybody."""
    reader, writer = os.pipe()
    os.close(reader)
    result = run(lab, leaf, words, writer)
    os.close(writer)
    assert (result.returncode, result.stderr) == (0, ""), result


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(lab, leaf, out, tmp_path, closed):
    """Whoever starts us may have closed them: no file is taken for one, and
    nothing is printed into a file."""
    def run_closed(*words):
        script = f'"$@" {closed}'
        return lab.run("sh", "-c", script, "sh", lab.program, *words)
    done = run_closed("fetch", leaf.path, "-o", out)
    # the report is lost without standard output, which is told
    assert done.returncode == (2 if ">&-" in closed.split() else 0), done
    assert out.exists()
    state = tmp_path / "state"
    done = run_closed("keep", leaf.path, "--once", "--state-dir", state)
    assert done.returncode == 0, done
    assert (state / "lock").read_text(encoding="utf-8").strip().isdigit()


@pytest.mark.parametrize("words", [
    ["--bogus", "HOST"], ["HOST", "--timeout", "0"], ["HOST", "OTHER"],
    ["HOST", "--config", "/none"], ["HOST", "--json"], ["HOST:0"]])
def test_wrong_usage_is_no_alarm(lab, words):
    """--nagios: 2 would be CRITICAL."""
    for order in (["--nagios", *words], [*words, "--nagios"]):
        result = lab.oclasp("check", *order)
        assert result.code == 3, result


@pytest.mark.parametrize("words", [["show"], ["survey"], ["doctor"]])
def test_names_move_no_terminal(lab, leaf, tmp_path, words):
    """Whoever may make files in a folder may call them what he likes."""
    evil = tmp_path / "a\n\033[2Jb.pem"
    evil.write_bytes(leaf.path.read_bytes())
    result = lab.oclasp(*words, evil)
    assert "\033" not in result.out + result.err, result
    assert "a??[2Jb.pem" in result.out, result


def test_unknown_is_null(lab, leaf, out, tmp_path):
    """An error status has the keys of any response."""
    lab.fetch(leaf.path, "-o", out)
    later = tmp_path / "later.der"
    later.write_bytes(bytes.fromhex("30030a0103"))  # tryLater
    items = lab.oclasp("show", out, later, "--json").json["items"]
    assert items[0].keys() == items[1].keys()
    assert items[0]["reason"] is None
    assert items[1]["reason"] == "status-try-later"
    assert items[1]["answers"] == []
