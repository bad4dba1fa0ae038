# SPDX-License-Identifier: ISC
"""`fetch` where DNS lies: the genuine staple all the same, and what was seen.

DESIGN, "Acquire": no answer is believed, each is tried, signatures decide."""

import time

import pytest

from playground.lab import (BLACKHOLE, EDGE, HOST, MIDDLE, NAMES, NEAR,
                            RECURSOR, REFUSING, REFUSING6, RESPONDERS, SECOND,
                            TARPIT, TARPIT6, UNREACHABLE)
from site_of_lab import fault_for

GENUINE = RESPONDERS[0]
BY_OUR_OWN_SOCKETS = f"udp://{RECURSOR}"


def must_have_staple(lab, leaf, out, result, why):
    """Exit 0, and FILE holds what an independent judge calls genuine."""
    assert result.code == 0, f"{why}: {result}"
    fault = fault_for(lab, leaf, out.read_bytes())
    assert fault is None, f"{why}: {fault}"
    said = result.json
    assert said["verdict"] == "accept" and said["reason"] is None, said
    assert said["response"]["status"] == "good", said
    assert said["certificate"]["fingerprint"] == leaf.fingerprint
    wins = [t for t in said["tries"] if t["outcome"] == "ok"]
    assert len(wins) == 1, f"{why}: one try wins: {said['tries']}"
    assert (wins[0]["address"], wins[0]["source"]) == (
        said["address"], said["source"]), said
    return said


def tries_of(said, address):
    return [t for t in said["tries"] if t["address"] == address]


def test_clean_network(lab, leaf, out):
    """Issue of the day without lies: one try is enough."""
    said = must_have_staple(lab, leaf, out, lab.fetch(leaf.path, "-o", out),
                            "clean network")
    assert said["address"] == GENUINE
    assert {t["address"] for t in said["tries"]} == {GENUINE}


@pytest.mark.parametrize("forged", [
    {"a": TARPIT}, {"a": TARPIT, "aaaa": TARPIT6}, {"a": REFUSING},
    {"a": REFUSING, "aaaa": REFUSING6}, {"a": BLACKHOLE},
    {"a": UNREACHABLE}, {"a": TARPIT, "repeat": 3},
], ids=lambda f: "-".join(f"{k}={v}" for k, v in f.items()))
def test_forged_first_genuine_later(lab, leaf, out, forged):
    """Forged first, genuine later over plain UDP: the staple all the same,
    with nothing but the system's resolv.conf (hold-on: every datagram is a
    claim); and the forged address is told, with who claimed it."""
    lab.race({HOST: forged})
    first, second = lab.ask(RECURSOR, HOST)[0], lab.ask(RECURSOR, HOST)[-1]
    assert first["records"][0][2] == forged["a"], "the lab must forge first"
    assert second["records"][-1][2] == GENUINE
    said = must_have_staple(lab, leaf, out, lab.fetch(leaf.path, "-o", out),
                            "forged first, genuine later")
    assert said["address"] == GENUINE
    assert said["source"] == BY_OUR_OWN_SOCKETS, (
        "the system's answer is forged, so our own sockets must have won")
    # of two forged families one is tried, and beaten before the other's turn
    lies = tries_of(said, forged["a"]) + tries_of(said, forged.get("aaaa"))
    assert lies, f"the forged address is not among the tries: {said['tries']}"
    for lie in lies:
        assert lie["source"] in NEAR, lie
        assert lie["outcome"] != "ok" and lie["elapsed_ms"] >= 0, lie
        assert lie["url"] == "http://ocsp.lab.test/", lie


def test_forged_late(lab, leaf, out):
    """NETWORK-TRUTH 1.1: 11 % come after the genuine one; last does not win
    either."""
    lab.censor({HOST: {"a": TARPIT, "aaaa": TARPIT6, "delay_ms": 60}})
    said = must_have_staple(lab, leaf, out, lab.fetch(leaf.path, "-o", out),
                            "a late forgery")
    assert said["address"] == GENUINE


