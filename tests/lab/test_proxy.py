# SPDX-License-Identifier: ISC
"""Proxies, upstreams and private addresses: roads where the direct one is
closed, and roads that must not be taken."""

import json

import pytest

from playground import util
from playground.lab import (CLIENT, HOST, NEAR, RECURSOR, REFUSING, RESPONDERS,
                            ROUTER, SECOND, WORLD)
from roads_of_lab import Roads
from site_of_lab import fault_for

PROXY = "10.77.2.70"
HTTP, SOCKS, HTTP_AUTH, SOCKS_AUTH, HTTPS = (
    f"{PROXY}:{port}" for port in (3128, 1080, 3129, 1081, 443))
PROXY_NAME = "proxy.lab.test"
OUTSIDE = "203.0.113.53"  # a resolver on a public address
AUTH = "ann:S3cret"


@pytest.fixture(scope="module")
def proxies(whole_lab, tmp_path_factory):
    """One of each kind in the world, and what they have seen."""
    lab = whole_lab
    lab.spaces.must(WORLD, "ip", "address", "add", f"{PROXY}/24", "dev", "eth0")
    names = ("--name", f"{HOST}={RESPONDERS[0]}")
    shown = Roads(lab, tmp_path_factory.mktemp("proxy")).certificate(
        [PROXY_NAME], [PROXY])
    running = [lab.spaces.serve(
        WORLD, "playground.proxy", "--listen", endpoint, "--kind", kind,
        "--log", lab.file(f"proxy-{endpoint}.log"), *names, *more)
        for endpoint, kind, more in (
            (HTTP, "http", ()), (SOCKS, "socks5", ()),
            (HTTP_AUTH, "http", ("--auth", AUTH)),
            (SOCKS_AUTH, "socks5", ("--auth", AUTH)),
            (HTTPS, "http", ("--certificate", shown.path, "--key",
                             shown.key_path)))]
    yield lambda endpoint: util.read_lines(lab.file(f"proxy-{endpoint}.log"))
    for process in running:
        process.terminate()
        process.wait()
    lab.spaces.run(WORLD, "ip", "address", "del", f"{PROXY}/24", "dev", "eth0")


@pytest.fixture
def closed(lab):
    """Nothing but the proxies can be reached: no DNS, no responder."""
    far = [RECURSOR, SECOND, *(a for a in RESPONDERS if "." in a)]
    for address in far:
        lab.spaces.must(
            CLIENT, "ip", "route", "add", "unreachable", f"{address}/32")
    yield lab
    for address in far:
        lab.spaces.must(CLIENT, "ip", "route", "del", f"{address}/32")


def secret_file(tmp_path, mode=0o600, text=AUTH + "\n"):
    path = tmp_path / "auth"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def with_environment(lab, variables, *words):
    pairs = [f"{name}={value}" for name, value in variables.items()]
    return lab.run("env", *pairs, lab.program, *words)


def must_have(lab, leaf, out, code, said, source, proxy):
    assert code == 0, said
    assert fault_for(lab, leaf, out.read_bytes()) is None, said
    assert said["source"] in (NEAR if source == "system" else (source,)), said
    assert said["proxy"] == proxy, said


@pytest.mark.parametrize("proxy", [f"http://{HTTP}", f"socks5h://{SOCKS}"])
def test_only_the_proxy_works(closed, proxies, leaf, out, proxy):
    """DESIGN, "Acquire", 1: a proxy is a road; the proxied try carries no
    address."""
    assert closed.fetch(leaf.path, "-o", out, "--timeout", "3").code == 75
    result = closed.fetch(leaf.path, "-o", out, "--proxy", proxy)
    must_have(closed, leaf, out, result.code, result.json, "proxy", proxy)
    assert result.json["address"] is None, result
    (seen,) = proxies(proxy.partition("//")[2])
    assert HOST in seen["target"], seen


