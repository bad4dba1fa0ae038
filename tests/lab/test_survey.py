# SPDX-License-Identifier: ISC
"""`survey`: which responders answer from here, and by which roads."""

import json

import pytest

from playground import util
from playground.lab import (EDGE, NAMES, RECURSOR, REFUSING,
                            RESPONDERS, SECOND, TARPIT, UNREACHABLE, URL,
                            WORLD)
from roads_of_lab import NAME

GENUINE, OTHER = RESPONDERS[0], RESPONDERS[1]
PROXY = "10.77.2.71"
SYSTEM, OWN, NAMED = "system", f"udp://{RECURSOR}", f"udp://{SECOND}"
PORT = 8080
TLS = f"tls://{SECOND}#{NAME}"

# the world of these tests; what RECURSOR says of "poisoned" is a lie
WORLD_NAMES = {
    **NAMES,
    "fine.lab.test": {"a": [GENUINE]},
    "poisoned.lab.test": {"a": [GENUINE]},
    "hanging.lab.test": {"a": [TARPIT]},
    "html.lab.test": {"a": [OTHER]},
    "dead.lab.test": {"a": [REFUSING]},
    "mixed.lab.test": {"a": [GENUINE], "aaaa": ["fd77:2::90"]},
}
LIES = {"poisoned.lab.test": {"mode": "forged-only", "a": REFUSING}}


def url_of(name, rest="/"):
    return f"http://{name}.lab.test{rest}"


@pytest.fixture
def world(lab):
    lab.resolver(RECURSOR, names=WORLD_NAMES, lies=LIES)
    lab.resolver(SECOND, names=WORLD_NAMES)
    lab.respond(addresses={OTHER: {"mode": "html"}})
    return lab


def survey(lab, *words, code=None):
    """The JSON of a survey: {url: responder}, and the whole."""
    result = lab.oclasp("survey", "--json", *words)
    assert result.err == "", result
    assert code in (None, result.code), result
    return {r["url"]: r for r in result.json["responders"]}, result.json


def roads_of(said):
    return {r["road"]: r for r in said["roads"]}


def one(lab, *words, code=None):
    found, _ = survey(lab, *words, code=code)
    (said,) = found.values()
    return said


def reasons(said):
    return {t["address"]: t["reason"] for t in said["tries"]}


# --- the verdicts

def test_fine(world):
    said = one(world, url_of("fine"), "--resolver", SECOND, code=0)
    assert (said["verdict"], said["answers"]) == ("answers", True), said
    assert said["sentence"] == "answers by every road", said
    roads = roads_of(said)
    assert set(roads) == {SYSTEM, OWN, NAMED}, roads
    for road in roads.values():
        assert road["addresses"] == [GENUINE] and road["answers"], road
        assert road["error"] is None, road
    (tried,) = said["tries"]
    assert tried["outcome"] == "answers", tried
    assert tried["reason"] == "status-unauthorized", (
        "a fictitious certificate is nobody's")
    assert 0 <= tried["connect_ms"] <= tried["answer_ms"], tried
    assert said["best_ms"] == tried["answer_ms"], said


def test_poisoned_at_the_system(world):
    """NETWORK-TRUTH 3.2: success is proof, so this is a fact: that road leads
    nowhere, and another one leads to the responder."""
    said = one(world, url_of("poisoned"), "--resolver", SECOND, code=1)
    assert (said["verdict"], said["answers"]) == ("partly", True), said
    roads = roads_of(said)
    assert roads[SYSTEM]["addresses"] == [REFUSING], roads
    assert roads[SYSTEM]["answers"] is False, roads
    assert roads[OWN]["answers"] is False, roads
    assert roads[NAMED]["answers"] is True, roads
    assert "system leads nowhere for this name" in said["sentence"], said
    assert f"{REFUSING} (connect-refused)" in said["sentence"], said
    assert said["sentence"].endswith(f"answers by {NAMED}"), said
    assert "pollut" not in json.dumps(said), "I6"