def test_refused_at_once_does_not_end_the_race(lab, leaf, out):
    """A forged address that refuses fails long before the genuine answer
    comes; the window must be held all the same."""
    lab.censor({HOST: {"a": REFUSING, "aaaa": REFUSING6}})
    lab.resolver(RECURSOR, delay_ms=1500)
    must_have_staple(lab, leaf, out, lab.fetch(leaf.path, "-o", out),
                     "genuine answer after 1.5 s")


def test_tarpit_does_not_cost_its_timeout(lab, leaf, out):
    """Racing: an address that accepts and hangs costs no time-out."""
    lab.race({HOST: {"a": TARPIT, "aaaa": TARPIT6}})
    said = must_have_staple(lab, leaf, out, lab.fetch(leaf.path, "-o", out),
                            "tarpit")
    assert said["elapsed_ms"] < 2000, said
    assert lab.tarpit_requests(), "the tarpit was tried: it is evidence"
    lies = tries_of(said, TARPIT) + tries_of(said, TARPIT6)
    assert lies, f"the tarpit is not among the tries: {said['tries']}"
    for lie in lies:
        assert lie["outcome"] in ("cancelled", "http-timeout"), lie


def test_explicit_resolver(lab, leaf, out):
    """--resolver: forged first there as well, on the way to another one."""
    lab.resolver(RECURSOR, lies={HOST: {"mode": "forged-only", "a": TARPIT}})
    lab.censor({HOST: {"a": TARPIT}})
    said = must_have_staple(
        lab, leaf, out,
        lab.fetch(leaf.path, "-o", out, "--resolver", SECOND), "--resolver")
    assert said["source"] == f"udp://{SECOND}"


def test_poisoned_last_link_other_resolver(lab, leaf, out):
    """The story of 2020: the recursor's chain is true but for its last link;
    another resolver, asked in plain UDP, is clean (NETWORK-TRUTH 0.2)."""
    poisoned = {"mode": "poisoned", "a": TARPIT}
    lab.resolver(RECURSOR, lies={HOST: poisoned, MIDDLE: poisoned,
                                 EDGE: poisoned})
    said = must_have_staple(
        lab, leaf, out,
        lab.fetch(leaf.path, "-o", out, "--resolver", f"udp://{SECOND}"),
        "poisoned last CNAME link")
    assert said["source"] == f"udp://{SECOND}"
    assert tries_of(said, TARPIT), said


@pytest.mark.parametrize("address", [TARPIT, REFUSING, BLACKHOLE])
def test_poisoned_last_link_asked_by_itself(lab, leaf, out, address):
    """DESIGN, Acquire 1: the chain's later names are asked by themselves;
    asked for its last link alone the recursor knows the truth."""
    lab.resolver(RECURSOR, lies={HOST: {"mode": "poisoned", "a": address}})
    said = must_have_staple(lab, leaf, out, lab.fetch(leaf.path, "-o", out),
                            "poisoned last CNAME link")
    (win,) = [t for t in said["tries"] if t["outcome"] == "ok"]
    assert win["asked_name"] in (MIDDLE, EDGE), win
    assert all(t["asked_name"] is None for t in tries_of(said, address)
               if t["source"] == "system")


def test_poisoned_last_link_forged_when_asked(lab, leaf, out):
    """Both at once: the cache is poisoned and the last name's own question
    is answered by a forgery first."""
    lab.resolver(RECURSOR, lies={HOST: {"mode": "poisoned", "a": TARPIT}})
    lab.censor({EDGE: {"a": REFUSING}, MIDDLE: {"a": REFUSING}})
    must_have_staple(lab, leaf, out, lab.fetch(leaf.path, "-o", out),
                     "poisoned cache and forged last link")


@pytest.mark.parametrize("lie", ["nxdomain", "servfail", "silent"])
def test_recursor_denies(lab, leaf, out, lie):
    """And nobody waits for the look-up that the race no longer needs."""
    lab.resolver(RECURSOR, lies={HOST: {"mode": lie}})
    start = time.monotonic()
    said = must_have_staple(
        lab, leaf, out,
        lab.fetch(leaf.path, "-o", out, "--resolver", SECOND), lie)
    took = (time.monotonic() - start) * 1000
    assert said["source"] == f"udp://{SECOND}"
    assert took - said["elapsed_ms"] < 500, (
        f"had after {said['elapsed_ms']} ms, told after {took:.0f} ms")


