# SPDX-License-Identifier: ISC
"""`fetch` on a clean network: wrong answers, odd answers, bad input."""

import base64
import datetime
import os
import re
import subprocess
import urllib.parse

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import ocsp

from playground import pki
from playground.lab import HOST, RESPONDERS, URL
from site_of_lab import fault_for

SIGNER_REASONS = {"signer-not-authorized", "untrusted-signer"}


def one_sentence(lab, result, reason, *words, run=None):
    """Each failure gets one clear sentence with its code: `detail` and
    `reason` in JSON; with -q one line on stderr."""
    if result is not None:
        detail = result.json["detail"]
        assert detail and "\n" not in detail, result
        assert result.json["reason"] == reason, result
    said = (run or lab.oclasp)("fetch", "-q", *words)
    assert said.out == "", said
    lines = said.err.splitlines()
    assert len(lines) == 1, f"one sentence, not {len(lines)}: {said}"
    assert lines[0].endswith(f"({reason})"), lines[0]
    return lines[0]


# --- answers that must not replace a good staple

@pytest.mark.parametrize("mode, code, reasons", [
    ("html", 75, {"not-ocsp"}),
    ("tryLater", 75, {"status-try-later"}),
    ("unauthorized", 75, {"status-unauthorized"}),
    ("internalError", 75, {"status-internal-error"}),
    ("expired", 75, {"expired"}),
    ("foreign", 75, {"wrong-certificate"}),
    ("wrongsigner", 75, SIGNER_REASONS),
    ("badsig", 75, {"bad-signature"}),
    ("trailing", 75, {"trailing-data"}),
    ("garbage", 75, {"malformed", "not-ocsp"}),
    ("empty", 75, {"malformed", "not-ocsp"}),
    ("http500", 75, {"http-status"}),
    ("redirect", 75, {"http-redirect"}),
    ("big", 75, {"oversize"}),
    ("reset", 75, {"http-reset"}),
    ("short", 75, {"http-reset"}),
    ("hang", 75, {"http-timeout"}),
    ("drip", 75, {"http-timeout"}),
    ("revoked", 1, {None}),
    ("unknown", 1, {None}),
])
def test_bad_answer_replaces_nothing(lab, leaf, out, mode, code, reasons):
    """A5, I2: none of these replaces a good staple; CONTRACT: exit status
    and reason of each."""
    assert lab.fetch(leaf.path, "-o", out).code == 0
    good, before = out.read_bytes(), os.stat(out)
    lab.respond(mode)
    # shorter than the window in which late datagrams are waited for
    result = lab.fetch(leaf.path, "-o", out, "--timeout", "1")
    assert result.code == code, f"{mode}: {result}"
    said = result.json
    assert said["reason"] in reasons, f"{mode}: {said}"
    if code == 1:
        assert (said["verdict"], said["response"]["status"]) == (
            "accept", mode), said
    else:
        assert said["verdict"] == "reject", said
        assert said["detail"] and "\n" not in said["detail"], said
        assert said["reason"] in {t["outcome"] for t in said["tries"]}
    assert out.read_bytes() == good, f"A5: {mode} replaced a good staple"
    after = os.stat(out)
    assert (after.st_ino, after.st_mtime_ns) == (
        before.st_ino, before.st_mtime_ns), f"{mode}: FILE was touched"


@pytest.mark.parametrize("mode, reason", [
    ("html", "not-ocsp"), ("expired", "expired"), ("drip", "http-timeout"),
    ("big", "oversize")])
def test_bad_answer_in_one_sentence(lab, leaf, mode, reason):
    lab.respond(mode)
    one_sentence(lab, None, reason, leaf.path, "--timeout", "1")


@pytest.mark.parametrize("mode", ["html", "revoked", "expired", "big"])
def test_bad_answer_makes_no_file(lab, leaf, out, mode):
    """ocspcheck's bug: -o opened before the fetch leaves an empty file."""
    lab.respond(mode)
    assert lab.fetch(leaf.path, "-o", out, "--timeout", "1").code != 0
    assert set(os.listdir(out.parent)) == {
        "server.pem", "server.key", "server.leaf.pem"}, "nothing left behind"


@pytest.mark.parametrize("mode", ["chunked", "eof", "gzip", "post-only",
                                  "get-only", "good"])
