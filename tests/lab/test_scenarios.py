# SPDX-License-Identifier: ISC
"""Scenarios of NETWORK-TRUTH 4.2 against the real program: the one true cause,
and nobody falsely accused.

Each run also lets the tools of 2020 look at the same network; what they would
have let an operator conclude stands in the table that is printed at the end
and kept in docs/SCENARIOS.md by `make scenarios`."""

import contextlib
import shutil
import tempfile
import time

import pytest

from playground import util
from playground.lab import CLIENT
from playground.netns import Unavailable
from playground.nginx import Nginx
from playground.world import (CONTROL, SECOND, ENCRYPTED, World, tls_resolver)
from scenario_table import EVERY
import tools_of_2020

ACCUSATIONS = {"dns-injection", "dns-injection-race", "dns-resolver-wrong"}

WHOLE_RUN_MS = 30000


@pytest.fixture(scope="module")
def world():
    folder = tempfile.mkdtemp(prefix="oclasp-world-")
    try:
        made = World(folder)
    except (Unavailable, FileNotFoundError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"no network namespaces: {error}")
    yield made
    made.close()
    shutil.rmtree(folder, ignore_errors=True)


def words_for(world, scenario):
    words = ["--json", "--control", CONTROL, "--blackhole",
             world.plan.blackhole, "--resolver", SECOND]
    words += ["--tls-ca", world.authority.root_path]
    for index in range(len(ENCRYPTED)):
        words += ["--resolver", tls_resolver(index)]
    return words + list(scenario.words)


@contextlib.contextmanager
def target_of(world, scenario, leaf, folder):
    """What the doctor is asked about: a file, or a running server."""
    if scenario.served is None:
        yield getattr(leaf, scenario.target)
        return
    nginx = Nginx(folder / "served", 1, world.spaces.inside(CLIENT))
    port = nginx.add_site(leaf, util.free_port(), lines=scenario.served)
    nginx.start()
    try:
        yield f"localhost:{port}"
    finally:
        nginx.stop()


@pytest.mark.parametrize("scenario", EVERY,
                         ids=lambda s: s.number.replace(", ", "-"))
def test_scenario(world, scenario, tmp_path, record_property):
    world.reset()
    leaf = world.leaf(tmp_path, **scenario.leaf)
    scenario.make(world)
    files = {"/etc/hosts": scenario.hosts} if scenario.hosts else {}
    operator = tools_of_2020.start(world, leaf, tmp_path, world.dress(files))
    began = time.monotonic()
    with target_of(world, scenario, leaf, tmp_path) as target:
        result = world.doctor(files, target, *words_for(world, scenario))
    seconds = time.monotonic() - began
    said = result.json
    codes = [finding["code"] for finding in said["findings"]]
    record_property("scenario", {
        "number": scenario.number, "given": codes[0], "also": codes[1:],
        "accused": sorted((set(codes) - {scenario.code, *scenario.also})
                          & ACCUSATIONS),
        "seconds": round(seconds, 1), "exit": result.code,
        "operator": operator.conclusion()})
    must_be_whole(said)
    assert codes[0] == scenario.code, said["findings"]
    assert set(scenario.also) <= set(codes), said["findings"]
    if scenario.scope:
        assert said["primary"]["scope"] == scenario.scope, said["primary"]
    expected = {scenario.code, *scenario.also, "ok"}
    assert not set(codes) - expected, said["findings"]


def must_be_whole(said):
    """What holds of every diagnosis."""
    assert said["elapsed_ms"] < WHOLE_RUN_MS
    ids = {fact["id"] for fact in said["evidence"]}
    for finding in said["findings"]:
        assert finding["evidence"] or finding["code"] == "inconclusive"
        assert set(finding["evidence"]) <= ids, finding
        for line in finding["remedy"]:
            assert "{" not in line and "}" not in line, finding
