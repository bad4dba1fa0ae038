# SPDX-License-Identifier: ISC
"""status, refresh, history, reload, metrics and the alarm command, with a real
keep: what an operator is told and can order, while it runs and when not."""

import concurrent.futures
import grp
import json
import os
import re
import socket
import subprocess
import sys
import time

import pytest
from control_of_lab import Control
from playground import util
from playground.lab import CLIENT

KEEPING = "keeping [0-9]+ cert"


@pytest.fixture
def kept(lab, tmp_path):
    """A keep of one certificate; its words, folder and log."""
    class Kept:
        state = tmp_path / "state"
        leaf = lab.leaf(tmp_path, "www")
        where = ["--state-dir", state]
        control = Control(state)
        logs = 0
        oclasp = staticmethod(lab.oclasp)

        def start(self, *words):
            self.logs += 1
            self.keep = lab.keep(tmp_path / f"log{self.logs}", *self.where,
                                 *(words or [self.leaf.path]))
            util.wait_for("the control socket", self.control.is_up)
            return self.keep

        def ask(self, command, *words):
            return lab.oclasp(command, *self.where, *words)

        def status(self, *words):
            result = self.ask("status", "--json", *words)
            return result.json

        def state_is(self, state, seconds=15):
            def found():
                rows = self.status()["targets"]
                return rows and rows[0]["state"] == state and rows[0]
            return util.wait_for(f"state {state}", found, seconds)
    return Kept()


# --- status

def test_status_with_and_without_keep(lab, kept, tmp_path):
    """CONTRACT: one document, of the keeper or of the store."""
    bare = lab.leaf(tmp_path, "bare", urls=())
    kept.start(kept.leaf.path, bare.path)
    kept.state_is("fresh")
    util.wait_for("ready", lambda: kept.control.ask("/readyz")[0] == 200)
    while_running = kept.ask("status", "--json")
    text = kept.ask("status")
    assert kept.keep.stop() == 0
    at_rest = kept.ask("status", "--json")
    assert while_running.code == at_rest.code == text.code == 0
    first, second = while_running.json, at_rest.json
    assert first["running"] is True and second["running"] is False
    assert first["pid"] == kept.keep.pid and second["pid"] is None
    assert [row["state"] for row in first["targets"]] == ["fresh",
                                                          "no-responder"]
    assert first.keys() == second.keys()
    for one, two in zip(first["targets"], second["targets"]):
        assert one.keys() == two.keys()
        for key in ("name", "path", "certificate", "state", "alarm",
                    "response", "usable_until", "last_attempt", "failures",
                    "published", "reason"):
            assert one[key] == two[key], key
    row = first["targets"][0]
    assert row["certificate"]["fingerprint"] == kept.leaf.fingerprint
    assert row["response"]["status"] == "good"
    assert row["next_refresh"] > row["last_attempt"]
    assert [place["server"] for place in row["published"]] == ["file"]
    assert "usable for" in text.out and "2 certificates: 1 fresh, 1 no-resp" \
        in text.out, text
    assert "no `oclasp keep` is running" in kept.ask("status").out


def test_status_says_what_needs_a_person(lab, kept, tmp_path):
    """CONTRACT: exit 1, and it comes first."""
    good = lab.leaf(tmp_path, "good", names=["good.test"])
    kept.start(good.path, kept.leaf.path)
    kept.state_is("fresh")
    lab.respond("revoked")
    assert kept.ask("refresh", "www.test").code == 1
    result = kept.ask("status", "--json")
    assert result.code == 1
    assert [row["state"] for row in result.json["targets"]] == [
        "revoked", "fresh"]
    assert result.json["alarms"] == 1
    for name, code in ((kept.leaf.path, 1), ("www.test", 1),
                       (kept.leaf.fingerprint[:8], 1), ("good.test", 0)):
        one = kept.ask("status", "--json", name)
        assert one.code == code, one
        assert len(one.json["targets"]) == 1
    assert "replace it now" in kept.ask("status", "www.test").out
    fresh = kept.ask("status", "--json", "--state", "fresh,due")
    assert [row["name"] for row in fresh.json["targets"]] == ["good.test"]
    limited = kept.ask("status", "--limit", "1")
    assert "1 more" in limited.out, limited
    # what cannot be answered: 2, in words
    for words, say in ((["nobody.test"], "no certificate that is kept"),
                       (["--state", "merry"], "give states"),
                       (["a", "b"], "give one NAME"),
                       (["--limit", "x"], "whole number")):
        refused = kept.ask("status", *words)
        assert refused.code == 2 and say in refused.err, refused
        assert refused.out == ""


