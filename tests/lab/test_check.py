# SPDX-License-Identifier: ISC
"""`check`: what a client is given, and what one without a staple waits."""

import re

import pytest

from playground import util
from playground.lab import (BLACKHOLE, HOST, RECURSOR, REFUSING, RESPONDERS,
                            TARPIT)


def check(site, *words, target=None):
    return site.lab.oclasp(
        "check", f"localhost:{site.port}" if target is None else target,
        "--ca-file", site.lab.authority.root_path, *words)


def serve_file(site, mode):
    """Make nginx serve the responder's answer of MODE from a file, which it
    does without looking at it."""
    path = site.folder / "served.der"
    path.write_bytes(site.lab.answer(site.leaf, mode))
    site.nginx.add_site(site.leaf, site.port, lines=[
        "ssl_stapling on;", f"ssl_stapling_file {path};"])
    site.nginx.reload()


def test_no_staple(site):
    """Exit 1: the thing checked is wrong; two handshakes, both told."""
    result = check(site, "--json")
    assert result.code == 1, result
    said = result.json
    assert [shake["stapled"] for shake in said["handshakes"]] == [False] * 2
    assert said["staple"] is None
    assert said["certificate"]["fingerprint"] == site.leaf.fingerprint
    assert said["address"] in ("127.0.0.1", "::1")


def test_good_staple(site):
    site.had_staple()
    result = check(site, "--json")
    assert result.code == 0, result
    said = result.json
    for shake in said["handshakes"]:
        assert shake["stapled"] and shake["verdict"] == "accept", said
        assert shake["reason"] is None
        assert shake["connect_ms"] >= 0 and shake["tls_ms"] >= 0
    assert said["staple"]["status"] == "good"
    assert said["penalty"] is None
    text = check(site)
    assert text.code == 0 and "good" in text.out, text


def test_staple_without_issuer(site):
    """I6: what cannot be judged is not called bad.  No server has to send a
    root (RFC 8446, section 4.4.2)."""
    site.leaf.path = site.leaf.leaf_path
    serve_file(site, "good")
    ask = ["check", f"localhost:{site.port}"]
    said = site.lab.oclasp(*ask, "--json")
    assert said.code == 1 and said.json["result"] == "issuer-missing", said
    for shake in said.json["handshakes"]:
        assert shake["stapled"] and shake["verdict"] is None, said
        assert shake["reason"] == "issuer-missing", said
    assert "bad" not in site.lab.oclasp(*ask).out
    assert site.lab.oclasp(*ask, "--nagios").code == 3
    issuer = site.lab.authority.path
    assert site.lab.oclasp(*ask, "--ca-file", issuer).code == 0


@pytest.mark.parametrize("mode, reason", [
    ("expired", "expired"), ("badsig", "bad-signature"),
    ("foreign", "wrong-certificate"), ("wrongsigner", None),
    ("tryLater", "status-try-later")])
def test_bad_staple(site, mode, reason):
    """D5: a bad staple is worse than none; nginx serves all of these."""
    serve_file(site, mode)
    assert site.shakes(1)[0][0], "nginx serves whatever is in the file"
    result = check(site, "--json")
    assert result.code == 1, result
    for shake in result.json["handshakes"]:
        assert shake["stapled"] and shake["verdict"] == "reject"
        if reason:
            assert shake["reason"] == reason, shake


def test_revoked_staple(site):
    serve_file(site, "revoked")
    result = check(site, "--json")
    assert result.code == 1, result
    assert result.json["staple"]["status"] == "revoked"


def test_first_handshake_differs(site):
    """nginx's own stapling: none in the first, one later."""
    lab = site.lab
    lab.resolver(RECURSOR, delay_ms=0)
    site.nginx.add_site(site.leaf, site.port, lines=[
        "ssl_stapling on;", f"resolver {RECURSOR};"])
    site.nginx.reload()
    first = check(site, "--json").json["handshakes"]
    assert first[0]["stapled"] is False, first
    util.wait_for("nginx's own staple", lambda: check(site).code == 0)


@pytest.mark.parametrize("address, low, high, outcomes", [
    (TARPIT, 2900, 3600, {"http-timeout", "timeout"}),
    (BLACKHOLE, 2900, 3600, {"connect-timeout", "timeout"}),
    (REFUSING, 0, 500, {"connect-refused"}),
    (RESPONDERS[0], 0, 500, {"ok"})])
def test_penalty(site, address, low, high, outcomes):
    """What a client without a staple waits: it believes the first answer;
    capped at 3 s."""
    site.lab.resolver(RECURSOR, lies={HOST: {
        "mode": "forged-first", "a": address}})
    penalty = check(site, "--json").json["penalty"]
    assert low <= penalty["wait_ms"] <= high, penalty
    assert penalty["address"] == address
    assert penalty["outcome"] in outcomes, penalty
    assert penalty["url"].startswith(f"http://{HOST}/")


def test_penalty_by_a_named_resolver(site):
    """--resolver: the first datagram, as any ordinary client takes it."""
    site.lab.race({HOST: {"a": TARPIT}})
    site.had_staple()
    said = check(site, "--json", "--penalty", "--resolver", RECURSOR).json
    assert said["penalty"]["address"] == TARPIT
    assert said["penalty"]["wait_ms"] >= 2900


@pytest.mark.parametrize("stapled, code, word", [
    (True, 0, "OK"), (False, 2, "CRITICAL")])
def test_nagios(site, stapled, code, word):
    """One line with perfdata; a missing staple that no certificate demands
    may be a warning."""
    if stapled:
        site.had_staple()
    result = check(site, "--nagios")
    lines = result.out.splitlines()
    assert len(lines) == 1 and "|" in lines[0], result
    assert re.search("OK|WARNING|CRITICAL|UNKNOWN", lines[0])
    if stapled:
        assert result.code == code and word in lines[0], result
    else:
        assert result.code in (1, 2), result


def test_must_staple_without_a_staple(sites):
    """D2, D5: clients that obey RFC 7633 refuse this server."""
    site = sites(must_staple=True)
    said = check(site, "--json").json
    assert said["certificate"]["must_staple"] is True
    result = check(site, "--nagios")
    assert result.code == 2 and "CRITICAL" in result.out, result


def test_nobody_listens(site):
    """75: the network; --nagios: 2 or 3."""
    site.nginx.stop()
    result = check(site, "--json")
    assert result.code == 75, result
    assert "refused" in str(result.json)
    text = check(site)
    assert text.code == 75 and "connect-refused" in text.out + text.err, text
    assert check(site, "--nagios").code in (2, 3)


def test_hanging_server(site):
    """I5: a server that accepts and is silent ends in time."""
    result = check(site, "--timeout", "2", target=f"{TARPIT}:80")
    assert result.code == 75, result


@pytest.mark.parametrize("target", ["nowhere.lab.test:443", "localhost:x",
                                    "localhost:99999", "", "b\u00fccher.test"])
def test_bad_target(site, target):
    result = check(site, target=target)
    assert result.code == (75 if "nowhere" in target else 2), result
    assert (result.out + result.err).strip(), "a sentence"
