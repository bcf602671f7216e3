"""A flood does not take the answers of others away, and what is lost in one is counted."""

import json
import os
import signal
import time

import dns.rcode
from labkit import inside
from labkit.settings import CLIENT_NS
from support import load, wire


def test_others_misses_resolve_during_a_flood(bench, node, tmp_path):
    flood = [f"x{n}-{n * 7919 % 99991}.flood.nest A" for n in range(40000)]
    before = node.counters()
    running = load.Load(node.at.service4, flood, tmp_path, a="10.53.130.9", q=4000, Q=4000, t=2, l=20, c=8)
    answered = []
    try:
        node.wait(
            lambda: node.added(before)["cache.misses"] > 3000, 15, "the flood (3000 misses counted by the node)"
        )
        for item in bench.asked("wildcard", "deep-cut", "insecure")[::4][:80]:
            reply = node.ask(item.name, item.rrtype, seconds=6, source="10.53.131.5")
            answered.append(reply.rcode())
        assert running.running(), "the flood ended too early to prove anything"
    finally:
        running.finish()
    assert len(answered) >= 60 and set(answered) == {dns.rcode.NOERROR}, answered
    added = node.added(before)
    assert added["drop.prefix_quota"] + added["drop.zone_quota"] > 0, added


def test_the_flooded_node_recovers(bench, node):
    item = bench.asked("plain")[150]
    node.ctl("cache", "flush", item.name)
    assert node.ask(item.name, item.rrtype).rcode() == dns.rcode.NOERROR
    assert node.ask(item.name, item.rrtype, source="10.53.130.9").rcode() == dns.rcode.NOERROR


def test_frames_beyond_the_ring_are_counted_as_missed(bench, node):
    """More than the port's ring holds, while no worker takes any: each frame is received or counted as missed."""

    def received_and_missed():
        (port,) = json.loads(node.ctl("-o", "json", "stats").stdout)["ports"]
        return port["rx_packets"], port["rx_missed"]

    query = inside.query("plain.swarm.", "SOA").to_wire()
    frame = wire.frame(node.at, wire.udp4(node.at.client4, node.at.service4, 40999, 9, query))  # dropped, not answered
    frames = 6000
    time.sleep(0.2)
    before = received_and_missed()
    dataplane = node.pid("dataplane")
    with wire.raw_socket(CLIENT_NS, node.at.client_if) as sock:
        os.kill(dataplane, signal.SIGSTOP)
        try:
            for _ in range(frames):
                sock.send(frame)
        finally:
            os.kill(dataplane, signal.SIGCONT)

    def all_accounted_for():
        now = received_and_missed()
        return now[0] - before[0] + now[1] - before[1] >= frames

    node.wait(all_accounted_for, 10, "every frame either received or counted as missed")
    assert received_and_missed()[1] - before[1] > frames // 4