def test_names_that_fit_several(lab, kept, tmp_path):
    """A name that two certificates have names both of them, and the table
    tells which is which."""
    twin = lab.leaf(tmp_path, "twin", names=["www.test"])
    alike = lab.leaf(tmp_path, "alike")
    kept.start(kept.leaf.path, twin.path, alike.path)
    kept.state_is("fresh")
    for stop in (False, True):
        if stop:
            kept.keep.stop()
        table = kept.ask("status").out
        for path in kept.leaf.path, alike.path:
            assert table.count(f" localhost ({path}) ") == 1, table
        assert " www.test  " in table, table
        result = kept.ask("status", "www.test")
        assert result.code == 2
        assert str(kept.leaf.path) in result.err and str(twin.path) in \
            result.err, result
        assert kept.ask("status", twin.fingerprint[:10]).code == 0


def test_status_of_many(lab, kept):
    """More than one document has: page by page, and each row once; a person
    is shown the first."""
    paths = [f"/nowhere/{i}.pem" for i in range(1205)]
    kept.start(*paths)
    kept.keep.wait_line("keeping 1205")
    one = kept.control.json("/api/v1/status")[1]
    assert len(one["targets"]) == 1000 and one["matched"] == 1205
    for stop in (False, True):
        if stop:
            kept.keep.stop()
        document = kept.status()
        assert sorted(row["path"] for row in document["targets"]) == \
            sorted(paths)
        assert len(kept.status("--limit", "1100")["targets"]) == 1100
        text = kept.ask("status").out
        assert "1005 more" in text and "1205 certificates: 1205 err" in text


def test_paths_of_another_folder(lab, kept, tmp_path):
    """keep and status may be called in different folders."""
    kept.start(os.path.relpath(kept.leaf.path))
    kept.state_is("fresh")
    row = kept.status(kept.leaf.path)["targets"][0]
    assert row["path"][0] == "/"
    assert os.path.samefile(row["path"], kept.leaf.path)
    again = kept.status(os.path.relpath(kept.leaf.path))["targets"]
    assert [r["path"] for r in again] == [row["path"]]
    # whoever joins what he was told finds the same name everywhere
    told = kept.ask("refresh", "--all", "--json").json["outcomes"]
    assert [r["path"] for r in told] == [row["path"]]
    assert f'path="{row["path"]}"' in kept.control.metrics()[0]


def test_status_of_nothing(lab, kept):
    result = kept.ask("status", "--json")
    assert result.code == 2 and result.out == "", result
    assert "oclasp keep" in result.err


# --- refresh and history

def test_refresh_tells_what_came_of_it(lab, kept):
    lab.respond("http500")
    kept.start()
    kept.keep.wait_line("http-status")
    failed = kept.ask("refresh", "www.test")
    assert failed.code == 75 and "http-status" in failed.out, failed
    lab.respond("good")
    good = kept.ask("refresh", "www.test", "--json")
    assert good.code == 0, good
    outcome, = good.json["outcomes"]
    assert outcome["verdict"] == "accept" and outcome["status"] == "good"
    assert outcome["state"] == "fresh" and outcome["address"]
    assert "next refresh in" in outcome["sentence"], outcome
    assert kept.ask("status").code == 0
    # also when nothing is due: an order is an order
    requests = len(lab.requests())
    assert kept.ask("refresh", "--all").code == 0
    assert len(lab.requests()) == requests + 1
    assert kept.status()["targets"][0]["state"] == "fresh"
    lab.respond("tryLater")
    later = kept.ask("refresh", "--all")
    assert later.code == 75 and "status-try-later" in later.out, later
    lab.respond("unknown")
    assert kept.ask("refresh", "--all").code == 1
    moment = int(time.time()) + 1  # newer than all before
    lab.respond("revoked", this_update=moment)
    assert kept.ask("refresh", "--all").code == 1
    # C3: a good one that is no newer undoes nothing, and is not told as good
    lab.respond("good", this_update=moment)
    stale = kept.ask("refresh", "www.test")
    assert stale.code == 1 and "older-than-stored" in stale.out, stale
    assert kept.ask("refresh", "nobody.test").code == 2
    assert kept.ask("refresh").code == 2
    assert kept.ask("refresh", "--all", "www.test").code == 2


def test_refresh_all_of_many(lab, kept, tmp_path):
    """One that cannot be fetched holds up nobody; each has its outcome, once,
    in as many portions as it takes."""
    leaves = [lab.leaf(tmp_path, f"l{i}", names=[f"l{i}.test"])
              for i in range(30)]
    bare = lab.leaf(tmp_path, "bare", names=["bare.test"], urls=())
    kept.start(tmp_path / "missing.pem", bare.path,
               *(leaf.path for leaf in leaves))
    kept.keep.wait_line("a good response", count=30)
    # eight at a time: the answers come in waves
    lab.respond("good", delay_ms=200)
    result = kept.ask("refresh", "--all", "--json")
    assert result.code == 1, "the missing file needs a person"
    document = result.json
    assert document["targets"] == len(document["outcomes"]) == 32
    told = {outcome["name"]: outcome for outcome in document["outcomes"]}
    assert len(told) == 32
    assert told["bare.test"]["state"] == "no-responder"
    assert "nothing to staple" in told["bare.test"]["sentence"]
    assert told[str(tmp_path / "missing.pem")]["reason"] == \
        "certificate-unreadable"
    assert all(told[f"l{i}.test"]["status"] == "good" for i in range(30))

