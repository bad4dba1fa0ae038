# SPDX-License-Identifier: ISC
"""The penalty: what a client without a staple waits, tries and rules apart.

The rules are in test_penalty_client.c; here the tries are real."""

import pytest

from playground.lab import (EDGE, HOST, NAMES, RECURSOR, REFUSING, RESPONDERS,
                            SECOND, TARPIT)

CONTROL = "control.lab.test"
HONEST = {**NAMES, CONTROL: {"a": [RESPONDERS[1]]}}
TRIES = 20


@pytest.fixture
def lab_names(lab):
    for address in (RECURSOR, SECOND):
        lab.resolver(address, names=HONEST, delay_ms=0)
    return lab


def doctor(lab, target, *words):
    result = lab.oclasp("doctor", target, "--json", "--control", CONTROL,
                        *words, timeout=60)
    assert result.json["elapsed_ms"] < 30000
    return result.json["penalty"]


def waits(penalty):
    return {c["client"]: c for c in penalty["clients"]}


def near(client, low, high):
    return low <= client["p50_ms"] <= client["p95_ms"] <= high


def test_answered(lab_names, tmp_path):
    """20 cold tries of each behaviour; who does not ask does not wait."""
    penalty = doctor(lab_names, lab_names.leaf(tmp_path).path, "--penalty")
    assert penalty["stall"] == "ocsp" and "no Safari" in penalty["note"]
    assert [t["method"] for t in penalty["tries"]] == ["GET", "POST"]
    for tries in penalty["tries"]:
        assert tries["tries"] == TRIES, tries
        assert tries["outcomes"] == {"answered": TRIES}, tries
    said = waits(penalty)
    for name in ("apple", "windows", "firefox", "java"):
        assert said[name]["asks"] and said[name]["tries"] == TRIES
        assert said[name]["outcome"] == "answered", said[name]
        assert near(said[name], 0, 500), said[name]
        assert said[name]["with_staple_ms"] == 0
    for name in ("chrome", "curl", "android"):
        assert not said[name]["asks"] and near(said[name], 0, 0)


def test_refused(lab_names, tmp_path):
    """A forged address that refuses: all fail at once."""
    for address in (RECURSOR, SECOND):
        lab_names.resolver(address, delay_ms=0,
                           names={**HONEST, EDGE: {"a": [REFUSING]}})
    said = waits(doctor(lab_names, lab_names.leaf(tmp_path).path,
                        "--penalty"))
    for name in ("apple", "windows", "firefox", "java"):
        assert said[name]["outcome"] == "fails", said[name]
        assert near(said[name], 0, 500), said[name]
    assert said["java"]["refuses"] and not said["apple"]["refuses"]


def test_hangs_within_the_bound(lab_names, tmp_path):
    """40: every client waits as long as its rule says, and all tries that
    hang do so side by side: the run still ends within 30 s."""
    for address in (RECURSOR, SECOND):
        lab_names.resolver(address, delay_ms=0,
                           names={**HONEST, EDGE: {"a": [TARPIT]}})
    penalty = doctor(lab_names, lab_names.leaf(tmp_path).path, "--penalty")
    for tries in penalty["tries"]:
        assert tries["outcomes"] == {"hung": TRIES}, tries
        assert tries["address"] == TARPIT
    said = waits(penalty)
    for name, low, high in (("apple", 3000, 3000), ("firefox", 2000, 2000),
                            ("windows", 15000, 15000),
                            ("java", 15000, 15500)):
        assert said[name]["outcome"] == "times-out", said[name]
        assert near(said[name], low, high), said[name]
        assert not said[name]["at_least"]


def test_a_stall_without_a_responder_is_not_ocsp(sites):
    """50: then what else to look at is measured, of the server."""
    site = sites(urls=())
    target = f"127.0.0.1:{site.port}"
    words = ["--servername", "localhost"]
    penalty = doctor(site.lab, target, *words)
    assert penalty["stall"] == "not-ocsp"
    assert penalty["clients"] == [] and penalty["tries"] == []
    server = penalty["server"]
    assert server["chain_certificates"] >= 1 and server["chain_octets"] > 300
    assert server["connect_ms"] >= 0 and server["tls_ms"] >= 0
    page = site.folder / "page.html"
    text = site.lab.oclasp("doctor", target, *words, "--html", page).out
    assert "TCP connect" in page.read_text()
    assert "A stall is not OCSP" in text and "TCP connect" in text


def test_text_says_what_it_is(lab_names, tmp_path):
    out = lab_names.oclasp("doctor", lab_names.leaf(tmp_path).path,
                           "--penalty", "--control", CONTROL).out
    assert f"http://{HOST}/" in out
    assert "no Safari" in out and "iOS, macOS" in out
    assert "20 of 20 tries" in out
