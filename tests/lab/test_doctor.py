# SPDX-License-Identifier: ISC
"""`doctor`: one true cause in a real network, and no accusation too much.

The scenarios' numbers are those of NETWORK-TRUTH 4.2; test_diagnose.c has all
of them as facts, here the probes must find the facts."""

from xml.etree import ElementTree

import pytest

from playground import pki
from playground.lab import (BLACKHOLE, CLIENT, EDGE, HOST, NAMES, RECURSOR,
                            RESPONDERS, SECOND, TARPIT, URL)
from playground.nginx import Nginx

CONTROL = "control.lab.test"
HONEST = {**NAMES, CONTROL: {"a": [RESPONDERS[1]]}}
INJECTION = {"dns-injection", "dns-injection-race"}
FAR_MS = 150


@pytest.fixture
def site(lab):
    for address in (RECURSOR, SECOND):
        lab.resolver(address, names=HONEST)
    return lab


def examine(lab, target, *words):
    result = lab.oclasp("doctor", target, "--json", "--control", CONTROL,
                        *words, timeout=90)
    said = result.json
    assert said["primary"] == said["findings"][0]
    ids = {e["id"] for e in said["evidence"]}
    for finding in said["findings"]:
        assert set(finding["evidence"]) <= ids, finding
        assert finding["evidence"] or finding["code"] == "inconclusive"
    assert said["elapsed_ms"] < 30000
    return result, said, [f["code"] for f in said["findings"]]


def far(lab, names=None):
    for address in (RECURSOR, SECOND):
        lab.resolver(address, names=names or HONEST, delay_ms=FAR_MS)


def test_healthy(site, tmp_path):
    """1 (27: every address of this lab is a private one)."""
    result, said, codes = examine(site, site.leaf(tmp_path).path,
                                  "--blackhole", BLACKHOLE)
    assert result.code == 0, result
    assert codes == ["ok-override"], codes
    assert said["penalty"] is None and said["substitution"] is None


def test_forged_first(site, tmp_path):
    """4: the cause is proven, and what would repair it is too."""
    far(site)
    site.censor({HOST: {"a": TARPIT}})
    result, said, codes = examine(site, site.leaf(tmp_path).path,
                                  "--blackhole", BLACKHOLE)
    assert result.code == 1, result
    assert codes[0] == "dns-injection-race", said["findings"]
    primary = said["primary"]
    assert primary["certainty"] == "proven" and primary["name"] == HOST
    assert primary["remedy"] and primary["layer"] == "dns"
    assert RESPONDERS[0] in said["substitution"]
    assert "dns-resolver-wrong" not in codes


def test_a_lying_resolver(site, tmp_path):
    """5 and 26: the resolver is named, the path is not accused (I6)."""
    site.resolver(RECURSOR, names={**HONEST, EDGE: {"a": [TARPIT]}})
    result, said, codes = examine(site, site.leaf(tmp_path).path,
                                  "--resolver", SECOND, "--blackhole",
                                  BLACKHOLE)
    assert result.code == 1, result
    assert codes[0] in ("dns-resolver-wrong", "dns-resolver-policy"), codes
    assert said["primary"]["resolver"] == f"udp://{RECURSOR}"
    assert said["primary"]["address"] == TARPIT
    assert not INJECTION & set(codes)


def test_a_dead_address_accuses_nobody(site, tmp_path):
    """5's look-alike: without a proven address nothing is wrong for sure."""
    site.resolver(RECURSOR, names={**HONEST, EDGE: {"a": [TARPIT]}})
    result, said, codes = examine(site, site.leaf(tmp_path).path)
    assert result.code == 75, result
    assert codes == ["inconclusive"], codes
    assert any("--blackhole" in u["why"] for u in said["not_tested"])


@pytest.mark.parametrize("mode, code", [
    ("tryLater", "responder-status-3"), ("revoked", "cert-revoked"),
    ("unauthorized", "responder-status-6"),
])
def test_what_the_responder_says(site, tmp_path, mode, code):
    """42, 49."""
    site.respond(mode)
    result, said, codes = examine(site, site.leaf(tmp_path).path)
    assert result.code == 1, result
    assert codes[0] == code, said["findings"]
    assert not INJECTION & set(codes)