def test_refresh_again_and_again(lab, kept):
    """An order that has ended is not under way."""
    kept.start()
    kept.state_is("fresh")
    requests = len(lab.requests())
    for _ in range(18):
        assert kept.control.json("/api/v1/refresh?name=www.test", "POST")[0] \
            == 200
        util.wait_for("its end", lambda: (
            not kept.status()["targets"][0]["fetching"]))
    assert len(lab.requests()) == requests + 18
    # what was told whole goes before what nobody has asked about
    _, untold = kept.control.json("/api/v1/refresh?name=www.test", "POST")
    for _ in range(18):
        asked = kept.ask("refresh", "www.test")
        assert asked.code == 0, asked
    _, told = kept.control.json(f"/api/v1/refresh?job={untold['job']}")
    assert told["finished"] and len(told["outcomes"]) == 1, told


def wait_for_attempt(kept):
    util.wait_for("an attempt", lambda: (
        kept.status()["targets"][0]["fetching"]))


def test_refresh_of_what_is_dropped(lab, kept, tmp_path):
    """An order whose certificate goes away has an end too."""
    other = lab.leaf(tmp_path, "other", names=["other.test"])
    config = tmp_path / "oclasp.conf"
    write_config(config, kept.leaf, more="timeout = 60\n")
    lab.respond("hang")
    kept.start("--config", config)
    wait_for_attempt(kept)
    waiting = lab.spaces.popen(
        CLIENT, lab.program, "refresh", *kept.where, "www.test", "--json",
        stdout=subprocess.PIPE, text=True)
    util.wait_for("the order", lambda: (
        kept.control.ask("/api/v1/refresh?job=1&after=9")[0] == 409))
    write_config(config, other)
    assert kept.ask("reload", "--config", config).code == 0
    out, _ = waiting.communicate(timeout=30)
    assert waiting.returncode == 75, out
    assert "not kept any more" in json.loads(out)["outcomes"][0]["detail"]