def test_different_addresses_are_no_fault(world):
    """I6: so it is with a CDN."""
    world.respond()
    world.resolver(SECOND, names={**WORLD_NAMES,
                                  "fine.lab.test": {"a": [OTHER]}})
    said = one(world, url_of("fine"), "--resolver", SECOND, code=0)
    assert said["verdict"] == "answers", said
    assert "differently" in said["sentence"], said
    assert {t["address"] for t in said["tries"]} == {GENUINE, OTHER}


def test_second_method_while_more_addresses_come(world):
    """HTML by GET and by POST, and meanwhile other roads speak."""
    world.respond(addresses={OTHER: {"mode": "html", "delay_ms": 300}})
    world.resolver(RECURSOR, names={"mixed.lab.test": {"a": [OTHER]}},
                   delay_ms=0)
    said = one(world, url_of("mixed"), "--resolver", SECOND, code=1)
    assert reasons(said)[OTHER] == "not-ocsp", said
    assert "status-unauthorized" in reasons(said).values(), said


def test_one_family_that_does_not_answer(world):
    """It is said, and it is no other road's business."""
    said = one(world, url_of("mixed"), code=0)
    assert said["verdict"] == "answers", said
    assert "not at fd77:2::90 (connect-refused)" in said["sentence"], said
    said = one(world, url_of("mixed"), "--ipv4", code=0)
    assert roads_of(said)[SYSTEM]["addresses"] == [GENUINE], said
    said = one(world, url_of("mixed"), "--ipv6", code=75)
    assert roads_of(said)[OWN]["addresses"] == ["fd77:2::90"], said


def test_no_answer_and_no_address(world):
    found, _ = survey(world, *map(url_of, ("hanging", "html", "dead", "none")),
                      "--timeout", "4", code=75)
    for name, reason in (("hanging", "http-timeout"), ("html", "not-ocsp"),
                         ("dead", "connect-refused")):
        said = found[url_of(name)]
        assert (said["verdict"], said["answers"]) == ("no-answer", False), said
        assert set(reasons(said).values()) == {reason}, said
        assert "is not proven" in said["sentence"], said
        assert said["best_ms"] is None, said
    said = found[url_of("none")]
    assert (said["verdict"], said["tries"]) == ("no-address", []), said
    assert {r["error"] for r in said["roads"]} == {"dns-nxdomain"}, said


@pytest.mark.parametrize("mode", ["http500", "garbage", "redirect", "empty"])
def test_what_is_no_ocsp(world, mode):
    world.respond(mode)
    said = one(world, f"http://{GENUINE}/", code=75)
    assert said["verdict"] == "no-answer", said


@pytest.mark.parametrize("mode", ["tryLater", "internalError", "post-only",
                                  "expired"])
def test_what_is_ocsp(world, mode):
    """Of whatever status: the way is what is tested."""
    world.respond(mode)
    said = one(world, f"http://{GENUINE}/", code=0)
    assert said["verdict"] == "answers", said


def test_url_with_a_port(world):
    server = world.spaces.serve(
        WORLD, "playground.responder", world.authority.folder, "--listen",
        f"{GENUINE}:{PORT}")
    try:
        said = one(world, f"http://{GENUINE}:{PORT}/ocsp", code=0)
    finally:
        server.terminate()
        server.wait()
    assert (said["port"], said["verdict"]) == (PORT, "answers"), said
    said = one(world, f"http://{GENUINE}:{PORT}/ocsp", code=75)
    assert set(reasons(said).values()) == {"connect-refused"}, said


def test_url_with_an_address(world):
    """It is its own answer: nobody is asked."""
    said = one(world, f"http://{GENUINE}/", "--resolver", SECOND, code=0)
    assert list(roads_of(said)) == [SYSTEM], said
    assert util.read_lines(world.file(f"{SECOND}.log")) == []


# --- certificates

