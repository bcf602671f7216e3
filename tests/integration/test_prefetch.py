"""A popular name is renewed before it expires: its askers never wait, and its servers are not pestered."""

import time

import dns.rcode
from support.wire import Watch

SECONDS, TTL = 60, 20


def test_a_name_of_20_seconds_never_waits(bench, node):
    item = bench.asked("ttl-20")[0]
    assert node.ask(item.name, item.rrtype).rcode() == dns.rcode.NOERROR
    to_resolver = Watch(node.at.ns, "lo", item.name, 553)
    to_internet = Watch(node.at.ns, "up0", item.name, 53)
    before = node.counters()
    asked, longest, end = 0, 0.0, time.monotonic() + SECONDS
    while time.monotonic() < end:
        begun = time.monotonic()
        reply = node.ask(item.name, item.rrtype, seconds=3)
        longest = max(longest, time.monotonic() - begun)
        assert reply.rcode() == dns.rcode.NOERROR and reply.answer[0].ttl <= TTL
        asked += 1
        to_resolver.drain()
        to_internet.drain()
        time.sleep(0.005)
    added = node.added(before)
    assert asked > 2000
    assert added["cache.misses"] == 0, (added, longest)
    assert added["cache.hits"] >= asked
    assert added["cache.stale_served"] == 0
    periods = SECONDS / TTL
    for watch in (to_resolver, to_internet):
        watch.close()
        assert periods - 1 <= len(watch.times) <= 3 * periods, watch.times
