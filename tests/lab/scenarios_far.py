# SPDX-License-Identifier: ISC
"""More scenarios of NETWORK-TRUTH 4.2: from the encrypted resolver that is
somebody else to the network that works two times of three, some that stand
beside the table, and networks with two faults at once."""

from playground.lab import EDGE, HOST, MIDDLE, PUBLIC, URL, WORLD
from playground.world import (CONTROL, FAR, HONEST, MIRROR, PROXY, RECURSOR,
                              RESOLVERS)
from scenarios import (ALL, FORGED, Scenario, censored, cut_by_name, edge,
                       injected, last_link, lie, nothing, poisoned,
                       without_ipv6)

RIGHT = PUBLIC.responders[0]
REFUSING = PUBLIC.refusing
DAYS = 86400
HANDLE = "198.18.0.9"  # of a fake-IP proxy (RFC 2544)
BILLBOARD = f"{FAR}.99"  # where names lead that do not exist; nobody is there
SYNTHESISED = "64:ff9b::cb00:7150"  # RIGHT in the prefix of RFC 6052
OWN_PREFIX = "2001:db8:64::/48"  # a network's own, laid out by RFC 6052
OWN = "2001:db8:64:cb00:71:5000::"  # RIGHT
OWN_WELL_KNOWN = ["2001:db8:64:c000:0:aa00::", "2001:db8:64:c000:0:ab00::"]
LOGIN = "<html><title>Welcome</title>Please log in</html>"
STAPLING = ("ssl_stapling on;", f"resolver {RECURSOR} ipv6=off;")
DEAD_URL = "http://old.lab.test/"


def web_through(world, rule, to=RIGHT):
    """What goes to port 80 of TO comes by the middlebox, which does RULE."""
    world.steer(f"to {to} ipproto tcp dport 80")
    world.box({80: rule})


def all_web_through(world, rule):
    world.steer("ipproto tcp dport 80")
    world.box({80: rule})


def fake_ip(world, rule):
    """Every name has one handle, and RULE is done to what goes there."""
    world.everywhere(addresses=RESOLVERS[:2], any=HANDLE)
    web_through(world, rule, HANDLE)


def dns64(world, prefix="64:ff9b::/96", made=SYNTHESISED, well_known=()):
    world.everywhere(addresses=RESOLVERS[:2], names={
        **HONEST, EDGE: {"a": [RIGHT], "aaaa": [made]},
        "ipv4only.arpa": {"a": ["192.0.0.170", "192.0.0.171"],
                          "aaaa": list(well_known)}})
    world.steer(f"to {prefix}", 6)
    world.box({80: {"do": "pass", "to": RIGHT}})


def reset_at_once(world):
    """The forged RST is there long before the host's own answer could be."""
    world.hop(RIGHT, "--delay-ms", 40)
    world.censor(reset=[RIGHT])


def only_a_proxy(world):
    world.drop("ipproto tcp dport 80")
    world.drop("ipproto tcp dport 443")
    world.start(WORLD, "playground.proxy", "--listen", f"{PROXY}:3128",
                "--name", f"{HOST}={RIGHT}")


def tarpit(world):
    censored(world, {name: {"a": FORGED, "aaaa": PUBLIC.tarpit6}
                     for name in ALL}, *ALL)


def every_third_time(world):
    web_through(world, {"do": "reset", "every": 3})