@pytest.mark.parametrize("lie, reason", [
    ("nxdomain", "dns-nxdomain"), ("servfail", "dns-servfail"),
    ("silent", "dns-no-answer")])
def test_nobody_names_an_address(lab, leaf, out, lie, reason):
    lab.resolver(RECURSOR, lies={HOST: {"mode": lie}})
    result = lab.fetch(leaf.path, "-o", out, "--timeout", "6")
    assert result.code == 75 and not out.exists(), result
    assert result.json["reason"] == reason, result.json
    assert result.json["detail"], result


def test_pin_against_all_lies(lab, leaf, out):
    """B8: the AIA host in Host, whatever address is used."""
    lab.resolver(RECURSOR, lies={HOST: {"mode": "forged-only", "a": TARPIT}})
    said = must_have_staple(
        lab, leaf, out,
        lab.fetch(leaf.path, "-o", out, "--pin", f"{HOST}={GENUINE}"), "pin")
    assert said["source"] == "pin" and said["address"] == GENUINE
    assert {r["headers"]["Host"] for r in lab.requests()} == {HOST}, (
        "B8: Host is the AIA's host")


def test_wrong_pin_costs_nothing(lab, leaf, out):
    said = must_have_staple(
        lab, leaf, out,
        lab.fetch(leaf.path, "-o", out, "--pin", f"{HOST}={TARPIT}"),
        "a pin that is wrong by now")
    assert said["address"] == GENUINE
    assert tries_of(said, TARPIT)[0]["source"] == "pin"


@pytest.mark.parametrize("forged", [{"a": TARPIT, "aaaa": TARPIT6},
                                    {"a": REFUSING, "aaaa": REFUSING6}])
def test_only_lies(lab, leaf, out, forged):
    """No truth anywhere: exit 75, and the report names what was tried."""
    lab.resolver(RECURSOR, lies={HOST: {"mode": "forged-only", **forged}})
    result = lab.fetch(leaf.path, "-o", out, "--timeout", "2")
    assert result.code == 75 and not out.exists(), result
    said = result.json
    assert said["verdict"] == "reject" and said["reason"] in (
        "http-timeout", "connect-refused"), said
    for address in forged.values():
        assert tries_of(said, address), (address, said["tries"])


@pytest.mark.parametrize("words, address", [
    ([], None), (["--ipv4"], GENUINE), (["--ipv6"], RESPONDERS[2])])
def test_both_families(lab, leaf, out, words, address):
    lab.resolver(RECURSOR, {**NAMES, EDGE: {"a": [GENUINE],
                                            "aaaa": [RESPONDERS[2]]}})
    said = must_have_staple(lab, leaf, out,
                            lab.fetch(leaf.path, "-o", out, *words),
                            "both families")
    if address:
        assert {t["address"] for t in said["tries"]} == {address}, said


@pytest.mark.parametrize("records", [
    {"a": [BLACKHOLE], "aaaa": [RESPONDERS[2]]},
    {"a": [GENUINE], "aaaa": [TARPIT6]},
    {"a": [REFUSING, BLACKHOLE, TARPIT, RESPONDERS[1]]},
    {"aaaa": [RESPONDERS[2]]},
], ids=["v4-dead", "v6-hangs", "fourth-address", "v6-only"])
def test_one_address_of_many(lab, leaf, out, records):
    """RFC 8305: a dead address or family delays, it does not decide."""
    lab.resolver(RECURSOR, {**NAMES, EDGE: records})
    said = must_have_staple(lab, leaf, out, lab.fetch(leaf.path, "-o", out),
                            "one good address among bad ones")
    assert said["address"] in RESPONDERS
    assert said["elapsed_ms"] < 6000, said


