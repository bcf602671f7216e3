"""Fixtures over the machine: a test says which it needs; one runs at a time, for each takes two processors' worth of work."""

import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))

from vmkit import image, network  # noqa: E402
from vmkit.machine import Machine, need_files  # noqa: E402
from vmkit.node import Node  # noqa: E402

# What shares a machine stands together; within a file, tests build on those above.
ORDER = ("test_port_commands", "test_node_on_a_card", "test_two_workers", "test_mistakes", "test_reboot",
         "test_without_iommu")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: ORDER.index(item.path.stem))


class Machines:
    """Brings up the machine that is asked for; the one before it ends."""

    def __init__(self, say):
        self.say = say
        self.folder = image.CACHE / "run"
        self.now = None
        need_files()
        self.system = image.prepare_system(say)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.build_disk = self.folder / "build.ext4"
        image.prepare_build(self.build_disk)
        network.up()

    def need(self, iommu):
        if self.now and self.now.iommu == iommu:
            return self.now
        self.end()
        name = "iommu" if iommu else "no-iommu"
        self.say(f"booting the machine ({name}; console in {self.folder / name})")
        self.now = Machine(self.system, self.build_disk, self.folder / name, iommu)
        self.say(f"up after {self.now.boot_seconds:.0f} s")
        Node(self.now).install()
        return self.now

    def end(self):
        if self.now:
            self.now.stop()
            self.now = None

    def close(self):
        self.end()
        network.down()


@pytest.fixture(scope="session")
def machines(pytestconfig):
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def say(text):
        with capture.global_and_fixture_disabled():
            print(f"\n--- {text}", flush=True)

    handle = None
    try:
        handle = Machines(say)
        yield handle
    finally:
        if handle:
            handle.close()


@pytest.fixture(scope="module")
def machine(machines):
    """A machine with an IOMMU."""
    return machines.need(iommu=True)


@pytest.fixture(scope="module")
def node(machine):
    """SwarmDNS in it; what a file of tests has started and bound, it leaves stopped and given back."""
    handle = Node(machine)
    yield handle
    handle.leave()
