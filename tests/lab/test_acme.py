# SPDX-License-Identifier: ISC
"""The examples of docs/ACME.md, run as they stand by the real clients.

Pebble is the CA, and a responder of ours answers for it.  `oclasp` and
`systemctl` in a hook's PATH lead to this test's state folder and nginx."""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from playground import acme
from playground.lab import CLIENT, PROVEN, RESPONDERS, WORLD
from playground.netns import ROOT, environment
from playground.nginx import Nginx
from renewals import Watch

NAME = "site.lab.test"
OLD, NEW = 0, 1
PAGE = ROOT / "docs" / "ACME.md"


def blocks(heading):
    """The code blocks below a heading of the page."""
    section = PAGE.read_text(encoding="utf-8").partition(
        f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S)


def shim(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


class Files:
    """A certificate and its key, wherever a client keeps them."""

    def __init__(self, path, key_path):
        self.path, self.key_path = pathlib.Path(path), pathlib.Path(key_path)

    def now(self):
        """What is in the file at the moment."""
        leaf = Files(self.path, self.key_path)
        leaf.certificate = x509.load_pem_x509_certificate(
            self.path.read_bytes())
        der = leaf.certificate.public_bytes(serialization.Encoding.DER)
        leaf.fingerprint = hashlib.sha256(der).hexdigest()
        return leaf


class Machine:
    """What an operator has: nginx, oclasp, an ACME client with its hook."""

    def __init__(self, lab, folder, pebble):
        self.lab, self.folder, self.pebble = lab, folder, pebble
        self.bin, self.state = folder / "bin", folder / "state"
        self.nginx = Nginx(folder / "nginx", 1, lab.spaces.inside(CLIENT))
        self.where = (f"--state-dir '{self.state}' "
                      f"--server-command '{self.nginx.command}'")
        self.patience(60)
        # at once, not when nginx has changed its workers: as systemctl does
        shim(self.bin / "systemctl", '[ "$1 $2" = "reload nginx" ] && exec '
             f"{self.nginx.command} -s reload")

    def patience(self, seconds):
        """How long `ready` tries, whatever the page says."""
        shim(self.bin / "oclasp", f'exec {self.lab.program} "$@" '
             f"{self.where} --timeout {seconds}")

    def run(self, *words, must=True, cwd=None):
        """A command with our programs first in its PATH."""
        path = f"{self.bin}:{os.environ['PATH']}:/usr/sbin"
        done = subprocess.run(
            self.lab.spaces.inside(CLIENT) + [str(word) for word in words],
            capture_output=True, text=True, timeout=120, cwd=cwd,
            env=environment(PATH=path, HOME=str(self.folder),
                            REQUESTS_CA_BUNDLE=str(self.pebble.trust),
                            LEGO_CA_CERTIFICATES=str(self.pebble.trust)))
        assert done.returncode == 0 or not must, (
            f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def serve(self, client, keep):
        """nginx with the client's certificate and its first staple."""
        self.client = client
        self.port = self.nginx.add_site(client.files)
        self.nginx.start()
        where = ["--state-dir", self.state,
                 "--server-command", self.nginx.command]
        result = self.lab.oclasp("install", "nginx", "--apply", *where)
        assert result.code == 0, result
        words = ["--server", "nginx", *where]
        if keep:
            self.keep = self.lab.keep(self.folder / "keep.log", *words)
            self.keep.wait_line(PROVEN)
        else:
            self.keep = None
            result = self.lab.oclasp("keep", "--once", *words)
            assert result.code == 0, result
        self.nginx.settle()


# --- clients

class Certbot:
    needs, rounds, place = "certbot", 3, "certbot=%s/letsencrypt"

    def __init__(self, machine):
        self.machine, home = machine, machine.folder / "letsencrypt"
        self.words = ["certbot", "--config-dir", home, "--work-dir",
                      home / "work", "--logs-dir", home / "log", "-n",
                      "--server", machine.pebble.directory]
        hook, = blocks("certbot")
        path = home / "renewal-hooks" / "deploy" / "oclasp"
        machine.run(*self.words, "certonly", "--manual", "-d", NAME,
                    "--manual-auth-hook", "true", "--preferred-challenges",
                    "http", "--agree-tos", "-m", "a@lab.test",
                    "--no-eff-email")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(hook, encoding="utf-8")
        path.chmod(0o755)
        live = home / "live" / NAME
        self.files = Files(live / "fullchain.pem", live / "privkey.pem")

    def renew(self, must=True):
        self.machine.run(*self.words, "renew", "--force-renewal",
                         "--no-random-sleep-on-renew", must=must)


class Lego:
    needs, rounds, place = "lego", 1, "lego=%s/lego"

    def __init__(self, machine):
        self.machine, home = machine, machine.folder / "lego"
        self.words = ["lego", "--path", home, "--server",
                      machine.pebble.directory, "--email", "a@lab.test",
                      "--domains", NAME, "--http"]
        self.hook = machine.folder / "renew-hook"
        text, = blocks("lego")
        self.hook.write_text(text, encoding="utf-8")
        self.hook.chmod(0o755)
        machine.run(*self.words, "--accept-tos", "run")
        folder = home / "certificates"
        self.files = Files(folder / f"{NAME}.crt", folder / f"{NAME}.key")

    def renew(self, must=True):
        self.machine.run(*self.words, "renew", "--days", "9999",
                         "--no-random-sleep", "--renew-hook", self.hook,
                         must=must)


class Dehydrated:
    needs, rounds, place = "dehydrated", 1, "dehydrated=%s/dehydrated"

    def __init__(self, machine):
        self.machine, home = machine, machine.folder / "dehydrated"
        home.mkdir()
        hook, = blocks("dehydrated")
        shim(home / "hook.sh", "")
        (home / "hook.sh").write_text(hook, encoding="utf-8")
        (home / "domains.txt").write_text(f"{NAME}\n", encoding="utf-8")
        (home / "www").mkdir()
        (home / "config").write_text(
            f"CA={machine.pebble.directory}\nBASEDIR={home}\n"
            f"WELLKNOWN={home}/www\nHOOK={home}/hook.sh\n"
            f"CURL_OPTS='--cacert {machine.pebble.trust}'\n"
            "KEY_ALGO=prime256v1\nCONTACT_EMAIL=a@lab.test\n",
            encoding="utf-8")
        self.words = ["dehydrated", "--config", home / "config"]
        machine.run(*self.words, "--register", "--accept-terms")
        # the first time there is no server yet that could be reloaded
        hook_away = home / "hook.sh.away"
        os.rename(home / "hook.sh", hook_away)
        shim(home / "hook.sh", "exit 0")
        machine.run(*self.words, "--cron")
        os.rename(hook_away, home / "hook.sh")
        (home / "hook.sh").chmod(0o755)
        folder = home / "certs" / NAME
        self.files = Files(folder / "fullchain.pem", folder / "privkey.pem")

    def renew(self, must=True):
        self.machine.run(*self.words, "--cron", "--force", must=must)


class AcmeSh:
    """Not the real one, which Debian has not: its last steps, as its source
    has them (_installcert and _on_issue_success).  Its certificates come by
    lego, from the same Pebble."""
    needs, rounds, place = "lego", 1, "acme.sh=%s/acme.sh"
    renew_hook = False

    def __init__(self, machine):
        self.machine, self.home = machine, machine.folder / "acme.sh" / NAME
        self.home.mkdir(parents=True)
        self.lego = Lego(machine)
        shim(self.lego.hook, "exit 0")
        installed = machine.folder / "tls"
        installed.mkdir()
        install, issue = blocks("acme.sh")
        if self.renew_hook:
            self.command = re.search(r"--renew-hook '(.*)'\n", issue)[1]
            self.files = Files(self.home / "fullchain.cer",
                               self.home / f"{NAME}.key")
        else:
            self.files = Files(installed / f"{NAME}.pem",
                               installed / f"{NAME}.key")
            self.command = re.search(r"--reloadcmd '(.*)'\n", install)[1]
            path = re.search(r"--fullchain-file (\S+)", install)[1]
            assert path in self.command
            self.command = self.command.replace(path, str(self.files.path))
        self.take()

    def take(self):
        for source, name in ((self.lego.files.key_path, f"{NAME}.key"),
                             (self.lego.files.path, "fullchain.cer")):
            shutil.copy(source, self.home / name)
        if not self.renew_hook:
            # in place, as `cat >` does it
            self.files.key_path.write_bytes(
                (self.home / f"{NAME}.key").read_bytes())
            self.files.path.write_bytes(
                (self.home / "fullchain.cer").read_bytes())

    def renew(self, must=True):
        self.lego.renew()
        self.take()
        self.machine.run(
            "env", f"CERT_PATH={self.home}/{NAME}.cer",
            f"CERT_KEY_PATH={self.home}/{NAME}.key",
            f"CA_CERT_PATH={self.home}/ca.cer",
            f"CERT_FULLCHAIN_PATH={self.home}/fullchain.cer",
            f"Le_Domain={NAME}", "sh", "-c", 'cd "$0" && eval "$1"',
            self.home, self.command, must=must)


class AcmeShRenewHook(AcmeSh):
    renew_hook = True


# --- tests

@pytest.fixture(scope="module")
def pebble(whole_lab, tmp_path_factory):
    if not acme.available():
        pytest.skip("there is no pebble")
    server = acme.Pebble(whole_lab, WORLD, RESPONDERS[0],
                         tmp_path_factory.mktemp("acme") / "pebble")
    yield server
    server.close()


@pytest.fixture(params=[Certbot, Lego, Dehydrated, AcmeSh, AcmeShRenewHook],
                ids=lambda client: client.__name__)
def machine(request, lab, pebble, tmp_path):
    if not shutil.which(request.param.needs):
        pytest.skip(f"there is no {request.param.needs}")
    pebble.respond()
    machine = Machine(lab, tmp_path, pebble)
    machine.make_client = lambda: request.param(machine)
    yield machine
    lab.stop_keeps()
    machine.nginx.stop()


def check_discover(machine, client):
    """The client's folder is found where it is named."""
    result = machine.lab.oclasp("discover", "--json", "--place",
                                client.place % machine.folder)
    found = {entry["fingerprint"]: entry
             for entry in result.json["certificates"]}
    entry = found[client.files.now().fingerprint]
    assert entry["found_in"] == [client.place.partition("=")[0]]
    assert entry["ocsp_urls"] == [machine.pebble.url]
    assert entry["reason"] is None, entry


@pytest.mark.parametrize("keep", [False, True], ids=["alone", "keep"])
def test_first_handshake_is_stapled(machine, keep):
    """D2: renewed again and again, each first handshake with the new
    certificate has its staple; with a dead responder nothing changes."""
    client = machine.make_client()
    check_discover(machine, client)
    machine.serve(client, keep)
    issuer = machine.pebble.authority.certificate
    for _ in range(client.rounds):
        old, watch = client.files.now(), Watch(machine)
        client.renew()
        new = client.files.now()
        machine.nginx.settle()
        watch.wait_more()
        assert watch.look(old, new, issuer=issuer) == [
            (OLD, None), (NEW, None)]
    machine.pebble.respond("http500")
    machine.patience(4)
    reloads = machine.nginx.reloads()
    old, watch = new, Watch(machine)
    client.renew(must=False)
    new = client.files.now()
    watch.wait_more()
    assert machine.nginx.reloads() == reloads, "exit 75 must not reload"
    if keep:  # heals by itself
        machine.pebble.respond()
        machine.keep.wait_line(PROVEN, count=client.rounds + 2, seconds=60)
        machine.nginx.settle()
        watch.wait_more()
    assert watch.look(old, new, issuer=issuer) == (
        [(OLD, None), (NEW, None)] if keep else [(OLD, None)])