def test_refresh_while_keep_ends(lab, kept):
    """Nobody waits for a keeper that has ended."""
    lab.respond("hang")
    kept.start(kept.leaf.path, "--timeout", "60")
    wait_for_attempt(kept)
    waiting = lab.spaces.popen(
        CLIENT, lab.program, "refresh", *kept.where, "--all",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    util.wait_for("the order", lambda: (
        kept.control.ask("/api/v1/refresh?job=1&after=9")[0] == 409))
    assert kept.keep.stop() == 0
    out, err = waiting.communicate(timeout=30)
    assert waiting.returncode == 2 and out == "" and err, (out, err)


def test_orders_without_keep(lab, kept):
    """CONTRACT: refresh and reload without a keeper: 2."""
    for words in (["refresh", "--all"], ["reload"]):
        result = kept.ask(*words)
        assert result.code == 2 and "no `oclasp keep` is running" in result.err


def test_history(lab, kept):
    lab.respond("http500")
    kept.start()
    kept.keep.wait_line("http-status")
    lab.respond("good")
    assert kept.ask("refresh", "www.test").code == 0
    running = kept.ask("history", "www.test", "--json")
    text = kept.ask("history", "www.test")
    kept.keep.stop()
    at_rest = kept.ask("history", "www.test", "--json")
    assert running.code == at_rest.code == 0
    assert running.json == at_rest.json
    attempts = running.json["attempts"]
    assert attempts[0]["outcome"] == "good" and attempts[0]["size"] > 100
    assert attempts[0]["this_update"] < attempts[0]["next_update"]
    assert attempts[-1]["outcome"] == "http-status"
    assert attempts[-1]["detail"]
    assert [a["at"] for a in attempts] == sorted(
        (a["at"] for a in attempts), reverse=True)
    assert len(text.out.splitlines()) == len(attempts)
    one = kept.ask("history", "www.test", "--json", "--limit", "1")
    assert one.json["attempts"] == attempts[:1]
    assert kept.ask("history", "nobody.test").code == 2
    assert kept.ask("history").code == 2


# --- reload

def write_config(path, *leaves, more=""):
    path.write_text(more + "".join(
        f'certificate "{leaf.path}" {{ }}\n' for leaf in leaves),
        encoding="utf-8")


def test_reload(lab, kept, tmp_path):
    """What has changed is told; a fault changes nothing (I8)."""
    other = lab.leaf(tmp_path, "other", names=["other.test"])
    config = tmp_path / "oclasp.conf"
    write_config(config, kept.leaf)
    kept.start("--config", config)
    kept.state_is("fresh")
    before = kept.status()["targets"]
    # a fault: file and line, and the old one stays
    config.write_text('certificate "/x" {\nfoo = 1\n}\n', encoding="utf-8")
    refused = kept.ask("reload", "--config", config)
    assert refused.code == 2, refused
    warning, fault = refused.err.splitlines()
    assert "warning" in warning and f"{config}:2" in fault, refused
    assert [row["path"] for row in kept.status("--config", config)
            ["targets"]] == [row["path"] for row in before]
    # another certificate comes
    write_config(config, kept.leaf, other)
    added = kept.ask("reload", "--json", "--config", config)
    assert added.code == 0, added
    assert [news["path"] for news in added.json["added"]] == [str(other.path)]
    assert added.json["dropped"] == [] and added.json["kept"] == 2
    assert added.json["published"]["good"] is True
    # the first one goes; its staple was not fetched again for all that
    assert len([e for e in lab.requests()]) <= 2
    write_config(config, other)
    dropped = kept.ask("reload", "--config", config)
    assert dropped.code == 0, dropped
    assert f"dropped 1: {kept.leaf.path}" in dropped.out, dropped
    assert [row["path"] for row in kept.status("--config", config)
            ["targets"]] == [str(other.path)]


def test_reload_renewed(lab, kept, tmp_path):
    """A renewed file is told as one."""
    kept.start()
    kept.state_is("fresh")
    renewed = lab.leaf(tmp_path / "new", "www")
    # replaced at once, and the order comes before the next look at files
    os.replace(renewed.path, kept.leaf.path)
    result = kept.ask("reload", "--json")
    assert result.code == 0, result
    if result.json["renewed_count"] == 0:  # the watch was quicker
        assert "has changed" in kept.keep.text
    assert kept.status()["targets"][0]["certificate"]["fingerprint"] == \
        renewed.fingerprint


def test_reloads_that_meet(lab, kept, tmp_path):
    """An order that comes during another one is not refused, and what was
    written between the two is in force when it is answered."""
    other = lab.leaf(tmp_path, "other", names=["other.test"])
    config = tmp_path / "oclasp.conf"
    write_config(config, kept.leaf)
    kept.start("--config", config)
    kept.state_is("fresh")
    lab.respond("good", delay_ms=3000)
    kept.control.json("/api/v1/refresh?all=1", "POST")  # rounds wait for it

    def order(number):
        if number > 0:
            kept.keep.wait_line("reading configuration", 10)
            write_config(config, kept.leaf, other)
        return kept.ask("reload", "--json", "--config", config)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        first, *late = pool.map(order, range(4))
    assert first.code == 0 and first.json["kept"] == 1, first
    for one in late:
        assert one.code == 0 and one.json["kept"] == 2, one
        assert [news["path"] for news in one.json["added"]] == \
            [str(other.path)], one
    assert kept.keep.text.count("reading configuration") <= 3, "one for all"
    assert kept.keep.stop() == 0


def test_ca_file_that_cannot_be_used(lab, kept, tmp_path):
    """At a start it is an error before anything is touched; at a reload the
    old one stays (I8)."""
    folder, empty, text = (tmp_path / name for name in ("d", "e", "t"))
    folder.mkdir()
    empty.write_text("", encoding="utf-8")
    text.write_text("hello\n", encoding="utf-8")
    faulty = [tmp_path / "nowhere", folder, empty, text]
    for path in faulty:
        failed = kept.ask("keep", "--ca-file", path, "--once",
                          kept.leaf.path)
        assert failed.code == 2, failed
        assert "ca-file: " in failed.err and str(path) in failed.err, failed
        assert not kept.state.exists(), path
    config = tmp_path / "oclasp.conf"
    write_config(config, kept.leaf, more=f'ca-file = "{lab.authority.path}"\n')
    kept.start("--config", config)
    before = kept.state_is("fresh")
    for path in faulty:
        write_config(config, kept.leaf, more=f'ca-file = "{path}"\n')
        refused = kept.ask("reload", "--config", config)
        assert refused.code == 2, refused
        assert "ca-file: " in refused.err and str(path) in refused.err
    assert kept.keep.text.count("the old configuration stays") == len(faulty)
    assert kept.status()["targets"][0]["response"] == before["response"]
    assert kept.keep.stop() == 0


def test_issuer_block_about_nobody(lab, kept, tmp_path):
    """REQUIREMENTS 2: an exception that fits no issuer is said, with its line,
    at the start and at each reload, and stops nobody."""
    config = tmp_path / "oclasp.conf"
    write_config(config, kept.leaf, more="""# exceptions
issuer "Nobody" {
  nonce = "send"
}
""")
    kept.start("--config", config)
    kept.state_is("fresh")
    line = f"{config}:2: the block of issuer 'Nobody' has no effect"
    assert kept.keep.text.count(line) == 1, kept.keep.text
    assert kept.ask("reload", "--config", config).code == 0
    kept.keep.wait_line(line, count=2)
    assert kept.keep.stop() == 0


# --- the socket

def test_socket_is_the_owners(kept):
    kept.start()
    assert os.stat(kept.control.path).st_mode & 0o777 == 0o600
    kept.keep.stop()
    assert not os.path.exists(kept.control.path)


def test_socket_for_a_group(kept, tmp_path):
    group = grp.getgrgid(os.getgid()).gr_name
    config = tmp_path / "oclasp.conf"
    write_config(config, kept.leaf, more=f'control-group = "{group}"\n')
    kept.start("--config", config)
    util.wait_for("the mode", lambda: (
        os.stat(kept.control.path).st_mode & 0o777 == 0o660))
    assert os.stat(kept.control.path).st_gid == os.getgid()
    kept.keep.stop()
    write_config(config, kept.leaf, more='control-group = "no such"\n')
    kept.start("--config", config).wait_line("no such' *: .*owner alone")
    assert os.stat(kept.control.path).st_mode & 0o777 == 0o600


def test_socket_of_a_killed_keep(kept):
    """kill -9 leaves the socket's file: nobody listens, the next one takes
    it."""
    kept.start()
    kept.state_is("fresh")
    kept.keep.kill()
    assert os.path.exists(kept.control.path)
    assert kept.status()["running"] is False
    kept.start()
    util.wait_for("the next", lambda: kept.status()["running"])


def test_socket_in_a_deep_folder(lab, kept, tmp_path):
    """A socket's address has room for 107 characters; a state folder's name
    may be longer."""
    kept.state = tmp_path / ("d" * 80) / ("e" * 80)
    kept.where = ["--state-dir", kept.state]
    kept.control = Control(kept.state)
    kept.start()
    kept.state_is("fresh")
    assert kept.status()["running"] is True
    assert kept.ask("refresh", "--all").code == 0


def test_without_a_socket(lab, kept, tmp_path):
    """I8: where nobody can ask, certificates are cared for all the same."""
    kept.state.mkdir()
    (kept.state / "control.sock").mkdir()
    keep = lab.keep(tmp_path / "log", *kept.where, kept.leaf.path)
    keep.wait_line("a good response")
    assert "nobody can ask or order this keeper" in keep.text
    # and who asks is told that it runs, and what is the matter
    util.wait_for("what it keeps", lambda: kept.status()["targets"])
    said = kept.status()
    assert (said["running"], said["pid"]) == (True, keep.process.pid), said
    assert "no socket: remove it" in said["silent"], said
    assert said["ready"] is None, said
    assert "no socket" in kept.ask("status").out
    assert "no socket" in kept.ask("status", "www.test").out
    for order in (["refresh", "--all"], ["reload"]):
        refused = kept.ask(*order)
        assert refused.code == 2 and "no socket" in refused.err, refused
    assert keep.stop() == 0
    said = kept.status()
    assert (said["running"], said["pid"], said["silent"]) == \
        (False, None, None), said


def test_what_is_not_there(kept):
    kept.start()
    kept.state_is("fresh")
    for target, method, status in (
            ("/", "GET", 404), ("/nope", "GET", 404),
            ("/api/v1/status", "POST", 405), ("/api/v1/reload", "GET", 405),
            ("/api/v1/refresh", "POST", 400),
            ("/api/v1/refresh?all=1&name=x", "POST", 400),
            ("/api/v1/refresh?all=0", "POST", 400),
            ("/api/v1/refresh?name=nobody", "POST", 404),
            ("/api/v1/refresh?job=1", "GET", 404),
            ("/api/v1/refresh?job=x", "GET", 404),
            ("/api/v1/status?limit=-1", "GET", 400),
            ("/api/v1/status?after=x", "GET", 400),
            ("/api/v1/status?state=", "GET", 400),
            ("/api/v1/status?name=", "GET", 404),
            ("/api/v1/history", "GET", 400),
            ("/api/v1/history?name=www.test&limit=x", "GET", 400),
            ("/api/v1/history?name=nobody", "GET", 404),
            ("/status?name=%3Cscript%3E", "GET", 404)):
        got, headers, text = kept.control.ask(target, method)
        assert got == status, (target, got, text)
        if target.startswith("/api"):
            assert json.loads(text)["error"]["detail"], text
        assert headers["X-Content-Type-Options"] == "nosniff"
    for target, method, allow in (  # RFC 9110, section 15.5.6
            ("/api/v1/status", "POST", "GET, HEAD"),
            ("/api/v1/refresh", "HEAD", "GET, POST"),
            ("/api/v1/reload", "GET", "POST")):
        got, headers, _ = kept.control.ask(target, method)
        assert (got, headers["Allow"]) == (405, allow), (target, headers)
    assert kept.control.ask("/api/v1/status", "HEAD")[0] == 200


def test_many_ask_at_once(lab, kept, tmp_path):
    """Questions and orders from all sides, and one who goes away in the middle
    of a wait: everybody is answered, and the keeper goes on."""
    leaves = [lab.leaf(tmp_path, f"l{i}", names=[f"l{i}.test"])
              for i in range(8)]
    kept.start(*(leaf.path for leaf in leaves))
    kept.keep.wait_line("a good response", count=8)
    util.wait_for("ready", lambda: kept.control.ask("/readyz")[0] == 200)
    lab.respond("good", delay_ms=100)
    _, order = kept.control.json("/api/v1/refresh?all=1", "POST")
    gone = socket.socket(socket.AF_UNIX)
    gone.connect(str(kept.control.path))
    gone.send(f"GET /api/v1/refresh?job={order['job']} HTTP/1.1\r\n"
              "Host: x\r\n\r\n".encode())
    gone.close()
    targets = ["/metrics", "/status", "/readyz", "/api/v1/status",
               "/api/v1/history?name=l1.test", "/api/v1/refresh?all=1",
               "/api/v1/reload", "/nope"]

    def ask(number):
        target = targets[number % len(targets)]
        orders = "all=1" in target or "reload" in target
        return target, kept.control.ask(target, "POST" if orders else "GET")
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(ask, range(96)))
    for target, (status, _, text) in answers:
        assert status == 200 or (target, status) in (
            ("/nope", 404), ("/api/v1/reload", 503),
            ("/api/v1/refresh?all=1", 503)), (target, status, text)
    assert kept.ask("refresh", "--all").code in (0, 2), "16 at once at most"
    assert kept.ask("status").code == 0
    assert kept.keep.stop() == 0


