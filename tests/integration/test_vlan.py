"""802.1Q by raw frames (this kernel may have no VLAN module): tags come back as they were sent."""

import dns.rcode
import pytest
from labkit import inside
from support import wire
from support.bench import eventually

C, S = 0x8100, 0x88A8
TAGS = [
    pytest.param([(C, 7)], id="one"),
    pytest.param([(C, 0x6000 | 100)], id="priority"),
    pytest.param([(C, 0x2000)], id="priority-only"),
    pytest.param([(S, 300), (C, 40)], id="two"),
    pytest.param([(C, 4094), (C, 1)], id="two-8100"),
    pytest.param([], id="none"),
]


@pytest.mark.parametrize("v6", [False, True], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("tags", TAGS)
def test_hit_and_miss_keep_the_tags(bench, node, tags, v6):
    for item in bench.asked("plain")[100:103]:
        node.ctl("cache", "flush", item.name)
        for _ in ("miss", "hit"):
            query = inside.query(item.name, item.rrtype)
            back, reply = wire.exchange(node.at, query, tags, v6)
            assert back == tags
            assert reply.rcode() == dns.rcode.NOERROR and query.is_response(reply) and reply.answer


def test_three_tags_are_dropped_and_counted(node):
    before = node.counters()
    query = inside.query("plain.swarm.", "A")
    with pytest.raises(AssertionError, match="no reply"):
        wire.exchange(node.at, query, [(C, 1), (C, 2), (C, 3)], seconds=0.5)
    assert eventually(lambda: node.added(before)["drop.vlan_depth"] >= 1)


def test_a_frame_to_another_mac_is_dropped_and_counted(node):
    before = node.counters()
    packet = wire.udp4(node.at.client4, node.at.service4, 40000, 53, inside.query("plain.swarm.", "A").to_wire())
    frame = bytes.fromhex("0253ffffff01") + wire.frame(node.at, packet)[6:]
    with wire.raw_socket("sw-client", node.at.client_if) as sock:
        for _ in range(5):
            sock.send(frame)
    assert eventually(lambda: node.added(before)["drop.foreign_mac"] >= 5)


def test_a_wrong_checksum_is_dropped_and_counted(node):
    before = node.counters()
    packet = bytearray(
        wire.udp4(node.at.client4, node.at.service4, 40000, 53, inside.query("plain.swarm.", "A").to_wire())
    )
    packet[26] ^= 0x55  # UDP checksum
    with wire.raw_socket("sw-client", node.at.client_if) as sock:
        sock.send(wire.frame(node.at, bytes(packet)))
    assert eventually(lambda: node.added(before)["drop.udp_checksum"] >= 1)


def test_no_checksum_is_fine_over_ipv4_only(bench, node):
    """RFC 768: 0 means none; RFC 8200: IPv6 always has one."""
    query = inside.query("plain.swarm.", "SOA")
    packet = bytearray(wire.udp4(node.at.client4, node.at.service4, 40124, 53, query.to_wire()))
    packet[26:28] = b"\0\0"
    with wire.raw_socket("sw-client", node.at.client_if) as sock:
        sock.settimeout(3)
        sock.send(wire.frame(node.at, bytes(packet)))
        found = None
        while not found or found[4] != 40124:
            found = wire.parse_reply(wire.receive(sock))
            found = found if found and found[3] == 53 else None
    before = node.counters()
    packet = bytearray(wire.udp6(node.at.client6, node.at.service6, 40124, 53, query.to_wire()))
    packet[46:48] = b"\0\0"
    with wire.raw_socket("sw-client", node.at.client_if) as sock:
        sock.send(wire.frame(node.at, bytes(packet)))
    assert eventually(lambda: node.added(before)["drop.udp_checksum"] >= 1)