def test_no_ocsp_url(site, tmp_path):
    """50: then OCSP is not your problem."""
    crl = "http://crl.lab.test/ca.crl"
    leaf = site.leaf(tmp_path, urls=(), crl=crl)
    result, said, codes = examine(site, leaf.path)
    assert result.code == 0, result
    assert codes == ["input-no-ocsp"]
    assert crl in said["primary"]["sentence"], said["primary"]
    inputs = [e for e in said["evidence"] if e["kind"] == "input"]
    assert [e["crl"] for e in inputs] == [crl], inputs
    assert not [e for e in said["evidence"] if e["probe"] in "UGTSH"]


def test_no_ocsp_url_but_must_staple(site, tmp_path):
    leaf = site.leaf(tmp_path, urls=(), must_staple=True)
    result, _, codes = examine(site, leaf.path)
    assert result.code == 1, result
    assert codes == ["input-no-ocsp"]


def test_all_urls_are_examined(site, tmp_path):
    """4.1, L: each of the certificate's http URLs, once, and four at most."""
    more = tuple(f"http://{HOST}/{number}" for number in range(4))
    leaf = site.leaf(tmp_path, urls=("ldap://ocsp.example/", URL, URL, *more))
    _, said, codes = examine(site, leaf.path)
    assert codes == ["ok-override"], said["findings"]
    urls = {e["ocsp_url"] for e in said["evidence"] if e["probe"] == "S"}
    assert urls == {1, 2, 3, 4}
    assert [u for u in said["not_tested"] if "OCSP URLs" in u["what"]]
    _, said, _ = examine(site, leaf.path, "--url", URL)
    assert {e["ocsp_url"] for e in said["evidence"]} == {1}
    assert not [u for u in said["not_tested"] if "OCSP URLs" in u["what"]]


def test_proven_before(site, tmp_path):
    """4.1, L, the last good cache: what was proven is tried again, and is the
    proof where nobody tells the truth any more; looking makes no folder."""
    leaf, state = site.leaf(tmp_path), tmp_path / "state"
    examine(site, leaf.path, "--state-dir", state)
    assert not state.exists()
    assert site.fetch(leaf.path, "--state-dir", state).code == 0
    for address in (RECURSOR, SECOND):
        site.resolver(address, names={**HONEST, EDGE: {"a": [TARPIT]}})
    _, said, codes = examine(site, leaf.path, "--state-dir", state)
    assert RESPONDERS[0] in said["substitution"], said
    assert "book" in said["substitution"], said
    assert any(e["kind"] == "override" and "was proven" in e["fact"]
               for e in said["evidence"]), said["evidence"]
    assert "inconclusive" not in codes, codes


@pytest.fixture
def nginx(site, tmp_path):
    made = Nginx(tmp_path / "nginx", 1, site.spaces.inside(CLIENT))
    yield made
    made.stop()


def test_without_a_server_name(site, tmp_path, nginx):
    """4.1, V: who asks by no name gets the default server, which staples
    nothing here; and how many of the handshakes had a staple is evidence."""
    leaf = site.leaf(tmp_path)
    staple = tmp_path / "staple.der"
    staple.write_bytes(site.answer(leaf))
    port = nginx.add_site(leaf, names=("other.test",), file="a")
    nginx.add_site(leaf, port, file="b", lines=(
        "ssl_stapling on;", f"ssl_stapling_file {staple};"))
    nginx.start()
    result, said, codes = examine(site, f"localhost:{port}")
    assert codes[0] == "server-cfg-default-server", said["findings"]
    assert result.code == 1
    seen = [e["fact"] for e in said["evidence"] if e["kind"] == "served"]
    assert len(seen) == 9 and "without a server name" in seen[-1], seen
    assert sum("a staple, good" in fact for fact in seen) == 8, seen


