"""A random-subdomain flood from one prefix does not take the misses of others away."""

import dns.rcode
from support import load


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
