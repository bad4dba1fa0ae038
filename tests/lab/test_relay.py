# SPDX-License-Identifier: ISC
"""`keep` as a responder for others: servers, other programs, another oclasp."""

import base64
import os
import re
import shutil
import subprocess
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp
from playground import judge, util
from playground.lab import CLIENT, URL
from playground.pki import Authority
from relay_of_lab import (APACHE_MODULES, Apache, Relay, error_of,
                          request_for)

LISTENING = r"listening at (\S+:\d+): "


@pytest.fixture
def relays(lab, tmp_path):
    """Makes Relays of new certificates."""
    def make(*words, count=1, listen=("127.0.0.1:0",)):
        folder = tmp_path / f"relay{len(os.listdir(tmp_path))}"
        folder.mkdir()
        leaves = [lab.leaf(folder, f"kept{i}") for i in range(count)]
        made = Relay(lab, folder, leaves, *words, listen=listen)
        made.leaves, made.leaf = leaves, leaves[0]
        return made
    return make


@pytest.fixture
def relay(relays):
    return relays().fetched()


def fault(lab, leaf, body):
    """What an independent judge finds wrong with BODY for LEAF."""
    return judge.fault_of(body, leaf.certificate, lab.authority.certificate)


def ask(relay, leaf=None, **more):
    """(HTTP status, body) of a POST for LEAF."""
    return relay.post(request_for(leaf or relay.leaf,
                                  relay.lab.authority.certificate, **more))


def get_url(relay, leaf=None, prefix="", escape="+/=", **more):
    der = request_for(leaf or relay.leaf, relay.lab.authority.certificate,
                      **more)
    text = base64.b64encode(der).decode()
    for character in escape:
        text = text.replace(character, urllib.parse.quote(character, safe=""))
    return relay.url + prefix + text


# --- programs that ask

@pytest.mark.parametrize("words", [
    (), ("-no_nonce",), ("-sha256",), ("-sha256", "-no_nonce")])
def test_openssl_ocsp(lab, relay, words):
    """SHA-1 from memory, SHA-256 fetched when somebody asks; with a nonce and
    without."""
    result = lab.run(
        "openssl", "ocsp", *words, "-issuer", lab.authority.folder / "ca.pem",
        "-cert", relay.leaf.path, "-url", relay.url, "-CAfile",
        lab.authority.folder / "root.pem")
    assert result.returncode == 0, result
    assert "Response verify OK" in result.stderr, result
    assert ": good" in result.stdout, result
    assert len(lab.requests()) == (2 if "-sha256" in words else 1)


def test_curl_get_and_post(lab, relay):
    """The same octets by every way of asking."""
    path = relay.state / "staples" / f"{relay.leaf.fingerprint}.der"
    util.wait_for("the published staple", path.exists)
    kept = path.read_bytes()
    assert fault(lab, relay.leaf, kept) is None
    assert ask(relay) == (200, kept)
    for url in (get_url(relay), get_url(relay, escape=""),
                get_url(relay, prefix="ocsp/v1/"),
                get_url(relay, prefix="/a//b/", escape="=")):
        assert relay.answer("--path-as-is", url) == (200, kept), url
        assert relay.answer("--path-as-is", "-0", url) == (200, kept), url
    # who takes it for a proxy
    assert relay.answer("-x", relay.url, get_url(relay).replace(
        relay.url, URL)) == (200, kept)
    assert len(lab.requests()) == 1, "all of it came from memory"
    counts = relay.metrics()
    assert counts["good"] == 10 and counts["malformed"] == 0, counts


def test_double_slashes(lab, relay, tmp_path):
    """BASELINES: base64 with "//" in it is asked for as it is."""
    der = request_for(relay.leaf, lab.authority.certificate)
    if b"//" not in base64.b64encode(der):
        # a nonce of ones is not looked at, and full of slashes
        der = request_for(relay.leaf, lab.authority.certificate,
                          nonce=x509.OCSPNonce(b"\xff" * 32))
    assert b"//" in base64.b64encode(der)
    status, body = relay.answer(
        "--path-as-is", relay.url + base64.b64encode(der).decode())
    assert status == 200
    assert fault(lab, relay.leaf, body) is None