@pytest.mark.parametrize("proxy", [f"http://{HTTP}", f"socks5h://{SOCKS}"])
def test_keep_by_a_proxy(closed, proxies, leaf, tmp_path, proxy):
    """A9: the keeper's way, too."""
    state = tmp_path / "state"
    words = ["keep", "--once", "--state-dir", state, leaf.path, "--timeout",
             "3"]
    assert closed.oclasp(*words).code == 75
    result = closed.oclasp(*words, "--proxy", proxy)
    assert result.code == 0, result
    staple = state / "staples" / f"{leaf.fingerprint}.der"
    assert fault_for(closed, leaf, staple.read_bytes()) is None
    assert proxies(proxy.partition("//")[2])


def test_https_proxy(closed, proxies, leaf, out):
    """TLS to the proxy itself, whose certificate must be believed: by the
    CAs of --tls-ca, for the address or name that it was called by."""
    words = [leaf.path, "-o", out, "--timeout", "4"]
    refused = closed.fetch(*words, "--proxy", f"https://{HTTPS}")
    assert refused.code == 75 and refused.json["reason"] == "proxy-failed"
    assert "certificate" in refused.json["detail"], refused
    words += ["--tls-ca", closed.authority.root_path]
    result = closed.fetch(*words, "--proxy", f"https://{PROXY}")
    must_have(closed, leaf, out, result.code, result.json, "proxy",
              f"https://{HTTPS}")
    assert [e["outcome"] for e in proxies(HTTPS)] == ["no handshake", "ok"]


def test_proxy_by_name(lab, proxies, leaf, out):
    """The system is asked where the proxy is; to its certificate the name
    counts."""
    lab.resolver(RECURSOR, {PROXY_NAME: {"a": [PROXY]},
                            "wrong.lab.test": {"a": [PROXY]}})
    words = [leaf.path, "-o", out, "--timeout", "4", "--tls-ca",
             lab.authority.root_path]
    for kind, endpoint in (("http", HTTP), ("https", HTTPS),
                           ("socks5h", SOCKS)):
        port = endpoint.partition(":")[2]
        url = f"{kind}://{PROXY_NAME}:{port}"
        result = lab.fetch(*words, "--proxy", url)
        must_have(lab, leaf, out, result.code, result.json, "proxy", url)
        out.unlink()
    result = lab.fetch(*words, "--proxy", "https://wrong.lab.test")
    assert result.code == 75 and result.json["reason"] == "proxy-failed"
    result = lab.fetch(*words, "--proxy", "http://nowhere.lab.test:3128")
    assert result.code == 75, result
    (told,) = [t for t in result.json["tries"] if t["source"] == "proxy"]
    assert "cannot be found" in told["detail"], told


def test_socks_with_our_addresses(lab, proxies, leaf, out):
    """DNS works, the responder's address does not: socks5 gets what was
    claimed."""
    lab.spaces.must(CLIENT, "ip", "route", "add", "unreachable",
                    f"{RESPONDERS[0]}/32")
    try:
        result = lab.fetch(leaf.path, "-o", out, "--proxy",
                           f"socks5://{SOCKS}")
    finally:
        lab.spaces.must(CLIENT, "ip", "route", "del", f"{RESPONDERS[0]}/32")
    must_have(lab, leaf, out, result.code, result.json, "proxy",
              f"socks5://{SOCKS}")
    assert result.json["address"] == RESPONDERS[0]
    assert proxies(SOCKS)[-1]["target"] == f"{RESPONDERS[0]}:80"


def test_proxy_is_not_bothered(lab, proxies, leaf, out):
    """Politeness: where the direct way works no outside party is asked."""
    result = lab.fetch(leaf.path, "-o", out, "--proxy", f"http://{HTTP}")
    must_have(lab, leaf, out, result.code, result.json, "system", None)
    assert not proxies(HTTP)