def test_issuer_of_the_operator(site, tmp_path, nginx):
    """47, -i: a server that sends no issuer is judged by the operator's."""
    whole = site.leaf(tmp_path)
    alone = pki.Leaf(whole.certificate, whole.key, []).write(
        tmp_path / "alone", "server")
    port = nginx.add_site(alone)
    nginx.start()
    target = f"localhost:{port}"
    _, _, codes = examine(site, target)
    assert codes[0] == "input-issuer", codes
    _, said, codes = examine(site, target, "-i", site.authority.path)
    assert "input-issuer" not in codes, said["findings"]
    assert codes[0] == "server-no-staple", said["findings"]


def test_a_server_that_is_not_there(site):
    result, said, codes = examine(site, "localhost:9")
    assert result.code == 1 and codes == ["server-unreachable"], said
    assert not any("show" in line for line in said["primary"]["remedy"])


@pytest.mark.parametrize("words", [
    ["a b"], ["-h.test"], ["host:0"], [":443"], ["a" * 300],
    ["localhost:9", "--ca-file", "/nowhere"],
    ["localhost:9", "-i", "/dev/null"],
    ["localhost:9", "--server", "nginx", "--server-command="],
], ids=" ".join)
def test_bad_words(lab, words):
    """One sentence, exit 2, nothing on standard output."""
    result = lab.oclasp("doctor", "--json", "--", *words[:1]
                        ) if len(words) == 1 else lab.oclasp(
                            "doctor", "--json", *words)
    assert result.code == 2, result
    assert result.out == "" and result.err.count("\n") == 1, result


def test_no_network(site, tmp_path):
    """No positive control, no second opinion: inconclusive."""
    leaf = site.leaf(tmp_path)
    result = site.alone("doctor", leaf.path, "--json")
    assert result.code == 75, result
    assert result.json["primary"]["code"] == "inconclusive"


def test_text_can_be_pasted(site, tmp_path):
    """Headline, evidence by number, remedy, not tested."""
    site.respond("tryLater")
    result = site.oclasp("doctor", site.leaf(tmp_path).path, "--control",
                         CONTROL, timeout=90)
    assert result.code == 1, result
    assert result.out.startswith("responder-status-3 (")
    for heading in ("\nevidence\n  [", "\nremedy\n  ", "\nnot tested\n"):
        assert heading in result.out, result
    assert "\033" not in result.out


def test_a_signature_from_tomorrow(site, tmp_path):
    """45's look-alike: what is signed tells the time, but where the dates are
    right the signer's clock may be the wrong one: ours is not accused."""
    site.respond(age_s=-7200)
    _, said, codes = examine(site, site.leaf(tmp_path).path)
    assert "clock-skew" not in codes, said["findings"]
    clocks = [e["fact"] for e in said["evidence"] if e["kind"] == "clock"]
    assert any("signed response" in c and "at least" in c for c in clocks)
    assert any("HTTP date" in c for c in clocks), clocks


@pytest.mark.parametrize("ahead, certainty", [
    ((3 * 86400, 3 * 86400), "proven"), ((3 * 86400, 0), None),
    ((0, 0), None)], ids=["two-agree", "one-alone", "none"])
def test_clocks_that_cannot_be_forged(site, tmp_path, new_roads, ahead,
                                      certainty):
    """K: two servers of DoH tell the time, the second by a certificate that
    has ended: just what a wrong clock would say of a good one."""
    words = []
    for index, ahead_s in enumerate(ahead):
        name, address = f"doh{index}.lab.test", (RECURSOR, SECOND)[index]
        leaf = new_roads.certificate(
            (name,), days=(1, 90) if index == 0 else (90, -1))
        new_roads.open("--https", f"{address}:443", leaf=leaf, names=HONEST,
                       ahead_s=ahead_s)
        words += ["--resolver",
                  f"https://{name}/dns-query#{address}"]
    _, said, codes = examine(site, site.leaf(tmp_path).path, *words,
                             "--tls-ca", site.authority.root_path)
    clocks = [e["fact"] for e in said["evidence"] if e["kind"] == "clock"
              and "HTTPS date" in e["fact"]]
    assert len(clocks) == 2, clocks
    found = [f["certainty"] for f in said["findings"]
             if f["code"] == "clock-skew"]
    assert found == ([certainty] if certainty else []), said["findings"]


