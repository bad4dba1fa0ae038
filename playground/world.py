# SPDX-License-Identifier: ISC
"""The lab as a piece of the Internet: public-looking addresses, resolvers on
every road, an unrelated web host, and a router that can be told to drop,
redirect or delay.

    ENCRYPTED  two resolvers over TLS, the second one over HTTPS too
    WEB        the control: a host that has nothing to do with OCSP
    MIRROR     a responder inside the client's own network

Everything here is undone by reset().
"""

from cryptography import x509

from playground import pki, util
from playground.lab import PUBLIC, ROUTER, WORLD, Lab, Result

FAR = PUBLIC.far4
RECURSOR, SECOND = PUBLIC.recursor, PUBLIC.second
ENCRYPTED = (f"{FAR}.101", f"{FAR}.102")
ENCRYPTED_NAMES = ("one.dns.test", "two.dns.test")
RESOLVERS = (RECURSOR, SECOND, *ENCRYPTED)
WEB, WEB6 = f"{FAR}.100", f"{PUBLIC.far6}:100"
MIRROR = "10.77.1.80"
CONTROL = "www.control.test"
CONTROL_NAMES = {CONTROL: {"a": [WEB]}}
HONEST = {**PUBLIC.names, **CONTROL_NAMES}
PROXY, IMPOSTOR = f"{FAR}.70", f"{FAR}.103"
PORTS = (53, 80, 443, 853)
STEERED = 100  # the routing table that leads to the middlebox
DELAYED = 200  # and to the hop


def tls_resolver(index):
    return f"tls://{ENCRYPTED[index]}#{ENCRYPTED_NAMES[index]}"


class World(Lab):
    """One network; scenarios change it, reset() makes it honest again."""

    def __init__(self, folder, program=None):
        self.undo, self.extra = [], []
        super().__init__(folder, program, PUBLIC)

    def build(self):
        super().build()
        for address in (*ENCRYPTED, WEB, PROXY, IMPOSTOR):
            self.must(WORLD, f"ip address add {address}/24 dev eth0")
        self.must(WORLD, f"ip address add {WEB6}/64 dev eth0 nodad")
        self.must(ROUTER, f"""
            ip address add {MIRROR}/24 dev inner
            ip route add local default dev lo table {STEERED}
            ip -6 route add local default dev lo table {STEERED}""")

    def serve(self):
        super().serve()
        serve = self.spaces.serve
        for address in (RECURSOR, SECOND):
            serve(WORLD, "playground.roads", "--tcp", f"{address}:53",
                  "--script", self.file(address),
                  "--log", self.file(f"{address}.log"))
        for index in range(len(ENCRYPTED)):
            self.serve_encrypted(index)
        page = self.resolver_leaf(CONTROL)
        serve(WORLD, "playground.web", WEB, WEB6,
              "--script", self.file("web"), "--certificate", page.path,
              "--key", page.key_path)
        words = [word for port in PORTS for word in ("--port", port)]
        serve(ROUTER, "playground.middlebox", *words,
              "--script", self.file("middlebox"))

    def serve_encrypted(self, index):
        address = ENCRYPTED[index]
        leaf = self.resolver_leaf(ENCRYPTED_NAMES[index])
        self.spaces.serve(
            WORLD, "playground.roads", "--tls", f"{address}:853",
            "--https", f"{address}:443", "--certificate", leaf.path,
            "--key", leaf.key_path, "--script", self.file(address),
            "--log", self.file(f"{address}.log"))

    def resolver_leaf(self, name, authority=None):
        """AUTHORITY's certificate for a resolver NAME."""
        ca, key = authority or self.authority, pki.new_key()
        certificate = pki.sign(
            pki.name_of(name), key, ca.certificate.subject, ca.key,
            [(x509.BasicConstraints(False, None), True),
             (x509.SubjectAlternativeName([x509.DNSName(name)]), False)])
        leaf = pki.Leaf(certificate, key, [ca.certificate])
        return leaf.write(self.folder / "resolvers", name)

    # --- scripts

    def reset(self):
        super().reset()
        for process in getattr(self, "extra", []):
            process.terminate()
            process.wait()
        self.extra = []
        while self.undo:
            self.must(*self.undo.pop())
        for address in RESOLVERS:
            self.resolver(address)
        util.write_json(self.file("web"), {})
        self.box()

    def resolver(self, address, names=None, **more):
        super().resolver(address, names or HONEST, **more)

    def everywhere(self, names=None, addresses=RESOLVERS, **more):
        """The same script for all resolvers of ADDRESSES."""
        for address in addresses:
            self.resolver(address, names, **more)

    def box(self, tcp=None, dns=None):
        """What the middlebox does with what is steered to it."""
        util.write_json(self.file("middlebox"), {
            "tcp": {str(port): rule for port, rule in (tcp or {}).items()},
            "dns": {"names": HONEST, **(dns or {})}})

    def ahead(self, seconds):
        """The clocks of all others, compared with this machine's."""
        util.write_json(self.file("web"), {"ahead_s": seconds})
        self.respond(ahead_s=seconds)

    def doctor(self, files, target, *words):
        """`oclasp doctor` where the client has FILES, as of Lab.dress()."""
        return Result(self.run(*self.dress(files), self.program, "doctor",
                               target, *words, timeout=90))

    # --- the router

    def must(self, space, script):
        self.spaces.must(space, "sh", "-ec", script)

    def rule(self, words, family=4):
        """A routing rule for what the client sends, until reset()."""
        base = f"ip -{family} rule"
        self.must(ROUTER, f"{base} add {words}")
        self.undo.append((ROUTER, f"{base} del {words}"))

    def drop(self, words, family=4):
        self.rule(f"iif inner {words} blackhole", family)

    def steer(self, words, family=4):
        """To the middlebox."""
        self.rule(f"iif inner {words} lookup {STEERED}", family)

    def route(self, space, words, family=4):
        base = f"ip -{family} route"
        self.must(space, f"{base} add {words}")
        self.undo.append((space, f"{base} del {words}"))

    def hop(self, address, *words):
        """The way to ADDRESS and back is over playground.hop WORDS."""
        self.extra.append(self.spaces.serve(ROUTER, "playground.hop", "far",
                                            *words))
        self.must(ROUTER, "ip link set far up; "
                  f"ip route add default dev far table {DELAYED}")
        self.rule(f"iif inner to {address} lookup {DELAYED}")
        self.rule(f"iif outer from {address} lookup {DELAYED}")

    def start(self, space, module, *words):
        """A block more, until reset()."""
        self.extra.append(self.spaces.serve(space, module, *words))

    def mirror(self):
        """A responder inside the client's network: the middlebox has all of
        the router's addresses, and passes this one's on."""
        self.box({80: {"do": "pass", "to": self.plan.responders[0]}})

    def impostor(self, index):
        """Somebody else answers for the encrypted resolver INDEX."""
        folder = self.folder / "other-ca"
        other = (pki.Authority(folder) if folder.exists()
                 else pki.Authority.create(folder, "Another CA"))
        leaf = self.resolver_leaf(ENCRYPTED_NAMES[index], other)
        self.start(WORLD, "playground.roads", "--tls", f"{IMPOSTOR}:853",
                   "--certificate", leaf.path, "--key", leaf.key_path,
                   "--script", self.file(ENCRYPTED[index]))
        self.steer(f"to {ENCRYPTED[index]} ipproto tcp dport 853")
        self.box({853: {"do": "pass", "to": IMPOSTOR}})
