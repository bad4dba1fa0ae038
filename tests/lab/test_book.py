# SPDX-License-Identifier: ISC
"""The address book, `hosts` and `courier`: what was proven yesterday helps
today, and what cannot be fetched here is fetched elsewhere."""

import base64
import json
import os

import pytest
from cryptography.x509 import ocsp

from playground import util
from playground.lab import (HOST, NAMES, RECURSOR, REFUSING, RESPONDERS,
                            TARPIT, TARPIT6)
from site_of_lab import fault_for

GENUINE = RESPONDERS[0]
POISON = {HOST: {"mode": "forged-only", "a": TARPIT, "aaaa": TARPIT6}}


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def kept(lab, leaf, state):
    """A state folder after one good round of `keep`."""
    done = lab.oclasp("keep", leaf.path, "--state-dir", state, "--once")
    assert done.code == 0, done
    return state


def poison(lab):
    """No road tells the truth: all that is known is of yesterday."""
    lab.resolver(RECURSOR, lies=POISON)


def staple_of(state, leaf):
    return state / "staples" / f"{leaf.fingerprint}.der"


# --- the book

def test_clean_yesterday_poisoned_today(lab, leaf, state, tmp_path):
    """DESIGN, "Acquire", 4: proven once, raced first; the first try has it."""
    out = tmp_path / "staple.der"
    clean = lab.fetch(leaf.path, "--state-dir", state)
    assert clean.code == 0 and clean.json["source"] != "book", clean
    poison(lab)
    without = lab.fetch(leaf.path, "--timeout", "2",
                        "--state-dir", tmp_path / "other")
    assert without.code == 75, f"the network must lie: {without}"
    asked = len(lab.questions(RECURSOR))
    result = lab.fetch(leaf.path, "-o", out, "--state-dir", state)
    assert result.code == 0, result
    assert len(lab.questions(RECURSOR)) == asked, (
        "proven a moment ago: nobody need be asked")
    said = result.json
    assert (said["source"], said["address"]) == ("book", GENUINE), said
    assert (said["tries"][0]["source"], said["tries"][0]["outcome"]) == (
        "book", "ok"), said
    assert fault_for(lab, leaf, out.read_bytes()) is None


def test_keep_fills_the_book_and_reads_it(lab, kept, tmp_path):
    """Another certificate of the same CA, on the day after."""
    other = lab.leaf(tmp_path / "other", "other")
    words = [other.path, "--once", "--timeout", "2", "--state-dir"]
    poison(lab)
    without = lab.oclasp("keep", *words, tmp_path / "new")
    assert without.code == 75, f"the network must lie: {without}"
    result = lab.oclasp("keep", *words, kept)
    assert result.code == 0 and "named by book" in result.err, result
    assert fault_for(lab, other, staple_of(kept, other).read_bytes()) is None


def test_wrong_book_costs_little(lab, leaf, state):
    """Never trusted: the responder has moved since."""
    names = {**NAMES, "a771.dscq.akamai.test": {"a": [RESPONDERS[1]]}}
    lab.resolver(RECURSOR, names=names)
    assert lab.fetch(leaf.path, "--state-dir", state).json["address"] == (
        RESPONDERS[1])
    lab.resolver(RECURSOR, names={
        **NAMES, "a771.dscq.akamai.test": {"a": [REFUSING]}})
    # the book alone knows a road now; then the other way round
    assert lab.fetch(leaf.path, "--state-dir", state).json["source"] == "book"
    lab.resolver(RECURSOR)
    result = lab.fetch(leaf.path, "--state-dir", state)
    assert result.code == 0, result