def test_headers(lab, relay):
    """RFC 9919, section 6.2; and a cache's question is answered with 304."""
    url = get_url(relay)
    result = relay.curl("-I", url)
    head = dict(re.findall(r"(?m)^([\w-]+): (.*?)\r?$",
                           result.stdout.decode()))
    assert head["Content-Type"] == "application/ocsp-response"
    match = re.fullmatch(r"max-age=(\d+), public, no-transform, "
                         "must-revalidate", head["Cache-Control"])
    _, body = ask(relay)
    response = ocsp.load_der_ocsp_response(body)
    life = (response.next_update - response.this_update).total_seconds()
    assert 0 < int(match[1]) < life
    assert head["Last-Modified"] == response.this_update.strftime(
        "%a, %d %b %Y %H:%M:%S GMT")
    assert {"Date", "Expires", "ETag"} <= set(head)
    for condition in (f"If-None-Match: {head['ETag']}",
                      f"If-Modified-Since: {head['Last-Modified']}"):
        assert relay.answer("-H", condition, url) == (304, b"")
    assert relay.answer("-H", 'If-None-Match: "x"', url) == (200, body)


def test_errors(lab, relay, tmp_path):
    other = lab.leaf(tmp_path, "other")
    for words, error in (
            ((relay.url,), "malformedRequest"),
            ((relay.url + "favicon.ico",), "malformedRequest"),
            (("--data-binary", "x", relay.url), "malformedRequest"),
            ((get_url(relay, other),), "unauthorized"),
            ((get_url(relay, other, algorithm=hashes.SHA256()),),
             "unauthorized")):
        status, body = relay.answer(*words)
        assert (status, error_of(body)) == (200, error), words
    assert relay.answer("-X", "PUT", relay.url)[0] == 501
    assert len(lab.requests()) == 1, "nothing was fetched for strangers"


def test_revoked(lab, relay):
    """A signed revoked withdraws it here, too."""
    lab.respond("revoked")
    assert lab.oclasp("refresh", "--all", "--state-dir",
                      relay.state).code == 1
    assert error_of(ask(relay)[1]) == "unauthorized"


def test_revoked_is_heard_by_the_other_hash(lab, relay):
    """C3, C15: what is fetched for somebody who asks by SHA-256, and says,
    signed, that a kept certificate is revoked, is obeyed."""
    assert fault(lab, relay.leaf, ask(relay)[1]) is None
    lab.respond("revoked")
    assert error_of(ask(relay, algorithm=hashes.SHA256())[1]) == "unauthorized"
    relay.keep.wait_line("signed, that this certificate is revoked")
    assert error_of(ask(relay)[1]) == "unauthorized"


def test_kept_without_a_response(lab, relays):
    lab.respond("http500")
    relay = relays()
    relay.keep.wait_line("500")
    assert error_of(ask(relay)[1]) == "tryLater"


# --- servers that staple by it

def test_nginx_responder(lab, relay, tmp_path, sites):
    """nginx fetches by itself, from here: no file, no reload.  Its first
    handshake has none, as ever; then every one has, also while the CA is
    gone."""
    lab.stop_responder()
    site = sites(start=False)
    site.leaf = relay.leaf
    site.nginx.add_site(relay.leaf, port=site.port, lines=(
        "ssl_stapling on;", f"ssl_stapling_responder {relay.url};"))
    site.nginx.start()
    util.wait_for("nginx to have its staple",
                  lambda: site.shakes(1)[0][0] is not None)
    site.must_staple("by ssl_stapling_responder", 5)
    assert relay.metrics()["good"] >= 1


@pytest.mark.skipif(os.geteuid() != 0, reason="Apache needs a second user")
@pytest.mark.skipif(not os.path.exists(f"{APACHE_MODULES}/mod_ssl.so"),
                    reason="no Apache")