def test_certificate(world, tmp_path):
    """The real question, and the answer verified: more than an answer."""
    leaf = world.leaf(tmp_path)
    said = one(world, leaf.path, code=0)
    assert (said["url"], said["verdict"]) == (URL, "answers"), said
    assert said["certificate"] == str(leaf.path), said
    assert said["ca"], said
    (tried,) = said["tries"]
    assert (tried["outcome"], tried["reason"]) == ("proven", None), tried
    (request,) = world.requests()
    assert request["method"] == "GET" and len(request["path"]) > 90


def test_certificate_answered_by_a_stranger(world, tmp_path):
    """A road to somebody who answers, but not as the CA: beside one that is
    proven it leads nowhere."""
    leaf = world.leaf(tmp_path)
    world.respond(addresses={OTHER: {"mode": "wrongsigner"}})
    world.resolver(RECURSOR, names={**NAMES, EDGE: {"a": [OTHER]}})
    said = one(world, leaf.path, "--resolver", SECOND, code=1)
    assert said["verdict"] == "partly", said
    assert "answers that do not verify" in said["sentence"], said
    assert roads_of(said)[SYSTEM]["leads_to"] == "answers", said
    assert roads_of(said)[NAMED]["leads_to"] == "proven", said


def test_certificate_without_issuer_and_without_ocsp(world, tmp_path):
    from cryptography.hazmat.primitives import serialization
    leaf = world.leaf(tmp_path / "alone", urls=[url_of("fine")])
    alone = tmp_path / "alone.pem"
    alone.write_bytes(leaf.certificate.public_bytes(
        serialization.Encoding.PEM))
    none = world.leaf(tmp_path / "none", "none", urls=[])
    found, _ = survey(world, alone, none.path, code=0)
    assert found[url_of("fine")]["tries"][0]["outcome"] == "answers"
    assert found[None]["verdict"] == "no-ocsp", found
    assert found[None]["answers"] is None, found


# --- many

def test_list_of_all_kinds(world, tmp_path):
    """One file names them all; the order is that of use."""
    leaf = world.leaf(tmp_path)
    names = ["dead", "poisoned", "hanging", "html", "none", "fine"]
    file = tmp_path / "list"
    file.write_text("# what we use\n\n" + "".join(
        f"  {url_of(name)}  \r\n" for name in names) + f"{leaf.path}\n"
        + url_of("fine"), encoding="utf-8")
    result = world.oclasp("survey", file, "--json", "--resolver", SECOND,
                          "--timeout", "5")
    assert result.code == 1, result
    said = result.json["responders"]
    assert [r["verdict"] for r in said] == [
        "answers", "answers", "partly", "no-answer", "no-answer", "no-answer",
        "no-address"], said
    times = [r["best_ms"] for r in said[:2]]
    assert times == sorted(times), times
    # nothing is asked twice: by the system and by our own sockets, once each
    asked = [(q["name"], q["type"])
             for q in util.read_lines(world.file(f"{RECURSOR}.log"))]
    assert all(asked.count(q) <= 2 for q in asked), asked
    paths = [(r["address"], r["path"], r["headers"]["Host"], r["method"])
             for r in world.requests()]
    assert len(paths) == len(set(paths)), paths
    text = world.oclasp("survey", file, "--resolver", SECOND, "--timeout", "5")
    assert text.code == 1 and text.err == "", text
    lines = text.out.splitlines()
    assert lines[0] == f"roads: {SYSTEM}, {OWN}, {NAMED}", text
    assert "answers (2)" in lines and "no answer (3)" in lines, text
    assert "answers by one road and not by another (1)" in lines, text
    assert "not tested" not in text.out or "--resolver" in text.out, text


