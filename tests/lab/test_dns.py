# SPDX-License-Identifier: ISC
"""`dns`: every datagram, which names are targeted, and no word too much.

NETWORK-TRUTH 3.1 (evidence classes) and 4.3 (bisect)."""

import pytest

from playground.lab import (BLACKHOLE, EDGE, HOST, MIDDLE, NAMES, RECURSOR,
                            RESPONDERS, SECOND, TARPIT)

CONTROL = "control.lab.test"
INJECTION = {"dns-injection", "dns-injection-race"}


def dns(lab, *words):
    result = lab.oclasp("dns", HOST, "--json", "--control", CONTROL,
                        "--resolver", SECOND, *words)
    return result, result.json


def bisect(lab):
    result, said = dns(lab, "--bisect", "--blackhole", BLACKHOLE)
    return result, said["bisect"], {v["code"] for v in said["verdicts"]}


def test_a_clean_network(lab):
    """Everybody is asked, nobody is accused."""
    result, said = dns(lab, "--blackhole", BLACKHOLE)
    assert result.code == 0, result
    assert said["name"] == HOST
    assert said["chain"] == [MIDDLE, EDGE]
    assert said["bisect"] is None
    assert {v["code"] for v in said["verdicts"]} == set(), said["verdicts"]
    asked = {a["resolver"] for a in said["answers"]}
    assert {"system", f"udp://{RECURSOR}", f"tcp://{RECURSOR}",
            f"udp://{SECOND}", f"udp://{BLACKHOLE}"} <= asked
    dark = [a for a in said["answers"] if a["party"] == "blackhole"]
    assert dark and all(a["error"] == "dns-no-answer" and not a["datagrams"]
                        for a in dark)


def test_every_datagram_is_told(lab):
    """The forged and the genuine one: time, records, EDNS, IP TTL (1.3)."""
    lab.race({HOST: {"a": TARPIT}})
    result, said = dns(lab)
    assert result.code == 1, result
    a = next(q for q in said["answers"] if q["type"] == "A" and
             q["name"] == HOST and q["resolver"] == f"udp://{RECURSOR}")
    forged, genuine = a["datagrams"]
    assert [r["data"] for r in forged["records"]] == [TARPIT]
    assert not forged["edns"] and genuine["edns"]
    assert [r["type"] for r in genuine["records"]] == ["CNAME", "CNAME", "A"]
    assert forged["at_ms"] <= genuine["at_ms"]
    assert isinstance(forged["ip_ttl"], int) and forged["size"] > 0
    txt = next(q for q in said["answers"] if q["type"] == "TXT" and
               q["name"] == HOST and q["resolver"] == f"udp://{RECURSOR}")
    assert txt["datagrams"][0]["impossible"]
    assert {v["code"] for v in said["verdicts"]} & INJECTION


@pytest.mark.parametrize("target, links, scope", [
    (HOST, [True, False, False], "host"),
    (MIDDLE, [False, True, False], "host"),
    (EDGE, [False, False, True], "host"),
    (".dscq.akamai.test", [False, False, True], "*.dscq.akamai.test"),
    (".akamai.test", [False, False, True], "*.akamai.test"),
], ids=["first-name", "middle", "last-link", "zone", "zone-above"])
def test_bisect(lab, target, links, scope):
    """One name, the CDN, or everything? (the open question of 2020)"""
    lab.race({target: {"a": TARPIT}})
    result, said, verdicts = bisect(lab)
    assert result.code == 1, result
    assert said["outcome"] == "injected", said
    assert [link["name"] for link in said["chain"]] == [HOST, MIDDLE, EDGE]
    assert [link["injected"] for link in said["chain"]] == links, said
    assert said["scope"] == scope, said
    assert "cannot be told from here" in said["verdict"]
    # D: the censor sits on the first router, and its answers bear the hop
    # limit that the question had
    assert said["hops"] == 1, said
    near = [(a["hops"], d["ip_ttl"]) for a in result.json["answers"]
            if a["role"] == "hop" for d in a["datagrams"]]
    assert near and all(limit == hops for hops, limit in near), near
    assert verdicts & INJECTION, verdicts


