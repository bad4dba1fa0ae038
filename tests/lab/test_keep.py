# SPDX-License-Identifier: ISC
"""`keep`: publishes what is genuine, loses nothing, ends when told."""

import base64
import hashlib
import os
import random
import shutil
import signal
import socket
import sqlite3
import time

import pytest
from disk_of_lab import fill, read, small_disk
from playground import util
from playground.lab import (HOST, NAMES, PROVEN, RECURSOR, TARPIT,
                            TARPIT6)
from renewals import renew

DUE = {"lifetime_s": 3600, "age_s": 1900}


# --- once

def test_once_publishes(site):
    """D8: the very octets published are those that clients are given."""
    lab = site.lab
    site.installed()
    result = site.once()
    assert result.code == 0, result
    der = site.staple()
    assert site.fault(der) is None
    site.nginx.settle()
    assert [shake for shake, _ in site.shakes(3)] == [der] * 3
    assert len(lab.requests()) == 1


def test_once_under_a_forgery(site):
    lab = site.lab
    lab.censor({HOST: {"a": TARPIT, "aaaa": TARPIT6}})
    site.had_staple()
    site.must_staple("keep --once while DNS lies")


def test_once_does_nothing_when_nothing_is_due(site):
    """A fresh staple is neither fetched nor published again."""
    lab = site.lab
    staple = site.had_staple()
    requests, reloads = len(lab.requests()), site.nginx.reloads()
    workers = site.nginx.workers()
    assert site.once().code == 0
    assert len(lab.requests()) == requests, "it was not due"
    assert site.nginx.reloads() == reloads, "no byte had changed"
    assert site.nginx.workers() == workers
    assert site.staple() == staple


def test_once_past_half_life(site):
    """BR 4.9.10: a CA may serve an answer of 7 days until it is 4 days old.
    One that is past its half when it comes is good news all the same."""
    site.lab.respond("good", lifetime_s=7 * 86400, age_s=4 * 86400 - 3600)
    result = site.installed().once()
    assert result.code == 0, result
    assert "retrying" not in result.err, result
    site.must_staple("past its half", 3)


@pytest.mark.parametrize("mode, code", [
    ("http500", 75), ("tryLater", 75), ("revoked", 1), ("html", 75)])
def test_once_without_success(site, mode, code):
    lab = site.lab
    site.installed()
    lab.respond(mode)
    result = site.once("--timeout", "1")
    assert result.code == code, result
    assert site.staple() is None
    assert site.nginx.test().returncode == 0
    assert site.shakes(1)[0][0] is None


def test_certificates_by_argument(lab, tmp_path):
    """`keep CERT` without a server: the files for whoever reads them."""
    leaf, state = lab.leaf(tmp_path), tmp_path / "state"
    result = lab.oclasp("keep", "--once", leaf.path, "--state-dir", state)
    assert result.code == 0, result
    names = os.listdir(state / "staples")
    assert names == [f"{leaf.fingerprint}.der"], names
    assert os.stat(state / "staples" / names[0]).st_mode & 0o044 == 0o044, (
        "a server of another user must be able to read it")


# --- bad answers

@pytest.mark.parametrize("mode", [
    "html", "tryLater", "expired", "foreign", "wrongsigner", "badsig",
    "garbage", "empty", "http500", "trailing", "unknown"])
def test_bad_answer_replaces_nothing(site, mode):
    """A5, I2: the staple in use outlives every bad answer."""
    lab = site.lab
    staple = site.had_staple(**DUE)
    lab.respond(mode)
    seen, reloads = len(lab.requests()), site.nginx.reloads()
    # shorter than the window in which late datagrams are waited for
    assert site.once("--timeout", "1").code != 0
    assert len(lab.requests()) > seen, "it must have tried"
    assert site.staple() == staple, f"A5: {mode} replaced a good staple"
    assert site.nginx.reloads() == reloads
    site.must_staple(f"after {mode}", 3)


def test_revoked_withdraws(site):
    """C15, REQUIREMENTS 1.3: revoked is said loudly and withdrawn; nginx
    would staple a good one for ever."""
    lab = site.lab
    site.had_staple(**DUE)
    lab.respond("revoked")
    result = site.once()
    assert result.code == 1 and "revoked" in result.err, result
    site.nginx.settle()
    assert site.shakes(1)[0][0] is None, "a revoked certificate has no good"
    assert site.nginx.test().returncode == 0