def test_resolver_that_is_silent_for_all(world, tmp_path):
    """No fault of the names: it is left aside, and said once."""
    dead = f"tcp://{REFUSING}"
    words = [url_of("fine"), URL, "--resolver", dead]
    found, _ = survey(world, *words, code=75)
    assert {r["verdict"] for r in found.values()} == {"answers"}, found
    assert roads_of(found[URL])[dead]["left_aside"], found
    text = world.oclasp("survey", *words)
    assert text.out.count(f"{dead} is silent about every name") == 1, text
    # of one name alone it cannot be told
    said = one(world, URL, "--resolver", dead, code=75)
    assert said["verdict"] == "partly", said
    assert f"{dead} gives no address" in said["sentence"], said


def test_the_table(world):
    """Without arguments the known CAs are asked; in this world none is."""
    found, said = survey(world, "--timeout", "3", code=75)
    assert len(found) > 20, said
    ended = found["http://r3.o.lencr.org"]
    assert (ended["verdict"], ended["known"]["since"]) == (
        "no-ocsp", "2025-08-06"), ended
    assert ended["roads"] == [], "what has ended is not asked"
    names = {q["name"] for q in util.read_lines(world.file(f"{RECURSOR}.log"))}
    assert "r3.o.lencr.org" not in names and "ocsp.digicert.com" in names
    assert {r["verdict"] for r in found.values()} == {"no-ocsp", "no-address"}


def test_given_alone_or_with_all(world):
    found, _ = survey(world, url_of("fine"), code=0)
    assert list(found) == [url_of("fine")]
    found, _ = survey(world, url_of("fine"), "--all", "--timeout", "3")
    assert len(found) > 20 and found[url_of("fine")]["verdict"] == "answers"
    # who is named is asked, whatever the table says
    found, _ = survey(world, "http://r3.o.lencr.org/", code=75)
    assert found["http://r3.o.lencr.org/"]["verdict"] == "no-address"


# --- roads

def test_tls_road(world, new_roads):
    new_roads.open("--tls", f"{SECOND}:853", names=WORLD_NAMES)
    said = one(world, url_of("poisoned"), "--resolver", TLS, "--tls-ca",
               world.authority.root_path, code=1)
    assert roads_of(said)[TLS]["answers"] is True, said


def test_pin(world):
    said = one(world, url_of("dead"), "--pin", f"dead.lab.test={GENUINE}",
               code=1)
    roads = roads_of(said)
    assert roads["pin"]["answers"] and not roads[SYSTEM]["answers"], said
    assert "it answers by pin" in said["sentence"], said


@pytest.fixture
def proxy(world):
    world.spaces.must(WORLD, "ip", "address", "add", f"{PROXY}/24", "dev",
                      "eth0")
    running = [world.spaces.serve(
        WORLD, "playground.proxy", "--listen", f"{PROXY}:{port}", "--kind",
        kind, "--name", f"fine.lab.test={GENUINE}",
        "--name", f"poisoned.lab.test={GENUINE}")
        for kind, port in (("http", 3128), ("socks5", 1080))]
    yield PROXY
    for process in running:
        process.terminate()
        process.wait()
    world.spaces.run(WORLD, "ip", "address", "del", f"{PROXY}/24", "dev",
                     "eth0")


@pytest.mark.parametrize("url", ["http://{}:3128", "socks5h://{}:1080"])
def test_proxy(world, proxy, url):
    url = url.format(proxy)
    found, whole = survey(world, url_of("poisoned"), "--proxy", url, code=1)
    said = found[url_of("poisoned")]
    (carried,) = [r for r in said["roads"] if r["road"] == "proxy"]
    assert (carried["proxy"], carried["answers"]) == (url, True), said
    assert said["sentence"].endswith(f"it answers by {url}"), said
    assert whole["parties"] == [url], whole


def test_proxy_with_our_addresses(world, proxy):
    """socks5 goes where it is told; it carries, and names nothing."""
    url = f"socks5://{proxy}:1080"
    said = one(world, url_of("fine"), "--proxy", url, code=0)
    (by,) = [t for t in said["tries"] if t["proxy"]]
    assert (by["address"], by["outcome"]) == (GENUINE, "answers"), said


