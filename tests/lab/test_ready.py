# SPDX-License-Identifier: ISC
"""`ready`: a deploy hook's gate, with and without a keeper beside it."""

import os
import signal
import threading
import time

import pytest
from playground import util
from playground.lab import CLIENT, PROVEN, TARPIT, TARPIT6, HOST
from renewals import Watch, renew

OLD, NEW = 0, 1


def ready(site, *words, leaf=None, timeout=90):
    leaf = leaf or site.leaf
    return site.lab.oclasp("ready", leaf.path, *site.where, *words,
                           timeout=timeout)


def deploy(site, *words):
    """What a deploy hook does: ready, and only then a reload."""
    result = ready(site, *words)
    if result.code == 0:
        site.nginx.reload()
    return result


# --- without a keeper

def test_without_a_server(lab, tmp_path):
    """The store and the staple folder are all there is."""
    leaf, state = lab.leaf(tmp_path), tmp_path / "state"
    words = ["ready", leaf.path, "--state-dir", state]
    first = lab.oclasp(*words, "--json")
    assert first.code == 0, first
    document = first.json
    assert document["command"] == "ready" and document["ready"] is True
    assert document["certificate"]["fingerprint"] == leaf.fingerprint
    assert document["response"]["status"] == "good"
    assert document["keep_running"] is False and document["attempts"] == 1
    assert (state / "staples" / f"{leaf.fingerprint}.der").exists()
    seen = len(lab.requests())
    second = lab.oclasp(*words, "--json")
    assert second.code == 0 and second.json["attempts"] == 0, second
    assert len(lab.requests()) == seen, "it is in the store"
    assert "ready: a staple usable for" in lab.oclasp(*words).out


def test_prepares_nginx(site):
    """D2: the first handshake of a renewed certificate is stapled, with no
    keeper but a hook's reload; again and again."""
    site.had_staple()
    for _ in range(3):
        watch = Watch(site)
        old = renew(site)
        reloads = site.nginx.reloads()
        result = deploy(site)
        assert result.code == 0, result
        assert site.nginx.reloads() == reloads + 1, "the hook's own"
        site.nginx.settle()
        watch.wait_more()
        assert watch.look(old, site.leaf) == [(OLD, None), (NEW, None)]
    # a keeper that begins afterwards finds everything in order
    assert site.once().code == 0
    site.must_staple("keep after ready", 3)
    assert os.listdir(site.state / "staples") == [
        f"{site.leaf.fingerprint}.der"]


def files_of(folder):
    return {path: path.read_bytes() for path in folder.rglob("*")
            if path.is_file() and path.name != "lock"
            and not path.name.startswith("oclasp.db")}


@pytest.mark.parametrize("mode", ["dead", "http500", "unauthorized", "html"])
def test_nothing_has_changed(site, mode):
    """75: nobody touched what nginx reads, so the hook's `&&` keeps it."""
    lab = site.lab
    site.had_staple()
    watch = Watch(site)
    old = renew(site)
    if mode == "dead":
        lab.stop_responder()
    else:
        lab.respond(mode)
    before = files_of(site.state), site.nginx.reloads()
    result = deploy(site, "--timeout", "3", "--json")
    assert result.code == 75, result
    assert result.json["ready"] is False and result.json["reason"], result
    assert (files_of(site.state), site.nginx.reloads()) == before
    watch.wait_more()
    assert watch.look(old, site.leaf) == [(OLD, None)]


def test_unauthorized_right_after_the_issuance(site):
    """F2: it is asked again until the responder knows the certificate."""
    lab = site.lab
    site.had_staple()
    old, watch = site.leaf, Watch(site)
    renew(site)
    lab.respond("unauthorized")
    seen = len(lab.requests())
    results = []
    hook = threading.Thread(target=lambda: results.append(
        deploy(site, "--timeout", "60", "--json")))
    hook.start()
    lab.wait_requests(seen + 3, 40)
    lab.respond()
    hook.join()
    assert results[0].code == 0, results[0]
    assert results[0].json["attempts"] > 1
    site.nginx.settle()
    watch.wait_more()
    assert watch.look(old, site.leaf) == [(OLD, None), (NEW, None)]


def test_nginx_refuses(site):
    """The new certificate's key is missing: nothing stays changed."""
    site.had_staple()
    renew(site)
    key = site.leaf.key_path
    os.rename(key, f"{key}.away")
    before = files_of(site.state)
    result = ready(site)
    assert result.code == 1 and "server-config" in result.err, result
    assert files_of(site.state) == before
    os.rename(f"{key}.away", key)
    assert deploy(site).code == 0
    site.must_staple("with its key", 3)


def test_several_at_once(site, tmp_path):
    """Hooks of several renewals, one lock: all of them end well."""
    lab = site.lab
    leaves = [lab.leaf(tmp_path / str(number)) for number in range(6)]
    running = [lab.spaces.popen(
        CLIENT, lab.program, "ready", leaf.path, "--state-dir", site.state)
        for leaf in leaves]
    assert [process.wait(60) for process in running] == [0] * len(leaves)
    for leaf in leaves:
        path = site.state / "staples" / f"{leaf.fingerprint}.der"
        assert site.fault(path.read_bytes(), leaf) is None