@pytest.mark.parametrize("variables, source", [
    ({"http_proxy": f"http://{HTTP}"}, "proxy"),
    ({"all_proxy": f"socks5h://{SOCKS}"}, "proxy"),
    ({"HTTP_PROXY": f"http://{HTTP}"}, "system"),
    ({"https_proxy": f"http://{HTTP}"}, "system"),
    ({"http_proxy": f"http://{HTTP}", "no_proxy": "lab.test"}, "system"),
    ({"http_proxy": f"http://{HTTP}", "NO_PROXY": "*"}, "system"),
], ids=lambda value: "+".join(value) if isinstance(value, dict) else value)
def test_environment(lab, proxies, leaf, out, variables, source):
    """As curl reads it: used before everything else."""
    done = with_environment(
        lab, variables, "fetch", leaf.path, "--json", "-o", out)
    said = json.loads(done.stdout)
    must_have(lab, leaf, out, done.returncode, said, source,
              next(iter(variables.values())) if source == "proxy" else None)


def test_none_switches_the_environment_off(lab, proxies, leaf, out):
    done = with_environment(
        lab, {"http_proxy": f"http://{HTTP}"}, "fetch", leaf.path, "--json",
        "-o", out, "--proxy", "none")
    must_have(lab, leaf, out, done.returncode, json.loads(done.stdout),
              "system", None)
    assert not proxies(HTTP)


def test_dead_proxy_of_the_environment(lab, leaf, out):
    """It has a start, and costs no staple."""
    done = with_environment(
        lab, {"http_proxy": f"http://{REFUSING}:3128"}, "fetch", leaf.path,
        "--json", "-o", out)
    said = json.loads(done.stdout)
    must_have(lab, leaf, out, done.returncode, said, "system", None)
    assert "proxy-failed" in {t["outcome"] for t in said["tries"]}, said


@pytest.mark.parametrize("variables, name", [
    ({"http_proxy": "socks4://u:S3cret@10.0.0.1"}, "http_proxy"),
    ({"http_proxy": "http://p:S3cret"}, "http_proxy"),
    ({"all_proxy": "gopher://p/"}, "all_proxy"),
    ({"no_proxy": "x" * 5000, "http_proxy": f"http://{HTTP}"}, "no_proxy"),
])
def test_faulty_environment(lab, proxies, leaf, out, variables, name):
    """A variable is no argument: a warning, and the direct roads.  The same
    as an option is usage, with `-q` and `--proxy none` nobody hears of it."""
    done = with_environment(lab, variables, "fetch", leaf.path, "--json",
                            "-o", out)
    must_have(lab, leaf, out, done.returncode, json.loads(done.stdout),
              "system", None)
    assert not proxies(HTTP)
    (line,) = done.stderr.splitlines()
    assert "warning" in line and name in line, line
    assert "S3cret" not in line
    for more in (["-q"], ["--proxy", "none"]):
        done = with_environment(lab, variables, "fetch", leaf.path, *more)
        assert (done.returncode, done.stderr) == (0, ""), (more, done)


def test_faulty_environment_of_keep(lab, leaf, tmp_path):
    done = with_environment(
        lab, {"http_proxy": "socks4://x"}, "keep", leaf.path, "--once",
        "--state-dir", tmp_path / "state")
    assert done.returncode == 0, done.stderr
    assert "warning: http_proxy" in done.stderr, done.stderr
    assert (tmp_path / "state/staples" / f"{leaf.fingerprint}.der").exists()


# --- credentials

def test_credentials_of_the_file(closed, proxies, leaf, out, tmp_path):
    """B13 aside: used, and shown nowhere."""
    words = ["fetch", leaf.path, "-o", out, "--proxy", f"http://{HTTP_AUTH}"]
    refused = closed.fetch(*words[1:])
    assert refused.code == 75, refused
    assert refused.json["reason"] == "proxy-failed", refused
    assert "--proxy-auth-file" in refused.json["detail"], refused
    words += ["--proxy-auth-file", secret_file(tmp_path)]
    for more in ([], ["--json"], ["-vv"]):
        result = closed.oclasp(*words, *more)
        assert result.code == 0, result
        assert "S3cret" not in result.out + result.err
    assert [e["outcome"] for e in proxies(HTTP_AUTH)][-1] == "ok"


