# SPDX-License-Identifier: ISC
"""What becomes of a command whose output nobody gets, or gets the half of."""

import os
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from playground import pki

WORDS = [["help"], ["--version"], ["fetch", "--help"], ["explain"],
         ["explain", "--json"], ["show", "LEAF"], ["show", "LEAF", "--json"]]


def run(lab, leaf, words, out):
    words = [leaf.path if word == "LEAF" else word for word in words]
    return subprocess.run([lab.program, *words], stdout=out, text=True,
                          stderr=subprocess.PIPE, check=False)


@pytest.mark.parametrize("words", WORDS)
def test_full(lab, leaf, words):
    """A script must not take the half of a document for the whole."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        result = run(lab, leaf, words, full)
    assert result.returncode == 2, result
    assert result.stderr.count("\n") == 1, result
    assert "cannot write standard output" in result.stderr, result


@pytest.mark.parametrize("words", WORDS)
def test_reader_gone(lab, leaf, words):
    """As `| head` goes when it has seen enough: no fault of anybody."""
    reader, writer = os.pipe()
    os.close(reader)
    result = run(lab, leaf, words, writer)
    os.close(writer)
    assert (result.returncode, result.stderr) == (0, ""), result


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(lab, leaf, out, tmp_path, closed):
    """Whoever starts us may have closed them: no file is taken for one, and
    nothing is printed into a file."""
    def run_closed(*words):
        script = f'"$@" {closed}'
        return lab.run("sh", "-c", script, "sh", lab.program, *words)
    done = run_closed("fetch", leaf.path, "-o", out)
    # the report is lost without standard output, which is told
    assert done.returncode == (2 if ">&-" in closed.split() else 0), done
    assert out.exists()
    state = tmp_path / "state"
    done = run_closed("keep", leaf.path, "--once", "--state-dir", state)
    assert done.returncode == 0, done
    assert (state / "lock").read_text(encoding="utf-8").strip().isdigit()


@pytest.mark.parametrize("words", [
    ["--bogus", "HOST"], ["HOST", "--timeout", "0"], ["HOST", "OTHER"],
    ["HOST", "--config", "/none"], ["HOST", "--json"], ["HOST:0"]])
def test_wrong_usage_is_no_alarm(lab, words):
    """--nagios: 2 would be CRITICAL."""
    for order in (["--nagios", *words], [*words, "--nagios"],
                  ["--nag", *words]):
        result = lab.oclasp("check", *order)
        assert result.code == 3, result


@pytest.mark.parametrize("words", [["show"], ["survey"], ["doctor"]])
def test_names_move_no_terminal(lab, leaf, tmp_path, words):
    """Whoever may make files in a folder may call them what he likes."""
    evil = tmp_path / "a\n\033[2Jb.pem"
    evil.write_bytes(leaf.path.read_bytes())
    result = lab.oclasp(*words, evil)
    assert "\033" not in result.out + result.err, result
    assert "a??[2Jb.pem" in result.out, result


def test_found_names_move_no_terminal(lab, leaf, tmp_path):
    """`discover` goes by names of anybody's home, as root."""
    home = tmp_path / "root/home/u"
    folder = home / ".acme.sh/a\n\033[2Jb"
    folder.mkdir(parents=True)
    for name in ("one", "two"):
        (home / ".acme.sh" / name).mkdir()
        shutil.copy(leaf.path, home / ".acme.sh" / name / "fullchain.cer")
    shutil.copy(leaf.path, folder / "fullchain.cer")
    (tmp_path / "root/etc").mkdir()
    (tmp_path / "root/etc/passwd").write_text(
        "u:x:1000:1000::/home/u:/bin/sh\n", encoding="utf-8")
    result = lab.oclasp("discover", "--root", tmp_path / "root")
    assert result.code == 0 and "a??[2Jb/fullchain.cer" in result.out, result
    assert "\033" not in result.out + result.err, result


def test_carried_names_move_no_terminal(lab, leaf, tmp_path):
    """The same of `courier`, which tells the path of what is left out, and of
    certificates of one name."""
    evil = tmp_path / "a\n\033[2Jb.pem"
    shutil.copy(lab.leaf(tmp_path, "none", urls=()).path, evil)
    result = lab.oclasp("courier", "export", evil)
    assert "a??[2Jb.pem" in result.err and "\033" not in result.err, result
    shutil.copy(leaf.path, evil)
    twin = lab.leaf(tmp_path, "twin", names=["localhost"])
    words = [lab.program, "courier"]
    requests = lab.run(*words, "export", evil, twin.path).stdout
    answers = lab.run(*words, "fetch", input=requests).stdout
    done = lab.run(*words, "import", evil, twin.path, "--state-dir",
                   tmp_path / "state", input=answers)
    assert "a??[2Jb.pem" in done.stdout, done
    assert "\033" not in done.stdout + done.stderr, done


