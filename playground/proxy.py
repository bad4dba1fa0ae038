# SPDX-License-Identifier: ISC
"""An HTTP, HTTPS or SOCKS5 proxy with a table of names, and a memory.

`python3 -m playground.proxy --listen ADDR:PORT --kind http|socks5`; with
--certificate and --key it speaks TLS to its clients.  Each request is a line of
JSON in the log: what was asked for, by whom, and what became of it.
"""

import argparse
import base64
import ipaddress
import json
import socket
import ssl
import struct
import threading
import urllib.parse

from playground import util

TIMEOUT_S = 20
HEAD_MAX = 65536


class Refused(Exception):
    """No way: what to say to the client, and what to write down."""

    def __init__(self, answer, outcome):
        super().__init__(outcome)
        self.answer, self.outcome = answer, outcome


def read_exactly(peer, count):
    data = b""
    while len(data) < count:
        chunk = peer.recv(count - len(data))
        if not chunk:
            raise ConnectionError("the client has gone")
        data += chunk
    return data


def read_head(peer):
    """The octets up to the blank line, and what came behind it."""
    data = b""
    while b"\r\n\r\n" not in data and len(data) < HEAD_MAX:
        chunk = peer.recv(4096)
        if not chunk:
            raise ConnectionError("the client has gone")
        data += chunk
    head, _, rest = data.partition(b"\r\n\r\n")
    return head.decode("latin-1").split("\r\n"), rest


def carry(here, there):
    """Octets both ways until either side has ended."""
    def pump(source, sink):
        try:
            while chunk := source.recv(65536):
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
    back = threading.Thread(target=pump, args=(there, here), daemon=True)
    back.start()
    pump(here, there)
    back.join(TIMEOUT_S)


class Proxy:
    """One listener; `options` are those of the command line."""

    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.names = dict(pair.split("=") for pair in options.name)
        self.context = None
        if options.certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(options.certificate, options.key)

    def log(self, **entry):
        with self.lock, open(self.options.log, "a", encoding="utf-8") as out:
            out.write(json.dumps(entry) + "\n")

    def connect(self, host, port):
        """Only to literal addresses and to the names of the table."""
        try:
            address = str(ipaddress.ip_address(self.names.get(host, host)))
        except ValueError:
            raise Refused(None, "no such name") from None
        return socket.create_connection((address, port), TIMEOUT_S)

    # --- HTTP: RFC 9110, section 9.3.6, and RFC 9112, section 3.2.2

    def serve_http(self, peer):
        lines, rest = read_head(peer)
        method, target, _ = lines[0].split(" ", 2)
        headers = [line.partition(": ") for line in lines[1:]]
        auth = [value for name, _, value in headers
                if name.lower() == "proxy-authorization"]
        entry = {"kind": "http", "method": method, "target": target,
                 "auth": auth[0] if auth else None}
        wanted = self.options.auth and "Basic " + base64.b64encode(
            self.options.auth.encode()).decode()
        if wanted and auth != [wanted]:
            peer.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                         b"Proxy-Authenticate: Basic realm=\"lab\"\r\n"
                         b"Content-Length: 0\r\nConnection: close\r\n\r\n")
            self.log(**entry, outcome="407")
            return
        parts = urllib.parse.urlsplit(
            target if method != "CONNECT" else f"//{target}")
        try:
            there = self.connect(parts.hostname, parts.port or 80)
        except (Refused, OSError) as error:
            peer.sendall(b"HTTP/1.1 502 Bad Gateway\r\n"
                         b"Content-Length: 0\r\nConnection: close\r\n\r\n")
            self.log(**entry, outcome=str(error))
            return
        self.log(**entry, outcome="ok")
        with there:
            if method == "CONNECT":
                peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                there.sendall(rest)
            else:
                path = urllib.parse.urlunsplit(
                    ("", "", parts.path or "/", parts.query, ""))
                kept = [f"{method} {path} HTTP/1.1", "Connection: close"] + [
                    name + between + value for name, between, value in headers
                    if not name.lower().startswith(("proxy-", "connection"))]
                there.sendall("\r\n".join(kept).encode("latin-1")
                              + b"\r\n\r\n" + rest)
            carry(peer, there)

    # --- SOCKS5: RFC 1928, RFC 1929

    def greet_socks(self, peer):
        _, count = read_exactly(peer, 2)
        methods = read_exactly(peer, count)
        method = 2 if self.options.auth else 0
        if method not in methods:
            raise Refused(b"\x05\xff", "no credentials")
        peer.sendall(bytes([5, method]))
        if method == 2:
            _, count = read_exactly(peer, 2)
            user = read_exactly(peer, count)
            password = read_exactly(peer, read_exactly(peer, 1)[0])
            if (user + b":" + password).decode() != self.options.auth:
                raise Refused(b"\x01\x01", "wrong credentials")
            peer.sendall(b"\x01\x00")

    def serve_socks5(self, peer):
        entry = {"kind": "socks5", "target": None}
        try:
            self.greet_socks(peer)
            kind = read_exactly(peer, 4)[3]
            if kind == 3:
                host = read_exactly(peer, read_exactly(peer, 1)[0]).decode()
            else:
                host = str(ipaddress.ip_address(
                    read_exactly(peer, 16 if kind == 4 else 4)))
            port, = struct.unpack("!H", read_exactly(peer, 2))
            entry["target"] = f"{host}:{port}"
            there = self.connect(host, port)
        except (Refused, OSError) as error:
            answer = getattr(error, "answer", None)
            peer.sendall(answer or b"\x05\x04\x00\x01" + bytes(6))
            self.log(**entry, outcome=str(error))
            return
        self.log(**entry, outcome="ok")
        with there:
            peer.sendall(b"\x05\x00\x00\x01" + bytes(6))
            carry(peer, there)

    def serve_one(self, peer):
        peer.settimeout(TIMEOUT_S)
        try:
            if self.context:
                peer = self.context.wrap_socket(peer, server_side=True)
        except OSError:  # the client does not believe us
            peer.close()
            self.log(kind="tls", outcome="no handshake")
            return
        with peer:
            try:
                getattr(self, "serve_" + self.options.kind)(peer)
            except OSError:
                pass  # the client has enough of it


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True, metavar="ADDR:PORT")
    parser.add_argument("--kind", choices=("http", "socks5"), default="http")
    parser.add_argument("--name", action="append", default=[],
                        metavar="HOST=ADDR")
    parser.add_argument("--auth", metavar="USER:PASSWORD")
    parser.add_argument("--certificate", metavar="PEM")
    parser.add_argument("--key", metavar="PEM")
    parser.add_argument("--log", metavar="FILE", default="/dev/null")
    options = parser.parse_args()
    address, port = util.parse_endpoint(options.listen, 1080)
    listener = socket.create_server(
        (address, port), family=util.family_of(address), backlog=64)
    threading.Thread(
        target=accept_for_ever, args=(listener, Proxy(options)),
        daemon=True).start()
    util.run_until_terminated(f"ready {listener.getsockname()[1]}")


def accept_for_ever(listener, proxy):
    while True:
        peer, _ = listener.accept()
        threading.Thread(
            target=proxy.serve_one, args=(peer,), daemon=True).start()


if __name__ == "__main__":
    main()
