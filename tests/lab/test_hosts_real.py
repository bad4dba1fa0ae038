# SPDX-License-Identifier: ISC
"""`hosts` for real: dnsmasq, unbound and smartdns with what it exports, and a
hosts file in odd places.  What must not come through is the lie that waits
behind each of them."""

import json
import os
import shutil
import stat

import pytest

from playground import util
from playground.lab import (CLIENT, HOST, NAMES, RECURSOR, REFUSING,
                            RESPONDERS, TARPIT, TARPIT6)

GENUINE, SECOND_ONE, GENUINE6 = RESPONDERS
OTHER_NAME = "other.lab.test"
WORLD_NAMES = {**NAMES, OTHER_NAME: {"a": ["192.0.2.7"]}}
LIE = {HOST: {"mode": "forged-only", "a": TARPIT, "aaaa": TARPIT6}}

PATHS = os.environ["PATH"] + ":/usr/sbin:/sbin"
# program: what checks its configuration, what runs it, and a configuration
# that takes in a snippet; smartdns has no check of its own
PROGRAMS = {
    "dnsmasq": (
        ["dnsmasq", "--test", "-C", "{conf}"], ["dnsmasq", "-k", "-C", "{conf}"],
        "port=53\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\n"
        "no-hosts\nuser=root\npid-file=\nserver={upstream}\n"
        "conf-file={snippet}\n"),
    "unbound": (
        ["unbound-checkconf", "{conf}"], ["unbound", "-d", "-c", "{conf}"],
        'server:\n  interface: 127.0.0.1\n  username: ""\n  chroot: ""\n'
        '  directory: "{folder}"\n  pidfile: ""\n  use-syslog: no\n'
        '  logfile: ""\n  module-config: "iterator"\n'
        '  local-zone: "test." nodefault\n'
        'forward-zone:\n  name: "."\n  forward-addr: {upstream}\n'
        'include: "{snippet}"\n'),
    "smartdns": (
        None, ["smartdns", "-f", "-x", "-c", "{conf}", "-p", "-"],
        "bind 127.0.0.1:53\nserver {upstream}\ncache-size 0\n"
        "cache-persist no\nlog-file {folder}/smartdns.log\nlog-level info\n"
        "speed-check-mode none\nconf-file {snippet}\n"),
}


@pytest.fixture
def kept(lab, leaf, tmp_path):
    """A state folder that knows one address of the responder."""
    state = tmp_path / "state"
    done = lab.oclasp("keep", leaf.path, "--state-dir", state, "--once")
    assert done.code == 0, done
    return state


@pytest.fixture
def prove(lab, leaf, kept):
    """Lets the book know another address, too: a pin is tried first."""
    def run(address):
        done = lab.fetch(leaf.path, "--state-dir", kept, "--pin",
                         f"{HOST}={address}")
        assert done.json["address"] == address, done
    return run


def hosts(lab, state, *words):
    return lab.oclasp("hosts", "--state-dir", state, *words)


class Real:
    """A real resolver in the client's namespace, on 127.0.0.1."""

    def __init__(self, lab, folder, name, snippet):
        self.lab, self.folder = lab, folder
        self.check, self.words, text = PROGRAMS[name]
        self.snippet = folder / f"{name}.snippet"
        self.snippet.write_text(snippet, encoding="ascii")
        self.conf = folder / f"{name}.conf"
        self.conf.write_text(text.format(
            folder=folder, snippet=self.snippet, upstream=RECURSOR),
            encoding="ascii")
        self.log = folder / f"{name}.log"
        self.process = None

    def words_of(self, words):
        return [word.format(conf=self.conf) for word in words]

    def checks(self):
        """Its own opinion of the configuration."""
        return self.lab.run(*self.words_of(self.check))

    def start(self):
        with open(self.log, "wb") as log:
            self.process = self.lab.spaces.popen(
                CLIENT, *self.words_of(self.words), stdout=log, stderr=log)

        def answers():
            assert self.process.poll() is None, (
                f"it ended:\n{self.log.read_text(errors='replace')}")
            return self.ask(OTHER_NAME, "A") == ["192.0.2.7"]
        util.wait_for("the resolver", answers)
        return self

    def ask(self, name, kind):
        """The addresses of the first answer, sorted; None: no answer."""
        got = self.lab.ask("127.0.0.1", name, kind, window=0.5)
        if not got:
            return None
        return sorted(text for _, of, text in got[0]["records"] if of == kind)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()