def test_credentials_for_socks(closed, proxies, leaf, out, tmp_path):
    """RFC 1929."""
    words = [leaf.path, "-o", out, "--timeout", "4", "--proxy",
             f"socks5h://{SOCKS_AUTH}", "--proxy-auth-file"]
    wrong = closed.fetch(*words, secret_file(tmp_path, text="ann:Wr0ng\n"))
    assert wrong.code == 75 and wrong.json["reason"] == "proxy-failed"
    assert "Wr0ng" not in wrong.out + wrong.err
    result = closed.fetch(*words, secret_file(tmp_path))
    must_have(closed, leaf, out, result.code, result.json, "proxy",
              f"socks5h://{SOCKS_AUTH}")


def test_wrong_credentials(closed, proxies, leaf, out, tmp_path):
    result = closed.fetch(
        leaf.path, "-o", out, "--proxy", f"http://{HTTP_AUTH}",
        "--proxy-auth-file", secret_file(tmp_path, text="bob:Wr0ng\n"))
    assert result.code == 75 and result.json["reason"] == "proxy-failed"
    assert "refuses" in result.json["detail"] and HTTP_AUTH in (
        result.json["detail"]), result
    assert "Wr0ng" not in result.out + result.err


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_secret_that_others_can_read(lab, leaf, tmp_path, mode):
    result = lab.oclasp("fetch", leaf.path, "--proxy", f"http://{HTTP_AUTH}",
                        "--proxy-auth-file", secret_file(tmp_path, mode))
    assert result.code == 2 and "chmod 600" in result.err, result
    assert "S3cret" not in result.err and not lab.requests()


@pytest.mark.parametrize("words", [
    ["--proxy", f"http://{AUTH}@{HTTP_AUTH}"], ["--proxy", "socks4://x"],
    ["--proxy", ""], ["--upstream", "ftp://x/"], ["--upstream", ""],
    ["--proxy-auth-file", "/nonexistent"],
])
def test_bad_words(lab, leaf, words):
    result = lab.oclasp("fetch", leaf.path, *words)
    assert result.code == 2, result
    assert "S3cret" not in result.err and len(result.err.splitlines()) == 1


def test_credentials_of_the_environment(closed, proxies, leaf, out):
    done = with_environment(
        closed, {"http_proxy": f"http://{AUTH}@{HTTP_AUTH}"}, "fetch",
        leaf.path, "--json", "-o", out)
    must_have(closed, leaf, out, done.returncode, json.loads(done.stdout),
              "proxy", f"http://{HTTP_AUTH}")
    assert "S3cret" not in done.stdout + done.stderr


# --- configuration

def test_configuration(closed, proxies, leaf, out, tmp_path):
    """Lists, credentials in a URL, and a choice for one responder."""
    config = tmp_path / "oclasp.conf"
    config.write_text(f"""
        proxies = {{"http://{AUTH}@{HTTP_AUTH}"}}
        no-proxy = {{"other.test"}}
    """, encoding="utf-8")
    words = [leaf.path, "-o", out, "--timeout", "5", "--config", config]
    result = closed.fetch(*words)
    must_have(closed, leaf, out, result.code, result.json, "proxy",
              f"http://{HTTP_AUTH}")
    assert closed.fetch(*words, "--proxy", "none").code == 75
    config.write_text(f"""
        proxies = {{"http://{HTTP}"}}
        responder "{HOST}" {{ proxy = "none" }}
    """, encoding="utf-8")
    before = len(proxies(HTTP))
    assert closed.fetch(*words).code == 75
    assert len(proxies(HTTP)) == before
    config.write_text(f"""
        responder "{HOST}" {{ proxy = "socks5h://{SOCKS}" }}
    """, encoding="utf-8")
    result = closed.fetch(*words)
    must_have(closed, leaf, out, result.code, result.json, "proxy",
              f"socks5h://{SOCKS}")
    assert {t["source"] for t in result.json["tries"]} == {"proxy"}, (
        "what is named for one responder is used first")


# --- upstream

def test_upstream(lab, tmp_path, out):
    """Another OCSP address where the certificate's own is dead."""
    leaf = lab.leaf(tmp_path, urls=[f"http://{HOST}:81/"])
    upstream = f"http://{RESPONDERS[1]}/cache"
    result = lab.fetch(leaf.path, "-o", out, "--upstream", upstream)
    must_have(lab, leaf, out, result.code, result.json, "upstream", None)
    assert result.json["address"] == RESPONDERS[1]
    (seen,) = lab.requests()
    assert seen["path"].startswith("/cache/"), seen
    assert seen["headers"]["Host"] == RESPONDERS[1]