@pytest.mark.parametrize("signer", ["delegate", "issuer"])
def test_odd_but_genuine(lab, leaf, out, mode, signer):
    """HTTP in every legal form; B5: the other method when one fails."""
    lab.respond(mode, signer=signer)
    result = lab.fetch(leaf.path, "-o", out)
    assert result.code == 0, f"{mode}: {result}"
    assert fault_for(lab, leaf, out.read_bytes()) is None
    assert result.json["response"]["signer"] == signer


@pytest.mark.parametrize("size, code", [(12, 0), (30, 0), (64, 75), (70, 75)])
def test_size_of_the_answer(lab, leaf, out, size, code):
    """C19: up to 64 KiB is read, a larger one is `oversize`."""
    lab.respond("big", big_kb=size)
    words = ["--timeout", "1"] if code else []
    result = lab.fetch(leaf.path, "-o", out, *words)
    assert result.code == code, f"{size} KiB: {result}"
    assert result.json["reason"] == ("oversize" if code else None)


def test_short_life(lab, leaf, out):
    """haproxy#2822: a staple that lives 40 s is one."""
    lab.respond(lifetime_s=40)
    result = lab.fetch(leaf.path, "-o", out)
    assert result.code == 0, result


# --- what goes out

def test_request_is_by_the_book(lab, leaf, out):
    """B1 to B8: GET with an escaped path, one request, SHA-1 CertID, no
    extensions, the AIA's host."""
    assert lab.fetch(leaf.path, "-o", out).code == 0
    (seen,) = lab.requests()
    assert seen["method"] == "GET", "B5: the URL is at most 255 bytes"
    assert seen["headers"]["Host"] == HOST, "B8"
    text = seen["path"][1:]
    assert not set("+/=") & set(text), f"B6: not escaped: {text}"
    request = ocsp.load_der_ocsp_request(  # refuses more than one: B1
        base64.b64decode(urllib.parse.unquote(text), validate=True))
    assert request.serial_number == leaf.certificate.serial_number
    assert request.hash_algorithm.name == "sha1", "B9: what servers match"
    assert len(request.extensions) == 0, "B2, B3: no extensions, no nonce"


@pytest.mark.parametrize("path, base", [("", "/"), ("ocsp", "/ocsp/"),
                                        ("ocsp/", "/ocsp/")])
def test_path_of_the_url(lab, tmp_path, out, path, base):
    """B6: a slash is added only if it is missing."""
    leaf = lab.leaf(tmp_path, urls=[f"http://{HOST}/{path}"])
    assert lab.fetch(leaf.path, "-o", out).code == 0
    (seen,) = lab.requests()
    assert re.fullmatch(base + "[A-Za-z0-9%]+", seen["path"]), seen["path"]


def test_long_url_is_posted(lab, tmp_path, out):
    """B5, B7: more than 255 bytes go by POST."""
    leaf = lab.leaf(tmp_path, urls=[f"http://{HOST}/{'x' * 200}"])
    assert lab.fetch(leaf.path, "-o", out).code == 0
    (seen,) = lab.requests()
    assert seen["method"] == "POST"
    assert seen["headers"]["Content-Type"] == "application/ocsp-request"
    assert "application/ocsp-response" in seen["headers"].get("Accept", "")


@pytest.mark.parametrize("urls", [
    ["ldap://ldap.lab.test/cn=ca", URL],
    ["http://nowhere.lab.test/", URL],
    [f"http://{HOST}:81/", URL],
], ids=["ldap", "no such name", "closed port"])
def test_every_url_is_tried(lab, tmp_path, out, urls):
    """Haproxy and nginx look at the first AIA URL alone; here each counts."""
    leaf = lab.leaf(tmp_path, urls=urls)
    result = lab.fetch(leaf.path, "-o", out)
    assert result.code == 0, result


def test_url_of_the_operator(lab, tmp_path, out):
    leaf = lab.leaf(tmp_path, urls=())
    result = lab.fetch(leaf.path, "-o", out, "--url", URL)
    assert result.code == 0, result


# --- forms of input and output

def test_der_on_standard_output(lab, leaf):
    result = lab.run(lab.program, "fetch", leaf.path, "-o", "-", text=False)
    assert result.returncode == 0, result.stderr
    assert fault_for(lab, leaf, result.stdout) is None


def test_report_without_a_file(lab, leaf):
    result = lab.oclasp("fetch", leaf.path)
    assert result.code == 0 and "good" in result.out, result


def test_leaf_and_issuer_apart(lab, leaf, out):
    result = lab.fetch(leaf.leaf_path, "-i", lab.authority.path, "-o", out)
    assert result.code == 0, result


