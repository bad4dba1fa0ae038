# SPDX-License-Identifier: ISC
"""`lint`, and `doctor --server nginx`: a real nginx's settings and its log."""

import pathlib
import time

import pytest

from playground import util
from playground.lab import EDGE, NAMES, RECURSOR, REFUSING, SECOND

CONTROL = "control.lab.test"
HONEST = {**NAMES, CONTROL: {"a": [SECOND]}}


def lint(site, *words):
    """Without any network: the faults by their codes, and the whole."""
    result = site.lab.alone("lint", "--json", *words)
    said = result.json
    for fault in said["faults"]:
        assert fault["sentence"] and fault["remedy"], fault
    assert result.code == (1 if said["faults"] else 0), result
    return {fault["code"]: fault for fault in said["faults"]}, said


def test_asked_and_from_files(sites):
    """The same by `nginx -T`, by its files, and by what it has printed."""
    site = sites(lines=["ssl_stapling on;", f"resolver {RECURSOR};"])
    asked, said = lint(site, "--server-command", site.nginx.command)
    assert "server-cfg-no-verify" in asked and said["server_blocks"] == 1
    fault = asked["server-cfg-no-verify"]
    path = site.nginx.prefix / "sites" / "site.conf"
    assert fault["file"] == str(path)
    line = path.read_text().splitlines()[fault["line"] - 1]
    assert "ssl_stapling on;" in line
    dump = site.folder / "dump"
    dump.write_text(site.nginx.must("-T").stdout)
    assert lint(site, str(dump))[0] == asked
    assert lint(site, str(site.nginx.conf))[0] == asked
    gone, said = lint(site, "--server-command",
                      site.nginx.command.replace("nginx ", "no-nginx ", 1))
    assert gone == asked
    assert any("no-nginx" in one["why"] for one in said["not_tested"]), said


def test_what_keep_has_published(site):
    """Nothing to find; and once its staple is over, that."""
    site.had_staple()
    command = ["--server-command", site.nginx.command]
    assert lint(site, *command)[0] == {}
    faults, _ = lint(site, *command, "--at",
                     str(int(time.time()) + 9 * 86400))
    assert list(faults) == ["server-cfg-file-stale"]
    assert str(site.state) in faults["server-cfg-file-stale"]["seen"]


@pytest.mark.parametrize("content", [None, "", "no certificate\n"],
                         ids=["missing", "empty", "other"])
def test_a_certificate_that_cannot_be_read(site, tmp_path, content):
    """CONTRACT, exit codes: no good word on what was not looked at; a fault
    elsewhere is one all the same."""
    site.had_staple()
    main = pathlib.Path(site.nginx.conf)
    other = tmp_path / "other.pem"
    if content is not None:
        other.write_text(content)
    block = (f"server {{ listen 127.0.0.1:{util.free_port()} ssl; "
             f"ssl_certificate {other}; ssl_certificate_key {other}; }}\n")
    (main.parent / "sites" / "z.conf").write_text(block)
    result = site.lab.alone("lint", "--json", str(main))
    assert result.code == 2 and result.json["faults"] == [], result
    assert str(other) in [u["what"] for u in result.json["not_tested"]]
    assert result.err.count("\n") == 1 and "cannot be read" in result.err
    late = site.lab.alone("lint", "--json", str(main), "--at",
                          str(int(time.time()) + 9 * 86400))
    assert late.code == 1 and late.json["faults"], late
    quiet = site.lab.alone("lint", "-q", str(main))
    assert quiet.code == 2, quiet


@pytest.mark.parametrize("words", [("a", "b"), ("/no/such/file",)])
def test_bad_input(lab, words):
    result = lab.alone("lint", "--json", *words)
    assert result.code == 2 and result.out == "" and result.err


def test_a_forged_peer_in_the_log(sites, lab):
    """32: nginx asks a resolver of its own, which lies; its log has the
    address, and the diagnosis proves what that costs."""
    lab.resolver(RECURSOR, names=HONEST)
    lab.resolver(SECOND, names={**HONEST, EDGE: {"a": [REFUSING]}})
    site = sites(lines=["ssl_stapling on;", f"resolver {SECOND} ipv6=off;"])
    site.shakes(1)
    log = site.nginx.prefix / "error.log"
    util.wait_for("nginx's complaint", lambda: (
        f"peer: {REFUSING}:80" in log.read_text()))
    result = lab.oclasp("doctor", f"localhost:{site.port}", "--json",
                        "--control", CONTROL, "--ca-file",
                        lab.authority.root_path, "--server", "nginx",
                        "--server-command", site.nginx.command, timeout=90)
    said = result.json
    codes = [finding["code"] for finding in said["findings"]]
    assert codes[0] == "server-cfg-resolver-wrong", said["findings"]
    assert said["primary"]["certainty"] == "proven"
    assert result.code == 1
    fails = said["findings"][codes.index("server-fetch-fails")]
    assert fails["address"] == REFUSING
    assert any(e["kind"] == "peer" and REFUSING in e["fact"]
               for e in said["evidence"]), said["evidence"]
