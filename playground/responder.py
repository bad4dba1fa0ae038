# SPDX-License-Identifier: ISC
"""A scripted OCSP responder: honest by default, wrong in any way wanted.

HTTP/1.1, GET and POST, several addresses, one thread a connection.  What it
does is a script (see DEFAULTS) that may be switched while it runs, as a dict
or as a JSON file, for all addresses or for one.
"""

import argparse
import base64
import datetime
import gzip
import http.server
import json
import pathlib
import socket
import struct
import threading
import time
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from playground import pki, util

DEFAULTS = {
    "mode": "good",        # one of MODES
    "signer": "delegate",  # or "issuer": signed by the CA itself
    "lifetime_s": 86400,   # nextUpdate - thisUpdate
    "this_update": None,   # seconds since 1970, of answers that were made
                           # beforehand; None: at the moment of the request
    "hang_s": 10,          # mode hang: the wait before the answer
    "ahead_s": 0,          # its clock: what it is ahead of the true time
    "delay_ms": 0,         # the same of every mode but reset
    "drip_ms": 100,        # mode drip: the wait before each octet
    "big_kb": 70,          # modes big, bomb: at least so many KiB
    "redirect": "http://127.0.0.1:1/",
    "addresses": {},       # address: what differs there
}

# How the answer is made ...
ANSWERS = ("good", "revoked", "unknown", "expired", "foreign", "wrongsigner",
           "badsig", "big", "trailing", "tryLater", "unauthorized",
           "internalError", "html", "http500", "garbage", "empty", "redirect")
# ... and, of a good one, how it is delivered.
DELIVERIES = ("hang", "drip", "post-only", "get-only", "chunked", "eof",
              "gzip", "bomb", "reset", "short")
MODES = ANSWERS + DELIVERIES

HTML = (b"<!DOCTYPE html>\n<html><head><title>Welcome</title></head>"
        b"<body><h1>Please log in to use this network</h1></body></html>\n")
FAILURES = {
    "tryLater": ocsp.OCSPResponseStatus.TRY_LATER,
    "unauthorized": ocsp.OCSPResponseStatus.UNAUTHORIZED,
    "internalError": ocsp.OCSPResponseStatus.INTERNAL_ERROR,
    "malformedRequest": ocsp.OCSPResponseStatus.MALFORMED_REQUEST,
}


def failure(name):
    """An answer without a signature, which anybody can make."""
    response = ocsp.OCSPResponseBuilder.build_unsuccessful(FAILURES[name])
    return response.public_bytes(serialization.Encoding.DER)


def key_hash(certificate, algorithm):
    key, forms = certificate.public_key(), serialization.PublicFormat
    if isinstance(key, rsa.RSAPublicKey):
        bits = key.public_bytes(serialization.Encoding.DER, forms.PKCS1)
    else:
        bits = key.public_bytes(serialization.Encoding.X962,
                                forms.UncompressedPoint)
    digest = hashes.Hash(algorithm)
    digest.update(bits)
    return digest.finalize()


