# SPDX-License-Identifier: ISC
"""`fetch` where plain UDP gives nothing but forgeries, at every resolver: the
genuine answer is suppressed, and only another transport has it (B2, B3).

Each road has its counter-test: without it, or with it closed or false, there
is no staple."""

import base64
import hashlib
import textwrap

from cryptography.hazmat.primitives import serialization
import pytest

from playground import nginx, util
from playground.lab import (HOST, RECURSOR, REFUSING, RESPONDERS, SECOND,
                            SECOND6, WORLD)
from roads_of_lab import NAME
from site_of_lab import fault_for

GENUINE = RESPONDERS[0]
TCP = f"tcp://{SECOND}"
TLS = f"tls://{SECOND}#{NAME}"
HTTPS = f"https://{NAME}/dns-query#{SECOND}"


@pytest.fixture
def roads(new_roads):
    """The forger's network: UDP is lost at both resolvers."""
    new_roads.poison(RECURSOR, SECOND, a=REFUSING)
    return new_roads


@pytest.fixture
def fetch(lab, leaf, tmp_path):
    """Runs `fetch` with resolvers; what it gives, and the file's octets."""
    def run(*resolvers, ca=True, more=()):
        out = tmp_path / "staple.der"
        out.unlink(missing_ok=True)
        words = [w for url in resolvers for w in ("--resolver", url)]
        if ca:
            words += ["--tls-ca", lab.authority.root_path]
        result = lab.fetch(leaf.path, "-o", out, "--timeout", 8, *words,
                           *more)
        return result, out.read_bytes() if out.exists() else None
    return run


def must_win(lab, leaf, got, source):
    result, der = got
    assert result.code == 0, f"{source}: {result}"
    assert fault_for(lab, leaf, der) is None
    said = result.json
    assert said["verdict"] == "accept" and said["address"] == GENUINE, said
    assert said["source"] == source, said
    return said


def must_lose(got, source=None, words=""):
    """No staple; the try of SOURCE says why, with WORDS."""
    result, der = got
    assert result.code == 75, result
    assert der is None, "a file was written without a staple"
    said = result.json
    assert said["verdict"] == "reject", said
    if source:
        why = [t["detail"] for t in said["tries"]
               if t["source"] == source and t["stage"] == "dns"]
        assert why and words in why[0], (source, said["tries"])
    return said


def test_udp_alone_gives_nothing(roads, fetch):
    """The counter-test of them all: this network takes a road."""
    said = must_lose(fetch(SECOND))
    assert {t["address"] for t in said["tries"]} <= {REFUSING, ""}, said


def test_tcp(lab, leaf, roads, fetch):
    log = roads.open("--tcp", f"{SECOND}:53")
    said = must_win(lab, leaf, fetch(TCP), TCP)
    asked = util.read_lines(log)
    assert {e["road"] for e in asked} == {"tcp"}
    assert {e["type"] for e in asked if e["name"] == HOST} == {"A", "AAAA"}
    lies = [t for t in said["tries"] if t["address"] == REFUSING]
    assert lies, f"the forged address was tried as well: {said['tries']}"


def test_tcp_at_the_same_nameserver(lab, leaf, roads, fetch):
    """Nobody has named it: who is asked by datagrams is asked by TCP one
    class later, be it that of resolv.conf or one that was named."""
    log = roads.open("--tcp", f"{RECURSOR}:53")
    said = must_win(lab, leaf, fetch(), f"tcp://{RECURSOR}")
    assert {e["road"] for e in util.read_lines(log)} == {"tcp"}
    assert said["parties"] == [], said
    roads.close()
    roads.open("--tcp", f"{SECOND}:53")
    must_win(lab, leaf, fetch(f"udp://{SECOND}"), TCP)
    roads.close()
    said = must_lose(fetch(f"udp://{SECOND}"))
    assert not [t for t in said["tries"] if t["source"].startswith("tcp:")], (
        "that it failed is no news: nobody has named it")


def test_tcp_closed(roads, fetch):
    must_lose(fetch(TCP), TCP, "cannot connect")


def test_tls(lab, leaf, roads, fetch):
    roads.open("--tls", f"{SECOND}:853")
    must_win(lab, leaf, fetch(TLS), TLS)