@pytest.fixture(params=sorted(PROGRAMS))
def real(request, lab, tmp_path):
    """real(snippet): the program, not started; it is stopped in the end."""
    name = request.param
    if shutil.which(PROGRAMS[name][1][0], path=PATHS) is None:
        print(f"{name} is not installed: what it makes of the export is not "
              "tested here")
        pytest.skip(f"{name} is not installed")
    made = []

    def make(*words, text=None):
        if text is None:
            export = lab.oclasp("hosts", "--format", name, *words)
            assert export.code == 0, export
            text = export.out
        made.append(Real(lab, tmp_path, name, text))
        return made[-1]
    make.name = name
    yield make
    for one in made:
        one.stop()


def lie(lab):
    lab.resolver(RECURSOR, names=WORLD_NAMES, lies=LIE)


# --- real resolvers

def test_export_is_answered(lab, real, kept):
    """The pinned address, and of the other family none: not the lie's."""
    server = real("--state-dir", kept)
    lie(lab)
    if server.check:
        done = server.checks()
        assert done.returncode == 0, done
    server.start()
    assert "failed" not in server.log.read_text(errors="replace")
    assert server.ask(HOST, "A") == [GENUINE]
    assert server.ask(HOST, "AAAA") == [], "the lie of the other family"
    asked = [q["name"] for q in util.read_lines(lab.file(f"{RECURSOR}.log"))]
    assert HOST not in asked[asked.index(OTHER_NAME):], "it asked upstream"


def test_export_of_two_families(lab, real, kept, prove):
    prove(GENUINE6)
    prove(SECOND_ONE)
    server = real("--state-dir", kept)
    lie(lab)
    server.start()
    v4 = server.ask(HOST, "A")
    assert v4 == sorted([GENUINE, SECOND_ONE]) or (
        real.name == "smartdns" and v4 in ([GENUINE], [SECOND_ONE])), v4
    assert server.ask(HOST, "AAAA") == [GENUINE6]


def test_without_the_export_the_lie_comes(lab, real):
    """The counter-test: this network lies."""
    server = real(text="")
    lie(lab)
    server.start()
    assert server.ask(HOST, "A") == [TARPIT]


def test_their_checks_can_fail(real):
    """smartdns has none, but does not start with what it cannot take."""
    server = real(text=f"address /{HOST}/192.0.2.999\nnonsense\n")
    if server.check:
        assert server.checks().returncode != 0
    else:
        with pytest.raises(AssertionError, match="it ended"):
            server.start()


def test_fetch_by_the_pinned_resolver(lab, real, leaf, kept):
    """End to end: a program that believes its resolver is right again."""
    server = real("--state-dir", kept)
    lie(lab)
    server.start()
    found = lab.fetch(leaf.path, "--resolver", "127.0.0.1", "--timeout", "5")
    assert (found.code, found.json["address"]) == (0, GENUINE), found
    assert found.json["source"] == "udp://127.0.0.1", found


# --- what became a liar since

@pytest.mark.parametrize("mode", ["wrongsigner", "html", "badsig", "expired",
                                  "foreign", "tryLater"])
def test_a_liar_is_not_written(lab, kept, prove, tmp_path, mode):
    """The book has two addresses; one of them has gone bad."""
    prove(SECOND_ONE)
    lab.respond(addresses={SECOND_ONE: {"mode": mode}})
    file = tmp_path / "hosts"
    done = hosts(lab, kept, "--apply", "--hosts-file", file)
    assert done.code == 0, done
    assert f"left out: {SECOND_ONE} {HOST}" in done.err, done
    text = file.read_text(encoding="ascii")
    assert f"{GENUINE} {HOST}\n" in text and SECOND_ONE not in text, text
    for form in ("hosts", "dnsmasq", "unbound", "smartdns", "json"):
        said = hosts(lab, kept, "--format", form)
        assert said.code == 0, said
        if form != "json":
            assert SECOND_ONE not in said.out and GENUINE in said.out, said
            continue
        assert [e["address"] for e in said.json["entries"]] == [GENUINE], said
        (out,) = said.json["left_out"]
        assert out["address"] == SECOND_ONE and out["reason"], said


def test_one_that_is_gone_is_not_written(lab, kept, tmp_path):
    """Nobody listens at the only address any more: what is written stays."""
    file = tmp_path / "hosts"
    assert hosts(lab, kept, "--apply", "--hosts-file", file).code == 0
    before = file.read_bytes()
    lab.stop_responder()
    done = hosts(lab, kept, "--apply", "--hosts-file", file)
    assert done.code == 75 and "connect-refused" in done.err, done
    assert file.read_bytes() == before
    for form in ("hosts", "dnsmasq", "unbound", "smartdns"):
        said = hosts(lab, kept, "--format", form)
        assert (said.code, said.out) == (75, ""), said