def test_proxy_that_is_not_there(world):
    url = f"http://{REFUSING}:3128"
    said = one(world, url_of("fine"), "--proxy", url, code=75)
    assert said["verdict"] == "partly", said
    assert "(proxy-failed)" in said["sentence"], said
    # of two names it is the proxy's fault, and said once
    text = world.oclasp("survey", url_of("fine"), URL, "--proxy", url)
    assert text.code == 75 and "answers (2)" in text.out, text
    assert text.out.count(f"{url} is silent about every name") == 1, text


# --- trouble

def test_without_a_network(world):
    """Every row says so, and nothing crashes."""
    result = world.alone("survey", "--json", "--timeout", "3")
    assert result.code == 75, result
    asked = [r for r in result.json["responders"] if r["verdict"] != "no-ocsp"]
    assert len(asked) > 20
    assert {r["verdict"] for r in asked} == {"no-address"}, asked
    text = world.alone("survey", "--timeout", "3")
    assert text.code == 75 and "no address (" in text.out, text
    assert "nothing answered at all" in text.out, text


def test_address_that_is_out_of_reach(world):
    world.resolver(RECURSOR, names={"fine.lab.test": {"a": [UNREACHABLE]}})
    said = one(world, url_of("fine"), "--timeout", "4", code=75)
    assert set(reasons(said).values()) == {"unreachable"}, said


def test_proxies_that_are_nowhere(world):
    """Each is told with its reason, however many there are."""
    words = [f"http://nowhere{n}.lab.test:3128" for n in range(4)]
    said = one(world, url_of("fine"), "--timeout", "4",
               *[w for word in words for w in ("--proxy", word)])
    found = {r["proxy"]: r["error"] for r in said["roads"] if r["proxy"]}
    assert found == dict.fromkeys(words, "proxy-failed"), said


def test_quiet_and_silent_off_a_terminal(world):
    result = world.oclasp("survey", f"http://{GENUINE}/", "-q")
    assert result.code == 0 and result.err == "", result
    assert "roads:" not in result.out and f"http://{GENUINE}/" in result.out


def test_progress_on_a_terminal(world):
    result = world.run("script", "-qec",
                       f"{world.program} survey http://{GENUINE}/ >/dev/null",
                       "/dev/null")
    assert f"1 of 1: {GENUINE}" in result.stdout, result


@pytest.mark.parametrize("words, told", [
    (["ocsp.lab.test"], "http://HOST/"),
    (["ftp://fine.lab.test/"], "no URL of a responder"),
    (["http://"], "no URL of a responder"),
    (["/nonexistent.pem"], "nonexistent.pem"),
    (["{folder}/bad-list"], "bad-list:2"),
    (["{folder}/bad-path"], "bad-path:1"),
    (["{folder}/empty"], "names nothing"),
    (["{folder}/key"], "key"),
    (["{folder}/binary"], "binary:1"),
    (["--upstream", "http://fine.lab.test/"], "--upstream"),
    (["--all", "--timeout", "0"], "--timeout"),
])
def test_bad_input(world, tmp_path, words, told):
    for name, octets in (
            ("bad-list", b"http://fine.lab.test/\nhttps://\n"),
            ("bad-path", b"/nonexistent.pem\n"), ("empty", b"# no\n\n"),
            ("key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"
                    b"-----END PRIVATE KEY-----\n"),
            ("binary", bytes(range(256)))):
        (tmp_path / name).write_bytes(octets)
    words = [word.format(folder=tmp_path) for word in words]
    result = world.oclasp("survey", "--json", *words)
    assert result.code == 2 and result.out == "", result
    assert len(result.err.splitlines()) == 1 and told in result.err, result
    assert util.read_lines(world.file(f"{RECURSOR}.log")) == [], "not asked"


def test_standard_input(world):
    done = world.run(world.program, "survey", "-", "--json",
                     input=f"http://{GENUINE}/\n")
    assert done.returncode == 0, done
    assert json.loads(done.stdout)["responders"][0]["host"] == GENUINE
