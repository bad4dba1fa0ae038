# SPDX-License-Identifier: ISC
"""A web server that knows no page: the control beside the responder.

`python3 -m playground.web ADDRESS... --script FILE`.
"""

import argparse
import http.server
import threading
import time

from playground import util

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
    options = parser.parse_args()
    for address in options.address:
        class Server(http.server.ThreadingHTTPServer):
            address_family = util.family_of(address)
            script = util.Script(DEFAULTS, options.script)
            daemon_threads = True
        server = Server((address, 80), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    util.run_until_terminated("ready")


if __name__ == "__main__":
    main()