@pytest.mark.parametrize("order", ["issuer first", "root and all", "many",
                                   "key first", "der"])
def test_files_that_hold_more(lab, leaf, out, tmp_path, order):
    """A chain in the wrong order, hundreds of certificates, a key before
    them: the leaf is found, the key is stepped over (I4)."""
    ca, root = lab.authority.certificate, lab.authority.root
    certificate, words = leaf.certificate, []
    path = tmp_path / "odd.pem"
    if order == "issuer first":
        path.write_bytes(pki.pem_of(ca, certificate))
    elif order == "root and all":
        path.write_bytes(pki.pem_of(root, ca, certificate))
    elif order == "many":
        path.write_bytes(pki.pem_of(certificate, *[ca, root] * 500))
    elif order == "key first":
        path.write_bytes(pki.key_pem_of(leaf.key)
                         + pki.pem_of(certificate, ca))
    else:
        path.write_bytes(certificate.public_bytes(serialization.Encoding.DER))
        words = ["-i", lab.authority.path]
    result = lab.fetch(path, "-o", out, *words)
    assert result.code == 0, f"{order}: {result}"
    assert fault_for(lab, leaf, out.read_bytes()) is None


# --- bad input

def bad_file(kind, leaf, tmp_path):
    path = tmp_path / "bad.pem"
    if kind == "missing":
        return path
    if kind == "folder":
        return tmp_path
    path.write_bytes({
        "empty": b"",
        "binary": os.urandom(4096),
        "text": b"-----BEGIN CERTIFICATE-----\nhello\n",
        "key only": pki.key_pem_of(leaf.key),
        "PKCS#12": pkcs12.serialize_key_and_certificates(
            b"x", leaf.key, leaf.certificate, None,
            serialization.BestAvailableEncryption(b"secret")),
        "unreadable": pki.pem_of(leaf.certificate),
    }[kind])
    if kind == "unreadable":
        path.chmod(0)
    return path


@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "binary",
                                  "text", "key only", "PKCS#12",
                                  "unreadable"])
def test_bad_certificate_file(lab, leaf, out, tmp_path, kind):
    """Bad input: exit 2, one sentence with the file and the code."""
    path = bad_file(kind, leaf, tmp_path)
    before = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if kind != "unreadable":
        before = []
    elif os.geteuid() != 0:
        pytest.skip("in a user namespace everything is readable")
    else:
        for folder in [*tmp_path.parents][:3] + [tmp_path]:
            folder.chmod(folder.stat().st_mode | 0o011)
    done = lab.run(*before, lab.program, "fetch", "-q", path, "-o", out)
    assert done.returncode == 2, f"{kind}: {done}"
    lines = done.stderr.splitlines()
    assert len(lines) == 1, f"{kind}: one sentence: {done.stderr}"
    assert "certificate-unreadable" in lines[0] and path.name in lines[0]
    assert not out.exists() and not lab.requests()


def test_bad_file_tells_its_kind(lab, leaf, tmp_path):
    """A sentence that helps: which kind of wrong file it is."""
    said = {kind: lab.oclasp("fetch", bad_file(kind, leaf, tmp_path)).err
            for kind in ("empty", "key only", "PKCS#12")}
    assert "empty" in said["empty"], said
    assert "key" in said["key only"], said
    assert "PKCS#12" in said["PKCS#12"], said


@pytest.mark.parametrize("urls", [(), ["ldap://ldap.lab.test/cn=ca"],
                                  ["ftp://ftp.lab.test/"]])
def test_no_usable_url(lab, tmp_path, out, urls):
    """The most common correct verdict of today (NETWORK-TRUTH 0.3)."""
    leaf = lab.leaf(tmp_path, urls=urls)
    result = lab.fetch(leaf.path, "-o", out)
    assert result.code == 1 and not out.exists(), result
    assert result.json["reason"] == "no-ocsp-url", result
    one_sentence(lab, result, "no-ocsp-url", leaf.path)


def test_issuer_missing(lab, tmp_path, out):
    """The sentence names the certificate that is missing and where to get
    it (AIA caIssuers)."""
    leaf = lab.leaf(tmp_path, ca_issuers="http://ca.lab.test/ca.cer")
    result = lab.fetch(leaf.leaf_path, "-o", out)
    assert result.code == 1, result
    line = one_sentence(lab, result, "issuer-missing", leaf.leaf_path)
    assert "http://ca.lab.test/ca.cer" in line, line


