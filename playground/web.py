# SPDX-License-Identifier: ISC
"""A web server that knows no page: the control beside the responder.

`python3 -m playground.web ADDRESS... --script FILE`, and over TLS too with
`--certificate PEM --key KEY`.
"""

import argparse
import http.server
import ssl
import threading
import time

from playground import roads, util

DEFAULTS = {
    "ahead_s": 0,  # of its clock: what its Date is ahead of the true time
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "web", ""

    def do_GET(self):
        self.send_response(404)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def date_time_string(self, timestamp=None):
        ahead = self.server.script.now()["ahead_s"]
        return super().date_time_string((timestamp or time.time()) + ahead)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", nargs="+")
    parser.add_argument("--script", required=True, metavar="FILE")
    parser.add_argument("--certificate", metavar="PEM")
    parser.add_argument("--key", metavar="PEM")
    options = parser.parse_args()
    contexts = {80: None}
    if options.certificate:
        contexts[443] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexts[443].load_cert_chain(options.certificate, options.key)
    for address in options.address:
        class Server(roads.WebServer):
            address_family = util.family_of(address)
            script = util.Script(DEFAULTS, options.script)
        for port, context in contexts.items():
            server = Server((address, port), Handler)
            server.context = context
            threading.Thread(target=server.serve_forever, daemon=True).start()
    util.run_until_terminated("ready")


if __name__ == "__main__":
    main()