def test_tls_default_port_and_own_port(lab, leaf, roads, fetch):
    roads.open("--tls", f"{SECOND}:8853")
    must_lose(fetch(TLS), TLS, "cannot connect")
    url = f"tls://{SECOND}:8853#{NAME}"
    must_win(lab, leaf, fetch(url), url)


def test_tls_unknown_ca(roads, fetch):
    """Without --tls-ca the system's store knows nothing of the lab's CA."""
    roads.open("--tls", f"{SECOND}:853")
    must_lose(fetch(TLS, ca=False), TLS, "not believed")


def test_tls_wrong_name(roads, fetch):
    roads.open("--tls", f"{SECOND}:853",
               leaf=roads.certificate(["other.lab.test"]))
    must_lose(fetch(TLS), TLS, "not believed")


def test_tls_expired(roads, fetch):
    roads.open("--tls", f"{SECOND}:853",
               leaf=roads.certificate(days=(9, -1)))
    must_lose(fetch(TLS), TLS, "expired")


def test_tls_by_address(lab, leaf, roads, fetch):
    """Without a name the certificate must bear the address (RFC 8310)."""
    url = f"tls://{SECOND}"
    roads.open("--tls", f"{SECOND}:853")
    must_lose(fetch(url), url, "not believed")
    roads.close()
    roads.open("--tls", f"{SECOND}:853",
               leaf=roads.certificate(addresses=[SECOND]))
    must_win(lab, leaf, fetch(url), url)


def pin_of(certificate):
    key = certificate.public_key().public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


def test_tls_pinned(lab, leaf, roads, fetch):
    """A key that is pinned needs no CA; a wrong pin is worth nothing, whatever
    the CA says."""
    shown = roads.certificate(["other.lab.test"])
    roads.open("--tls", f"{SECOND}:853", leaf=shown)
    url = f"tls://{SECOND}#pin-sha256={pin_of(shown.certificate)}"
    must_win(lab, leaf, fetch(url, ca=False), url)
    stranger = pin_of(roads.certificate().certificate)
    wrong = f"tls://{SECOND}#pin-sha256={stranger}"
    must_lose(fetch(wrong), wrong, "pinned")


def test_tls_insecure_only_by_word(lab, leaf, roads, fetch):
    roads.open("--tls", f"{SECOND}:853",
               leaf=roads.certificate(["other.lab.test"]))
    url = f"tls://{SECOND}#insecure"
    must_win(lab, leaf, fetch(url, ca=False), url)


def test_https(lab, leaf, roads, fetch):
    """Nothing but the bootstrap address is needed: NAME has no address in
    this world's DNS."""
    log = roads.open("--https", f"{SECOND}:443")
    must_win(lab, leaf, fetch(HTTPS), HTTPS)
    assert {e["type"] for e in util.read_lines(log)} == {"A", "AAAA"}


def test_https_without_bootstrap(roads, fetch):
    """Then the system is asked for the host, which it does not know here."""
    roads.open("--https", f"{SECOND}:443")
    url = f"https://{NAME}/dns-query"
    must_lose(fetch(url), url, NAME)


def test_https_by_address(lab, leaf, roads, fetch):
    roads.open("--https", f"{SECOND}:443",
               leaf=roads.certificate(addresses=[SECOND]))
    url = f"https://{SECOND}/dns-query"
    must_win(lab, leaf, fetch(url), url)


def test_https_second_bootstrap_address(lab, leaf, roads, fetch):
    """One that refuses and one that is silent cost little."""
    roads.open("--https", f"{SECOND}:443")
    url = f"https://{NAME}/dns-query#{REFUSING},10.77.66.6,{SECOND}"
    said = must_win(lab, leaf, fetch(url), url)
    assert said["elapsed_ms"] < 3000, said


def test_https_unknown_ca(roads, fetch):
    roads.open("--https", f"{SECOND}:443")
    must_lose(fetch(HTTPS, ca=False), HTTPS, "certificate")


def test_https_wrong_name(roads, fetch):
    roads.open("--https", f"{SECOND}:443",
               leaf=roads.certificate(["other.lab.test"]))
    must_lose(fetch(HTTPS), HTTPS, NAME)


def test_https_wrong_path(roads, fetch):
    roads.open("--https", f"{SECOND}:443")
    url = f"https://{NAME}/other#{SECOND}"
    must_lose(fetch(url), url, "404")


