# SPDX-License-Identifier: ISC
"""A real ACME server, Pebble, whose certificates have a responder of ours.

Pebble tells its issuing key and what it has issued at its management
interface, so the playground's responder can be its CA's.
"""

import argparse
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from playground import pki, responder, util

# Not the network's business here; every nonce is good.
ENVIRONMENT = {"PEBBLE_VA_ALWAYS_VALID": "1", "PEBBLE_VA_NOSLEEP": "1",
               "PEBBLE_WFE_NONCEREJECT": "0"}


def available():
    return shutil.which("pebble") is not None


def ask(url):
    """The body at URL of Pebble's management interface, which shows a
    certificate of nobody we know; None for 404."""
    context = ssl._create_unverified_context()
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(url, timeout=10) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise


class Authority(pki.Authority):
    """Pebble's issuing CA."""

    def __init__(self, folder, management):
        super().__init__(folder)
        self.management = management

    def find(self, serial):
        body = ask(f"{self.management}/cert-status-by-serial/{serial:x}")
        if body is None:
            return super().find(serial)
        pem = json.loads(body)["Certificate"].encode()
        return x509.load_pem_x509_certificate(pem)


def adopt(folder, management):
    """Make FOLDER the one of Pebble's CA, with a delegate of ours."""
    folder = pathlib.Path(folder)
    (folder / "issued").mkdir(parents=True, exist_ok=True)
    (folder / "root.pem").write_bytes(ask(f"{management}/roots/0"))
    (folder / "ca.pem").write_bytes(ask(f"{management}/intermediates/0"))
    key = serialization.load_pem_private_key(
        ask(f"{management}/intermediate-keys/0"), None)
    pki.write_key(folder / "ca.key", key)
    issuer = pki.load_certificate(folder / "ca.pem")
    signer_key = pki.new_key()
    signer = pki.sign(
        pki.name_of("Pebble OCSP signer"), signer_key, issuer.subject, key, [
            (x509.BasicConstraints(False, None), True),
            (pki.usage(digital_signature=True), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False),
            (x509.OCSPNoCheck(), False)])
    (folder / "signer.pem").write_bytes(pki.pem_of(signer))
    pki.write_key(folder / "signer.key", signer_key)
    return Authority(folder, management)


class Pebble:
    """Pebble at ADDRESS of a lab's namespace, with its responder at
    http://ADDRESS:PORT/."""

    PORT = 8080

    def __init__(self, lab, namespace, address, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.directory = f"https://{address}:14000/dir"
        self.url = f"http://{address}:{self.PORT}/"
        self.trust = lab.authority.root_path  # of its own interfaces
        management = f"https://{address}:15000"
        own = lab.authority.issue([address]).write(self.folder, "pebble")
        config = self.folder / "pebble.json"
        util.write_json(config, {"pebble": {
            "listenAddress": f"{address}:14000",
            "managementListenAddress": f"{address}:15000",
            "certificate": str(own.path), "privateKey": str(own.key_path),
            "httpPort": 80, "tlsPort": 443, "ocspResponderURL": self.url,
            "externalAccountBindingRequired": False}})
        words = lab.spaces.inside(namespace)
        self.log = open(self.folder / "pebble.log", "wb")
        self.process = subprocess.Popen(
            words + ["pebble", "-config", str(config)], stdout=self.log,
            stderr=self.log, env={**os.environ, **ENVIRONMENT})
        self.script = self.folder / "script"
        self.respond()
        # the responder's process is in the namespace, this one is not
        self.responder = lab.spaces.serve(
            namespace, "playground.acme", self.folder / "ca", management,
            f"{address}:{self.PORT}", self.script)
        self.authority = pki.Authority(self.folder / "ca")

    def respond(self, mode="good", **script):
        util.write_json(self.script, {"mode": mode, **script})

    def close(self):
        for process in (self.responder, self.process):
            if process.poll() is None:
                process.terminate()
            process.wait()
        self.log.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("management")
    parser.add_argument("listen")
    parser.add_argument("script")
    options = parser.parse_args()

    def alive():
        try:
            return ask(f"{options.management}/roots/0")
        except OSError:
            return None
    util.wait_for("Pebble", alive, 30)
    server = responder.Responder(
        adopt(options.folder, options.management),
        [util.parse_endpoint(options.listen, Pebble.PORT)], {},
        options.script)
    server.start()
    util.run_until_terminated("ready")
    server.stop()


if __name__ == "__main__":
    main()
