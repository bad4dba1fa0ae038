# SPDX-License-Identifier: ISC
"""The lab: real servers, real DNS, network namespaces with a censor.

`OCLASP=build/oclasp /usr/bin/python3 -m pytest tests/lab -q`, as root or as
an ordinary user who may make user namespaces.  One topology serves all tests
(playground/lab.py); each test begins with it reset, so there is no order.
"""

import os
import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from playground.lab import Lab  # noqa: E402
from playground.netns import Unavailable  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import scenario_table  # noqa: E402
from roads_of_lab import Roads  # noqa: E402
from site_of_lab import Site  # noqa: E402


def pytest_terminal_summary(terminalreporter):
    scenario_table.tell(terminalreporter)


@pytest.fixture(scope="session")
def whole_lab():
    folder = tempfile.mkdtemp(prefix="oclasp-lab-")
    try:
        lab = Lab(folder)
    except (Unavailable, FileNotFoundError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"no network namespaces: {error}")
    if not os.access(lab.program, os.X_OK):
        lab.close()
        pytest.exit(f"there is no program {lab.program}: run `make` first", 2)
    yield lab
    lab.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def lab(whole_lab):
    """The lab with honest resolvers, a good responder and no censor."""
    whole_lab.reset()
    yield whole_lab
    whole_lab.stop_keeps()


@pytest.fixture
def leaf(lab, tmp_path):
    """A certificate whose responder is the lab's."""
    return lab.leaf(tmp_path)


@pytest.fixture
def out(tmp_path):
    """Where a staple may be written."""
    return tmp_path / "staple.der"


@pytest.fixture
def sites(lab, tmp_path):
    """Makes Sites, and stops their nginx when the test ends."""
    made = []

    def make(**options):
        made.append(Site(lab, tmp_path / f"site{len(made)}", **options))
        return made[-1]
    yield make
    lab.stop_keeps()
    for site in made:
        site.nginx.stop()


@pytest.fixture
def new_roads(lab, tmp_path):
    """Opens resolvers on other roads, and closes them when the test ends."""
    made = Roads(lab, tmp_path)
    yield made
    made.close()


@pytest.fixture
def site(sites):
    """One nginx with one certificate, in the client's namespace."""
    return sites()