def test_upstream_is_verified(lab, leaf, tmp_path, out):
    lab.respond("badsig")
    result = lab.fetch(leaf.path, "-o", out, "--timeout", "5", "--upstream",
                       f"http://{RESPONDERS[1]}/")
    assert result.code == 75 and not out.exists(), result
    assert result.json["reason"] == "bad-signature", result


# --- private addresses

@pytest.fixture
def outside(lab):
    """A resolver on a public address that answers with a private one, as a
    rebinding would; those of the network know nothing."""
    spaces = lab.spaces
    spaces.must(WORLD, "ip", "address", "add", f"{OUTSIDE}/32", "dev", "eth0")
    spaces.must(ROUTER, "ip", "route", "add", f"{OUTSIDE}/32", "via",
                RECURSOR)
    lab.resolver(OUTSIDE)
    lab.resolver(RECURSOR, lies={HOST: {"mode": "nxdomain"}})
    process = spaces.serve(
        WORLD, "playground.resolver", "--listen", f"{OUTSIDE}:53",
        "--script", lab.file(OUTSIDE), "--log", lab.file(f"{OUTSIDE}.log"))
    yield lab
    process.terminate()
    process.wait()
    spaces.must(ROUTER, "ip", "route", "del", f"{OUTSIDE}/32")
    spaces.must(WORLD, "ip", "address", "del", f"{OUTSIDE}/32", "dev", "eth0")


def test_outside_resolver_names_a_private_address(outside, leaf, out,
                                                  tmp_path):
    """B13: refused and told, with how to allow it; each of these allows."""
    words = [leaf.path, "-o", out, "--resolver", f"udp://{OUTSIDE}",
             "--timeout", "4"]
    result = outside.fetch(*words)
    assert result.code == 75 and not outside.requests(), result
    refused = [t for t in result.json["tries"]
               if t["outcome"] == "unreachable"]
    assert [(t["address"], t["source"]) for t in refused] == [
        (RESPONDERS[0], f"udp://{OUTSIDE}")], result
    assert "--allow-private" in refused[0]["detail"], refused
    config = tmp_path / "oclasp.conf"
    config.write_text(f'responder "{HOST}" {{ private = true }}\n',
                      encoding="utf-8")
    for more in (["--allow-private"], ["--config", config],
                 ["--pin", f"{HOST}={RESPONDERS[0]}"]):
        out.unlink(missing_ok=True)
        result = outside.fetch(*words, *more)
        assert result.code == 0 and out.exists(), f"{more}: {result}"


def test_near_resolver_names_a_private_address(lab, leaf, out):
    """A private PKI's responder needs no configuration."""
    lab.resolver(RECURSOR, lies={HOST: {"mode": "nxdomain"}})
    result = lab.fetch(leaf.path, "-o", out, "--resolver", f"udp://{SECOND}")
    assert result.code == 0, result
    assert result.json["source"] == f"udp://{SECOND}"


def test_literal_in_the_url(lab, tmp_path, out):
    leaf = lab.leaf(tmp_path, urls=[f"http://{RESPONDERS[0]}/"])
    assert lab.fetch(leaf.path, "-o", out).code == 0


@pytest.mark.parametrize("literal", [
    "169.254.169.254", "[fe80::1]", "0.0.0.0", "224.0.0.1"])
def test_where_no_responder_can_be(lab, tmp_path, out, literal):
    """B13: a certificate leads nobody to a cloud's metadata service; a pin
    of the operator, for a private PKI, would."""
    leaf = lab.leaf(tmp_path, urls=[f"http://{literal}/"])
    result = lab.fetch(leaf.path, "-o", out, "--timeout", "3")
    assert result.code == 75 and not out.exists(), result
    (refused,) = result.json["tries"]
    assert refused["outcome"] == "unreachable", refused
    assert "where no responder can be" in refused["detail"], refused


