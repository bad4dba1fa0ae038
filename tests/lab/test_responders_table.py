# SPDX-License-Identifier: ISC
"""tools/responders-table: a wrong table is never built."""

import importlib.machinery
import importlib.util
import re
import subprocess
import sys

import pytest

from playground.netns import ROOT

TOOL = ROOT / "tools/responders-table"
TABLE = ROOT / "docs/responders.tsv"
GOOD = ["A CA", "http://ocsp.example", "offered", "-", "-", "seen",
        "2026-01-31", "where it was seen"]


def load():
    loader = importlib.machinery.SourceFileLoader("table", str(TOOL))
    spec = importlib.util.spec_from_loader("table", loader)
    module = importlib.util.module_from_spec(spec)
    dont, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(module)
    sys.dont_write_bytecode = dont
    return module


def run(path):
    return subprocess.run([TOOL, path], capture_output=True, text=True,
                          check=False)


def test_the_table_itself():
    done = run(TABLE)
    assert done.returncode == 0 and done.stderr == "", done
    rows = [line for line in TABLE.read_text(encoding="ascii").splitlines()
            if line and not line.startswith("#")]
    assert done.stdout.count("    {\"") == len(rows)
    for line in rows:
        ca, url, *_ = line.split("\t")
        assert f'"{ca}"' in done.stdout and f'"{url}"' in done.stdout, line


def test_a_row_as_c():
    table = load()
    source = table.write(table.parse('# a comment\n\n' + "\t".join(
        [r'A "quoted\" CA', *GOOD[1:]]) + "\n"))
    assert re.search(r'\{"A \\"quoted\\\\\\" CA",\s+"http://ocsp.example",'
                     r'\s+RESPONDER_OFFERED,\s+NULL,\s+NULL,\s+"seen"', source)


@pytest.mark.parametrize("column, value, told", [
    (1, "ftp://ocsp.example", "no http"), (1, "http://", "no http"),
    (1, "http://OCSP.example", "lower case"), (1, "http://a b/", "no http"),
    (2, "maybe", "offer"), (2, "ended", "since"), (2, "ending", "since"),
    (3, "2025", "since"), (3, "soon", "YYYY"), (3, "2025-13", "YYYY"),
    (5, "sure", "certainty"), (6, "2026", "YYYY-MM-DD"), (6, "-", "checked"),
    (0, "", "empty"), (7, "", "empty"), (7, "a\x07bell", "character"),
    (7, "caf\u00e9", "character"), (7, "one\tmore", "9 columns"),
])
def test_bad_row(column, value, told):
    row = list(GOOD)
    row[column] = value
    with pytest.raises(ValueError, match="2: .*" + told):
        load().parse("# first\n" + "\t".join(row) + "\n")


@pytest.mark.parametrize("text, told", [
    ("", "empty"), ("# nothing\n", "empty"), ("A CA\thttp://x.y\n", "2 columns"),
    ("\t".join(GOOD) + "\n" + "\t".join(GOOD) + "\n", "2: .*twice"),
    ("\t".join(GOOD) + "\n" + "\t".join(
        [GOOD[0], GOOD[1] + "/", *GOOD[2:]]) + "\n", "2: .*twice"),
    ("".join("\t".join([GOOD[0], f"http://o{n}.example", *GOOD[2:]]) + "\n"
             for n in map(str, range(300))), "politely"),
])
def test_bad_table(text, told):
    with pytest.raises(ValueError, match=told):
        load().parse(text)


def test_the_build_stops(tmp_path):
    """The file and the line are named, and no C is written."""
    file = tmp_path / "bad.tsv"
    file.write_text("# x\nnonsense\n", encoding="utf-8")
    done = run(file)
    assert done.returncode != 0 and done.stdout == "", done
    assert f"{file}:2: 1 columns" in done.stderr, done
