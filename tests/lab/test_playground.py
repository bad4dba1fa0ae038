# SPDX-License-Identifier: ISC
"""The lab itself: its lies are real lies, its truth is the truth.

Nothing of oclasp runs here, so these say whether a failure elsewhere is the
lab's fault."""

import base64
import sys

import pytest

from playground import forge, judge, util
from playground.lab import (EDGE, HOST, RECURSOR, REFUSING, SECOND, TARPIT,
                            TARPIT6)

FORGED = {HOST: {"a": TARPIT, "aaaa": TARPIT6}}
READ_URL = ("import sys, urllib.request as u; "
            "sys.stdout.buffer.write(u.urlopen(sys.argv[1]).read())")


def system_answer(lab, name=HOST):
    """The addresses that getaddrinfo gives to any program of the client."""
    lines = lab.run("getent", "ahosts", name).stdout.splitlines()
    return {line.split()[0] for line in lines}


def openssl_ocsp(lab, leaf, host):
    authority = lab.authority
    return lab.run("openssl", "ocsp", "-issuer", authority.path, "-cert",
                   leaf.leaf_path, "-url", f"http://{host}/", "-CAfile",
                   authority.root_path, "-timeout", "1")


def test_clean_network_is_clean(lab, tmp_path):
    leaf = lab.leaf(tmp_path)
    result = openssl_ocsp(lab, leaf, HOST)
    assert "Response verify OK" in result.stderr, result
    assert f"{leaf.leaf_path}: good" in result.stdout, result


@pytest.mark.parametrize("kind, records", [
    ("A", [[HOST, "A", TARPIT]]),
    ("AAAA", [[HOST, "AAAA", TARPIT6]]),
    ("TXT", [[HOST, "A", TARPIT]]),
    ("HTTPS", [[HOST, "A", TARPIT]]),
])
def test_forged_datagram_is_as_on_the_wire(lab, kind, records):
    """NETWORK-TRUTH 1: first, one record owned by the QNAME, flags 0x8180,
    no OPT, no CNAME; the genuine one comes all the same, with chain and OPT."""
    lab.race(FORGED)
    forged, genuine = lab.ask(RECURSOR, HOST, kind)
    assert forged["records"] == records
    assert forged["flags"] == 0x8180 and not forged["edns"]
    assert genuine["edns"] and genuine["at_ms"] > forged["at_ms"]
    assert [record[1] for record in genuine["records"][:2]] == ["CNAME"] * 2


def test_forged_flags_without_recursion_desired():
    query = bytes.fromhex("123400000001000000000000"
                          "016104746573740000010001")
    reply = forge.forge(query, "192.0.2.1", None)
    assert reply[:4] == bytes.fromhex("12348400")
    assert forge.forge(query[:-3] + b"\x1c\0\1", "192.0.2.1", None) is None


def test_only_the_named_host_is_forged(lab):
    """Injectors look at the QNAME alone."""
    lab.race(FORGED)
    assert len(lab.ask(RECURSOR, EDGE)) == 1


def test_an_ordinary_client_believes_the_forgery(lab, tmp_path):
    """The counter-test of every race: who takes the first answer loses."""
    lab.censor(FORGED)
    assert system_answer(lab) == {TARPIT, TARPIT6}
    result = openssl_ocsp(lab, lab.leaf(tmp_path), HOST)
    assert result.returncode != 0, result


def test_poisoned_recursor_lies_in_the_last_link(lab):
    lab.resolver(RECURSOR, lies={HOST: {"mode": "poisoned", "a": TARPIT}})
    (answer,) = lab.ask(RECURSOR, HOST)
    assert [record[1] for record in answer["records"]] == [
        "CNAME", "CNAME", "A"]
    assert answer["records"][-1] == [EDGE, "A", TARPIT]
    assert system_answer(lab) == {TARPIT}


def test_nginx_alone_is_deceived(site):
    """What oclasp is for: nginx's own stapling takes the first datagram."""
    lab = site.lab
    lab.race({HOST: {"a": REFUSING}})
    site.nginx.add_site(site.leaf, site.port, lines=[
        "ssl_stapling on;", f"resolver {SECOND} ipv6=off;"])
    site.nginx.reload()
    site.shakes(1)
    log = site.nginx.prefix / "error.log"
    util.wait_for("nginx to try the forged address",
                  lambda: f"peer: {REFUSING}:80" in log.read_text())
    assert [der for der, _ in site.shakes(20)] == [None] * 20
    assert not lab.requests()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_helper_and_s_client_agree(site, version):
    """The handshake helper sees the staple that `openssl s_client` sees."""
    lab = site.lab
    site.nginx.add_site(site.leaf, site.port, lines=[
        "ssl_stapling on;", f"resolver {RECURSOR};"])
    site.nginx.reload()
    assert site.shakes(1, "--tls", version) == [(None, "no staple")]
    util.wait_for("nginx's own staple",
                  lambda: site.shakes(1, "--tls", version)[0][1] is None)
    result = lab.run(
        "openssl", "s_client", "-status", f"-tls{version.replace('.', '_')}",
        "-connect", f"127.0.0.1:{site.port}", "-servername", "localhost",
        input="")
    assert "Cert Status: good" in result.stdout, result
    assert site.leaf.serial in result.stdout.lower().replace(" ", "")


@pytest.mark.parametrize("mode, fault", [
    ("good", None), ("revoked", "REVOKED"), ("unknown", "UNKNOWN"),
    ("expired", "expired"), ("foreign", "serial"),
    ("wrongsigner", "signature"), ("badsig", "signature"),
    ("tryLater", "TRY_LATER"), ("unauthorized", "UNAUTHORIZED"),
    ("html", "not a response"), ("garbage", "not a response"),
    ("trailing", "not a response"), ("empty", "no staple"),
])
@pytest.mark.parametrize("signer", ["delegate", "issuer"])
def test_judge_knows_good_from_bad(lab, tmp_path, mode, fault, signer):
    """The judge of the other tests, over the responder's modes."""
    leaf = lab.leaf(tmp_path)
    lab.respond(mode, signer=signer)
    request = tmp_path / "request.der"
    lab.run("openssl", "ocsp", "-issuer", lab.authority.path, "-cert",
            leaf.leaf_path, "-no_nonce", "-reqout", request)
    text = base64.b64encode(request.read_bytes()).decode()
    text = text.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    result = lab.run(sys.executable, "-c", READ_URL,
                     f"http://10.77.2.80/{text}", text=False)
    assert result.returncode == 0, result.stderr
    found = judge.fault_of(result.stdout, leaf.certificate,
                           lab.authority.certificate)
    assert (found is None) if fault is None else (found and fault in found), (
        found)