FAR_SCENARIOS = [
    Scenario("25", "somebody else answers as the encrypted resolver",
             "enc-dns-mitm", "23", "what goes to port 853 of one encrypted "
             "resolver ends at another host, with another CA's certificate",
             lambda w: w.impostor(0)),
    Scenario("26", "a policy names an address of this machine",
             "dns-resolver-policy", "27", "the system's resolver says "
             "127.0.0.1, by UDP and by TCP",
             lambda w: w.resolver(RECURSOR, edge("127.0.0.1"))),
    Scenario("27", "split horizon, and its mirror works", "ok-override",
             "26", "the system's resolver names a responder inside the "
             "client's network",
             lambda w: (w.mirror(), w.resolver(RECURSOR, edge(MIRROR)))),
    Scenario("28", "a fake-IP proxy that works", "local-fakeip", "26",
             "both plain resolvers say one handle of 198.18.0.0/15 for every "
             "name, and the way there leads to the responder",
             lambda w: fake_ip(w, {"do": "pass", "to": RIGHT})),
    Scenario("28, broken", "a fake-IP proxy that drops the name",
             "local-fakeip", "26", "the same, and the way there is reset",
             lambda w: fake_ip(w, {"do": "reset"})),
    Scenario("29", "names that do not exist lead to a billboard",
             "dns-nx-rewrite", "9", "the plain resolvers have an address "
             "for what does not exist",
             lambda w: w.everywhere(addresses=RESOLVERS[:2], nx=BILLBOARD)),
    Scenario("30", "a network with DNS64", "ok-dns64", "26",
             "the plain resolvers synthesise 64:ff9b::/96, and a NAT64 "
             "leads to the responder", dns64),
    Scenario("30, own", "a network with DNS64 and a prefix of its own",
             "ok-dns64", "2", f"the same with {OWN_PREFIX}, which only "
             "ipv4only.arpa tells", lambda w: dns64(
                 w, OWN_PREFIX, OWN, OWN_WELL_KNOWN)),
    Scenario("31", "a pin of the hosts file that died", "local-pin-stale",
             "5", "the hosts file names a host that refuses", lambda w: None,
             hosts=f"{REFUSING} {HOST}\n"),
    Scenario("34", "nginx staples from the second handshake on",
             "server-lazy", "34, none", "an nginx with ssl_stapling and a "
             "resolver, whose first handshake finds nothing to staple",
             lambda w: None, served=STAPLING),
    Scenario("34, none", "nginx staples nothing", "server-no-staple", "34",
             "an nginx without ssl_stapling", lambda w: None, served=()),
    Scenario("35", "the right address is black-holed", "net-blackhole", "3",
             "all resolvers are honest; the router drops what goes to the "
             "address", lambda w: w.drop(f"to {RIGHT}")),
    Scenario("36", "a forged RST for each connection", "net-tcp-rst", "41",
             "the responder is 80 ms away, and a RST for port 80 of it comes "
             "at once", reset_at_once),
    Scenario("37", "HTTP is reset for the Host name", "http-reset-keyword",
             "36", "the middlebox resets connections whose first octets "
             "contain the name",
             lambda w: web_through(w, {"do": "reset", "needle": HOST})),
    Scenario("37, split", "HTTP is reset for the Host name and for others",
             "http-reset-keyword", "41", "the middlebox resets connections "
             "whose first segment contains the name or the control's: only "
             "the request in two segments passes",
             lambda w: web_through(w, {"do": "reset",
                                       "needle": [HOST, CONTROL]})),
    Scenario("38", "a captive portal", "captive-portal", "39",
             "every web host answers 302 to a page of the portal",
             lambda w: all_web_through(w, {
                 "do": "page", "status": 302, "body": LOGIN, "headers": {
                     "Location": "http://portal.lab.test/",
                     "Content-Type": "text/html"}})),
    Scenario("38, 200", "a captive portal that answers 200",
             "captive-portal", "39", "every web host answers with the page "
             "of the portal", lambda w: all_web_through(w, {
                 "do": "page", "body": LOGIN,
                 "headers": {"Content-Type": "text/html"}})),
    Scenario("39", "a transparent proxy refuses", "http-proxy-error", "41",
             "every web host answers 403 with a Via",
             lambda w: all_web_through(w, {
                 "do": "page", "status": 403, "body": "denied\n", "headers": {
                     "Via": "1.1 gate", "Content-Type": "text/plain"}})),
    Scenario("40", "a forged address takes connections and stays silent",
             "dns-injection", "43", "the censor forges both kinds of "
             "addresses, the genuine answers are lost, and the forged hosts "
             "never answer", tarpit, scope="host"),
    Scenario("41", "the responder is out of order", "responder-down", "35",
             "its edges answer 500", lambda w: w.respond("http500")),
    Scenario("41, refused", "the responder's host has no responder",
             "responder-down", "36", "its edges refuse connections",
             lambda w: w.stop_responder()),
    Scenario("42", "the responder says tryLater", "responder-status-3", "41",
             "a response of status 3", lambda w: w.respond("tryLater")),
    Scenario("43", "a slow responder", "responder-slow", "40",
             "each answer takes 2.7 s",
             lambda w: w.respond(delay_ms=2700)),
    Scenario("44", "the CA serves expired responses", "resp-expired", "45",
             "the response's nextUpdate is an hour old",
             lambda w: w.respond("expired")),
    Scenario("45", "the local clock is wrong", "clock-skew", "44",
             "all others are three days ahead",
             lambda w: w.ahead(3 * DAYS)),
    Scenario("46", "a response by another CA of this name",
             "resp-untrusted", "47", "the responder signs with another key",
             lambda w: w.respond("wrongsigner")),
    Scenario("46, bit", "a response with a bad signature", "resp-untrusted",
             "47", "one bit of the signature is wrong",
             lambda w: w.respond("badsig")),
    Scenario("47", "the issuer is missing", "input-issuer", "46",
             "the certificate's file holds no chain", lambda w: None,
             target="leaf_path"),
    Scenario("48", "a response for another certificate", "resp-other-cert",
             "46", "the responder answers for another serial number",
             lambda w: w.respond("foreign")),
    Scenario("49", "the certificate is revoked", "cert-revoked", "42",
             "the CA says so, signed", lambda w: w.respond("revoked")),
    Scenario("49, unknown", "the CA does not know the certificate",
             "cert-revoked", "42", "the CA says so, signed",
             lambda w: w.respond("unknown")),
    Scenario("50", "the certificate names no responder", "input-no-ocsp",
             "47", "its AIA has no OCSP URL", lambda w: None,
             leaf={"urls": ()}),
    Scenario("51", "IPv6 is broken", "net-v6-broken", "35",
             "the names have both kinds of addresses, and the router drops "
             "IPv6", without_ipv6),
    Scenario("52", "every third connection fails", "intermittent", "37",
             "the middlebox resets each third connection to the responder",
             every_third_time),
]

