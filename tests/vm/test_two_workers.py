"""Two workers: a card with two queues serves both; and two cards at once."""

import pytest
from vmkit.network import E1000E, VIRTIO
from vmkit.node import ask_burst, configuration, dig


@pytest.fixture(scope="module")
def two_workers(node):
    node.bind(VIRTIO.pci)
    node.configure(configuration([VIRTIO], workers=2))
    node.start()
    yield node
    node.leave()


def test_both_queues_are_served(two_workers):
    """The card spreads by addresses and ports; each worker gets its part and every query its answer."""
    port, = two_workers.ctl_json("status")["dataplane"]["ports"]
    assert port["queues"] == 2
    assert [ask_burst(VIRTIO, 400, family) for family in (4, 6)] == [400, 400]
    per_lcore = two_workers.counters()["dns.queries"]["per_lcore"]
    workers = [count for count in per_lcore if count > 0]
    assert len(workers) >= 2, per_lcore
    assert min(workers[:2]) >= 100, per_lcore


def test_tcp_and_ping_reach_the_kernel_from_either_queue(two_workers):
    for family in (4, 6):
        for _ in range(4):
            assert "203.0.113.80" in dig(VIRTIO, "www.vm.test A", "+tcp", family=family)


def test_one_worker_serves_two_cards(two_workers):
    two_workers.leave()
    two_workers.bind(E1000E.pci, VIRTIO.pci)
    two_workers.configure(configuration([E1000E, VIRTIO]))
    two_workers.start()
    for card in (E1000E, VIRTIO):
        for family in (4, 6):
            assert "203.0.113.80" in dig(card, "www.vm.test A", family=family)
    status = two_workers.ctl_json("status")["dataplane"]["ports"]
    assert [port["driver"] for port in status] == [E1000E.pmd, VIRTIO.pmd]
