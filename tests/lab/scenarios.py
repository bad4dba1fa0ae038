# SPDX-License-Identifier: ISC
"""The scenarios of NETWORK-TRUTH 4.2 as networks: how each is made, and
what the doctor has to say there.  Data; test_scenarios.py runs them."""

import dataclasses
import typing

from playground.lab import EDGE, HOST, MIDDLE, PUBLIC
from playground.world import (CONTROL, CONTROL_NAMES, ENCRYPTED, HONEST,
                              RECURSOR, SECOND, WEB, WEB6)

RIGHT, OTHER, RIGHT6 = PUBLIC.responders
FORGED = PUBLIC.tarpit  # accepts, and never says a word
NOBODY = {"a": PUBLIC.refusing, "aaaa": PUBLIC.refusing6}
OCSP_IN_DNS = "\x04ocsp\x03lab\x04test"  # as a question has it
TO_FIRST = f"to {ENCRYPTED[0]} ipproto tcp dport 853"
ALL = (HOST, MIDDLE, EDGE)


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One network, and its one true cause."""

    number: str                    # of the taxonomy; "7+23": two at once
    truth: str                     # what is so, in words
    code: str                      # what has to be said of it
    alike: str                     # the number of what is easily mistaken
    made: str                      # how, in words
    make: typing.Callable          # and in deed, with a World
    also: tuple = ()               # codes that must be among the findings
    scope: str = None              # how wide the injection is
    words: tuple = ()              # more for the doctor
    leaf: dict = dataclasses.field(default_factory=dict)
    hosts: str = ""                # lines of the hosts file
    target: str = "path"           # of the leaf: which file is given,
    served: tuple = None           # or lines of an nginx that is given


def edge(*addresses, kind="a"):
    """The honest names, with other addresses at the end."""
    return {**HONEST, EDGE: {kind: list(addresses)}}


def lost(*names):
    """The genuine answers to plain questions for NAMES never arrive."""
    return {"udp": {"lies": {name: {"mode": "silent"} for name in names}}}


def lie(mode, *names, **more):
    return {"lies": {name: {"mode": mode, **more} for name in names or ALL}}


def censored(world, names, *swallowed):
    """Forged answers are put on the path; where the genuine one is SWALLOWED
    the forged one is the only one."""
    world.everywhere(**lost(*swallowed))
    world.censor(names)


def nothing(_):
    pass


def injected(world):
    censored(world, {name: NOBODY for name in ALL}, *ALL)


def raced(world):
    world.everywhere(delay_ms=150)
    world.censor({HOST: NOBODY})


def poisoned(world):
    world.resolver(RECURSOR, edge(PUBLIC.refusing))


def last_link(world):
    censored(world, {EDGE: {**NOBODY, "a": FORGED}}, EDGE)
    world.resolver(RECURSOR, edge(FORGED), **lost(EDGE))


def gone(world):
    world.everywhere(CONTROL_NAMES)


def boxed(words, port, **rule):
    """The middlebox sees what goes where WORDS say, and does RULE."""
    def make(world):
        world.steer(words)
        world.box({port: rule})
    return make


def says(mode="good", **script):
    return lambda world: world.respond(mode, **script)


def both(*makes):
    def make(world):
        for one in makes:
            one(world)
    return make


def without_ipv6(world):
    world.everywhere({**HONEST, CONTROL: {"a": [WEB], "aaaa": [WEB6]},
                      EDGE: {"a": [RIGHT], "aaaa": [RIGHT6]}})
    world.drop("to 2001:db8:2::/64", 6)


def cut_by_name(world):
    world.steer(TO_FIRST)
    world.box({853: {"do": "reset", "needle": "one.dns.test"}})


SCENARIOS = [
    Scenario("1", "healthy", "ok", "2", "nothing is changed", nothing),
    Scenario("2", "geo answers differ, all work", "ok-geo", "5",
             "the second resolver names another address of the responder",
             lambda w: w.resolver(SECOND, edge(OTHER))),
    Scenario("3", "injection on the path to all plain resolvers",
             "dns-injection", "11", "a censor on the router forges the three "
             "names of the chain, the genuine answers are lost", injected,
             scope="host"),
    Scenario("4", "injection, and the genuine answer comes late",
             "dns-injection-race", "3", "the censor is 150 ms sooner than the "
             "resolvers", raced, scope="host"),
    Scenario("5", "one resolver's cache is poisoned", "dns-resolver-wrong",
             "6", "the system's resolver has another end of the chain, by "
             "UDP and by TCP", poisoned),
    Scenario("6", "injection on the path to one resolver only",
             "dns-injection", "5", "the censor forges what goes to the "
             "system's resolver; its TCP is right",
             lambda w: (w.resolver(RECURSOR, **lost(*ALL)), w.censor({
                 name: {**NOBODY, "to": [RECURSOR]} for name in ALL}))),
    Scenario("7", "polluted at the last CNAME link only", "dns-injection",
             "9", "the censor forges the last name; the system's resolver "
             "has it in its cache", last_link, scope="host",
             also=("dns-resolver-wrong",)),
    Scenario("8", "polluted at the first name only", "dns-injection", "7",
             "the censor forges the first name",
             lambda w: censored(w, {HOST: NOBODY}, HOST), scope="host"),
    Scenario("9", "a whole zone of the CDN is polluted", "dns-injection", "7",
             "the censor forges whatever ends in dscq.akamai.test",
             lambda w: censored(w, {".dscq.akamai.test": NOBODY}, EDGE),
             scope="*.dscq.akamai.test"),
    Scenario("10", "a rule that matches anywhere in a name", "dns-injection",
             "9", "the censor forges whatever has a771.dscq in it",
             lambda w: censored(w, {"*a771.dscq": NOBODY}, EDGE),
             scope="pattern"),
    Scenario("11", "port 53 is intercepted, honestly", "dns-intercepted",
             "3", "the router answers every question itself",
             lambda w: w.steer("ipproto udp dport 53")),
    Scenario("12", "port 53 is intercepted, and the name rewritten",
             "dns-intercepted-policy", "11", "the router answers every "
             "question itself, this one falsely",
             lambda w: (w.steer("ipproto udp dport 53"),
                        w.box(dns={"names": edge(PUBLIC.refusing)}))),
    Scenario("13", "NXDOMAIN forged by an injector", "dns-injection", "14",
             "the censor forges NXDOMAIN, the genuine answers are lost",
             lambda w: censored(w, {name: {"rcode": "nxdomain"}
                                    for name in ALL}, *ALL)),
    Scenario("14", "NXDOMAIN by a resolver's policy", "dns-resolver-policy",
             "13", "the system's resolver says NXDOMAIN and EDE 15 on every "
             "road", lambda w: w.resolver(
                 RECURSOR, **lie("nxdomain", ede=15))),
    Scenario("15", "the CA has retired the name", "name-gone", "13",
             "no resolver knows the name any more", gone),
    Scenario("16", "the name is gone, and still injected", "name-gone", "3",
             "as 15, with a censor that forges the name",
             both(gone, lambda w: w.censor({HOST: NOBODY})),
             also=("dns-injection",)),
    Scenario("17", "SERVFAIL at one resolver", "dns-servfail", "18",
             "the system's resolver says SERVFAIL",
             lambda w: w.resolver(RECURSOR, **lie("servfail"))),
    Scenario("18", "SERVFAIL of a validator that is lied to", "dns-bogus",
             "17", "SERVFAIL with EDE 6, and with CD=1 a forged address",
             lambda w: w.resolver(RECURSOR, **lie(
                 "bogus", a=PUBLIC.refusing))),
    Scenario("19", "UDP to port 53 is dropped", "dns-udp-blocked", "20",
             "the router drops it",
             lambda w: w.drop("ipproto udp dport 53")),
    Scenario("20", "the system's resolver is down", "dns-resolver-down",
             "19", "the router drops all that goes there",
             lambda w: w.drop(f"to {RECURSOR}")),
    Scenario("21", "questions for this name only are dropped",
             "dns-name-dropped", "20", "plain resolvers never answer them",
             lambda w: w.everywhere(**lost(*ALL))),
    Scenario("22", "TCP to port 53 is reset for this name", "dns-tcp-reset",
             "19", "a box on the path cuts it",
             boxed("ipproto tcp dport 53", 53, do="reset",
                   needle=OCSP_IN_DNS)),
    Scenario("23", "an encrypted resolver is blocked by its name",
             "enc-dns-blocked-sni", "24", "a box resets handshakes with that "
             "SNI", cut_by_name),
    Scenario("24", "an encrypted resolver is blocked by its address",
             "enc-dns-blocked-ip", "23", "the router drops it",
             lambda w: w.drop(TO_FIRST)),
]

MORE = [
    Scenario("42, unauthorized", "the responder says unauthorized", "responder-status-6",
             "41", "it does", says("unauthorized")),
    Scenario("42, internal", "the responder says internalError", "responder-status-2",
             "41", "it does", says("internalError")),
    Scenario("nothing", "no network at all", "local-no-network", "20",
             "the router drops everything", lambda w: w.drop(""),
             also=("enc-dns-blocked-ip",)),

    Scenario("24+35", "right addresses in a black hole, and DoT blocked",
             "net-blackhole", "35", "both",
             both(lambda w: w.drop(f"to {RIGHT} ipproto tcp dport 80"),
                  lambda w: w.drop(TO_FIRST)),
             also=("enc-dns-blocked-ip",)),
    Scenario("20+42", "a resolver is down and the responder says tryLater",
             "dns-resolver-down", "20", "both",
             both(lambda w: w.drop(f"to {RECURSOR}"), says("tryLater")),
             also=("responder-status-3",)),
    Scenario("49+51", "revoked, and IPv6 is broken", "cert-revoked", "49",
             "both", both(without_ipv6, says("revoked")),
             also=("net-v6-broken",)),
    Scenario("22+29", "TCP is reset for this name, NXDOMAIN is rewritten",
             "dns-tcp-reset", "22", "both",
             both(boxed("ipproto tcp dport 53", 53, do="reset",
                        needle=OCSP_IN_DNS),
                  lambda w: w.resolver(RECURSOR, nx=WEB)),
             also=("dns-nx-rewrite",)),
]