def test_name_that_is_no_text(lab, leaf, tmp_path):
    """A file may have any name: the document is whole all the same."""
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xe9")
    said = lab.oclasp("courier", "export", leaf.path, "-o", path,
                      "--json").json
    assert said["kind"] == "requests" and said["items"] == 1, said


def test_columns_of_any_letters(lab, tmp_path):
    """RFC 5280: an organization may have any name; it is not cut within a
    character, and what is behind it stands in its column."""
    key = ec.generate_private_key(ec.SECP256R1())
    paths = []
    for port, name in enumerate(("plain", "x" + "\u8ba4\u8bc1" * 9), 1):
        issuer = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME,
                                               name)])
        access = x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP,
            x509.UniformResourceIdentifier(f"http://127.0.0.1:{port}/"))
        paths.append(tmp_path / f"{port}.pem")
        paths[-1].write_bytes(pki.pem_of(pki.sign(
            x509.Name([]), key, issuer, key,
            [(x509.AuthorityInformationAccess([access]), False)])))
    out = lab.oclasp("survey", *paths).out
    rows = [line for line in out.splitlines() if "http://127.0.0.1:" in line]
    assert "\ufffd" not in out, rows
    # an ideograph takes two columns
    assert len({line.index("http") + line.count("\u8ba4") +
                line.count("\u8bc1") for line in rows}) == 1, rows


@pytest.mark.parametrize("mode", ["revoked", "unknown"])
@pytest.mark.parametrize("words", [["-q"], ["-o", "-"]])
def test_no_staple_is_told(lab, leaf, mode, words):
    """Where the report is not wanted, why there is no staple still is."""
    lab.respond(mode)
    result = lab.oclasp("fetch", leaf.path, *words)
    assert result.code == 1 and result.out == "", result
    assert f"'localhost' is {mode}" in result.err, result


def test_words_of_a_server_are_no_numbers(lab, tmp_path):
    """--nagios: what stands behind the first bar are numbers."""
    script = tmp_path / "liar.py"
    script.write_text(
        "import socket\n"
        "s = socket.create_server(('127.0.0.1', 0))\n"
        "print(s.getsockname()[1], flush=True)\n"
        "while True:\n"
        "    c, _ = s.accept()\n"
        "    c.sendall(b'554 no | usable=9s;;;0\\r\\n')\n",
        encoding="utf-8")
    liar = lab.spaces.popen("client", sys.executable, script,
                            stdout=subprocess.PIPE, text=True)
    port = liar.stdout.readline().strip()
    result = lab.oclasp("check", f"127.0.0.1:{port}", "--starttls", "smtp",
                        "--nagios")
    liar.kill()
    assert result.code == 3 and "554 no / usable=9s" in result.out, result
    assert result.out.count("|") == 1, result


@pytest.mark.parametrize("words, code", [
    (["status", "localhost"], 0), (["doctor", "localhost:1"], 1)])
def test_folder_of_a_certificates_name(lab, leaf, tmp_path, words, code):
    """As ACME clients make them: who stands beside one means the
    certificate, or the server."""
    state = ["--state-dir", tmp_path / "state"]
    assert lab.oclasp("keep", leaf.path, "--once", *state).code == 0
    (tmp_path / words[1]).mkdir()
    done = lab.run("env", "-C", tmp_path, lab.program, *words, *state)
    assert done.returncode == code, done


@pytest.mark.parametrize("words, said", [
    (["check", "localhost:1"], "the server"),
    (["fetch", "LEAF"], "asking for the response for 'localhost'"),
    (["ready", "LEAF", "--state-dir", "STATE"], "its staple, attempt 1"),
    (["hosts", "--state-dir", "STATE"], "each address")])
def test_progress_on_a_terminal(lab, leaf, tmp_path, words, said):
    """Long work shows what it does there; nowhere else, and not with -q."""
    state = tmp_path / "state"
    if words[0] == "hosts":
        lab.oclasp("keep", leaf.path, "--once", "--state-dir", state)
    line = " ".join([lab.program, *words]).replace(
        "LEAF", str(leaf.path)).replace("STATE", str(state))
    shown = lab.run("script", "-qec", line + " >/dev/null", "/dev/null").stdout
    assert f"\033[K{said}" in shown and shown.count("...") == shown.count(
        "\033[K") - 1, repr(shown)
    for silent in (line + " -q >/dev/null", line + " --json >/dev/null"):
        shown = lab.run("script", "-qec", silent, "/dev/null").stdout
        assert "..." not in shown, repr(shown)
    assert "..." not in lab.run(*line.split()).stderr