class Signer:
    """Makes the DER of responses of one CA."""

    def __init__(self, authority):
        self.authority = authority
        # another CA of the same name, and another certificate of this CA
        self.impostor = None
        self.other = None
        self.lock = threading.Lock()

    def answer(self, request_der, script):
        """The DER that the script's mode wants for REQUEST_DER."""
        mode = script["mode"]
        if mode in FAILURES:
            return failure(mode)
        try:
            request = ocsp.load_der_ocsp_request(request_der)
        except (ValueError, NotImplementedError):
            return failure("malformedRequest")
        ca = self.authority.certificate
        certificate = self.authority.find(request.serial_number)
        if certificate is None or (request.issuer_key_hash !=
                                   key_hash(ca, request.hash_algorithm)):
            return failure("unauthorized")
        if mode == "foreign":
            certificate = self.other_certificate()
        der = self.sign(certificate, request.hash_algorithm, script)
        if mode == "trailing":
            der += b"\0"
        if mode == "badsig":
            signature = ocsp.load_der_ocsp_response(der).signature
            end = der.index(signature) + len(signature) - 1
            der = der[:end] + bytes([der[end] ^ 1]) + der[end + 1:]
        return der

    def sign(self, certificate, algorithm, script):
        mode = script["mode"]
        lifetime = datetime.timedelta(seconds=script["lifetime_s"])
        now = pki.utc_now() + datetime.timedelta(seconds=script["ahead_s"])
        this_update = now
        if script["this_update"]:
            this_update = datetime.datetime.utcfromtimestamp(
                int(script["this_update"]))
        if mode == "expired":
            this_update = now - lifetime
            this_update -= datetime.timedelta(hours=1)
        next_update = this_update + lifetime
        status, revoked_at, why = ocsp.OCSPCertStatus.GOOD, None, None
        if mode == "revoked":
            status = ocsp.OCSPCertStatus.REVOKED
            revoked_at = this_update - datetime.timedelta(hours=1)
            why = x509.ReasonFlags.key_compromise
        elif mode == "unknown":
            status = ocsp.OCSPCertStatus.UNKNOWN
        builder = ocsp.OCSPResponseBuilder().add_response(
            certificate, self.authority.certificate, algorithm, status,
            this_update, next_update, revoked_at, why)
        ca = self.authority if mode != "wrongsigner" else self.rogue()
        if script["signer"] == "issuer":
            signer, key = ca.certificate, ca.key
        else:
            signer, key = ca.signer, ca.signer_key
            copies = 1
            if mode == "big":
                size = len(signer.public_bytes(serialization.Encoding.DER))
                copies = script["big_kb"] * 1024 // size + 1
            builder = builder.certificates([signer] * copies)
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer)
        response = builder.sign(key, hashes.SHA256())
        return response.public_bytes(serialization.Encoding.DER)

    def rogue(self):
        """Another CA that bears this one's name."""
        with self.lock:
            folder = self.authority.folder / "impostor"
            if self.impostor is None and folder.exists():
                self.impostor = pki.Authority(folder)
            elif self.impostor is None:
                subject = self.authority.certificate.subject
                name = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
                self.impostor = pki.Authority.create(
                    folder, name[0].value, False)
            return self.impostor

    def other_certificate(self):
        with self.lock:
            if self.other is None:
                self.other = self.authority.issue(["other.test"]).certificate
            return self.other


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "playground"
    timeout = 60

    def do_GET(self):
        text = urllib.parse.unquote(self.path.rstrip("/").rsplit("/", 1)[-1])
        try:
            request = base64.b64decode(text, validate=True)
        except ValueError:
            request = b""
        self.respond(request)

    def do_POST(self):
        length = min(int(self.headers.get("Content-Length", 0)), 65536)
        self.respond(self.rfile.read(length))

    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        ahead = self.server.owner.script.now()["ahead_s"]
        return super().date_time_string((timestamp or time.time()) + ahead)

    def respond(self, request):
        owner = self.server.owner
        script = owner.script.now()
        script.update(script["addresses"].get(self.server.name, {}))
        mode = script["mode"]
        owner.note(self, mode)
        if mode == "reset":
            return self.reset()
        if mode == "hang" and owner.stopped.wait(script["hang_s"]):
            return None
        if script["delay_ms"]:
            owner.stopped.wait(script["delay_ms"] / 1000)
        if (mode, self.command) in (("post-only", "GET"),
                                    ("get-only", "POST")):
            return self.send(405, b"", "text/plain")
        if mode == "http500":
            return self.send(500, b"out of order\n", "text/plain")
        if mode == "redirect":
            return self.send(302, b"", "text/plain",
                             {"Location": script["redirect"]})
        if mode == "html":
            return self.send(200, HTML, "text/html")
        if mode in ("garbage", "empty"):
            return self.send(200, bytes(range(256)) if mode == "garbage"
                             else b"")
        der = owner.signer.answer(request, script)
        age = time.time() - (script["this_update"] or time.time())
        headers = {"Cache-Control": "max-age=%d, public, no-transform, "
                   "must-revalidate" % max(0, script["lifetime_s"] // 2 - age)}
        if mode == "drip":
            return self.drip(der, script["drip_ms"] / 1000)
        if mode == "chunked":
            return self.send_chunked(der, headers)
        if mode == "eof":
            return self.send_until_end(der, headers)
        if mode == "short":  # promises more than comes
            headers["Content-Length"] = len(der) + 1000
            self.close_connection = True
        if mode == "bomb":  # small on the wire
            der += bytes(script["big_kb"] * 1024)
        if mode in ("gzip", "bomb"):
            der = gzip.compress(der)
            headers["Content-Encoding"] = "gzip"
        return self.send(200, der, headers=headers)

    def head(self, status, kind, headers):
        """The head as bytes: sent together with the body, since two small
        writes would cost 40 ms (Nagle against delayed ACK)."""
        lines = [f"HTTP/1.1 {status} {self.responses[status][0]}",
                 f"Date: {self.date_time_string()}",
                 f"Content-Type: {kind}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def send(self, status, body, kind="application/ocsp-response",
             headers=None):
        headers = {"Content-Length": len(body), **(headers or {})}
        self.wfile.write(self.head(status, kind, headers) + body)

    def send_chunked(self, body, headers):
        headers = {"Transfer-Encoding": "chunked", **headers}
        data = self.head(200, "application/ocsp-response", headers)
        for start in range(0, len(body), 100):
            piece = body[start:start + 100]
            data += b"%x\r\n%b\r\n" % (len(piece), piece)
        self.wfile.write(data + b"0\r\n\r\n")

    def send_until_end(self, body, headers):
        """No length: the end of the connection is the end of the body."""
        head = self.head(200, "application/ocsp-response", headers)
        self.wfile.write(head.replace(b"HTTP/1.1", b"HTTP/1.0", 1) + body)
        self.close_connection = True

    def drip(self, body, pause):
        head = self.head(200, "application/ocsp-response",
                         {"Content-Length": len(body)})
        self.wfile.write(head)
        for octet in body:
            if self.server.owner.stopped.wait(pause):
                return
            self.wfile.write(bytes([octet]))

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def handle(self):
        try:
            super().handle()
        except (OSError, ValueError):  # the client went away
            self.close_connection = True

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):
            pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, owner, address, port):
        self.owner, self.name = owner, address
        self.address_family = util.family_of(address)
        super().__init__((address, port), Handler)

    def server_bind(self):  # without the look-up of our own name
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request, client_address):
        pass


