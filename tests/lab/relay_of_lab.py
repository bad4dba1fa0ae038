# SPDX-License-Identifier: ISC
"""A keeper that answers others, and servers that take it for a responder."""

import os
import re
import signal
import subprocess

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from playground import util
from playground.lab import CLIENT

STATUS = {1: "malformedRequest", 3: "tryLater", 6: "unauthorized"}


class Relay:
    """`oclasp keep` of LEAVES that listens where the system likes."""

    def __init__(self, lab, folder, leaves, *words, listen=("127.0.0.1:0",)):
        self.lab, self.folder = lab, folder
        self.state = folder / "state"
        self.words = [leaf.path for leaf in leaves] + [
            "--state-dir", self.state, *words]
        for address in listen:
            self.words += ["--listen", address]
        self.logs = 0
        self.start()

    def start(self, fetched=False):
        self.logs += 1
        self.keep = self.lab.keep(self.folder / f"relay{self.logs}.log",
                                  *self.words)
        self.find_addresses(1)
        self.url = f"http://{self.addresses[0]}/"
        if fetched:
            self.keep.wait_line("a good response from")
        return self

    def find_addresses(self, count):
        """Once it listens at COUNT addresses."""
        lines = self.keep.wait_line(r"listening at \S+:\d+: ", count=count)
        self.addresses = re.findall(r"listening at (\S+:\d+): ",
                                    "\n".join(lines))

    def fetched(self):
        """Once a response was had."""
        self.keep.wait_line("a good response from")
        return self

    def curl(self, *words):
        """curl in the client's namespace: its output as bytes."""
        return self.lab.run("curl", "-sS", "--max-time", "20", *words,
                            text=False)

    def post(self, der, *words, url=None):
        """(HTTP status, body) of a POST."""
        path = self.folder / "request.der"
        path.write_bytes(der)
        return self.answer(
            "--data-binary", f"@{path}", "-H",
            "Content-Type: application/ocsp-request", *words,
            url or self.url)

    def answer(self, *words):
        """(HTTP status, body) of whatever curl is told to ask."""
        result = self.curl("-w", "\n%{http_code}", *words)
        assert result.returncode == 0, result
        body, _, code = result.stdout.rpartition(b"\n")
        return int(code), body

    def metrics(self):
        """{result: count} of the questions that it has answered."""
        _, page = self.answer(f"http://{self.addresses[0]}/metrics")
        return {name: int(count) for name, count in re.findall(
            r'oclasp_relay_requests_total\{result="([^"]+)"\} (\d+)',
            page.decode())}


def request_for(leaf, issuer, algorithm=None, nonce=None):
    """The DER of a request for LEAF."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        leaf.certificate, issuer, algorithm or hashes.SHA1())
    if nonce:
        builder = builder.add_extension(nonce, False)
    return builder.build().public_bytes(serialization.Encoding.DER)


def error_of(body):
    """The name of the OCSP error that BODY is, or None."""
    if len(body) == 5 and body[:4] == b"\x30\x03\x0a\x01":
        return STATUS[body[4]]
    return None


APACHE = """\
ServerRoot {folder}
ServerName localhost
PidFile apache.pid
Mutex file:{folder}
ErrorLog error.log
LogLevel warn ssl:info
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule socache_shmcb_module {modules}/mod_socache_shmcb.so
LoadModule ssl_module {modules}/mod_ssl.so
User nobody
Group nogroup
Listen 127.0.0.1:{port}
SSLStaplingCache shmcb:{folder}/stapling(65536)
SSLUseStapling on
SSLStaplingForceURL {url}
SSLStaplingReturnResponderErrors off
SSLStaplingFakeTryLater off
<VirtualHost 127.0.0.1:{port}>
    SSLEngine on
    SSLCertificateFile {leaf.path}
    SSLCertificateKeyFile {leaf.key_path}
</VirtualHost>
"""
APACHE_MODULES = "/usr/lib/apache2/modules"


class Apache:
    """Apache's mod_ssl with one certificate, stapling by the responder URL."""

    def __init__(self, lab, folder, leaf, url):
        folder.mkdir()
        os.chmod(folder, 0o777)
        self.port = util.free_port("127.0.0.1")
        conf = folder / "apache.conf"
        conf.write_text(APACHE.format(
            folder=folder, modules=APACHE_MODULES, port=self.port, leaf=leaf,
            url=url), encoding="utf-8")
        self.log = folder / "error.log"
        self.process = lab.spaces.popen(
            CLIENT, "/usr/sbin/apache2", "-f", conf, "-DFOREGROUND",
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            start_new_session=True)

    def said(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(10)
        self.process.stderr.close()
