# SPDX-License-Identifier: ISC
"""The first scenarios of NETWORK-TRUTH 4.2 as networks: how each is made, and
what the doctor has to say there.  Data; test_scenarios.py runs them."""

import dataclasses
import typing

from playground.lab import EDGE, HOST, MIDDLE, PUBLIC
from playground.world import HONEST, RECURSOR, RESOLVERS, SECOND

OTHER = PUBLIC.responders[1]
FORGED = PUBLIC.tarpit  # accepts, and never says a word
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
    plain: bool = False            # no encrypted resolver is given
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
    censored(world, {name: {"a": FORGED} for name in ALL}, *ALL)


def raced(world):
    world.everywhere(delay_ms=150)
    world.censor({HOST: {"a": FORGED}})


def poisoned(world):
    world.resolver(RECURSOR, edge(FORGED))


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
                 name: {"a": FORGED, "to": [RECURSOR]} for name in ALL}))),
    Scenario("7", "polluted at the last CNAME link only", "dns-injection",
             "9", "the censor forges the last name; the system's resolver "
             "has it in its cache",
             lambda w: (censored(w, {EDGE: {"a": FORGED}}, EDGE),
                        w.resolver(RECURSOR, edge(FORGED), **lost(EDGE))),
             also=("dns-resolver-wrong",), scope="host"),
]