class Responder:
    """The responder of AUTHORITY on LISTEN, a list of (address, port).

    LOG, a file, gets one JSON document for each request.
    """

    def __init__(self, authority, listen=(("127.0.0.1", 0),), script=None,
                 script_file=None, log=None):
        self.signer = Signer(authority)
        self.script = util.Script({**DEFAULTS, **(script or {})}, script_file)
        self.log = pathlib.Path(log) if log else None
        self.requests = []
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.servers = [Server(self, *endpoint) for endpoint in listen]
        self.threads = []

    @property
    def port(self):
        return self.servers[0].server_address[1]

    def note(self, handler, mode):
        entry = {"at": time.time(), "address": handler.server.name,
                 "method": handler.command, "path": handler.path,
                 "version": handler.request_version,
                 "mode": mode, "headers": dict(handler.headers)}
        with self.lock:
            self.requests.append(entry)
            if self.log:
                with open(self.log, "a", encoding="utf-8") as out:
                    out.write(json.dumps(entry) + "\n")

    def start(self):
        for server in self.servers:
            thread = threading.Thread(target=server.serve_forever,
                                      args=(0.05,), daemon=True)
            thread.start()
            self.threads.append(thread)
        return self

    def stop(self):
        """From now on connections are refused."""
        self.stopped.set()
        for server in self.servers:
            if self.threads:
                server.shutdown()
            server.server_close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="of a CA made by playground.pki")
    parser.add_argument("--listen", action="append", metavar="ADDR[:PORT]")
    parser.add_argument("--mode", choices=MODES, default="good")
    parser.add_argument("--script", metavar="FILE",
                        help="JSON, read at each request")
    parser.add_argument("--log", metavar="FILE")
    options = parser.parse_args()
    listen = [util.parse_endpoint(text, 80)
              for text in options.listen or ["127.0.0.1:0"]]
    responder = Responder(pki.Authority(options.folder), listen,
                          {"mode": options.mode}, options.script, options.log)
    responder.start()
    util.run_until_terminated(f"ready {responder.port}")
    responder.stop()


if __name__ == "__main__":
    main()