@pytest.mark.parametrize("mode, outcomes", [
    ("html", {"not-ocsp"}), ("redirect", {"http-redirect"}),
    ("reset", {"http-reset"}), ("http500", {"http-status"}),
    ("empty", {"not-ocsp", "malformed"}), ("garbage", {"malformed"}),
    # a CA of the same name; the CA's own octets, of which one was changed
    ("wrongsigner", {"signer-not-authorized", "untrusted-signer"}),
    ("badsig", {"bad-signature"}), ("foreign", {"wrong-certificate"}),
    ("unauthorized", {"status-unauthorized"}),
    ("tryLater", {"status-try-later"}),
])
def test_what_the_forged_address_says(lab, leaf, out, mode, outcomes):
    """I1: signatures decide.  Whatever comes from there is one try that
    failed, and costs the genuine address nothing."""
    lab.respond(addresses={RESPONDERS[1]: {
        "mode": mode, "redirect": f"http://{RESPONDERS[1]}:81/"}})
    lab.race({HOST: {"a": RESPONDERS[1]}})
    said = must_have_staple(lab, leaf, out, lab.fetch(leaf.path, "-o", out),
                            mode)
    assert said["address"] == GENUINE
    lies = {t["outcome"] for t in tries_of(said, RESPONDERS[1])}
    assert lies and lies <= outcomes | {"cancelled"}, (mode, said["tries"])
    assert lies & outcomes, "it has answered before the genuine DNS answer"


# --- denials

@pytest.mark.parametrize("rcode, asked", [
    ("nxdomain", "dns-nxdomain"), ("servfail", "dns-servfail"),
    ("refused", "dns-servfail"),
    ("formerr", "dns-nxdomain")])  # so says the C library of it
def test_forged_denial_first(lab, leaf, out, rcode, asked):
    """Injected NXDOMAIN and the like: the C library believes it; the genuine
    datagram behind it is heard all the same."""
    lab.race({HOST: {"rcode": rcode}})
    first, *_, last = lab.ask(RECURSOR, HOST)
    assert not first["records"] and last["records"][-1][2] == GENUINE
    said = must_have_staple(lab, leaf, out, lab.fetch(leaf.path, "-o", out),
                            rcode)
    assert said["source"] == BY_OUR_OWN_SOCKETS
    (system,) = [t for t in said["tries"] if t["source"] == "system"]
    assert system["outcome"] in (asked, "dns-no-answer"), system


@pytest.mark.parametrize("lie", ["nxdomain", "servfail"])
def test_denied_by_the_recursor_alone(lab, leaf, out, new_roads, lie):
    """It denies all, and nothing comes behind it: another road has it; with
    none, exit 75."""
    lab.resolver(RECURSOR, lies={name: {"mode": lie}
                                 for name in (HOST, MIDDLE, EDGE)})
    assert lab.fetch(leaf.path, "--timeout", "4").code == 75
    new_roads.open("--tcp", f"{SECOND}:53")
    said = must_have_staple(
        lab, leaf, out, lab.fetch(leaf.path, "-o", out, "--resolver",
                                  f"tcp://{SECOND}"), lie)
    assert said["source"] == f"tcp://{SECOND}"


# --- the chain

def test_first_name_alone_is_poisoned(lab, leaf, out):
    """One resolver lies about the first name and has no chain for it, the
    other has the chain and a false end: the later name, asked by itself, is
    true at both.  Without the one that knows the chain there is no way."""
    lab.resolver(RECURSOR, lies={HOST: {"mode": "forged-only", "a": TARPIT}})
    words = [leaf.path, "-o", out, "--timeout", "4"]
    assert lab.fetch(*words).code == 75
    lab.resolver(SECOND, lies={HOST: {"mode": "poisoned", "a": REFUSING}})
    said = must_have_staple(
        lab, leaf, out, lab.fetch(*words, "--resolver", SECOND), "first name")
    (win,) = [t for t in said["tries"] if t["outcome"] == "ok"]
    assert win["asked_name"] in (MIDDLE, EDGE), win
    assert {e["name"] for e in lab.questions(RECURSOR)} >= {MIDDLE, EDGE}


def test_chain_at_a_resolver_by_connection(lab, leaf, out, new_roads):
    """The encrypted resolver's own cache is poisoned at the last link: one
    class later its later names are asked too."""
    new_roads.poison(RECURSOR, a=REFUSING)
    lies = {HOST: {"mode": "poisoned", "a": REFUSING}}
    new_roads.open("--tcp", f"{SECOND}:53", lies=lies)
    said = must_have_staple(
        lab, leaf, out, lab.fetch(leaf.path, "-o", out, "--resolver",
                                  f"tcp://{SECOND}"), "poisoned cache")
    (win,) = [t for t in said["tries"] if t["outcome"] == "ok"]
    assert (win["source"], win["asked_name"] in (MIDDLE, EDGE)) == (
        f"tcp://{SECOND}", True), win