def unreadable(lab, script, *words):
    """SCRIPT with oclasp as "$@", which may not pass over modes, and the
    machine's own configuration, which it may make "$F" of mode 0."""
    path = "/etc/oclasp/oclasp.conf"
    return lab.run(
        *lab.dress({path: "timeout = 3\n"}), "sh", "-c",
        f"F={path}; {script} code=$?; chmod 644 $F; exit $code", "sh",
        "setpriv", "--bounding-set=-dac_override,-dac_read_search",
        lab.program, *words)


def test_configuration_that_may_not_be_read(lab):
    """It is said that the machine's own file has no part in what follows."""
    done = unreadable(lab, 'chmod 0 $F; "$@";', "check", "localhost:1")
    assert done.returncode == 75, done
    assert ("warning: cannot read '/etc/oclasp/oclasp.conf': Permission denied"
            in done.stderr), done


def test_configuration_that_may_not_be_read_any_more(lab, leaf, tmp_path):
    """I8: at a reload what was read before stays in force."""
    state = f"--state-dir {tmp_path / 'state'}"
    done = unreadable(lab, f"""
        "$@" keep {leaf.path} {state} 2>/dev/null & keeper=$!
        until "$@" reload {state} 2>/dev/null; do kill -0 $keeper; done
        chmod 0 $F; "$@" reload {state}; code=$?
        kill $keeper; (exit $code);""")
    assert done.returncode == 2 and "Permission denied" in done.stderr, done


@pytest.mark.parametrize("words", [
    ["hosts"], ["courier", "export"], ["courier", "import"]])
def test_state_that_may_not_be_read(lab, leaf, tmp_path, words):
    """That nothing is there is not said of what cannot be seen."""
    state = tmp_path / "state"
    assert lab.oclasp("keep", leaf.path, "--once", "--state-dir",
                      state).code == 0
    state.chmod(0)
    done = lab.run("setpriv", "--bounding-set=-dac_override,-dac_read_search",
                   lab.program, *words, "--state-dir", state,
                   input='{"courier": 1, "kind": "answers", "items": []}')
    state.chmod(0o755)
    assert done.returncode == 2, done
    assert "cannot " in done.stderr and "run `oclasp" not in done.stderr, done


@pytest.mark.skipif(os.geteuid() != 0, reason="it takes another user")
@pytest.mark.parametrize("own", [True, False])
def test_keeper_of_the_machine_that_admits_nobody(lab, leaf, own):
    """Who keeps some of his own asks about these."""
    with tempfile.TemporaryDirectory() as home:
        path = shutil.copy(leaf.path, home)
        program = shutil.copy(lab.program, home)  # its folder may be closed
        if own:
            done = lab.oclasp("keep", path, "--once", "--state-dir",
                              f"{home}/.local/state/oclasp")
            assert done.code == 0, done
        lab.spaces.must("client", "chown", "-R", "65534:65534", home)
        done = lab.run(
            *lab.dress({"/run/oclasp/control.sock": "of root, mode 0644"}),
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
            "env", f"HOME={home}", program, "status")
    assert done.returncode == (0 if own else 2), done
    assert ("localhost" in done.stdout) == own, done
    assert ("Permission denied" in done.stderr) == (not own), done


@pytest.mark.parametrize("words", [
    ["status"], ["status", "a"], ["history", "a"], ["reload"],
    ["refresh", "a"]])
def test_stranger_at_the_socket(lab, tmp_path, words):
    """What somebody else says is not taken for a keeper's word."""
    class Stranger(socketserver.StreamRequestHandler):
        def handle(self):
            if self.rfile.readline():
                self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n"
                                 b'{"targets": [{}], "matched": 1}')
    with socketserver.UnixStreamServer(
            str(tmp_path / "control.sock"), Stranger) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        result = lab.oclasp(*words, "--state-dir", tmp_path)
        server.shutdown()
    assert result.code == 2 and "is no oclasp" in result.err, result


@pytest.mark.parametrize("words", [["hosts"], ["courier", "export"]])
def test_kept_and_gone(lab, leaf, tmp_path, words):
    """What cannot be read any more is kept all the same."""
    state = ["--state-dir", tmp_path / "state"]
    assert lab.oclasp("keep", leaf.path, "--once", *state).code == 0
    leaf.path.unlink()
    result = lab.oclasp(*words, *state)
    assert result.code == 2 and "No such file" in result.err, result
    assert "that are kept can be used" in result.err, result


def test_unknown_is_null(lab, leaf, out, tmp_path):
    """An error status has the keys of any response."""
    lab.fetch(leaf.path, "-o", out)
    later = tmp_path / "later.der"
    later.write_bytes(bytes.fromhex("30030a0103"))  # tryLater
    items = lab.oclasp("show", out, later, "--json").json["items"]
    assert items[0].keys() == items[1].keys()
    assert items[0]["reason"] is None
    assert items[1]["reason"] == "status-try-later"
    assert items[1]["answers"] == []