def test_older_never_replaces_newer(site):
    """A14: one CDN node serves an older answer."""
    lab = site.lab
    staple = site.had_staple(**DUE)
    lab.respond("good", lifetime_s=7200, age_s=3000)
    seen = len(lab.requests())
    site.once("--timeout", "1")
    assert len(lab.requests()) > seen, "it must have tried"
    assert site.staple() == staple, "A14: an older thisUpdate was taken"


# --- the daemon

def test_keep_proves_and_ends(site):
    """SIGTERM ends it: 0, at once, with the staple in service."""
    site.installed()
    keep = site.keep()
    keep.wait_line("published")
    keep.wait_line(PROVEN)
    site.must_staple("keep")
    start = time.monotonic()
    assert keep.stop() == 0
    assert time.monotonic() - start < 2
    site.must_staple("after keep ended")


def test_proof_is_repeated(site):
    """D8: who does not serve what is published is asked again, and soon;
    meanwhile `status` says so."""
    def at_nginx():
        told = site.lab.oclasp("status", "--json", *site.where[:2]).json
        return next(place for place in told["targets"][0]["published"]
                    if place["server"] == "nginx")

    site.had_staple()
    site.nginx.stop()
    keep = site.keep()
    keep.wait_line("it is asked again in")
    place = at_nginx()
    assert place["proven_at"] is None and place["reason"], place
    site.nginx.start()
    keep.wait_line(PROVEN)
    place = at_nginx()
    assert place["proven_at"] and place["reason"] is None, place


def test_sigterm_while_it_hangs(site):
    """I5: no wait holds up the end."""
    lab = site.lab
    lab.respond("hang", hang_s=60)
    site.installed()
    keep = site.keep()
    lab.wait_requests(1)
    start = time.monotonic()
    assert keep.stop() == 0
    assert time.monotonic() - start < 2


def test_interrupt_ends_keep(site):
    keep = site.installed().keep()
    keep.wait_line(PROVEN)
    keep.signal(signal.SIGINT)
    assert keep.process.wait(5) in (0, -signal.SIGINT)


@pytest.mark.parametrize("hup", [True, False], ids=["SIGHUP", "watched"])
def test_renewed_certificate(site, hup):
    """CONTRACT: a changed certificate file is taken up within 5 s, at once
    after SIGHUP; the staple of the old one is not served with the new."""
    site.installed()
    keep = site.keep()
    keep.wait_line(PROVEN)
    old = renew(site)
    start = time.monotonic()
    if hup:
        keep.signal(signal.SIGHUP)
    util.wait_for("the new certificate's staple",
                  lambda: site.staple() is not None, 10)
    assert time.monotonic() - start < 7
    # nginx shows the new certificate from its next reload on
    keep.wait_line(PROVEN, count=2, seconds=20)
    site.must_staple("renewed certificate")
    assert keep.process.poll() is None
    assert keep.stop() == 0
    site.nginx.restart()
    site.must_staple("renewed certificate, restart", 3)
    assert old.fingerprint != site.leaf.fingerprint


def test_second_keep_on_one_state(site):
    """CONTRACT: 2, and the first one's pid is named."""
    site.installed()
    first = site.keep()
    first.wait_line(PROVEN)
    second = site.keep()
    assert second.process.wait(5) == 2
    assert str(first.pid) in second.text, second.text
    assert first.process.poll() is None
    assert first.stop() == 0
    third = site.keep()  # the lock went with its owner
    util.wait_for("the third to run", lambda: third.text, 5)
    third.wait_line(PROVEN)


def test_lock_survives_no_kill(site):
    """A lock is no file that a killed keeper leaves behind."""
    site.installed()
    first = site.keep()
    first.wait_line(PROVEN)
    first.kill()
    second = site.keep()
    second.wait_line(PROVEN)
    assert second.stop() == 0


def test_reloads_only_for_changed_bytes(sites, lab):
    """Reload storms (hitch#391): two certificates, one reload."""
    first = sites()
    second = lab.leaf(first.folder, "second")
    lab_port = first.nginx.add_site(second, names=["second.test"],
                                    file="second")
    first.nginx.reload()
    first.installed()
    before = first.nginx.reloads()
    keep = first.keep()
    keep.wait_line(PROVEN, count=2)
    assert first.nginx.reloads() - before <= 2, "one reload for a round"
    first.nginx.settle()
    reloads, workers = first.nginx.reloads(), first.nginx.workers()
    keep.signal(signal.SIGHUP)
    time_of_hup = time.monotonic()
    # A second after SIGHUP a needless reload would be in the log.
    util.wait_for("a second", lambda: time.monotonic() - time_of_hup > 1)
    assert first.nginx.reloads() == reloads, "no byte had changed"
    assert first.nginx.workers() == workers
    first.must_staple("first of two", 3)
    first.port, first.leaf = lab_port, second
    first.must_staple("second of two", 3)