# --- the certificate's other URL

@pytest.mark.parametrize("dead", [
    f"http://{TARPIT}/", f"http://{BLACKHOLE}/", f"http://{REFUSING}/",
    f"http://{UNREACHABLE}/", "http://dead.lab.test/"],
    ids=["hangs", "silent", "refuses", "unreachable", "lied about"])
def test_first_url_is_dead(lab, tmp_path, out, dead):
    """Each URL of the certificate counts, and the first does not cost its
    time-out; alone it is no way."""
    lab.resolver(RECURSOR, {**NAMES, "dead.lab.test": {"a": [TARPIT]}})
    alone = lab.leaf(tmp_path, "alone", urls=[dead])
    assert lab.fetch(alone.path, "--timeout", "2").code == 75
    leaf = lab.leaf(tmp_path, urls=[dead, f"http://{HOST}/"])
    said = must_have_staple(lab, leaf, out, lab.fetch(
        leaf.path, "-o", out, "--timeout", "4"), dead)
    assert said["address"] == GENUINE


# --- many addresses, two families

@pytest.mark.parametrize("bad", [[TARPIT], [REFUSING], [BLACKHOLE],
                                 [TARPIT, REFUSING, BLACKHOLE, UNREACHABLE]],
                         ids=["hang", "refuse", "silent", "mixed"])
def test_one_of_eight_addresses(lab, leaf, out, bad):
    """Seven that are dead in one way or another, and the last is right."""
    number = "123456789"
    spare = [f"10.77.2.10{n}" for n in number[:7]]
    for address, like in zip(spare, bad * 7):
        make_like(lab, address, like)
    try:
        lab.resolver(RECURSOR, {**NAMES, EDGE: {"a": [*spare, GENUINE]}})
        said = must_have_staple(lab, leaf, out, lab.fetch(
            leaf.path, "-o", out), "the eighth address")
    finally:
        for address, like in zip(spare, bad * 7):
            make_like(lab, address, like, "del")
    assert said["address"] == GENUINE
    assert said["elapsed_ms"] < 4500, "staggers, and no time-out (5 s)"


def make_like(lab, address, like, verb="add"):
    """From the client's side ADDRESS behaves as LIKE does."""
    if like in (BLACKHOLE, UNREACHABLE):
        kind = "blackhole" if like == BLACKHOLE else "unreachable"
        lab.spaces.must("router", "ip", "route", verb, kind,
                        f"{address}/32")
    elif like == REFUSING:
        lab.spaces.must("world", "ip", "address", verb, f"{address}/24",
                        "dev", "eth0")
    else:  # all that goes there comes to the tarpit
        lab.spaces.must("world", "ip", "address", verb, f"{address}/24",
                        "dev", "eth0")
        if verb == "add":
            lab.hang_at(address)


@pytest.mark.parametrize("family, kind", [
    ("6", "unreachable"), ("6", "blackhole"),
    ("4", "unreachable"), ("4", "blackhole")])
def test_one_family_is_broken(lab, leaf, out, family, kind):
    """The responder has addresses of both, and this network has no way for one
    of them: at once, or in silence."""
    lab.resolver(RECURSOR, {**NAMES, EDGE: {
        "a": [GENUINE, RESPONDERS[1]], "aaaa": [RESPONDERS[2]]}})
    broken = ([f"{RESPONDERS[2]}/128"] if family == "6" else
              [f"{address}/32" for address in RESPONDERS[:2]])
    for route in broken:
        lab.spaces.must("router", "ip", f"-{family}", "route", "add", kind,
                        route)
    try:
        said = must_have_staple(lab, leaf, out, lab.fetch(
            leaf.path, "-o", out), f"no IPv{family}")
    finally:
        for route in broken:
            lab.spaces.must("router", "ip", f"-{family}", "route", "del",
                            route)
    assert (":" in said["address"]) == (family == "4"), said
    assert said["elapsed_ms"] < 4500, "one stagger, and no time-out (5 s)"
