# SPDX-License-Identifier: ISC
"""Questions to a running keep at its control socket, and what it must say."""

import http.client
import json
import os
import socket


class Control:
    """The control socket of a state folder."""

    def __init__(self, state):
        self.path = os.path.join(state, "control.sock")

    def ask(self, target, method="GET"):
        """(status, headers, text) of one question."""
        link = http.client.HTTPConnection("localhost", timeout=60)
        link.sock = socket.socket(socket.AF_UNIX)
        link.sock.settimeout(60)
        # a path of any length
        folder = os.open(os.path.dirname(self.path), os.O_PATH)
        try:
            link.sock.connect(f"/proc/self/fd/{folder}/control.sock")
        finally:
            os.close(folder)
        link.request(method, target)
        answer = link.getresponse()
        text = answer.read().decode()
        link.close()
        return answer.status, answer.headers, text

    def is_up(self):
        """True once somebody listens: the file is there a moment before."""
        try:
            return self.ask("/healthz")[0] == 200
        except (FileNotFoundError, ConnectionRefusedError):
            return False

    def json(self, target, method="GET"):
        status, _, text = self.ask(target, method)
        return status, json.loads(text)

    def metrics(self):
        """{sample with its labels: value}."""
        status, headers, text = self.ask("/metrics")
        assert status == 200
        assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return text, {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
                      for line in text.splitlines() if line[0] != "#"}