def test_bisect_of_a_clean_network(lab):
    """Silence without a positive control proves nothing."""
    result, said, verdicts = bisect(lab)
    assert result.code == 75, result
    assert said["outcome"] == "inconclusive", said
    assert [link["injected"] for link in said["chain"]] == [None] * 3
    assert said["hops"] is None
    assert not verdicts & INJECTION


def test_a_lying_resolver_is_no_injection(lab):
    """Its data are wrong on the way to nobody: different answers alone are
    never called pollution (I6)."""
    lab.resolver(RECURSOR, names={**NAMES, EDGE: {"a": [TARPIT]}})
    result, said = dns(lab, "--blackhole", BLACKHOLE)
    codes = {v["code"] for v in said["verdicts"]}
    assert not codes & INJECTION, codes
    assert "dns-resolver-wrong" not in codes, "nothing was proven here"
    assert result.code == 0, result


ZONES = {"lab.test": {"ns": ["ns.lab.test."]},
         "ns.lab.test": {"a": [SECOND]}}


def authority_of(said, name):
    """What the zone's servers said of NAME: the records, and the flags."""
    answers = [a for a in said["answers"] if a["party"] == "authority"
               and a["name"] == name and a["type"] == "A"]
    return [(d["flags"], [r["data"] for r in d["records"]])
            for a in answers for d in a["datagrams"]]


def test_the_zone_s_own_servers(lab):
    """A: found through resolvers, asked directly; differing sets are told,
    and nobody is accused of them."""
    lab.resolver(RECURSOR, names={**NAMES, **ZONES})
    lab.resolver(SECOND, authoritative=True,
                 names={**ZONES, HOST: {"a": [RESPONDERS[1]]}})
    result, said = dns(lab)
    assert authority_of(said, HOST) == [(["aa", "ra"], [RESPONDERS[1]])]
    assert any(r == {"type": "NS", "data": "ns.lab.test"}
               for a in said["answers"] if a["type"] == "NS"
               for d in a["datagrams"] for r in d["records"])
    codes = [v["code"] for v in said["verdicts"]]
    assert not {"dns-injection", "dns-resolver-wrong"} & set(codes), codes


def test_forged_for_the_zone_s_servers_too(lab):
    """The path speaks for them over UDP as for any other."""
    for address in (RECURSOR, SECOND):
        lab.resolver(address, names={**NAMES, **ZONES}, delay_ms=100)
    lab.censor({HOST: {"a": TARPIT}})
    _, said = dns(lab)
    forged = [r for _, r in authority_of(said, HOST)]
    assert [TARPIT] in forged, forged
    assert said["verdicts"][0]["code"].startswith("dns-injection")


def test_a_pool_is_told_and_proves_nothing(lab, tmp_path):
    pool = tmp_path / "pool.txt"
    pool.write_text(f"# seen\n{TARPIT}\n192.0.2.1 # another\n",
                    encoding="utf-8")
    lab.resolver(RECURSOR, names={**NAMES, EDGE: {"a": [TARPIT]}})
    result, said = dns(lab, "--pool", pool)
    records = [r for q in said["answers"] for d in q["datagrams"]
               for r in d["records"] if r["data"] == TARPIT]
    assert records and all(r["in_pool"] for r in records)
    assert not {v["code"] for v in said["verdicts"]} & INJECTION
    assert result.code == 0, result


def test_no_network(lab):
    result = lab.alone("dns", HOST, "--json")
    assert result.code == 75, result
    assert all(not q["datagrams"] and q["error"]
               for q in result.json["answers"])


@pytest.mark.parametrize("words", [
    [], ["a b"], ["192.0.2.1"], ["[::1]"], ["--", "-x"],
    ["a.example", "b.example"],
    ["a.example", "--blackhole", "dark"],
    ["a.example", "--blackhole", "tls://192.0.2.1"],
    ["a.example", "--pool", "/nowhere"], ["a.example", "--control", ".."],
])
def test_bad_input(lab, words):
    """One sentence, exit 2, nothing on standard output."""
    result = lab.oclasp("dns", "--json", *words)
    assert result.code == 2, result
    assert result.out == "" and result.err.count("\n") == 1, result
