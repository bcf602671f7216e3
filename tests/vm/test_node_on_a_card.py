"""The node in production order, by its systemd unit, on a PCI card that DPDK drives: it answers the peer on the cable."""

import re
import time

import pytest
from vmkit import network
from vmkit.network import E1000E, VIRTIO
from vmkit.node import PATIENCE, ask_burst, configuration, dig

CARDS = (E1000E, VIRTIO)


@pytest.fixture(scope="module", params=CARDS, ids=lambda card: card.name)
def card(node, request):
    """A node that runs on the card."""
    card = request.param
    node.bind(card.pci)
    node.configure(configuration([card]))
    node.start()
    yield card
    node.leave()


def test_status_names_the_card(node, card):
    port, = node.wait_ready()["dataplane"]["ports"]
    assert (port["device"], port["driver"], port["mac"]) == (card.pci, card.pmd, card.mac)
    assert port["link_up"] is True
    assert port["queues"] == 1


def test_the_data_plane_has_dropped_root(node, card):
    uid = node.machine.check("id -u swarmdns").strip()
    status = node.machine.check(f"cat /proc/{node.pid('dataplane')}/status")
    assert re.search(rf"^Uid:\s+{uid}\s+{uid}\s", status, re.M), status


def test_its_memory_is_hugepages(node, card):
    free = int(node.machine.check("awk '/HugePages_Free/ { print $2 }' /proc/meminfo"))
    total = int(node.machine.check("awk '/HugePages_Total/ { print $2 }' /proc/meminfo"))
    assert total - free >= 192 // 2


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("question, answer", [
    ("www.vm.test A", "203.0.113.80"), ("www.vm.test AAAA", "2001:db8:80::80"), ("mail.vm.test MX", "10 www.vm.test.")])
def test_udp_queries_are_answered(node, card, family, question, answer):
    text = dig(card, question, family=family)
    assert "status: NOERROR" in text and answer in text, f"{text}\n{node.logs()}"


@pytest.mark.parametrize("family", [4, 6])
def test_a_name_that_does_not_exist(card, family):
    assert "status: NXDOMAIN" in dig(card, "absent.vm.test A", family=family)


@pytest.mark.parametrize("family", [4, 6])
def test_tcp_goes_through_the_kernel(card, family):
    text = dig(card, "www.vm.test A", "+tcp", family=family)
    assert "status: NOERROR" in text and "203.0.113.80" in text, text


def test_arp_and_neighbour_discovery_name_the_card(card):
    network.peer("ip", "neigh", "flush", "dev", card.name)
    for address in (card.node4, card.node6):
        assert network.ping(address) == 3
        neighbour = network.peer("ip", "neigh", "show", address, "dev", card.name).stdout
        assert f"lladdr {card.mac}" in neighbour, neighbour


def test_a_repeated_question_is_a_hit_on_the_worker(node, card):
    before = node.counters()
    for _ in range(3):
        assert "203.0.113.80" in dig(card, "www.vm.test A")
    after = node.counters()
    assert after["cache.hits"]["value"] - before["cache.hits"]["value"] == 3
    assert after["upstream.queries"]["value"] == before["upstream.queries"]["value"]


def test_a_burst_is_answered_in_full(card):
    """400 queries from as many ports; each answer is the one to its question."""
    answers = ask_burst(card, 400)
    assert answers == 400, f"{answers} of 400 answered"


def test_no_frame_was_lost_or_found_broken(node, card):
    counters = node.counters()
    for name in ("drop.udp_checksum", "drop.ip_header", "drop.runt", "drop.oversize", "drop.no_mbuf", "drop.tx_full",
                 "drop.kernel_ring_full", "drop.kernel_refused", "drop.foreign_address", "rcode.servfail"):
        assert counters[name]["value"] == 0, name
    port, = node.ctl_json("status")["dataplane"]["ports"]
    assert port["rx_packets"] >= 400 and port["tx_packets"] >= 400
    assert (port["rx_missed"], port["rx_nombuf"], port["tx_errors"]) == (0, 0, 0)


def test_a_corrupt_checksum_is_found(node, card):
    """Whoever verifies it, the card or the worker: a broken query is dropped under its name."""
    before = node.counters()["drop.udp_checksum"]["value"]
    network.peer("/usr/bin/python3", network.HERE / "bad_checksum.py", card.name, card.mac, card.peer4, card.node4)
    deadline = time.monotonic() + 30
    while node.counters()["drop.udp_checksum"]["value"] == before and time.monotonic() < deadline:
        time.sleep(1)
    assert node.counters()["drop.udp_checksum"]["value"] == before + 5


def test_the_port_of_a_running_data_plane_is_not_given_back(node, card):
    result = node.ctl(f"port unbind {card.pci}")
    assert result.status == 4 and "running data plane" in result.err, result
    assert "status: NOERROR" in dig(card, "www.vm.test A")


def test_sigterm_ends_it_cleanly_and_it_starts_again(node, card):
    old = node.pid("dataplane")
    node.machine.check(f"kill -TERM {old}")
    node.wait_new_pid("dataplane", old)
    node.wait_ready()
    process, = [one for one in node.ctl_json("status")["processes"] if one["name"] == "dataplane"]
    assert process["last_end"] == "exit status 0"
    assert "203.0.113.80" in dig(card, "www.vm.test A")


def test_without_the_control_plane_it_answers_and_keeps_its_port(node, card):
    """The kernel would let an unbind wait for ever for the data plane to let go of the card."""
    old = node.pid("dataplane")
    node.machine.check("systemctl stop swarmdns-controlplane", PATIENCE)
    assert "203.0.113.80" in dig(card, "www.vm.test A")
    result = node.ctl(f"port unbind {card.pci}")
    assert result.status == 4, result
    assert "in use" in result.err and card.pci in result.err
    assert "203.0.113.80" in dig(card, "www.vm.test A")
    node.start()
    assert node.pid("dataplane") == old


def test_after_sigkill_the_card_is_taken_up_again(node, card):
    old = node.pid("dataplane")
    node.machine.check(f"kill -KILL {old}")
    node.wait_new_pid("dataplane", old)
    node.wait_ready()
    for family in (4, 6):
        assert "203.0.113.80" in dig(card, "www.vm.test A", family=family)


def test_stop_start_and_the_port_goes_back_to_the_kernel(node, card):
    result = node.ctl("node stop dataplane")
    assert result.status == 0, result
    assert "status:" not in dig(card, "www.vm.test A", "+time=2", "+tries=1")
    node.unbind(card.pci)
    assert node.port(card.pci)["driver"] == card.driver
    node.bind(card.pci)
    assert node.ctl("node start dataplane").status == 0
    node.wait_ready()
    assert "203.0.113.80" in dig(card, "www.vm.test A")