def test_issuer_mismatch(lab, leaf, out, tmp_path):
    """Found by signature, not by name: an issuer of the same name with
    another key is none."""
    other = pki.Authority.create(tmp_path / "other", "Lab CA")
    result = lab.fetch(leaf.leaf_path, "-i", other.path, "-o", out)
    assert result.code == 1, result
    one_sentence(lab, result, "issuer-mismatch", leaf.leaf_path, "-i",
                 other.path)


@pytest.mark.parametrize("days, reason", [
    ((30, -1), "certificate-expired"),
    ((-1, 30), "certificate-not-yet-valid")])
def test_certificate_out_of_time(lab, tmp_path, out, days, reason):
    """B10: nobody is asked about a certificate that is not valid."""
    leaf = lab.leaf(tmp_path, days=days)
    result = lab.fetch(leaf.path, "-o", out)
    assert result.code == 1 and not lab.requests(), result
    one_sentence(lab, result, reason, leaf.path)


def test_unwritable_output(lab, leaf, tmp_path):
    """A file that cannot be used: 2."""
    result = lab.fetch(leaf.path, "-o", tmp_path / "no" / "such" / "x.der")
    assert result.code == 2, result


@pytest.mark.parametrize("words", [
    [], ["--nonsense"], ["a", "b"], ["x", "--pin", "nonsense"],
    ["x", "--resolver", "gopher://x"], ["x", "--timeout", "soon"]])
def test_usage(lab, words):
    """2, and with --json nothing on stdout."""
    result = lab.oclasp("fetch", "--json", *words)
    assert result.code == 2 and result.out == "", result
    assert result.err.strip(), "a sentence"


# --- no network

def test_no_network_at_all(lab, leaf, out):
    """Exit 75, one sentence, nothing lost."""
    assert lab.fetch(leaf.path, "-o", out).code == 0
    good = out.read_bytes()
    result = lab.alone("fetch", leaf.path, "-o", out, "--json")
    assert result.code == 75, result
    assert result.json["reason"] in ("dns-no-answer", "unreachable"), result
    one_sentence(lab, result, result.json["reason"], leaf.path,
                 run=lab.alone)
    assert result.json["elapsed_ms"] < 5000, "no network is known at once"
    assert out.read_bytes() == good


def test_no_route_to_a_pin(lab, leaf):
    result = lab.alone("fetch", leaf.path, "--json", "--pin",
                       f"{HOST}={RESPONDERS[0]}")
    assert result.code == 75, result
    assert result.json["reason"] == "unreachable", result


@pytest.mark.parametrize("mode", ["hang", "drip"])
def test_timeout_is_obeyed(lab, leaf, mode):
    """I5: no wait without a deadline."""
    lab.respond(mode, hang_s=30)
    result = lab.fetch(leaf.path, "--timeout", "2", timeout=10)
    assert result.code == 75 and result.json["reason"] == "http-timeout"
    assert result.json["elapsed_ms"] < 3000, result.json


def test_drip_within_time_is_fine(lab, leaf, out):
    """Slow is not wrong: 800 octets at 2 ms each."""
    lab.respond("drip", drip_ms=2)
    assert lab.fetch(leaf.path, "-o", out).code == 0


def test_interrupt_ends_by_the_signal(lab, leaf, out):
    """CONTRACT: ^C ends it at once, by the signal, and cleanly."""
    lab.respond("hang", hang_s=30)
    process = lab.spaces.popen("client", lab.program, "fetch", leaf.path,
                               "-o", out, stderr=subprocess.PIPE)
    lab.wait_requests(1)
    process.send_signal(2)
    assert process.wait(2) == -2
    assert not out.exists()


def test_sizes_and_times_of_the_report(lab, leaf):
    """CONTRACT: the response object, and times in RFC 3339 UTC."""
    lab.respond(lifetime_s=7200, age_s=600)
    said = lab.fetch(leaf.path).json
    response = said["response"]
    form = "%Y-%m-%dT%H:%M:%SZ"
    start, end, usable = (
        datetime.datetime.strptime(response[name], form)
        for name in ("this_update", "next_update", "usable_until"))
    assert (end - start).total_seconds() == 7200
    assert (end - usable).total_seconds() in (0, 300), response
    assert re.fullmatch("[0-9a-f]{64}", response["sha256"])
    assert response["size"] > 400
    assert int(said["certificate"]["serial"], 16) == int(leaf.serial, 16)
    assert said["certificate"]["ocsp_urls"] == [URL]
    assert said["certificate"]["must_staple"] is False
