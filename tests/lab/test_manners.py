# SPDX-License-Identifier: ISC
"""Politeness and privacy: whom a fetch asks, and whom it leaves alone; and what
it refuses to be led to.  (Private addresses: test_proxy.py.)"""

import re
import subprocess

import pytest

from playground import util
from playground.lab import (BLACKHOLE, EDGE, HOST, NAMES, NEAR, RECURSOR,
                            REFUSING, RESPONDERS, SECOND, TARPIT, URL)
from roads_of_lab import NAME
from site_of_lab import fault_for

GENUINE = RESPONDERS[0]
TLS, HTTPS = (f"tls://{SECOND}#{NAME}",
              f"https://{NAME}/dns-query#{SECOND}")


# --- whom it asks

@pytest.mark.parametrize("edge", [
    {"a": [GENUINE]},
    {"a": [GENUINE, RESPONDERS[1]]},
    {"a": [GENUINE], "aaaa": [RESPONDERS[2]]},
], ids=["one", "two", "both families"])
def test_clean_network_one_request(lab, leaf, out, new_roads, edge):
    """Where nobody lies: one request to the responder, the system's own
    resolver alone, and no word to anybody else who was named."""
    lab.resolver(RECURSOR, {**NAMES, EDGE: edge})
    # time for a second request to be seen, and none for the next class
    lab.respond("hang", hang_s=0.04)
    log = new_roads.open("--tls", f"{SECOND}:853", "--https", f"{SECOND}:443")
    result = lab.fetch(leaf.path, "-o", out, "--tls-ca",
                       lab.authority.root_path, "--resolver", SECOND,
                       "--resolver", TLS, "--resolver", HTTPS, "--upstream",
                       f"http://{RESPONDERS[1]}:81/")
    assert result.code == 0 and result.json["source"] in NEAR, result
    assert len(lab.requests()) == 1, lab.requests()
    assert not lab.questions(SECOND) and not util.read_lines(log)
    assert [t["outcome"] for t in result.json["tries"]] == ["ok"], result
    assert result.json["parties"] == [], result


def test_named_resolvers_when_the_near_ones_fail(lab, leaf, out, new_roads):
    """The same resolvers, where the system's answer is no use."""
    new_roads.poison(RECURSOR, a=REFUSING)
    log = new_roads.open("--tls", f"{SECOND}:853")
    result = lab.fetch(leaf.path, "-o", out, "--tls-ca",
                       lab.authority.root_path, "--resolver", TLS)
    assert result.code == 0 and result.json["source"] == TLS, result
    assert {e["name"] for e in util.read_lines(log)} == {HOST}


def test_name_of_this_network_stays_here(lab, tmp_path, out):
    """Nobody outside is told it; a resolver inside may know it."""
    name = "ocsp.corp.internal"
    leaf = lab.leaf(tmp_path, urls=[f"http://{name}/"])
    lab.spaces.must("world", "ip", "address", "add", "203.0.113.54/32", "dev",
                    "eth0")
    lab.spaces.must("router", "ip", "route", "add", "203.0.113.54/32", "via",
                    RECURSOR)
    lab.resolver("203.0.113.54", {name: {"a": [GENUINE]}})
    process = lab.spaces.serve(
        "world", "playground.resolver", "--listen", "203.0.113.54:53",
        "--script", lab.file("203.0.113.54"), "--log",
        lab.file("203.0.113.54.log"))
    try:
        words = [leaf.path, "-o", out, "--timeout", "4", "--allow-private"]
        result = lab.fetch(*words, "--resolver", "203.0.113.54")
        assert result.code == 75, result
        assert not lab.questions("203.0.113.54")
        lab.resolver(SECOND, {name: {"a": [GENUINE]}})
        assert lab.fetch(*words, "--resolver", SECOND).code == 0
    finally:
        process.terminate()
        process.wait()
        lab.spaces.must("router", "ip", "route", "del", "203.0.113.54/32")
        lab.spaces.must("world", "ip", "address", "del", "203.0.113.54/32",
                        "dev", "eth0")