@pytest.mark.parametrize("words", [(), ("--nonce",)])
def test_apache_force_url(lab, relay, tmp_path, words):
    """mod_ssl asks within the handshake, by POST, with the client's nonce."""
    lab.stop_responder()
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_mode & 0o001 == 0:  # for the user nobody
            os.chmod(folder, folder.stat().st_mode | 0o011)
    apache = Apache(lab, tmp_path / "apache", relay.leaf, relay.url)
    try:
        def shake():
            return lab.handshakes(apache.port, 1, *words)[0]
        first = util.wait_for("Apache", lambda: (
            shakes := shake(), shakes["error"] is None)[1] and shakes)
        staple = base64.b64decode(first["staple"] or "")
        assert fault(lab, relay.leaf, staple) is None, apache.said()
    finally:
        apache.stop()


@pytest.mark.skipif(not shutil.which("stunnel"), reason="no stunnel")
def test_stunnel_ocsp_url(lab, tmp_path, sites):
    """stunnel's `OCSP = URL`: it lets a connection through only if we say
    that each certificate of the chain is good; so the CA is a root here."""
    flat = Authority.create(tmp_path / "flat", intermediate=False)
    port = util.free_port("127.0.0.1")
    responder = lab.spaces.serve(CLIENT, "playground.responder", flat.folder,
                                 "--listen", f"127.0.0.1:{port}")
    leaf, other = (flat.issue(["localhost"], [f"http://127.0.0.1:{port}/"])
                   .write(tmp_path, name) for name in ("kept", "other"))
    relay = Relay(lab, tmp_path, [leaf]).fetched()
    responder.terminate()
    responder.wait()
    for served, good in ((leaf, True), (other, False)):
        site = sites(start=False)
        site.nginx.add_site(served, port=site.port)
        site.nginx.start()
        result = tunnel(lab, tmp_path, flat, site.port, relay.url)
        assert (b"hello" in result.stdout) == good, result.stderr.decode()


def tunnel(lab, folder, authority, port, url):
    """GET / through a stunnel that trusts AUTHORITY and asks URL."""
    conf = folder / f"stunnel{port}.conf"
    conf.write_text(
        f"foreground = yes\nclient = yes\nconnect = 127.0.0.1:{port}\n"
        f"CAfile = {authority.root_path}\nverifyChain = yes\n"
        f"OCSP = {url}\n", encoding="utf-8")
    return subprocess.run(
        [*lab.spaces.inside(CLIENT), "stunnel", str(conf)],
        input=b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n",
        capture_output=True, timeout=30)


def test_upstream_of_another(lab, relay, tmp_path):
    """A8: hosts share one fetch: another oclasp has its staple from here while
    the CA cannot be reached."""
    lab.stop_responder()
    result = lab.fetch(relay.leaf.path, "--upstream", relay.url)
    assert result.code == 0, result
    assert result.json["source"] == "upstream"


# --- what must not be lost

def test_restart_without_network(lab, relay):
    """A1: what was fetched is there again before anything is asked."""
    before = ask(relay)
    util.wait_for("the published staple", (
        relay.state / "staples" / f"{relay.leaf.fingerprint}.der").exists)
    relay.keep.kill()
    lab.stop_responder()
    relay.start()
    assert ask(relay) == before


def test_while_the_file_changes(lab, relay):
    """A certificate's file that is written again costs no answer."""
    for _ in range(3):
        relay.leaf.path.write_bytes(relay.leaf.path.read_bytes())
        assert error_of(ask(relay)[1]) is None
    lab.oclasp("reload", "--state-dir", relay.state)
    assert error_of(ask(relay)[1]) is None


def test_relay_unknown(lab, relays, tmp_path):
    """Of issuers that are kept, fetched once for all, and remembered."""
    relay = relays("--relay-unknown").fetched()
    other = lab.leaf(tmp_path, "other")
    for _ in range(3):
        status, body = ask(relay, other)
        assert status == 200
        assert fault(lab, other, body) is None
    assert len(lab.requests()) == 2
    lab.stop_responder()
    assert fault(lab, other, ask(relay, other)[1]) is None
    third = lab.leaf(tmp_path, "third")
    assert error_of(ask(relay, third)[1]) == "tryLater"
    assert relay.metrics()["fetched"] == 4