# --- observability

def test_metrics(lab, kept, tmp_path):
    """Prometheus' own checker reads the page; the numbers are those of what
    happened."""
    bare = lab.leaf(tmp_path, "bare", names=["bare.test"], urls=())
    kept.start(kept.leaf.path, bare.path)
    kept.state_is("fresh")
    util.wait_for("ready", lambda: kept.control.ask("/readyz")[0] == 200)
    lab.respond("http500")
    assert kept.ask("refresh", "www.test").code == 75
    text, samples = kept.control.metrics()
    check = subprocess.run(["promtool", "check", "metrics"], input=text,
                           capture_output=True, text=True, check=False)
    assert check.returncode == 0 and check.stderr == "", check
    path = f'path="{kept.leaf.path}"'
    name = re.search(rf'oclasp_staple_usable_seconds\{{certificate="([^"]*)",'
                     rf'{path}', text)[1]
    row = kept.status()["targets"][-2]
    assert name == row["name"]
    left = samples[
        f'oclasp_staple_usable_seconds{{certificate="{name}",{path}}}']
    assert left > 3600
    assert samples['oclasp_attempts_total{result="good"}'] == 1
    assert samples['oclasp_attempts_total{result="http-status"}'] >= 1
    assert samples['oclasp_attempt_seconds_count'] >= 2
    assert samples['oclasp_address_proofs_total{host="ocsp.lab.test",'
                   'result="proven"}'] == 1
    assert samples['oclasp_targets{state="no-responder"}'] == 1
    assert samples['process_open_fds'] > 3
    assert f'{path},state="retrying"}} 1' in text
    assert "oclasp_last_success_timestamp_seconds" in samples