def test_newer_waits_for_others(site):
    """Reload storms (hitch#391): while the staple in service is good for a
    while a newer one is not worth a reload of its own; who asks for it gets
    it at once."""
    old = site.had_staple(**DUE)
    site.lab.respond("http500")
    keep = site.keep()
    keep.wait_line(PROVEN)
    reloads = site.nginx.reloads()
    site.lab.respond("good")
    keep.wait_line("a good response", 30)
    came = time.monotonic()
    # A round would have begun after 0.3 s.
    util.wait_for("a second", lambda: time.monotonic() - came > 1.5)
    assert site.nginx.reloads() == reloads, "it may wait"
    assert site.staple() == old
    keep.signal(signal.SIGHUP)
    keep.wait_line("published")
    assert site.nginx.reloads() == reloads + 1
    assert site.staple() != old and site.fault(site.staple()) is None
    assert keep.stop() == 0


def test_notifies_systemd(site, tmp_path, monkeypatch):
    """sd_notify: READY=1 after the first round."""
    site.installed()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(15)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        keep = site.keep()
        while b"READY=1" not in listener.recv(4096):
            pass
        assert site.fault(site.staple()) is None, "after the first round"
        assert keep.stop() == 0


# --- time

def test_refreshes_at_half_life(site):
    """A2, A4: a life of 8 s; for a life and a half every handshake is stapled,
    none with an expired one, and the staple changes."""
    lab = site.lab
    lab.respond("good", lifetime_s=8)
    site.installed()
    keep = site.keep()
    keep.wait_line(PROVEN)
    site.nginx.settle()
    seen, faults, until = set(), [], time.monotonic() + 11
    while time.monotonic() < until:
        for der, fault in site.shakes(5):
            seen.add(der)
            faults += [fault] if fault else []
    assert not faults, f"A2, A6: {faults}"
    assert len(seen) >= 3, f"A4: {len(seen)} staples in 11 s, lives of 8"
    assert keep.stop() == 0


def test_withdrawn_at_its_end(site):
    """A6, I3: the responder is gone, the staple's end comes: from then on
    none is served, where nginx would serve the expired one for ever."""
    lab = site.lab
    lab.respond("good", lifetime_s=60, age_s=48)
    site.installed()
    keep = site.keep()
    keep.wait_line(PROVEN)
    lab.stop_responder()
    faults, until = [], time.monotonic() + 13
    while time.monotonic() < until:
        faults += [fault for _, fault in site.shakes(3)]
    assert set(faults) == {None, "no staple"}, f"I3: {set(faults)}"
    assert faults[0] is None and faults[-1] == "no staple"
    assert site.nginx.test().returncode == 0
    assert not site.staple_path().exists(), "withdrawn means absent"
    assert keep.stop() == 0


# --- neighbours

def test_stuck_neighbour(sites, lab):
    """A15, I5: the responder of one certificate hangs, the other's staple
    is there all the same, and at once."""
    site = sites()
    lab.resolver(RECURSOR, {**NAMES, "hang.lab.test": {"a": [TARPIT]}})
    stuck = lab.leaf(site.folder, "stuck", urls=["http://hang.lab.test/"])
    site.nginx.add_site(stuck, names=["stuck.test"], file="astuck")
    site.nginx.reload()
    site.installed()
    start = time.monotonic()
    keep = site.keep()
    keep.wait_line(PROVEN)
    assert time.monotonic() - start < 4
    site.must_staple("the neighbour hangs", 3)
    assert keep.stop() == 0


def test_hundreds_and_a_hanging_responder(lab, tmp_path):
    """A15 at scale: 40 certificates whose responder hangs, named first, and
    300 whose responder is well: all 300 staples, and soon."""
    lab.resolver(RECURSOR, {**NAMES, "hang.lab.test": {"a": [TARPIT]}})
    stuck = [lab.leaf(tmp_path / "stuck", f"s{i}",
                      urls=["http://hang.lab.test/"]) for i in range(40)]
    good = [lab.leaf(tmp_path / "good", f"g{i}") for i in range(300)]
    state = tmp_path / "state"
    keep = lab.keep(tmp_path / "log", *(leaf.path for leaf in stuck + good),
                    "--state-dir", state)

    def published():
        try:
            return len(os.listdir(state / "staples"))
        except FileNotFoundError:
            return 0
    util.wait_for("300 staples", lambda: published() == 300, 15)
    assert keep.stop() == 0
    assert len(lab.requests()) == 300, "one request for each"


