# SPDX-License-Identifier: ISC
"""The system's own view, and plain UDP: hosts file, nameservers of resolv.conf,
the stub of systemd-resolved, servers that are old, answers from elsewhere.

Each road has its counter-test: closed, there is no staple."""

import pytest

from playground.lab import (BLACKHOLE, CLIENT, EDGE, HOST, MIDDLE, NEAR,
                            RECURSOR, REFUSING, RESPONDERS, SECOND, SECOND6,
                            TARPIT)
from site_of_lab import fault_for

GENUINE = RESPONDERS[0]
HOSTS, RESOLV, UPLINKS = ("/etc/hosts", "/etc/resolv.conf",
                          "/run/systemd/resolve/resolv.conf")
STUB = "127.0.0.53"
QUICK = "options timeout:1 attempts:1\n"


def must_win(lab, leaf, out, result, *sources):
    assert result.code == 0, result
    assert fault_for(lab, leaf, out.read_bytes()) is None
    assert result.json["source"] in sources, result.json
    return result.json


def must_lose(result):
    assert result.code == 75, result
    return result.json


# --- the system

def test_hosts_file(lab, leaf, out, new_roads):
    """What the operator has written there counts, whatever DNS says; and the
    file alone is enough."""
    new_roads.poison(RECURSOR, a=TARPIT)
    words = [leaf.path, "-o", out, "--timeout", "3"]
    must_lose(lab.fetch(*words))
    must_win(lab, leaf, out, lab.fetch_with(
        {HOSTS: f"{GENUINE} {HOST}\n"}, *words), "system")


def test_hosts_file_that_is_old(lab, leaf, out):
    """The other way round: it leads astray, and DNS is clean."""
    said = must_win(lab, leaf, out, lab.fetch_with(
        {HOSTS: f"{TARPIT} {HOST}\n"}, leaf.path, "-o", out),
        f"udp://{RECURSOR}")
    assert [t for t in said["tries"] if t["address"] == TARPIT], said


def test_second_nameserver(lab, leaf, out):
    """The first of resolv.conf is dead: the C library needs seconds for the
    second, we ask it one class later."""
    resolv = f"nameserver {BLACKHOLE}\nnameserver {SECOND}\n" + (
        "options timeout:5 attempts:1\n")
    must_win(lab, leaf, out, lab.fetch_with(
        {RESOLV: resolv}, leaf.path, "-o", out, "--timeout", "4"),
        f"udp://{SECOND}")
    must_lose(lab.fetch_with(
        {RESOLV: f"nameserver {BLACKHOLE}\n" + QUICK}, leaf.path, "--timeout",
        "4"))


def test_nameserver_by_ipv6(lab, leaf, out):
    must_win(lab, leaf, out, lab.fetch_with(
        {RESOLV: f"nameserver {SECOND6}\n"}, leaf.path, "-o", out),
        "system", f"udp://[{SECOND6}]")


def test_no_resolv_conf(lab, leaf, out):
    """Nothing to ask by our own sockets: the operator's resolver has it."""
    must_win(lab, leaf, out, lab.fetch_with(
        {RESOLV: "# nothing\n" + QUICK}, leaf.path, "-o", out, "--resolver",
        SECOND), f"udp://{SECOND}")


@pytest.fixture
def stub(lab):
    """systemd-resolved as far as it matters: its stub passes on the first
    datagram that came, which is the forged one."""
    process = lab.spaces.serve(
        CLIENT, "playground.resolver", "--listen", f"{STUB}:53", "--script",
        lab.file(STUB), "--log", lab.file(f"{STUB}.log"))
    lab.resolver(STUB, delay_ms=0, lies={
        name: {"mode": "forged-only", "a": TARPIT}
        for name in (HOST, MIDDLE, EDGE)})
    yield STUB
    process.terminate()
    process.wait()


def test_behind_the_stub(lab, leaf, out, stub):
    """The servers that the stub asks are asked by our own sockets, where the
    datagram behind the forged one is heard."""
    lab.race({HOST: {"a": TARPIT}})
    files = {RESOLV: f"nameserver {stub}\n" + QUICK}
    must_lose(lab.fetch_with(files, leaf.path, "--timeout", "3"))
    files[UPLINKS] = f"nameserver {RECURSOR}\n"
    must_win(lab, leaf, out, lab.fetch_with(files, leaf.path, "-o", out),
             f"udp://{RECURSOR}")


def test_uplinks_only_behind_the_stub(lab, leaf):
    """Where resolv.conf names a real server, the other file is nobody's."""
    lab.resolver(RECURSOR, lies={HOST: {"mode": "nxdomain"}})
    must_lose(lab.fetch_with({UPLINKS: f"nameserver {SECOND}\n"}, leaf.path,
                             "--timeout", "4"))
    assert not lab.questions(SECOND)


# --- udp://

@pytest.mark.parametrize("url", [SECOND, f"udp://{SECOND}:53", SECOND6,
                                 f"udp://[{SECOND6}]:53"])
def test_udp(lab, leaf, out, new_roads, url):
    """By either family; and closed, as a counter-test."""
    new_roads.poison(RECURSOR, a=REFUSING)
    words = [leaf.path, "-o", out, "--timeout", "4"]
    must_lose(lab.fetch(*words))
    must_win(lab, leaf, out, lab.fetch(*words, "--resolver", url),
             f"udp://[{SECOND6}]" if ":2::" in url else f"udp://{SECOND}")


@pytest.mark.parametrize("edns", ["formerr", "dropped"])
def test_server_without_edns(lab, leaf, out, new_roads, edns):
    """RFC 6891, section 7: it says FORMERR; a firewall says nothing."""
    new_roads.poison(RECURSOR, a=REFUSING)
    lab.resolver(SECOND, edns=edns)
    must_win(lab, leaf, out, lab.fetch(
        leaf.path, "-o", out, "--resolver", SECOND), f"udp://{SECOND}")


def test_answer_from_elsewhere(lab, leaf, new_roads):
    """RFC 5452, section 9.1: seen, told, and not believed."""
    new_roads.poison(RECURSOR, a=REFUSING)
    lab.resolver(SECOND, **{"from": RESPONDERS[1]})
    said = must_lose(lab.fetch(leaf.path, "--timeout", "5", "--resolver",
                               SECOND))
    (told,) = [t for t in said["tries"] if t["source"] == f"udp://{SECOND}"]
    assert told["outcome"] == "dns-no-answer", told
    assert "from elsewhere" in told["detail"] and (
        " 0 from elsewhere" not in told["detail"]), told


def test_questions_cannot_be_guessed(lab, leaf):
    """Random case, and the same name again: no two alike (DNS 0x20)."""
    lab.resolver(RECURSOR, lies={HOST: {"mode": "servfail"}})
    for _ in range(2):
        lab.fetch(leaf.path, "--timeout", "4", "--resolver", SECOND)
    asked = [e["asked"] for e in lab.questions(SECOND) if e["name"] == HOST]
    assert len(asked) >= 4 and len(set(asked)) > 1, asked
    questions = lab.questions(SECOND)
    for what in ("port", "id"):  # RFC 5452; two may be alike by chance
        assert len({e[what] for e in questions}) >= len(questions) - 1, what


def test_system_is_asked_once_more_and_no_more(lab, leaf, out):
    """Manners: the C library's questions, and ours, to one's own resolver."""
    must_win(lab, leaf, out, lab.fetch(leaf.path, "-o", out), *NEAR)
    asked = [e["type"] for e in lab.questions(RECURSOR) if e["name"] == HOST]
    assert sorted(asked) == ["A", "A", "AAAA", "AAAA"], asked