def test_metrics_of_a_server(site):
    """D8 in numbers: published and proven."""
    site.installed()
    control = Control(site.state)
    site.keep().wait_line("proven: .*serves exactly")

    def proven():
        _, samples = control.metrics()
        return (samples.get('oclasp_publish_total{server="nginx",'
                            'result="ok"}') == 1 and
                samples.get('oclasp_proofs_total{server="nginx",'
                            'result="proven"}') == 1)
    util.wait_for("numbers", proven)
    row = site.lab.oclasp("status", "--json", "--state-dir",
                          site.state).json["targets"][0]
    place = [p for p in row["published"] if p["server"] == "nginx"][0]
    assert place["proven_at"] and place["address"].endswith(f":{site.port}")
    assert place["path"] == str(site.leaf.path)
    one = site.lab.oclasp("status", site.leaf.path, "--state-dir", site.state)
    assert re.search(r"published +nginx .*, proven ", one.out), one


def test_ready_after_the_first_round(site):
    """503 until then; the loop turns all the time."""
    gate, is_open = site.folder / "gate", site.folder / "open"
    os.mkfifo(gate)
    slow = site.folder / "slow-nginx"
    slow.write_text(f"#!/bin/sh\n[ -e {is_open} ] || timeout 60 cat {gate}\n"
                    f"exec {site.nginx.command} \"$@\"\n", encoding="utf-8")
    slow.chmod(0o755)
    site.installed()
    control = Control(site.state)
    site.lab.keep(site.folder / "log", "--server", "nginx", "--state-dir",
                  site.state, "--server-command", slow)
    util.wait_for("the control socket", control.is_up)
    status, document = control.json("/readyz")
    assert status == 503 and document["ready"] is False
    assert "first round" in document["reasons"][0]
    assert control.ask("/healthz")[0] == 200
    is_open.touch()
    gate.write_text("", encoding="utf-8")  # who waits there goes on
    util.wait_for("ready", lambda: control.ask("/readyz")[0] == 200)