BESIDE_THE_TABLE = [
    Scenario("proxy", "the direct way out is closed, a proxy leads out",
             "local-needs-proxy", "35", "the router drops all that goes to "
             "port 80 and 443; a proxy on another port is configured",
             only_a_proxy, words=("--proxy", f"http://{PROXY}:3128")),
    Scenario("mtu", "full-size packets are lost", "net-mtu", "43",
             "the way to the responder and back loses packets of more than "
             "600 octets", lambda w: w.hop(RIGHT, "--larger", 600)),
    Scenario("loop", "the CNAME chain ends in itself", "dns-loop", "15",
             "for the system's resolver the last name is an alias of the one "
             "before", lambda w: w.resolver(RECURSOR, {
                 **HONEST, EDGE: {"cname": MIDDLE}})),
    Scenario("empty", "a resolver knows the name and no address of it",
             "dns-empty", "14", "the system's resolver answers with an empty "
             "answer, by UDP and TCP",
             lambda w: w.resolver(RECURSOR, **lie("empty", HOST))),
]

TWO_AT_ONCE = [
    Scenario("35+45", "the address is black-holed, and the clock is wrong",
             "clock-skew", "35", "the router drops what goes to the "
             "address, all others are three days ahead",
             lambda w: (w.drop(f"to {RIGHT}"), w.ahead(3 * DAYS)),
             also=("net-blackhole",)),
    Scenario("7+23", "the last link is forged, and DNS over TLS is cut by "
             "its name", "dns-injection", "7", "the censor forges the last "
             "name; the middlebox resets handshakes that name one encrypted "
             "resolver", lambda w: (last_link(w), cut_by_name(w)),
             scope="host", also=("dns-resolver-wrong",
                                 "enc-dns-blocked-sni")),
    Scenario("7+34", "the last link is forged, and nginx has a resolver",
             "dns-injection", "7", "the censor forges the last name, the "
             "system's resolver has it in its cache, and nginx asks that "
             "resolver", last_link, scope="host", served=STAPLING,
             also=("dns-resolver-wrong", "server-no-staple")),
    Scenario("15+5", "the first OCSP URL's name is gone, and the system's "
             "resolver is poisoned for the second", "name-gone", "15",
             "nobody has an address for the first URL's host; the system's "
             "resolver has another end of the second one's chain", poisoned,
             leaf={"urls": (DEAD_URL, URL)}, also=("dns-resolver-wrong",)),
    Scenario("15+5, --url", "the same, asked for the second URL",
             "dns-resolver-wrong", "5", "the operator names the second URL",
             poisoned, leaf={"urls": (DEAD_URL, URL)}, words=("--url", URL)),
    Scenario("52, resolver", "one of two servers behind a resolver's address "
             "is poisoned", "intermittent", "5", "the system's resolver has "
             "another end of the chain for every second question",
             lambda w: w.resolver(RECURSOR, udp={"lies": {HOST: {
                 "mode": "poisoned", "a": PUBLIC.refusing, "every": 2}}})),
    Scenario("15+1", "the first OCSP URL's name is gone, and the second URL "
             "works", "name-gone", "15", "nobody has an address for the "
             "first URL's host", nothing, leaf={"urls": (DEAD_URL, URL)}),
    Scenario("1+15", "the first OCSP URL works, and the second one's name is "
             "gone", "ok", "1", "nobody has an address for the second URL's "
             "host", nothing, leaf={"urls": (URL, DEAD_URL)},
             also=("name-gone",)),
    Scenario("31+3", "a dead pin, and injection behind it",
             "local-pin-stale", "31", "the hosts file names a host that "
             "refuses, and the censor forges the chain's names", injected,
             also=("dns-injection",), hosts=f"{REFUSING} {HOST}\n"),
    Scenario("41+45", "the responder is down, and the clock is wrong",
             "clock-skew", "41", "its edges answer 500, all others are three "
             "days ahead",
             lambda w: (w.ahead(3 * DAYS), w.respond(
                 "http500", ahead_s=3 * DAYS)), also=("responder-down",)),
    Scenario("5+43", "a poisoned resolver, and a slow responder",
             "dns-resolver-wrong", "5", "the system's resolver has another "
             "end of the chain, the genuine responder takes 2.7 s",
             lambda w: (poisoned(w), w.respond(delay_ms=2700)),
             also=("responder-slow",)),
    Scenario("5+49", "a poisoned resolver, and a revoked certificate",
             "dns-resolver-wrong", "49", "the system's resolver has another "
             "end of the chain, the genuine responder says revoked",
             lambda w: (poisoned(w), w.respond("revoked")),
             also=("cert-revoked",)),
    Scenario("5+25", "a poisoned resolver, and no honest encrypted one",
             "dns-resolver-wrong", "25", "the system's resolver has another "
             "end of the chain; what goes to one encrypted resolver ends at "
             "another host",
             lambda w: (poisoned(w), w.impostor(0)),
             also=("enc-dns-mitm",)),
]

# What no row is made of, and why.
NOT_MADE = {
    "32": "made of nginx's own settings, in tests/lab/test_lint.py",
    "33": "made of nginx's own settings and log, in tests/lab/test_lint.py",
}