def test_no_network_at_all(lab, tmp_path):
    """75, and what was had before is there still."""
    old, new = lab.leaf(tmp_path, "old"), lab.leaf(tmp_path, "new")
    words = ["keep", "--once", "--state-dir", tmp_path / "state"]
    assert lab.oclasp(*words, old.path).code == 0
    staple = tmp_path / "state" / "staples" / f"{old.fingerprint}.der"
    before = staple.read_bytes()
    result = lab.alone(*words, old.path, new.path, "--timeout", "3")
    assert result.code == 75, result
    assert "dns-no-answer" in result.err or "unreachable" in result.err
    assert staple.read_bytes() == before
    assert lab.oclasp(*words, old.path, new.path).code == 0


@pytest.mark.parametrize("kind", ["empty", "binary", "missing", "no url",
                                  "expired"])
def test_broken_neighbour(lab, tmp_path, kind):
    """I8: a certificate that cannot be kept never stops the others."""
    good = lab.leaf(tmp_path)
    if kind in ("no url", "expired"):
        more = {"urls": ()} if kind == "no url" else {"days": (30, -1)}
        bad = lab.leaf(tmp_path, "bad", names=["bad.pem.test"], **more).path
    else:
        bad = tmp_path / "bad.pem"
        if kind != "missing":
            bad.write_bytes(b"" if kind == "empty" else os.urandom(999))
    state = tmp_path / "state"
    keep = lab.keep(tmp_path / "log", bad, good.path, "--state-dir", state)
    path = state / "staples" / f"{good.fingerprint}.der"
    util.wait_for("the good one's staple", path.exists)
    assert keep.stop() == 0
    assert "bad.pem" in keep.text or kind == "expired", keep.text


def test_nothing_to_keep(lab, tmp_path):
    result = lab.oclasp("keep", "--state-dir", tmp_path / "state")
    assert result.code == 2 and result.err.strip(), result


# --- a full disk

def test_full_disk_fetch(lab, tmp_path):
    """I7, A13: no space left: told so, and FILE is what it was."""
    leaf, folder = lab.leaf(tmp_path), tmp_path / "small"
    small_disk(lab, folder, 64)
    try:
        out = folder / "staple.der"
        lab.respond(age_s=60)
        assert lab.fetch(leaf.path, "-o", out).code == 0
        good = read(lab, out)
        fill(lab, folder)
        lab.respond("big", big_kb=20)  # genuine, and too large for the rest
        result = lab.fetch(leaf.path, "-o", out)
        assert result.code == 2 and "(file)" in result.err, result
        assert read(lab, out) == good
        left = lab.run("ls", folder).stdout.split()
        assert sorted(left) == ["filler", "staple.der"], left
    finally:
        lab.run("umount", "-l", folder)


def test_full_disk_keep(site):
    """I2, I7: a full disk never costs a staple that is still usable, and
    once there is space again the keeper goes on."""
    lab = site.lab
    small_disk(lab, site.state, 1024)
    try:
        assert site.installed().once().code == 0
        path = site.staple_path()
        good = read(lab, path)
        assert site.fault(good) is None
        fill(lab, site.state)
        lab.respond("good", **DUE)
        renew(site)
        result = site.once()
        assert result.code != 0 and result.err.strip(), result
        assert read(lab, path) == good
        assert site.nginx.test().returncode == 0
        lab.run("rm", site.state / "filler")
        lab.respond()
        assert site.once().code == 0
        site.nginx.restart()
        site.must_staple("space again", 3)
    finally:
        site.nginx.stop()
        lab.run("umount", "-l", site.state)


# --- kill -9