def test_ready_in_spite_of_alarms(lab, kept):
    """I8: one certificate that needs a person takes the others' care out of
    no service; it is named."""
    lab.respond("revoked")
    kept.start()
    kept.state_is("revoked")
    util.wait_for("ready", lambda: kept.control.ask("/readyz")[0] == 200)
    _, document = kept.control.json("/readyz")
    assert document["alarms"] == 1
    assert document["needy"][0]["state"] == "revoked"


def test_listeners_take_no_orders(lab, kept, tmp_path):
    """What a listener serves of this is to be read; orders are for the control
    socket alone."""
    kept.start(kept.leaf.path, "--listen", "127.0.0.1:18866")
    kept.state_is("fresh")

    def ask(target, *words):
        done = lab.run("curl", "-s", "-o", "-", "-w", "\n%{http_code}", *words,
                       f"http://127.0.0.1:18866{target}")
        text, _, status = done.stdout.rpartition("\n")
        return int(status), text
    util.wait_for("the listener", lambda: ask("/healthz")[0] == 200)
    assert ask("/status")[0] == 200
    status, text = ask("/api/v1/status")
    assert status == 200 and json.loads(text)["running"] is True
    status, text = ask("/metrics")
    assert status == 200
    assert 'oclasp_relay_requests_total{result="good"} 0' in text
    check = subprocess.run(["promtool", "check", "metrics"], input=text,
                           capture_output=True, text=True, check=False)
    assert check.returncode == 0 and check.stderr == "", check
    requests = len(lab.requests())
    for target in ("/api/v1/refresh?all=1", "/api/v1/reload"):
        assert ask(target, "-d", "")[0] != 200, target
        assert ask(target)[0] != 200, target
    assert "reading configuration" not in kept.keep.text
    assert len(lab.requests()) == requests
    # nor is a disk looked at for whoever comes (I5)
    link = tmp_path / "link.pem"
    link.symlink_to(kept.leaf.path)
    for what in ("status", "history"):
        named = f"/api/v1/{what}?name={{}}"
        assert kept.control.ask(named.format(link))[0] == 200
        assert ask(named.format(link))[0] == 404
        assert ask(named.format(kept.leaf.path))[0] == 200


def test_page(lab, kept):
    """Self-contained: no scripts, nothing from elsewhere."""
    kept.start()
    kept.state_is("fresh")
    status, headers, text = kept.control.ask("/status")
    assert status == 200 and headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "<td class=good>fresh</td>" in text
    assert str(kept.leaf.path) in text
    assert not re.search(r"<script|<link|<img|src=|url\(|@import|https?:",
                         text)


# --- the log

def test_json_log(lab, kept):
    """Every line is an object with the same fields; those of an attempt name
    certificate, responder and reason."""
    lab.respond("http500")
    keep = kept.start(kept.leaf.path, "/nowhere.pem", "--log-format", "json",
                      "-vv")
    keep.wait_line("http-status")
    lab.respond("revoked")
    kept.ask("refresh", "--all")
    kept.ask("reload")
    assert keep.stop() == 0
    lines = [json.loads(line) for line in keep.text.splitlines()]
    assert len(lines) > 5
    for line in lines:
        assert list(line) == ["time", "level", "message", "event",
                              "certificate", "responder", "reason"], line
        assert re.match(r"20..-..-..T..:..:..Z$", line["time"])
    failed = [line for line in lines if line["event"] == "failed"][0]
    assert failed["responder"] == "ocsp.lab.test"
    assert failed["reason"] == "http-status"
    assert failed["certificate"] and failed["level"] == "warning"
    final = [line for line in lines if line["event"] == "final"][0]
    assert final["level"] == "error"
    assert {line["reason"] for line in lines if line["certificate"] ==
            "/nowhere.pem"} >= {"certificate-unreadable"}


JOURNAL = """
import os, socket, subprocess, sys
os.makedirs("/run/systemd/journal")
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.bind("/run/systemd/journal/socket")
journal.settimeout(30)
read, write = os.pipe()
st = os.fstat(write)
env = {**os.environ, "JOURNAL_STREAM": f"{st.st_dev}:{st.st_ino}"}
child = subprocess.Popen(sys.argv[1:], stderr=write, env=env)
os.close(write)
while child.poll() is None:
    try:
        journal.settimeout(0.2)
        print(repr(journal.recv(65536)))
    except TimeoutError:
        pass
print("stderr", os.read(read, 65536))
"""


