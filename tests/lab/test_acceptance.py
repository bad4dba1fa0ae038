# SPDX-License-Identifier: ISC
"""What the acceptance list (tests/REQUIREMENTS.md) asks of the keeper and no
other file tries: both kinds of keys, real private responders, and certificates
that name no responder."""

import base64
import datetime
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from playground import pki, util
from playground.lab import CLIENT, PROVEN, RESPONDERS
from site_of_lab import fault_for


def test_both_keys_and_versions(site):
    """D8: the very octets that are published are given with RSA and ECDSA, by
    TLS 1.2 and 1.3, to each server name its own; and keep has proven it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    second = site.lab.leaf(site.folder, "rsa", names=["rsa.test"], key=key)
    site.nginx.add_site(second, port=site.port, names=["rsa.test"],
                        file="rsa")
    site.nginx.reload()
    site.installed()
    keep = site.keep()
    keep.wait_line(PROVEN, count=2)
    site.nginx.settle()
    for leaf, name in ((site.leaf, "localhost"), (second, "rsa.test")):
        published = site.staple_path(leaf).read_bytes()
        assert site.fault(published, leaf) is None
        for version in ("1.2", "1.3"):
            (shake,) = site.lab.handshakes(site.port, 1, "--servername", name,
                                           "--tls", version)
            assert shake["error"] is None, shake
            assert base64.b64decode(shake["staple"]) == published, (
                name, version)
    assert keep.stop() == 0


def test_restart_while_the_file_is_away(site):
    """A1, I2: the keeper restarts while it cannot read a certificate's file (a
    network disk is away): nginx goes on with the staple, over its own restart
    too, and the complaint says so."""
    lab, copy = site.lab, site.folder / "share" / "cert.pem"
    copy.parent.mkdir()
    copy.write_bytes(site.leaf.path.read_bytes())
    site.installed()
    keep = site.keep(copy)
    keep.wait_line(PROVEN)
    assert keep.stop() == 0
    staple = site.staple()
    copy.parent.rename(site.folder / "away")
    lab.respond("http500")
    keep = site.keep(copy)
    keep.wait_line("cert.pem.* stays in service until")
    def row():
        said = lab.oclasp("status", "--json", *site.where[:2])
        assert said.code in (0, 1), said
        return said.json["ready"] and said.json["targets"][0]
    told = util.wait_for("the first round", row)
    assert told["state"] == "error" and "stays in service" in told["detail"]
    site.nginx.restart()
    site.must_staple("while the file is away", 3)
    assert site.staple() == staple
    # it is there again: adopted, and nobody is asked for it
    seen = len(lab.requests())
    (site.folder / "away").rename(copy.parent)
    util.wait_for("fresh", lambda: row()["state"] == "fresh", 10)
    assert site.staple() == staple and len(lab.requests()) == seen
    assert keep.stop() == 0


def test_start_with_a_broken_server(site):
    """I8: nginx's configuration is broken when the keeper starts: what it kept
    before is cared for all the same, and published when that is mended."""
    lab, broken = site.lab, site.nginx.prefix / "sites" / "zbroken.conf"
    before = site.had_staple(lifetime_s=3600, age_s=1900)  # a refresh is due
    broken.write_text("nonsense\n", encoding="utf-8")
    lab.respond("good")
    keep = site.keep()
    keep.wait_line("cannot publish.*zbroken")
    keep.wait_line("a good response")
    told = lab.oclasp("status", "--json", *site.where[:2]).json
    assert [row["path"] for row in told["targets"]] == [str(site.leaf.path)]
    assert site.staple() == before, "nobody can publish for now"
    broken.unlink()
    keep.wait_line(PROVEN, seconds=30)
    site.must_staple("mended", 3)
    assert site.staple() != before
    assert keep.stop() == 0


# --- private responders (REQUIREMENTS 2)

class OpensslOcsp:
    """`openssl ocsp -port`, over the index of a CA of its own."""

    def __init__(self, lab, folder, *words):
        self.lab, self.port = lab, util.free_port("127.0.0.1")
        self.ca = pki.Authority.create(folder / "ca", "Flat CA",
                                       intermediate=False)
        self.leaf = self.ca.issue(
            ["private.test"], [f"http://127.0.0.1:{self.port}/"]).write(folder)
        index = folder / "index.txt"
        until = datetime.datetime.now() + datetime.timedelta(days=30)
        serial = f"{self.leaf.certificate.serial_number:X}"
        serial = serial if len(serial) % 2 == 0 else "0" + serial
        index.write_text(f"V\t{until:%y%m%d%H%M%S}Z\t\t{serial}\tunknown"
                         "\t/CN=private.test\n", encoding="utf-8")
        self.log = (folder / "log").open("w", encoding="utf-8")
        self.process = lab.spaces.popen(
            CLIENT, "openssl", "ocsp", "-port", str(self.port), "-index",
            str(index), "-CA", str(self.ca.path), "-rsigner",
            str(self.ca.folder / "signer.pem"), "-rkey",
            str(self.ca.folder / "signer.key"), *words,
            stdout=self.log, stderr=self.log)
        util.wait_for("openssl ocsp", lambda: (
            "waiting for" in (folder / "log").read_text(encoding="utf-8")))

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


@pytest.fixture
def openssl_ocsp(lab, tmp_path):
    started = []

    def start(*words):
        started.append(OpensslOcsp(lab, tmp_path, *words))
        return started[0]
    yield start
    for one in started:
        one.stop()


def once(lab, tmp_path, path, *words):
    return lab.oclasp("keep", "--once", "--state-dir", tmp_path / "state",
                      "--listen", "none", "--timeout", "5", *words, path)


def test_openssl_ocsp_with_a_life(lab, tmp_path, openssl_ocsp):
    """One thread, HTTP/1.0, a root that issues leaves itself, an odd port."""
    private = openssl_ocsp("-ndays", "1")
    result = once(lab, tmp_path, private.leaf.path)
    assert result.code == 0, result
    staple = tmp_path / "state" / "staples" / f"{private.leaf.fingerprint}.der"
    assert staple.exists()


def test_openssl_ocsp_without_next_update(lab, tmp_path, openssl_ocsp):
    """As it is without -ndays: refused and said, unless the operator says of
    this issuer how long such an answer lives."""
    private = openssl_ocsp()
    result = once(lab, tmp_path, private.leaf.path)
    assert result.code == 75 and "no-next-update" in result.err, result
    config = tmp_path / "oclasp.conf"
    config.write_text('issuer "Flat CA" { no-next-update-life = "4h" }\n',
                      encoding="utf-8")
    result = once(lab, tmp_path, private.leaf.path, "--config", config)
    assert result.code == 0, result


def test_https_responder(lab, tmp_path, sites, out):
    """TLS to the responder, by the system's certificates; a real nginx carries
    it, which is no other responder's business."""
    front = sites(lines=["location /ocsp { proxy_pass "
                         f"http://{RESPONDERS[0]}; }}"])
    url = f"https://localhost:{front.port}/ocsp"
    leaf = lab.leaf(tmp_path, "private", urls=[url])
    store = "/etc/ssl/certs/ca-certificates.crt"
    believed = lab.authority.root_path.read_text(encoding="utf-8")
    result = lab.fetch_with({store: believed}, leaf.path, "-o", out)
    assert result.code == 0, result
    assert fault_for(lab, leaf, out.read_bytes()) is None
    refused = lab.fetch(leaf.path, "--timeout", "3")
    assert refused.code == 75 and refused.json["response"] is None, refused


# --- certificates without an OCSP URL (REQUIREMENTS 3.2)

def test_no_url_is_said_once(lab, tmp_path):
    """3.2, 1: fine, said once, counted, and nobody is asked, also at reloads
    and after a restart's first round."""
    bare = lab.leaf(tmp_path, "bare", names=["bare.test"], urls=())
    good = lab.leaf(tmp_path, "good")
    state = tmp_path / "state"
    keep = lab.keep(tmp_path / "log", "--state-dir", state, bare.path,
                    good.path)
    keep.wait_line("a good response")

    def told():
        return lab.oclasp("status", "--json", "--state-dir", state).json
    util.wait_for("ready", lambda: told()["ready"])
    for _ in range(2):
        assert lab.oclasp("reload", "--state-dir", state).code == 0
    assert lab.oclasp("status", "--state-dir", state).code == 0
    assert told()["states"]["no-responder"] == 1
    lines = re.findall(r"(?m)^.*bare\.test.*$", keep.text)
    assert len(lines) == 1 and "no OCSP responder" in lines[0], lines
    assert "error" not in lines[0] and "warning" not in lines[0]
    assert len(lab.requests()) == 1, "the other one's"
    assert keep.stop() == 0
    assert once(lab, tmp_path, bare.path).code == 0