# --- listeners

def test_open_to_a_network(lab, relays):
    """OCSP may be open to a network while status stays on this machine."""
    relay = relays(listen=("127.0.0.1:0", "10.77.1.2:0")).fetched()
    relay.find_addresses(2)
    _, outside = relay.addresses
    assert error_of(relay.answer(f"http://{outside}/")[1]) is not None
    assert relay.answer(f"http://{outside}/healthz")[0] == 200
    for path in ("status", "metrics", "api/v1/status"):
        assert relay.answer(f"http://{outside}/{path}")[0] == 404
        assert relay.answer(relay.url + path)[0] == 200
    for path in ("reload", "refresh?all=1"):
        assert relay.answer("-X", "POST", f"{relay.url}api/v1/{path}")[0] == 404


def test_taken_address(lab, relay, relays):
    """I8: a taken address is a warning, and the care goes on."""
    second = relays(listen=(relay.addresses[0], "127.0.0.1:0")).fetched()
    assert len(second.addresses) == 1
    second.keep.wait_line("Address already in use")


def test_default_address(lab, tmp_path):
    leaf = lab.leaf(tmp_path)
    keep = lab.keep(tmp_path / "log", leaf.path, "--state-dir",
                    tmp_path / "state")
    keep.wait_line("listening at 127.0.0.1:8866: ")
    keep.stop()
    keep = lab.keep(tmp_path / "log2", leaf.path, "--state-dir",
                    tmp_path / "state", "--listen", "none")
    keep.wait_line("usable for")
    assert "listening" not in keep.text


def test_configured(lab, tmp_path):
    """The listen blocks of the configuration."""
    leaf, conf = lab.leaf(tmp_path), tmp_path / "oclasp.conf"
    socket = tmp_path / "ocsp.sock"
    conf.write_text(
        f'certificate "{leaf.path}" {{}}\nrelay-unknown = true\n'
        f'listen "{socket}" {{ serves = {{ocsp}} mode = 0600 }}\n'
        'listen "127.0.0.1:0" { serves = {health} }\n', encoding="utf-8")
    keep = lab.keep(tmp_path / "log", "--config", conf, "--state-dir",
                    tmp_path / "state")
    keep.wait_line("usable for")
    assert socket.stat().st_mode & 0o777 == 0o600
    url, = re.findall(LISTENING, keep.text)

    def status(*words):
        return lab.run("curl", "-s", "-o", os.devnull, "-w", "%{http_code}",
                       *words).stdout
    assert status("--unix-socket", socket, "http://x/") == "200"
    assert status("--unix-socket", socket, "http://x/status") == "404"
    assert status(f"http://{url}/healthz") == "200"
    assert status(f"http://{url}/") == "404"


def test_listeners_anew(lab, tmp_path):
    """A reload obeys the listen blocks too, also where none was."""
    leaf, conf = lab.leaf(tmp_path), tmp_path / "oclasp.conf"
    state = tmp_path / "state"

    def listen(block):
        conf.write_text(f'certificate "{leaf.path}" {{}}\nlisten {block}\n',
                        encoding="utf-8")

    def reload(count):
        result = lab.oclasp("reload", "--state-dir", state)
        assert result.code == 0, result
        return keep.wait_line(LISTENING, count=count)[-1]

    def ask(address):
        path = tmp_path / "request.der"
        path.write_bytes(request_for(leaf, lab.authority.certificate))
        return lab.run("curl", "-s", "--data-binary", f"@{path}",
                       f"http://{address}/", text=False).stdout
    listen('"none" {}')
    keep = lab.keep(tmp_path / "log", "--config", conf, "--state-dir", state)
    keep.wait_line("usable for")
    listen('"127.0.0.1:0" {}')
    first = reload(1)
    assert fault(lab, leaf, ask(first)) is None
    listen('"127.0.0.1:0" { serves = {ocsp} }')
    second = reload(2)
    assert fault(lab, leaf, ask(second)) is None
    assert ask(first) == b""
    assert f"no longer listening at {first}" in keep.text