def test_journal(lab, kept, tmp_path):
    """Under systemd: records with fields to search by, and no second copy on
    standard error."""
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c",
         'mount -t tmpfs none /run && exec "$@"', "sh", sys.executable, "-c",
         JOURNAL, lab.program, "keep", "--once", "/nowhere.pem",
         "--state-dir", str(kept.state)],
        capture_output=True, text=True, timeout=60, check=False)
    records = done.stdout.splitlines()
    assert records, done
    assert records[-1] == "stderr b''", done
    record = [r for r in records if "cannot read" in r][0]
    for field in ("PRIORITY=3", "OCLASP_CERTIFICATE=/nowhere.pem",
                  "OCLASP_REASON=certificate-unreadable",
                  "OCLASP_EVENT=certificate"):
        assert field in record, (field, record)


# --- the alarm command

def hook(tmp_path, more=""):
    """(script, what it was told)."""
    told, script = tmp_path / "told", tmp_path / "hook"
    script.write_text(f"#!/bin/sh\n{more}\n{{ echo \"$# $*\"; env | grep "
                      f"^OCLASP_ | sort; echo; }} >>{told}\n",
                      encoding="utf-8")
    script.chmod(0o755)

    def read():
        text = told.read_text(encoding="utf-8") if told.exists() else ""
        return [dict(line.split("=", 1) for line in part.splitlines()
                     if "=" in line) for part in text.split("\n\n") if part]
    return script, read


def test_alarm_and_recovery(lab, kept, tmp_path):
    """Run when it comes to need a person, and when it is well again."""
    script, told = hook(tmp_path)
    config = tmp_path / "oclasp.conf"
    write_config(config, kept.leaf,
                 more=f'alarm-command = {{"{script}", "an arg"}}\n')
    # each answer newer than the one before (A14)
    lab.respond("good", age_s=1200)
    kept.start("--config", config)
    kept.state_is("fresh")
    lab.respond("revoked", age_s=600)
    assert kept.ask("refresh", "www.test").code == 1
    first = util.wait_for("alarm", lambda: told() and told()[0])
    assert first["OCLASP_EVENT"] == "alarm"
    assert first["OCLASP_STATE"] == "revoked"
    assert first["OCLASP_CERTIFICATE"] == str(kept.leaf.path)
    assert first["OCLASP_FINGERPRINT"] == kept.leaf.fingerprint
    assert first["OCLASP_USABLE_UNTIL"] == ""
    assert "replace it now" in first["OCLASP_SENTENCE"]
    lab.respond("good")
    assert kept.ask("refresh", "www.test").code == 0
    second = util.wait_for("well", lambda: len(told()) > 1 and told()[1])
    assert second["OCLASP_EVENT"] == "well"
    assert second["OCLASP_STATE"] == "fresh"
    assert second["OCLASP_USABLE_UNTIL"] > second["OCLASP_TIME"]
    # the command line is the operator's alone
    assert (tmp_path / "told").read_text().startswith("1 an arg\n")
    util.wait_for("the end of both", lambda: kept.control.metrics()[1][
        'oclasp_alarm_commands_total{result="ok"}'] == 2)
    # without the command nobody is told
    write_config(config, kept.leaf)
    assert kept.ask("reload", "--config", config).code == 0
    lab.respond("revoked")
    assert kept.ask("refresh", "www.test").code == 1
    assert kept.ask("reload", "--config", config).code == 0
    assert len(told()) == 2


def test_alarm_command_that_fails(lab, kept, tmp_path):
    """It is logged, and harms nobody."""
    config = tmp_path / "oclasp.conf"
    write_config(config, kept.leaf, more='alarm-command = {"/no/such"}\n'
                 'alarm-timeout = 5\n')
    lab.respond("revoked", age_s=600)
    keep = kept.start("--config", config)
    keep.wait_line("the alarm command failed: .*/no/such")
    lab.respond("good")
    assert kept.ask("refresh", "www.test").code == 0
    assert kept.ask("status").code == 0


@pytest.mark.parametrize("said_by", ["the configuration", "an option"])
def test_alarm_once(lab, kept, tmp_path, said_by):
    """keep --once, as cron runs it, waits for the command (A10)."""
    script, told = hook(tmp_path, more="sleep 1  # a slow mailer")
    config = tmp_path / "oclasp.conf"
    words, more = ["--alarm-command", script], ""
    if said_by == "the configuration":
        words, more = [], f'alarm-command = {{"{script}"}}\n'
    write_config(config, kept.leaf, more=more)
    lab.respond("revoked")
    result = lab.oclasp("keep", "--once", "--config", config, *kept.where,
                        *words)
    assert result.code == 1, result
    assert [fact["OCLASP_STATE"] for fact in told()] == ["revoked"]