def test_fetch_makes_no_state_by_itself(lab, leaf, tmp_path):
    """Silently without: a folder that cannot be."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    result = lab.fetch(leaf.path, "--state-dir", tmp_path / "file" / "state")
    assert result.code == 0 and result.err == "", result


# --- hosts

def hosts(lab, state, *words):
    return lab.oclasp("hosts", "--state-dir", state, *words)


def test_hosts_formats(lab, kept):
    said = hosts(lab, kept, "--json").json
    assert said["entries"] == [{"host": HOST, "address": GENUINE,
                                "proven_at": said["entries"][0]["proven_at"]}]
    assert said["left_out"] == []
    assert hosts(lab, kept, "--format", "json").json["entries"]
    for form, line in (
            ("hosts", f"{GENUINE} {HOST}"),
            ("dnsmasq", f"address=/{HOST}/{GENUINE}"),
            ("unbound", f'local-data: "{HOST}. A {GENUINE}"'),
            ("smartdns", f"address /{HOST}/{GENUINE}")):
        result = hosts(lab, kept, "--format", form)
        assert result.code == 0 and line in result.out.splitlines(), result


def test_hosts_file_of_a_poisoned_client(lab, leaf, kept, tmp_path):
    """The block makes getaddrinfo right, and is gone again to the octet."""
    poison(lab)
    file = tmp_path / "hosts"
    before = b"127.0.0.1 localhost\n# mine"
    file.write_bytes(before)
    file.chmod(0o640)
    done = hosts(lab, kept, "--apply", "--hosts-file", file)
    assert done.code == 0, done
    assert f"{GENUINE} {HOST}\n".encode() in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o640
    inode = file.stat().st_ino
    assert hosts(lab, kept, "--apply", "--hosts-file", file).code == 0
    assert file.stat().st_ino == inode, "nothing new: not touched"
    seen = lab.run("unshare", "--mount", "sh", "-c",
                   'mount --bind "$1" /etc/hosts && getent ahostsv4 "$2"',
                   "sh", file, HOST)
    assert seen.returncode == 0 and seen.stdout.startswith(GENUINE), seen
    assert hosts(lab, kept, "--remove", "--hosts-file", file).code == 0
    assert file.read_bytes() == before
    assert (tmp_path / "hosts.oclasp-backup").exists()


def test_hosts_are_proven_again(lab, kept, tmp_path):
    """What cannot be proven now is left out and said; the file stays."""
    file = tmp_path / "hosts"
    assert hosts(lab, kept, "--apply", "--hosts-file", file).code == 0
    before = file.read_bytes()
    lab.respond("wrongsigner")
    result = hosts(lab, kept, "--apply", "--hosts-file", file)
    assert result.code == 75, result
    assert f"left out: {GENUINE} {HOST}" in result.err, result
    assert file.read_bytes() == before
    said = hosts(lab, kept, "--json").json
    assert said["entries"] == [] and said["left_out"][0]["reason"], said


def test_hosts_warns_of_nginx(lab, kept, tmp_path):
    conf = tmp_path / "nginx.conf"
    conf.write_text("events {}\nhttp {\n  server {\n    listen 8080;\n"
                    f"    resolver {RECURSOR};\n  }}\n}}\n", encoding="utf-8")
    result = hosts(lab, kept, "--server-command", f"nginx -c {conf}")
    assert f"{conf}:5" in result.err and "resolver" in result.err, result
    quiet = hosts(lab, kept, "--server-command", "no-such-nginx")
    assert quiet.code == 0 and quiet.err == "", quiet


@pytest.mark.parametrize("words, sentence", [
    (["--format", "bind"], "dnsmasq"),
    (["--apply", "--remove"], "contradict"),
    (["--apply", "--format", "unbound"], "unbound"),
    (["--state-dir", "/nonexistent"], "/nonexistent"),
    (["/nonexistent.pem"], "nonexistent.pem"),
    (["--pin", "a=192.0.2.1"], "--pin"),
])
def test_hosts_bad_input(lab, kept, words, sentence):
    result = hosts(lab, kept, *words, "--json")
    assert result.code == 2 and result.out == "", result
    assert len(result.err.splitlines()) == 1 and sentence in result.err


# --- courier

def courier(lab, *words, stdin="", where="client"):
    done = lab.spaces.run(where, lab.program, "courier", *words, input=stdin,
                          timeout=60)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def home(lab, kept):
    """A network that leads nowhere: `lab.alone` has no link up."""
    lab.alone("help")
    return kept


def carry(lab, state):
    """Requests from home, answers from a network that works."""
    code, requests, said = courier(lab, "export", "--state-dir", state,
                                   where="alone")
    assert code == 0, said
    code, answers, said = courier(lab, "fetch", stdin=requests)
    assert code == 0, said
    return requests, answers


def imported(lab, state, answers, *words):
    return courier(lab, "import", "--state-dir", state, *words, stdin=answers,
                   where="alone")


def test_bundle_holds_what_a_ca_sees(lab, home, leaf):
    requests, _ = carry(lab, home)
    (item,) = json.loads(requests)["items"]
    assert set(item) == {"urls", "request", "hash", "issuer_name_hash",
                         "issuer_key_hash", "serial"}, item
    request = ocsp.load_der_ocsp_request(base64.b64decode(item["request"]))
    assert request.serial_number == leaf.certificate.serial_number
    assert item["urls"] == [f"http://{HOST}/"]
    assert leaf.fingerprint not in requests and str(home) not in requests
    # one without OCSP has nothing to ask
    assert "localhost" not in requests


def test_courier_without_a_keeper(lab, home, leaf):
    lab.respond(age_s=60)
    for file in (staple_of(home, leaf), *home.glob("oclasp.db*")):
        file.unlink()
    lab.oclasp("keep", leaf.path, "--state-dir", home, "--once", "--pin",
               f"{HOST}={REFUSING}")
    old = staple_of(home, leaf).read_bytes()
    lab.respond()
    _, answers = carry(lab, home)
    code, out, err = imported(lab, home, answers)
    assert code == 0 and "imported" in out, (out, err)
    new = staple_of(home, leaf).read_bytes()
    assert new != old and fault_for(lab, leaf, new) is None
    # the same again is no news, and no fault
    code, out, err = imported(lab, home, answers, "--json")
    assert code == 0, err
    assert json.loads(out)["answers"][0]["outcome"] == "known"


def test_courier_to_a_keeper_that_runs(lab, leaf, state, tmp_path):
    """The keeper has the lock: it verifies and takes by itself."""
    lab.alone("help")
    lab.stop_keeps()
    log = tmp_path / "keep.log"
    poison(lab)
    keep = lab.keep(log, leaf.path, "--state-dir", state, "--timeout", "1")
    keep.wait_line("no whole answer|http-timeout")
    code, requests, err = courier(lab, "export", "--state-dir", state,
                                  where="alone")
    assert code == 0, err
    lab.resolver(RECURSOR)
    code, answers, err = courier(lab, "fetch", stdin=requests)
    assert code == 0, err
    poison(lab)
    code, out, err = imported(lab, state, answers)
    assert code == 0 and "handed to" in out, (out, err)
    keep.wait_line("a good response", 8)
    util.wait_for("the staple file", staple_of(state, leaf).exists, 8)
    assert fault_for(lab, leaf, staple_of(state, leaf).read_bytes()) is None
    assert os.listdir(state / "inbox") == []


def test_courier_replay_is_named(lab, home, leaf):
    """A carrier that brings an old answer, signed as it is."""
    lab.respond(age_s=7200)
    _, old = carry(lab, home)
    before = staple_of(home, leaf).read_bytes()
    code, _, err = imported(lab, home, old)
    assert code == 1 and "older-than-stored" in err, err
    assert staple_of(home, leaf).read_bytes() == before
    code, out, _ = imported(lab, home, old, "--json")
    (said,) = json.loads(out)["answers"]
    assert code == 1 and said["reason"] == "older-than-stored", said


def test_courier_keeps_the_good_ones(lab, sites, tmp_path, state):
    """Exit 1 if any is refused; the others are taken all the same."""
    leaves = [lab.leaf(tmp_path / name, name) for name in ("one", "two")]
    lab.alone("help")
    paths = [leaf.path for leaf in leaves]
    code, requests, err = courier(lab, "export", *paths, where="alone")
    assert code == 0, err
    _, answers, _ = courier(lab, "fetch", stdin=requests)
    bundle = json.loads(answers)
    der = bytearray(base64.b64decode(bundle["items"][0]["response"]))
    der[-1] ^= 1
    bundle["items"][0]["response"] = base64.b64encode(der).decode()
    code, out, err = courier(lab, "import", *paths, "--state-dir", state,
                             "--json", stdin=json.dumps(bundle), where="alone")
    assert code == 1, err
    said = {a["certificate"]["fingerprint"]: a
            for a in json.loads(out)["answers"]}
    # the last octet is of the signer's certificate, or of the signature
    assert said[leaves[0].fingerprint]["reason"] in (
        "bad-signature", "signer-not-authorized", "untrusted-signer"), said
    assert said[leaves[1].fingerprint]["outcome"] == "imported"
    assert not staple_of(state, leaves[0]).exists()
    assert staple_of(state, leaves[1]).exists()


def test_courier_brings_a_revocation(lab, home, leaf):
    lab.respond("revoked")
    _, answers = carry(lab, home)
    code, _, err = imported(lab, home, answers)
    assert code == 1 and "revoked" in err, err
    assert not staple_of(home, leaf).exists(), "a lie from now on"


@pytest.mark.parametrize("runs", [False, True])
def test_courier_replay_after_a_revocation(lab, leaf, state, tmp_path, runs):
    """C3, A14: a carrier that wishes a revoked away brings the good answer of
    before; the one of later ends a hold."""
    lab.alone("help")
    poison(lab)
    if runs:
        keep = lab.keep(tmp_path / "keep.log", leaf.path, "--state-dir", state,
                        "--timeout", "1")
        keep.wait_line("no whole answer|http-timeout")
    path = leaf.path  # without a keeper nothing is kept yet
    code, requests, err = courier(lab, "export", path, where="alone")
    assert code == 0, err
    lab.resolver(RECURSOR)

    def fetched(mode, age_s):
        lab.respond(mode, age_s=age_s)
        code, answers, err = courier(lab, "fetch", stdin=requests)
        assert code == 0, err
        return answers
    old, revoked, later = (fetched("good", 7200), fetched("revoked", 3600),
                           fetched("good", 60))
    poison(lab)

    def taken(answers, pattern):
        """What import says; a keeper that runs takes it a moment later."""
        result = courier(lab, "import", path, "--state-dir", state,
                         stdin=answers, where="alone")
        if runs and pattern:
            keep.wait_line(pattern, 8)
        return result
    code, out, err = taken(revoked, "certificate is revoked")
    assert code == 1 and "revoked" in err, (out, err)
    if runs:  # it writes its store a moment later, and refuses by itself
        util.wait_for("a refusal", lambda: taken(old, None)[0] == 1)
    code, out, err = taken(old, None)
    assert code == 1 and "older-than-stored" in err, (out, err)
    assert "revoked: it is not believed" in err, err
    assert not staple_of(state, leaf).exists(), "the revocation is undone"
    code, out, err = taken(later, "a good response")
    assert code == 0 and "imported" in out, (out, err)
    util.wait_for("the staple", staple_of(state, leaf).exists, 8)


def test_courier_names_the_path_where_names_are_the_same(lab, tmp_path, state):
    leaves = [lab.leaf(tmp_path / name, name) for name in ("one", "two")]
    paths = [leaf.path for leaf in leaves]
    lab.alone("help")
    _, requests, _ = courier(lab, "export", *paths, where="alone")
    _, answers, _ = courier(lab, "fetch", stdin=requests)
    code, out, _ = courier(lab, "import", *paths, "--state-dir", state,
                           stdin=answers, where="alone")
    assert code == 0 and all(f"localhost ({path}): imported" in out
                             for path in paths), out
    code, out, _ = courier(lab, "import", *paths, "--state-dir", state,
                           "--json", stdin=answers, where="alone")
    assert {a["path"] for a in json.loads(out)["answers"]} == {
        str(path) for path in paths}, out


def test_courier_import_of_nothing_kept_leaves_nothing(lab, leaf, tmp_path):
    lab.alone("help")
    _, requests, _ = courier(lab, "export", leaf.path, where="alone")
    _, answers, _ = courier(lab, "fetch", stdin=requests)
    code, out, err = imported(lab, tmp_path / "none", answers)
    assert code == 2 and out == "" and "nothing is kept" in err, err
    assert not (tmp_path / "none").exists()


def test_courier_that_finds_nothing(lab, home):
    """75, and the bundle says why; at home it is missing, not refused."""
    code, requests, _ = courier(lab, "export", "--state-dir", home,
                                where="alone")
    assert code == 0
    lab.respond("html")
    code, answers, err = courier(lab, "fetch", "--timeout", "2",
                                 stdin=requests)
    assert code == 75 and "not-ocsp" in err, err
    (item,) = json.loads(answers)["items"]
    assert item["response"] is None and item["reason"] == "not-ocsp"
    code, _, err = imported(lab, home, answers)
    assert code == 75 and "not-ocsp" in err, err


def test_courier_by_files(lab, home, tmp_path):
    """A stick instead of a pipe."""
    stick = tmp_path / "requests.json"
    done = lab.alone("courier", "export", "--state-dir", home, "-o", stick,
                     "--json")
    assert done.code == 0 and done.json["items"] == 1, done
    code, answers, _ = courier(lab, "fetch",
                               stdin=stick.read_text(encoding="utf-8"))
    assert code == 0 and json.loads(answers)["kind"] == "answers"


@pytest.mark.parametrize("words, stdin", [
    ([], ""), (["carry"], ""), (["fetch"], ""), (["fetch"], "{}"),
    (["import"], ""),
    (["fetch", "x"], ""), (["import"], "\xff"), (["import"], "[1, 2"),
    (["import"], '{"courier": 1, "kind": "requests", "items": []}'),
    (["fetch"], '{"courier": 9, "kind": "requests", "items": []}'),
    (["export", "/nonexistent.pem"], ""), (["export"], ""),
])
def test_courier_bad_input(lab, tmp_path, words, stdin):
    code, out, err = courier(lab, *words, "--state-dir", tmp_path / "none",
                             stdin=stdin)
    assert code == 2 and out == "", (code, out, err)
    assert len(err.splitlines()) == 1, err
    assert not (tmp_path / "none").exists(), "nothing is made for nonsense"
    if stdin == "" and words in (["fetch"], ["import"]):
        assert "standard input is empty" in err, err
