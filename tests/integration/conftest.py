"""Fixtures over the lab: each test says what lab it needs, and the lab is changed only when it must."""

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "scripts"), str(pathlib.Path(__file__).resolve().parent)]

from labkit import lab as labkit_lab  # noqa: E402
from labkit.settings import Options  # noqa: E402
from support.bench import Bench  # noqa: E402

SEED = 20  # the tests' own names; any number does

# Files in an order that changes the lab as seldom as can be.
ORDER = (
    "test_bench_kit", "test_generator", "test_lab_internet", "test_lab_commands", "test_answers", "test_compare",
    "test_fed_names", "test_vlan", "test_replay", "test_stability", "test_readiness", "test_restart", "test_flood", "test_prefetch",
    "test_two_workers", "test_three_nodes", "test_swarm", "test_swarm_config", "test_swarm_ledger", "test_swarm_recovery",
    "test_swarm_upgrade", "test_swarm_followers", "test_swarm_regions", "test_swarm_drills",
    "test_lab_faults", "test_root_zone",
)


def pytest_collection_modifyitems(items):
    places = {name: number for number, name in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(item.path.stem, len(ORDER)))


class LabHandle:
    """Brings the lab into the state that a test needs."""

    def __init__(self):
        self.options = None

    def need(self, **wishes):
        """A Bench over a lab with these options; others as in a plain `lab up`."""
        wishes.setdefault("seed", SEED)
        options = Options(**{key: str(v) if isinstance(v, pathlib.Path) else v for key, v in wishes.items()})
        labkit_lab.up(options, say=lambda *_: None)
        self.options = options
        return Bench(options)


@pytest.fixture(scope="session")
def lab_handle():
    handle = LabHandle()
    yield handle
    labkit_lab.down(say=lambda *_: None)


@pytest.fixture(scope="module")
def internet_lab(lab_handle):
    """The Internet and one wired node whose processes are not started."""
    return lab_handle.need(start=False)


@pytest.fixture(scope="module")
def bench(lab_handle):
    """One running node."""
    return lab_handle.need(nodes=1)


@pytest.fixture(scope="module")
def five_nodes(lab_handle):
    """Five running nodes in the regions east (1, 2, 3) and west (4, 5), with all that faults need."""
    return lab_handle.need(nodes=5, faults=True)


@pytest.fixture
def five(five_nodes):
    """The five nodes, unhurt and all their parts alive, whatever the test before has done to them."""
    five_nodes.faults.end_all()
    five_nodes.heal()
    return five_nodes


@pytest.fixture
def node(bench):
    """The running node, all its parts alive, whatever the test before has done to it."""
    bench.heal()
    return bench.node(1)