# --- what is not the network's fault

@pytest.mark.parametrize("mode, code", [
    ("good", 0), ("http500", 1), ("revoked", 1), ("unknown", 1)])
def test_must_staple(lab, tmp_path, mode, code):
    """RFC 7633: a must-staple certificate without a staple is 1."""
    leaf = lab.leaf(tmp_path, must_staple=True)
    lab.respond(mode)
    result = lab.oclasp("ready", leaf.path, "--state-dir", tmp_path / "state",
                        "--timeout", "2")
    assert result.code == code, result


@pytest.mark.parametrize("mode", ["revoked", "unknown"])
def test_final(lab, tmp_path, mode):
    lab.respond(mode)
    leaf, state = lab.leaf(tmp_path), tmp_path / "state"
    result = lab.oclasp("ready", leaf.path, "--state-dir", state, "--json",
                        "--timeout", "2")
    assert result.code == 1, result
    assert result.json["verdict"] == "accept"
    assert result.json["status"] == mode and result.json["ready"] is False
    assert not list((state / "staples").iterdir())


@pytest.mark.parametrize("keeper", [False, True])
def test_no_way_back_from_revoked(lab, tmp_path, keeper):
    """A14, C3: an old good answer does not deploy what is revoked."""
    leaf, state = lab.leaf(tmp_path), tmp_path / "state"
    where, moment = ["--state-dir", state], int(time.time()) - 100
    words = ["ready", leaf.path, *where, "--timeout", "2", "--json"]
    lab.respond("revoked", this_update=moment)
    assert lab.oclasp("keep", "--once", leaf.path, *where).code == 1
    if keeper:
        lab.keep(tmp_path / "log", leaf.path, *where).wait_line("revoked")
    for this_update in (moment - 1000, moment):
        lab.respond("good", this_update=this_update)
        result = lab.oclasp(*words)
        assert result.code == 1, result
        assert result.json["reason"] == "older-than-stored", result
        assert result.json["response"] is None
        assert not list((state / "staples").iterdir())
    lab.respond("http500")
    assert lab.oclasp(*words).code == 1
    assert lab.oclasp("status", *where).code == 1, "it was forgotten"
    lab.respond("good", this_update=moment + 1)  # a hold that was lifted
    assert lab.oclasp(*words).code == 0


@pytest.mark.parametrize("urls", [(), ("ldap://dir.lab.test/ocsp",)])
@pytest.mark.parametrize("must_staple, code", [(False, 0), (True, 1)])
def test_without_url(lab, tmp_path, must_staple, code, urls):
    """Nor does anybody ask by ldap."""
    leaf = lab.leaf(tmp_path, urls=urls, must_staple=must_staple)
    state = tmp_path / "state"
    result = lab.oclasp("ready", leaf.path, "--state-dir", state, "--json")
    assert result.code == code, result
    assert result.json["ready"] is (code == 0)
    # nothing was judged where there is nothing to ask for
    told = (None, None) if code == 0 else ("reject", "no-ocsp-url")
    assert (result.json["verdict"], result.json["reason"]) == told
    assert lab.requests() == []


def test_bad_input(lab, tmp_path):
    leaf = lab.leaf(tmp_path)
    rubbish = tmp_path / "rubbish"
    rubbish.write_text("x", encoding="utf-8")
    state = ["--state-dir", tmp_path / "state"]
    for words in ([], [leaf.path, leaf.path], [tmp_path / "none"], [rubbish],
                  [leaf.key_path], ["-"], [leaf.path, "--url", "x"],
                  [leaf.path, "--timeout", "0"], [leaf.path, "--wrong"]):
        result = lab.oclasp("ready", *words, *state)
        assert result.code == 2 and result.err and not result.out, (
            words, result)
    assert "not standard input" in lab.oclasp("ready", "-", *state).err
    result = lab.oclasp("ready", leaf.leaf_path, *state)
    assert result.code == 1 and "issuer-missing" in result.err, result
    result = lab.oclasp("ready", leaf.leaf_path, "-i", lab.authority.path,
                        *state)
    assert result.code == 0, result
    result = lab.oclasp("ready", leaf.path, "--state-dir", leaf.path)
    assert result.code == 2, result


def test_while_dns_lies(lab, tmp_path):
    lab.censor({HOST: {"a": TARPIT, "aaaa": TARPIT6}})
    leaf = lab.leaf(tmp_path)
    result = lab.oclasp("ready", leaf.path, "--state-dir", tmp_path / "state")
    assert result.code == 0, result


# --- beside a keeper

def test_with_a_keeper(site):
    """The keeper publishes; the hook's own reload changes nothing any more.
    Renewed again and again, each first handshake is stapled."""
    keep = site.installed().keep()
    keep.wait_line(PROVEN)
    for _ in range(3):
        site.nginx.settle()
        watch = Watch(site)
        old = renew(site)
        start = time.monotonic()
        result = deploy(site, "--json")
        assert result.code == 0, result
        assert result.json["keep_running"] is True
        assert time.monotonic() - start < 15
        site.nginx.settle()
        watch.wait_more()
        assert watch.look(old, site.leaf) == [(OLD, None), (NEW, None)]
    assert "not taken" not in keep.text
    assert keep.stop() == 0