# --- hosts files

def test_link_owner_mode_and_list(lab, kept, tmp_path):
    """A link stays a link, and its file keeps whom it lets in."""
    real = tmp_path / "real" / "hosts"
    real.parent.mkdir()
    real.write_text("127.0.0.1 localhost\n", encoding="ascii")
    real.chmod(0o604)
    if os.geteuid() == 0:
        os.chown(real, 1234, 4321)
    link = tmp_path / "hosts"
    link.symlink_to("real/hosts")
    before = real.stat()
    assert hosts(lab, kept, "--apply", "--hosts-file", link).code == 0
    assert link.is_symlink() and stat.S_ISREG(real.lstat().st_mode)
    after = real.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (
        before.st_uid, before.st_gid, before.st_mode)
    assert f"{GENUINE} {HOST}" in real.read_text(encoding="ascii")
    assert hosts(lab, kept, "--remove", "--hosts-file", link).code == 0
    assert real.read_text(encoding="ascii") == "127.0.0.1 localhost\n"
    assert sorted(p.name for p in real.parent.iterdir()) == [
        "hosts", "hosts.oclasp-backup"], "nothing is left behind"


def test_file_that_is_a_mount(lab, kept, tmp_path):
    """As in a container: it cannot be replaced, and the sentence says why."""
    file = tmp_path / "mounted"
    file.write_text("127.0.0.1 localhost\n", encoding="ascii")
    done = lab.run(
        "unshare", "--mount", "sh", "-c",
        'mount --bind "$1" "$1" && exec "$2" hosts --apply --state-dir "$3" '
        '--hosts-file "$1"', "sh", file, lab.program, kept)
    assert done.returncode == 2 and "mount of its own" in done.stderr, done
    assert file.read_text(encoding="ascii") == "127.0.0.1 localhost\n"


@pytest.mark.parametrize("text, told", [
    ("# BEGIN oclasp hosts\n1.2.3.4 x\n", "without its end"),
    ("x\n# END oclasp hosts\n", "without its beginning"),
    ("# BEGIN oclasp hosts\n# END oclasp hosts\n" * 2, "two blocks"),
])
@pytest.mark.parametrize("what", ["--apply", "--remove"])
def test_markers_in_disorder(lab, kept, tmp_path, text, told, what):
    file = tmp_path / "hosts"
    file.write_text(text, encoding="ascii")
    done = hosts(lab, kept, what, "--hosts-file", file, "--json")
    assert done.code == 2 and done.out == "" and told in done.err, done
    assert file.read_text(encoding="ascii") == text


@pytest.mark.parametrize("what", ["--apply", "--remove"])
@pytest.mark.parametrize("file", ["{folder}", "{folder}/no/hosts",
                                  "{folder}/loop", "{folder}/fifo"])
def test_no_hosts_file(lab, kept, tmp_path, file, what):
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "fifo")
    done = hosts(lab, kept, what, "--hosts-file",
                 file.format(folder=tmp_path))
    if what == "--remove" and file.endswith("no/hosts"):
        assert done.code == 0 and "no block" in done.out, done
        return
    assert done.code == 2 and len(done.err.splitlines()) == 1, done
    assert str(tmp_path) in done.err, done


def test_remove_needs_no_state_and_no_network(lab, kept, tmp_path):
    file = tmp_path / "hosts"
    file.write_text("# mine", encoding="ascii")
    assert hosts(lab, kept, "--apply", "--hosts-file", file).code == 0
    done = lab.alone("hosts", "--remove", "--hosts-file", file, "--state-dir",
                     tmp_path / "none", "--json")
    assert done.code == 0 and json.loads(done.out)["changed"], done
    assert file.read_text(encoding="ascii") == "# mine"
    done = lab.alone("hosts", "--remove", "--hosts-file", file)
    assert done.code == 0 and "no block" in done.out, done
    assert lab.alone("hosts", "--remove", "--hosts-file",
                     tmp_path / "never").code == 0
    assert not (tmp_path / "never").exists()


def test_book_that_knows_nothing_alive(lab, leaf, kept):
    """REFUSING is in nobody's book: a pin alone proves nothing."""
    done = lab.fetch(leaf.path, "--state-dir", kept, "--pin",
                     f"{HOST}={REFUSING}")
    assert done.code == 0, done
    assert REFUSING not in hosts(lab, kept).out
