# SPDX-License-Identifier: ISC
"""The resolver of playground.resolver on the other roads: TCP, TLS, HTTPS.

`python3 -m playground.roads --tcp ADDR:53 --tls ADDR:853 --https ADDR:443
--certificate PEM --key KEY --script FILE --log FILE`.  --http is the same
without TLS, for a proxy that speaks HTTP/2; --cut is UDP with every answer cut
off (TC), whose TCP is another --tcp on that port.
"""

import argparse
import http.server
import json
import socket
import socketserver
import ssl
import struct
import threading
import time

import dns.flags
import dns.message
import dns.rdatatype

from playground import forge, resolver, util

MEDIA = "application/dns-message"
# what the script of a resolver calls them
ROADS = {"tcp": "tcp", "tls": "tls", "https": "https", "http": "https",
         "cut": "udp"}


def read_exactly(stream, size):
    data = b""
    while len(data) < size:
        piece = stream.recv(size - len(data))
        if not piece:
            return None
        data += piece
    return data


class Serving(socketserver.ThreadingMixIn):
    """What all of them have: whose it is, and how it is bound."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    owner = road = context = None

    def get_request(self):
        connection, client = super().get_request()
        if self.context:
            # the handshake is the handler's, so that it holds up nobody
            connection = self.context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False)
        return connection, client

    def handle_error(self, request, client_address):
        pass  # the client went away, or did not believe us


class StreamServer(Serving, socketserver.TCPServer):
    pass


class WebServer(Serving, http.server.HTTPServer):
    def server_bind(self):  # without the look-up of our own name
        socketserver.TCPServer.server_bind(self)


class CutServer(socketserver.ThreadingMixIn, socketserver.UDPServer):
    daemon_threads = True


class StreamHandler(socketserver.BaseRequestHandler):
    """RFC 7766: question after question, each with its length."""

    def handle(self):
        while True:
            head = read_exactly(self.request, 2)
            if head is None:
                return
            wire = read_exactly(self.request, struct.unpack("!H", head)[0])
            if wire is None:
                return
            for answer in self.server.owner.answers(self.server.road, wire):
                self.request.sendall(struct.pack("!H", len(answer)) + answer)


class WebHandler(http.server.BaseHTTPRequestHandler):
    """RFC 8484: POST of a message, with a message for an answer."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = min(int(self.headers.get("Content-Length", 0)), 65535)
        wire = self.rfile.read(length)
        good = (self.path == "/dns-query"
                and self.headers.get("Content-Type") == MEDIA)
        protocol = self.headers.get("X-Protocol", self.request_version)
        answers = (self.server.owner.answers(self.server.road, wire, protocol)
                   if good else [])
        body = answers[0] if answers else b"no\n"
        self.send_response(200 if answers else 404)
        self.send_header("Content-Type", MEDIA if answers else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp=None):
        ahead = self.server.owner.script.now().get("ahead_s", 0)
        return super().date_time_string(
            (time.time() if timestamp is None else timestamp) + ahead)

    def log_message(self, *_):
        pass


class CutHandler(socketserver.BaseRequestHandler):
    """The header and the question of the answer, and TC."""

    def handle(self):
        wire, connection = self.request
        for answer in self.server.owner.answers(self.server.road, wire):
            message = dns.message.from_wire(answer)
            message.flags |= dns.flags.TC
            message.answer = []
            connection.sendto(message.to_wire(), self.client_address)


class Roads:
    """Serves the script's names; LOG gets a line for each question."""

    def __init__(self, script_file, log=None):
        self.script = util.Script(resolver.DEFAULTS, script_file)
        self.log = log
        self.lock = threading.Lock()

    def answers(self, road, wire, protocol=None):
        asked = forge.question_of(wire)
        if asked is None:
            return []
        entry = {"road": road, "name": asked[0], "protocol": protocol,
                 "type": dns.rdatatype.to_text(asked[1])}
        if self.log:
            with self.lock, open(self.log, "a", encoding="utf-8") as out:
                out.write(json.dumps(entry) + "\n")
        script = resolver.on_road(self.script.now(), ROADS[road])
        answers = resolver.answers(wire, script)
        if answers:
            time.sleep(answers[-1][0])
        return [octets for _, octets in answers]

    def listen(self, road, endpoint, context=None):
        kinds = {"tcp": (StreamServer, StreamHandler),
                 "tls": (StreamServer, StreamHandler),
                 "https": (WebServer, WebHandler),
                 "http": (WebServer, WebHandler),
                 "cut": (CutServer, CutHandler)}
        server_class, handler = kinds[road]

        class Server(server_class):
            address_family = util.family_of(endpoint[0])
        server = Server(endpoint, handler, bind_and_activate=False)
        server.owner, server.road, server.context = self, road, context
        if server.address_family == socket.AF_INET6:
            server.socket.setsockopt(socket.IPPROTO_IPV6,
                                     socket.IPV6_V6ONLY, 1)
        server.server_bind()
        server.server_activate()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_address[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    roads = {"tcp": 53, "tls": 853, "https": 443, "http": 80, "cut": 53}
    for road in roads:
        parser.add_argument(f"--{road}", action="append", default=[],
                            metavar="ADDR[:PORT]")
    parser.add_argument("--certificate", metavar="PEM")
    parser.add_argument("--key", metavar="PEM")
    parser.add_argument("--script", metavar="FILE", required=True,
                        help="JSON, read at each question")
    parser.add_argument("--log", metavar="FILE")
    options = parser.parse_args()
    served = Roads(options.script, options.log)
    context = None
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)
    ports = []
    for road, port in roads.items():
        for text in getattr(options, road):
            ports.append(served.listen(
                road, util.parse_endpoint(text, port),
                context if road in ("tls", "https") else None))
    util.run_until_terminated("ready " + " ".join(map(str, ports)))


if __name__ == "__main__":
    main()