def test_settings(site, tmp_path):
    """blackhole, control and pool of the configuration count as the options,
    and what is in the pool is cited, not judged by."""
    far(site)
    site.censor({HOST: {"a": TARPIT}})
    pool, conf = tmp_path / "pool", tmp_path / "oclasp.conf"
    pool.write_text(f"{TARPIT}\n")
    conf.write_text(f'blackhole = "{BLACKHOLE}"\ncontrol = "{CONTROL}"\n'
                    f'pool = "{pool}"\n')
    result = site.oclasp("dns", HOST, "--config", conf, "--json")
    records = [r for a in result.json["answers"] for d in a["datagrams"]
               for r in d["records"] if r["data"] == TARPIT]
    assert records and all(r["in_pool"] for r in records)
    assert [a for a in result.json["answers"] if a["party"] == "blackhole"]
    result = site.oclasp("doctor", site.leaf(tmp_path).path, "--config", conf,
                         "--json", timeout=60)
    assert result.json["primary"]["code"] == "dns-injection-race"
    said = {e["id"]: e["fact"] for e in result.json["evidence"]}
    assert any(f"{TARPIT} (in the pool)" in said[i]
               for i in result.json["primary"]["evidence"])


def page_of(path):
    """The page as XML: what is not well-formed raises."""
    root = ElementTree.parse(path).getroot()
    assert root.tag == "html"
    tags = {element.tag.split("}")[-1] for element in root.iter()}
    assert "svg" in tags and not {"script", "img", "a", "link"} & tags
    return "".join(root.itertext())


@pytest.mark.parametrize("command", ["doctor", "dns"])
def test_page(site, tmp_path, command):
    """--html: the same report, on its own; and a name that would be HTML."""
    far(site)
    site.censor({HOST: {"a": TARPIT}})
    path = tmp_path / "report.html"
    target = site.leaf(tmp_path).path if command == "doctor" else HOST
    result = site.oclasp(command, target, "--control", CONTROL, "--html",
                         path, "--blackhole", BLACKHOLE, timeout=60)
    assert result.code == 1, result
    text = page_of(path)
    assert "dns-injection" in text and TARPIT in text and BLACKHOLE in text
    assert "answered, and is no resolver" in text


def test_page_of_a_hostile_answer(site, tmp_path):
    """A CNAME's letters are outside bytes."""
    evil = "<script>&alert<.lab.test"
    names = {**HONEST, HOST: {"cname": evil}, evil: {"a": [TARPIT]}}
    for address in (RECURSOR, SECOND):
        site.resolver(address, names=names)
    path = tmp_path / "report.html"
    result = site.oclasp("dns", HOST, "--control", CONTROL, "--html", path)
    assert result.code in (0, 1), result
    assert "<script" not in path.read_text()
    assert "script" in page_of(path)


@pytest.mark.parametrize("words", [
    [], ["a", "b"], ["/nowhere/cert.pem"], ["host:99999"],
    ["localhost", "--html", "/nowhere/x.html"],
    ["host", "--pool", "/nowhere"],
    ["host", "--control", ".."], ["host", "--blackhole", "x"],
])
def test_bad_input(site, words):
    result = site.oclasp("doctor", "--json", *words)
    assert result.code == 2, result
    assert result.out == "" and result.err.count("\n") == 1, result


def test_our_own_keeper(site, sites, tmp_path):
    """What keep has and the server does not serve is no fault of a network;
    and that nobody keeps it any more is said."""
    nginx = sites()
    words = [f"localhost:{nginx.port}", "--ca-file",
             site.authority.root_path, "--state-dir", tmp_path / "state"]
    _, said, codes = examine(site, *words)
    assert "keep-unserved" not in codes, said
    keep = site.keep(tmp_path / "log", "--state-dir", tmp_path / "state",
                     nginx.leaf.path)
    keep.wait_line("a good response")
    result, said, codes = examine(site, *words)
    assert codes[0] == "keep-unserved" and result.code == 1, said
    assert "keep-not-running" not in codes, said
    assert keep.stop() == 0
    _, said, codes = examine(site, *words)
    assert codes[0] == "keep-unserved", said
    assert "keep-not-running" in codes, said