def check_state(site, leaves, seen, why):
    """Old or new, never a mixture: staple files, database, nginx; and what
    is served goes with the certificate that is served."""
    folder = site.state / "staples"
    for path in folder.glob("*.der") if folder.exists() else ():
        fault = site.fault(path.read_bytes(), leaves[path.stem])
        assert fault is None, f"{why}: {path.name}: {fault}"
        seen.add(path.name)
    databases = [path for path in site.state.iterdir() if path.is_file()
                 and path.read_bytes().startswith(b"SQLite format 3")]
    assert databases, f"{why}: no database in {list(site.state.iterdir())}"
    for path in databases:
        # a copy with its log, so that looking at it mends nothing
        copy = site.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for part in site.state.glob(path.name + "*"):
            shutil.copy(part, copy)
        database = sqlite3.connect(copy / path.name)
        (answer,) = database.execute("PRAGMA integrity_check").fetchone()
        assert answer == "ok", f"{why}: {path.name}: {answer}"
        database.close()
    test = site.nginx.test()
    assert test.returncode == 0, f"{why}: nginx -t: {test.stderr}"
    (shake,) = site.lab.handshakes(site.port, 1)
    served = base64.b64decode(shake["leaf"])
    leaf = leaves[hashlib.sha256(served).hexdigest()]
    fault = site.fault(base64.b64decode(shake["staple"] or ""), leaf)
    assert fault is None, f"{why}: served: {fault}"


def test_kill_at_any_instant(site):
    """I7: kill -9 at random instants leaves old or new, and nginx -t
    passes; what was served stays served.  Before each round the certificate
    is renewed, so that there is something to do at once."""
    seed = int(os.environ.get("OCLASP_SEED", time.time()))
    print(f"OCLASP_SEED={seed}")
    dice, seen = random.Random(seed), set()
    site.had_staple()
    leaves = {site.leaf.fingerprint: site.leaf}
    check_state(site, leaves, seen, "before")
    for number in range(24):
        renew(site)
        leaves[site.leaf.fingerprint] = site.leaf
        keep = site.keep()
        time.sleep(dice.uniform(0, 0.6))
        keep.kill()
        site.nginx.settle()
        check_state(site, leaves, seen,
                    f"OCLASP_SEED={seed}, round {number}")
    assert len(seen) > 3, (
        f"OCLASP_SEED={seed}: only {len(seen)} staples of 25: the kills came "
        "too early to mean anything")
    result = site.once()
    assert result.code == 0, f"it must recover: {result}"
    site.nginx.restart()
    site.must_staple("after all the kills", 3)
    left = [path.name for path in (site.state / "staples").glob("*.der")]
    assert left == [f"{site.leaf.fingerprint}.der"], left


@pytest.mark.parametrize("whose", ["the kept one's", "a stranger's"])
def test_staple_file_is_gone(site, whose):
    """I7: nginx tests no configuration any more of which a snippet names a
    staple that somebody has removed; `keep` puts that in order."""
    site.had_staple()
    if whose == "a stranger's":
        (snippet,) = (site.state / "nginx").glob("*.conf")
        snippet.write_text(snippet.read_text().replace(
            site.leaf.fingerprint, "ab" * 32))
    site.staple_path().unlink()
    assert site.nginx.test().returncode != 0
    result = site.once()
    assert result.code == 0, f"keep --once: {result}"
    assert "is gone" in result.err, result
    assert site.nginx.test().returncode == 0
    site.nginx.restart()
    site.must_staple("I7: after keep --once", 1)


def test_what_a_killed_one_left_is_cleared_away(lab, tmp_path):
    """A temporary file that kill -9 left (the name is that of base/file.c)
    does not stay for ever; what is not ours does."""
    leaf, folder = lab.leaf(tmp_path), tmp_path / "state" / "staples"
    words = ["keep", "--once", leaf.path, "--state-dir", folder.parent]
    assert lab.oclasp(*words).code == 0
    left = folder / f".{'ab' * 32}.der.new.qOPpTS"
    left.write_bytes(b"torn")
    os.utime(left, (1, 1))
    (folder / "notes.txt").write_text("somebody's")
    assert lab.oclasp(*words).code == 0
    assert sorted(os.listdir(folder)) == sorted(
        [f"{leaf.fingerprint}.der", "notes.txt"])


def test_kill_while_installing(sites):
    """I7 for the server's own configuration: nginx -t passes whenever
    `install --apply` dies."""
    seed = int(os.environ.get("OCLASP_SEED", time.time()))
    print(f"OCLASP_SEED={seed}")
    dice = random.Random(seed)
    for number in range(6):
        site = sites()
        process = site.lab.spaces.popen(
            "client", site.lab.program, "install", "nginx", "--apply",
            *site.where, start_new_session=True)
        time.sleep(dice.uniform(0, 0.12))
        process.kill()
        process.wait()
        test = site.nginx.test()
        why = f"OCLASP_SEED={seed}, round {number}"
        assert test.returncode == 0, f"{why}: {test.stderr}"
        site.installed()
