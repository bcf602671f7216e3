"""What an operator gets wrong before the first answer: the data plane does not start, and says what to do about it."""

import pytest
from vmkit.network import E1000E, PAIR, Card
from vmkit.node import PATIENCE, configuration

HALF = Card("", PAIR[0], "e1000e", "e1000e", "net_e1000_em", "", "192.0.2.54", "192.0.2.1", "2001:db8:0:1::54", "2001:db8:0:1::1")


@pytest.fixture
def stopped(node):
    """Nothing runs, nothing is bound, the logs are empty; afterwards, too."""
    node.leave()
    node.forget_logs()
    yield node
    node.leave()


def start(node, text):
    node.configure(text)
    node.machine.check("systemctl start swarmdns-controlplane", PATIENCE)


def test_the_port_is_still_the_kernels(stopped):
    start(stopped, configuration([E1000E]))
    stopped.wait_log(f"swarmctl port bind {E1000E.pci}")


def test_half_a_group_is_bound(stopped):
    """VFIO gives a group to nobody while the kernel drives one of its devices."""
    stopped.bind(PAIR[0])
    start(stopped, configuration([HALF]))
    stopped.wait_log(PAIR[1])


def test_more_workers_than_queues(stopped):
    stopped.bind(E1000E.pci)
    start(stopped, configuration([E1000E], workers=2))
    stopped.wait_log("2 workers need one each")


def test_too_few_hugepages(stopped):
    stopped.machine.check("sysctl -q -w vm.nr_hugepages=8")
    try:
        stopped.bind(E1000E.pci)
        start(stopped, configuration([E1000E]))
        stopped.wait_log("/proc/sys/vm/nr_hugepages")
    finally:
        stopped.reserve_hugepages()


def test_the_drivers_of_dpdk_are_not_installed(stopped):
    folder = "/usr/lib/x86_64-linux-gnu/dpdk"
    stopped.machine.check(f"mv {folder} {folder}.away")
    try:
        stopped.bind(E1000E.pci)
        start(stopped, configuration([E1000E]))
        stopped.wait_log("librte-meta-bus")
    finally:
        stopped.leave()
        stopped.machine.check(f"mv {folder}.away {folder}")
