# SPDX-License-Identifier: ISC
"""A real nginx in a folder of its own, as root or as an ordinary user."""

import argparse
import os
import pathlib
import shutil
import signal
import subprocess

from playground import util

MAIN = """\
{user}worker_processes {workers};
pid nginx.pid;
error_log error.log notice;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path tmp/body;
    proxy_temp_path tmp/proxy;
    fastcgi_temp_path tmp/fastcgi;
    uwsgi_temp_path tmp/uwsgi;
    scgi_temp_path tmp/scgi;
    include sites/*.conf;
}}
"""
SITE = """\
server {{
    listen {address}:{port} ssl;
    server_name {names};
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
{extra}    location / {{ return 200 "hello\\n"; }}
}}
"""


def find():
    """The program's name, or its path where no PATH leads there."""
    if shutil.which("nginx"):
        return "nginx"
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin") or "nginx"


def proc(pid, name):
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8")
    except OSError:
        return ""


def alive(pid):
    """True if PID runs; a zombie does not."""
    return proc(pid, "stat").rpartition(")")[2].split()[:1] not in ([], ["Z"])


class Nginx:
    """One nginx under PREFIX.  RUN comes before each command of ours, to put
    it into a network namespace."""

    def __init__(self, prefix, workers=1, run=()):
        self.prefix = pathlib.Path(prefix)
        self.run_prefix, self.worker_count = list(run), workers
        (self.prefix / "sites").mkdir(parents=True)
        (self.prefix / "tmp").mkdir()
        # Workers of root's nginx run as root as well: in a user namespace
        # there is no other user.
        root = os.geteuid() == 0 or self.run_prefix
        user = "user root root;\n" if root else ""
        self.conf = self.prefix / "nginx.conf"
        self.conf.write_text(MAIN.format(user=user, workers=workers),
                             encoding="utf-8")
        self.words = [find(), "-p", str(self.prefix), "-c", "nginx.conf",
                      "-e", "error.log"]

    @property
    def command(self):
        """What an operator gives to oclasp as --server-command."""
        return " ".join(self.words)

    def add_site(self, leaf, port=None, address="127.0.0.1",
                 names=("localhost",), lines=(), file="site"):
        """A TLS server of LEAF with LINES in it; returns its port."""
        port = port or util.free_port(address)
        extra = "".join(f"    {line}\n" for line in lines)
        (self.prefix / "sites" / f"{file}.conf").write_text(SITE.format(
            address=address, port=port, names=" ".join(names),
            certificate=leaf.path, key=leaf.key_path, extra=extra),
            encoding="utf-8")
        return port

    def run(self, *args):
        return subprocess.run(self.run_prefix + self.words + list(args),
                              capture_output=True, text=True, timeout=30)

    def must(self, *args):
        result = self.run(*args)
        if result.returncode != 0:
            raise RuntimeError(f"nginx {' '.join(args)}: {result.stderr}")
        return result

    def start(self):
        self.must()  # returns when the ports are bound
        self.settle()
        return self

    def test(self):
        return self.run("-t")

    @property
    def pid(self):
        try:
            text = (self.prefix / "nginx.pid").read_text(encoding="utf-8")
        except OSError:
            return None
        return int(text) if text.strip() and alive(int(text)) else None

    def workers(self):
        """The workers that accept connections: not those that only finish
        what they have begun, which may take a minute."""
        children = proc(self.pid, f"task/{self.pid}/children").split()
        return sorted(int(pid) for pid in children if alive(pid)
                      and "shutting down" not in proc(pid, "cmdline"))

    def reload(self):
        """Reload, and wait until no old worker accepts any more."""
        old = self.workers()
        self.must("-s", "reload")
        util.wait_for("nginx to change its workers",
                      lambda: self.workers()
                      and not set(old) & set(self.workers()))

    def settle(self):
        """Wait until a reload that somebody else has begun is over: for a
        tenth of a second old and new workers accept side by side."""
        util.wait_for("nginx to have only its new workers",
                      lambda: len(self.workers()) == self.worker_count)

    def reloads(self):
        """How often it was told to reload so far."""
        log = (self.prefix / "error.log").read_text(encoding="utf-8")
        return log.count("signal 1 (SIGHUP) received")

    def stop(self):
        pid = self.pid
        if pid:
            os.kill(pid, signal.SIGTERM)
            util.wait_for("nginx to end", lambda: not alive(pid))

    def restart(self):
        self.stop()
        return self.start()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prefix")
    parser.add_argument("certificate")
    parser.add_argument("key")
    parser.add_argument("--line", action="append", default=[],
                        help="one more line of the server block")
    options = parser.parse_args()

    class Files:
        path, key_path = options.certificate, options.key

    nginx = Nginx(options.prefix)
    port = nginx.add_site(Files, lines=options.line)
    nginx.start()
    print(f"https://localhost:{port}/, pid {nginx.pid}; stop it with:\n"
          f"{nginx.command} -s stop")


if __name__ == "__main__":
    main()