# --- courier fetch and check: the same roads, and the same rules

def bundle_of(lab, leaf):
    """What `courier export` says of LEAF."""
    done = lab.oclasp("courier", "export", leaf.path)
    assert done.code == 0, done
    return done.out


def courier_fetch(lab, requests, *words, **variables):
    pairs = [f"{name}={value}" for name, value in variables.items()]
    done = lab.run("env", *pairs, lab.program, "courier", "fetch", *words,
                   input=requests)
    return done, json.loads(done.stdout)["items"][0]


def test_courier_by_proxy(closed, proxies, leaf):
    requests = bundle_of(closed, leaf)
    done, item = courier_fetch(closed, requests, "--timeout", "3")
    assert done.returncode == 75 and item["response"] is None, item
    done, item = courier_fetch(closed, requests, "--proxy", f"http://{HTTP}")
    assert done.returncode == 0 and item["response"], done.stderr
    done, item = courier_fetch(closed, requests, http_proxy=f"http://{HTTP}")
    assert done.returncode == 0 and item["response"], done.stderr
    assert [e["outcome"] for e in proxies(HTTP)] == ["ok", "ok"]


def test_courier_and_private_addresses(outside, leaf):
    """What a resolver outside says of this network is refused here, too."""
    words = ["--resolver", f"udp://{OUTSIDE}", "--timeout", "3"]
    requests = bundle_of(outside, leaf)
    done, item = courier_fetch(outside, requests, *words)
    assert done.returncode == 75 and item["response"] is None, item
    assert not outside.requests()
    done, item = courier_fetch(outside, requests, *words, "--allow-private")
    assert done.returncode == 0 and item["response"], done.stderr


def test_courier_is_not_led_to_metadata(lab, tmp_path):
    """A bundle is anybody's word."""
    leaf = lab.leaf(tmp_path, urls=["http://169.254.169.254/latest/"])
    done, item = courier_fetch(lab, bundle_of(lab, leaf), "--timeout", "3")
    assert done.returncode == 75 and item["reason"] == "unreachable", item


def test_check_goes_directly(proxies, site):
    """It is about what a client of this server gets: no proxy has a say, and
    none is asked, be it a faulty one."""
    lab = site.lab
    for proxy in (f"http://{HTTP}", "gopher://x"):
        done = with_environment(lab, {"http_proxy": proxy, "https_proxy":
                                      proxy}, "check", f"127.0.0.1:{site.port}",
                                "--servername", "localhost", "--json")
        said = json.loads(done.stdout)
        assert done.stderr == "" and said["handshakes"], done
        assert said["penalty"]["outcome"] == "ok", said["penalty"]
    assert not proxies(HTTP)


# --- who was asked

def test_fetch_names_outside_parties(outside, proxies, leaf):
    """In the report, and with -v; those inside are none."""
    words = ["fetch", leaf.path, "--resolver", f"udp://{OUTSIDE}",
             "--resolver", f"udp://{SECOND}", "--proxy", f"http://{HTTP}",
             "--timeout", "5"]
    outside.resolver(SECOND, lies={HOST: {"mode": "nxdomain"}})
    said = outside.oclasp(*words, "--json").json
    assert said["parties"] == [f"udp://{OUTSIDE}", f"http://{HTTP}"], said
    assert f"udp://{OUTSIDE} was asked" in outside.oclasp(*words, "-v").out


def test_keep_names_outside_parties(outside, leaf, tmp_path):
    """Once a day each: who learns which responder this machine asks for."""
    folder = tmp_path / "other"
    folder.mkdir()
    other = outside.leaf(folder, "other")
    keep = outside.keep(
        tmp_path / "log", leaf.path, other.path, "--state-dir",
        tmp_path / "state", "--resolver", f"udp://{OUTSIDE}",
        "--allow-private")
    keep.wait_line("a good response", count=2)
    lines = [line for line in keep.text.splitlines() if "outside" in line]
    assert len(lines) == 1 and f"udp://{OUTSIDE}" in lines[0], keep.text
    assert keep.stop() == 0