def test_with_a_keeper_and_a_dead_responder(site):
    """75, and nothing that is served has changed; the keeper mends it by
    itself when the responder is back."""
    lab = site.lab
    keep = site.installed().keep()
    keep.wait_line(PROVEN)
    site.nginx.settle()
    watch = Watch(site)
    lab.stop_responder()
    old = renew(site)
    reloads = site.nginx.reloads()
    result = deploy(site, "--timeout", "5")
    assert result.code == 75, result
    keep.wait_line("nginx goes on with the certificate of before")
    watch.wait_more()
    assert site.nginx.reloads() == reloads
    lab.start_responder()
    keep.wait_line(PROVEN, count=2, seconds=60)
    site.nginx.settle()
    watch.wait_more()
    assert watch.look(old, site.leaf) == [(OLD, None), (NEW, None)]


def test_not_kept(site, tmp_path):
    """A keeper owns the store, and does not know this certificate."""
    keep = site.installed().keep()
    keep.wait_line(PROVEN)
    stranger = site.lab.leaf(tmp_path / "stranger")
    result = ready(site, leaf=stranger)
    assert result.code == 2 and "does not look after" in result.err, result


def test_keeper_that_is_busy(site):
    """A keeper that gets no turn for a while has not read the renewed file: who
    asks hears nothing, and does not take that for "not kept"."""
    keep = site.installed().keep()
    keep.wait_line(PROVEN)
    site.nginx.settle()
    keep.signal(signal.SIGSTOP)
    renew(site)
    results = []
    hook = threading.Thread(target=lambda: results.append(
        deploy(site, "--timeout", "10")))
    hook.start()
    hook.join(9)  # longer than the six seconds that a keeper has
    assert not results, results
    keep.signal(signal.SIGCONT)
    hook.join()
    assert results[0].code == 0, results[0]
    site.must_staple("after it was busy", 3)
    assert keep.stop() == 0


@pytest.mark.parametrize("with_keeper", [False, True])
def test_interrupted(site, with_keeper):
    """^C ends it at once, by the signal, and nothing was changed; the next one
    is none the worse for it."""
    lab = site.lab
    site.had_staple()
    if with_keeper:
        site.keep().wait_line(PROVEN)
    lab.respond("unauthorized")
    seen, leaf = len(lab.requests()), lab.leaf(site.folder / "new")
    before = files_of(site.state)
    process = lab.spaces.popen(
        CLIENT, lab.program, "ready", leaf.path, *site.where, "--timeout",
        "60")
    lab.wait_requests(seen + 2)
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == -signal.SIGINT
    assert files_of(site.state) == before
    assert site.nginx.test().returncode == 0
    lab.respond()
    if not with_keeper:
        assert ready(site, leaf=leaf).code == 0


@pytest.mark.parametrize("must_staple, code", [(False, 75), (True, 1)])
def test_keeper_and_a_dead_responder(sites, must_staple, code):
    """D2: must-staple is 1, beside a keeper too; the old pair stays."""
    site = sites(must_staple=must_staple)
    site.installed().keep().wait_line(PROVEN)
    site.lab.stop_responder()
    renew(site, must_staple=must_staple)
    reloads = site.nginx.reloads()
    result = deploy(site, "--timeout", "2", "--json")
    assert result.code == code, result
    assert result.json["keep_running"] is True, result
    assert site.nginx.reloads() == reloads


def test_keeper_without_a_server(lab, tmp_path):
    leaf, state = lab.leaf(tmp_path), tmp_path / "state"
    keep = lab.keep(tmp_path / "log", leaf.path, "--state-dir", state)
    keep.wait_line("usable for")
    for number in range(2):
        leaf = lab.leaf(tmp_path / f"new{number}").write(tmp_path)
        result = lab.oclasp("ready", leaf.path, "--state-dir", state)
        assert result.code == 0, result
        assert (state / "staples" / f"{leaf.fingerprint}.der").exists()
    lab.respond("http500")
    lab.leaf(tmp_path / "last").write(tmp_path)
    keep.wait_line("http-status")
    lab.respond("good")
    keep.wait_line("usable for", count=4)
    assert "nginx" not in keep.text, keep.text


def test_keeper_ends_meanwhile(site):
    """Whoever has the lock at the end does it."""
    lab = site.lab
    keep = site.installed().keep()
    keep.wait_line(PROVEN)
    site.nginx.settle()
    watch = Watch(site)
    old = renew(site)
    lab.respond("unauthorized")
    results = []
    hook = threading.Thread(target=lambda: results.append(
        deploy(site, "--timeout", "60")))
    seen = len(lab.requests())
    hook.start()
    lab.wait_requests(seen + 2)
    keep.kill()
    lab.respond()
    hook.join()
    assert results[0].code == 0, results[0]
    site.nginx.settle()
    watch.wait_more()
    assert watch.look(old, site.leaf) == [(OLD, None), (NEW, None)]
    util.wait_for("the staple file", site.staple)