def test_hanging_addresses_are_taken_in_turn(lab, leaf):
    """RFC 8305, section 5: one further connection every 250 ms, and never more
    than 8 at once, however many addresses a forger names: 3 s would be enough
    for eleven."""
    many = [f"10.77.66.{n}" for n in range(6, 36)]  # the black hole's
    lab.spaces.must("router", "ip", "route", "add", "blackhole",
                    "10.77.66.0/24")
    try:
        lab.resolver(RECURSOR, {**NAMES, EDGE: {"a": many}})
        result = lab.fetch(leaf.path, "--timeout", "3")
    finally:
        lab.spaces.must("router", "ip", "route", "del", "10.77.66.0/24")
    assert result.code == 75, result
    tried = {t["address"] for t in result.json["tries"]} - {None}
    assert 2 <= len(tried) <= 8, tried
    assert BLACKHOLE in many


def test_no_vendor_in_the_program(lab):
    """Nothing is hard-wired: of public addresses only those that are reserved
    for documents (RFC 5737), and those of this machine, are in the program."""
    text = subprocess.run(["strings", "-n", "7", lab.program], check=True,
                          capture_output=True, text=True).stdout
    found = set(re.findall(
        r"(?<!section )(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])", text))
    ours = ("192.0.2.", "198.51.100.", "203.0.113.", "127.", "10.", "0.0.0.0",
            "169.254.", "192.168.", "198.18.", "224.", "1.3.6.1")
    assert {a for a in found if not a.startswith(ours)} == set()
    for vendor in ("dns.google", "cloudflare", "quad9", "dns.alidns",
                   "doh.pub", "dns.adguard"):
        assert vendor not in text.lower(), vendor


# --- what it is not led to

def test_redirect_is_refused(lab, leaf, out):
    """Nobody is asked at the address that the answer names."""
    lab.respond(addresses={GENUINE: {
        "mode": "redirect", "redirect": f"http://{RESPONDERS[1]}/"}})
    result = lab.fetch(leaf.path, "-o", out, "--timeout", "3")
    assert result.code == 75 and not out.exists(), result
    assert result.json["reason"] == "http-redirect", result
    assert not lab.requests(RESPONDERS[1]), "the redirect was followed"
    # what the redirect named is a responder, when asked by right
    result = lab.fetch(leaf.path, "-o", out, "--pin",
                       f"{HOST}={RESPONDERS[1]}")
    assert result.code == 0, result


@pytest.mark.parametrize("size, code", [(30, 0), (70, 75), (65536, 75)])
def test_size_after_decoding(lab, leaf, out, size, code):
    """C19: content codings are not asked for; what comes all the same is
    decoded up to 64 KiB, however small it is on the wire."""
    lab.respond("bomb", big_kb=size)
    if code == 0:  # an octet behind the response is refused for itself
        lab.respond("gzip")
    result = lab.fetch(leaf.path, "-o", out, "--timeout", "5")
    assert result.code == code, result
    if code:
        assert result.json["reason"] == "oversize", result
        assert not out.exists()
    else:
        assert fault_for(lab, leaf, out.read_bytes()) is None


def test_tarpit_gets_no_second_connection(lab, leaf, out):
    """A forged address that hangs is tried once in a fetch, by one method."""
    lab.race({HOST: {"a": TARPIT}})
    assert lab.fetch(leaf.path, "-o", out).code == 0
    assert len(lab.tarpit_requests()) == 1, lab.tarpit_requests()


def test_url_of_the_certificate_alone(lab, leaf, out):
    """Nothing is asked for but what the certificate names."""
    assert lab.fetch(leaf.path, "-o", out).code == 0
    (seen,) = lab.requests()
    assert seen["headers"]["Host"] == HOST and URL.endswith(HOST + "/")