def test_https_http2(lab, leaf, roads, fetch, tmp_path):
    """In front of the DoH server an nginx that speaks HTTP/2."""
    log = roads.open("--http", "127.0.0.1:8053")
    shown = roads.certificate()
    folder = tmp_path / "nginx"
    folder.mkdir()
    (folder / "nginx.conf").write_text(textwrap.dedent(f"""\
        daemon off;
        pid {folder}/pid;
        error_log {folder}/error.log;
        events {{ }}
        http {{
            access_log off;
            client_body_temp_path {folder}/body;
            proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/fastcgi;
            uwsgi_temp_path {folder}/uwsgi;
            scgi_temp_path {folder}/scgi;
            server {{
                listen {SECOND}:443 ssl http2;
                ssl_certificate {shown.path};
                ssl_certificate_key {shown.key_path};
                location /dns-query {{
                    proxy_pass http://127.0.0.1:8053;
                    proxy_set_header X-Protocol $server_protocol;
                }}
            }}
        }}
        """), encoding="utf-8")
    front = lab.spaces.popen(WORLD, nginx.find(), "-p", folder, "-c",
                             folder / "nginx.conf")
    try:
        util.wait_for("nginx", (folder / "pid").exists)
        must_win(lab, leaf, fetch(HTTPS), HTTPS)
    finally:
        front.terminate()
        front.wait()
    assert {e["protocol"] for e in util.read_lines(log)} == {"HTTP/2.0"}


def test_cut_off_datagram_leads_to_tcp(lab, leaf, roads, fetch):
    """TC: the same question by TCP, to the same resolver and port."""
    url = f"udp://{SECOND}:5300"
    log = roads.open("--cut", f"{SECOND}:5300")
    must_lose(fetch(url), url, "names no address")
    assert {e["road"] for e in util.read_lines(log)} == {"cut"}
    log = roads.open("--tcp", f"{SECOND}:5300")
    must_win(lab, leaf, fetch(url), url)
    assert {e["road"] for e in util.read_lines(log)} == {"tcp"}


@pytest.mark.parametrize("words, url", [
    (["--tcp", f"[{SECOND6}]:53"], f"tcp://[{SECOND6}]"),
    (["--tls", f"[{SECOND6}]:853"], f"tls://[{SECOND6}]#{NAME}"),
    (["--https", f"[{SECOND6}]:443"],
     f"https://{NAME}/dns-query#[{SECOND6}]"),
], ids=["tcp", "tls", "https"])
def test_by_ipv6(lab, leaf, roads, fetch, words, url):
    """The resolver's own family has nothing to do with the responder's."""
    must_lose(fetch(url), url, "")
    roads.open(*words)
    must_win(lab, leaf, fetch(url), url)


def test_a_lie_over_tls_is_still_a_lie(roads, fetch):
    """Who is who they say may lie all the same: signatures decide."""
    roads.open("--tls", f"{SECOND}:853", names={HOST: {"a": [REFUSING]}})
    must_lose(fetch(TLS))


def test_all_roads_at_once(lab, leaf, roads, fetch):
    """Three of them, two of which are dead: the third wins at once."""
    roads.open("--https", f"{SECOND}:443")
    said = must_win(lab, leaf, fetch(TCP, TLS, HTTPS), HTTPS)
    assert said["elapsed_ms"] < 2000, said


@pytest.mark.parametrize("words, told", [
    (("--resolver", "tls://dns.lab.test"), "tls://IP"),
    (("--resolver", f"https://{NAME}"), "https://HOST/PATH"),
    (("--resolver", TLS, "--tls-ca", "/nonexistent"), "/nonexistent"),
])
def test_usage(lab, leaf, words, told):
    result = lab.oclasp("fetch", leaf.path, "--json", *words)
    assert result.code == 2 and result.out == "", result
    assert told in result.err, result


def test_configured(lab, leaf, roads, tmp_path):
    """The same from oclasp.conf."""
    roads.open("--tls", f"{SECOND}:853")
    config = tmp_path / "oclasp.conf"
    config.write_text(f'resolvers = {{"{TLS}"}}\n'
                      f'tls-ca = "{lab.authority.root_path}"\n',
                      encoding="utf-8")
    result = lab.fetch(leaf.path, "--config", config)
    assert result.code == 0 and result.json["source"] == TLS, result
