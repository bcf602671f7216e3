"""One running node seen from a client: both families, both transports, the exception path, the odd query."""

import os
import random
import struct
import subprocess
import time

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import pytest
from labkit import health, inside, netns
from labkit.settings import CLIENT_NS
from support import wire
from support.bench import eventually


def case(bench, name, index=0):
    return bench.asked(name)[index]


@pytest.mark.parametrize("v6", [False, True], ids=["ipv4", "ipv6"])
def test_udp_then_from_the_cache(bench, node, v6):
    item = bench.asked("plain")[40 + v6]
    first = node.ask(item.name, item.rrtype, v6=v6)
    before = node.counters()
    second = node.ask(item.name, item.rrtype, v6=v6)
    added = node.added(before)
    assert first.rcode() == second.rcode() == dns.rcode.NOERROR
    assert first.answer and sorted(map(str, second.answer[0])) == sorted(map(str, first.answer[0]))
    assert (added["cache.hits"], added["cache.misses"]) == (1, 0)


@pytest.mark.parametrize("v6", [False, True], ids=["ipv4", "ipv6"])
def test_truncated_then_whole_over_tcp(bench, node, v6):
    for item in bench.asked("large-txt")[:5] + bench.asked("many-addresses")[:2]:
        over_udp = node.ask(item.name, item.rrtype, v6=v6)
        assert over_udp.flags & dns.flags.TC and len(over_udp.to_wire()) <= 1232
        over_tcp = node.ask_tcp(item.name, item.rrtype, v6=v6)
        assert not over_tcp.flags & dns.flags.TC
        assert len(over_tcp.answer[0]) >= 6


def test_tcp_answers_pipelined_queries(bench, node):
    """RFC 7766: several queries on one connection, answers in any order."""
    items = bench.asked("plain")[:40]
    queries = {}
    with inside.tcp_socket(CLIENT_NS, node.at.service4, 53, 10) as sock:
        wire = b""
        for number, item in enumerate(items):
            query = inside.query(item.name, item.rrtype)
            query.id = 1000 + number
            queries[query.id] = query
            packed = query.to_wire()
            wire += struct.pack("!H", len(packed)) + packed
        sock.sendall(wire)
        while queries:
            (size,) = struct.unpack("!H", inside.receive_exactly(sock, 2))
            reply = dns.message.from_wire(inside.receive_exactly(sock, size))
            assert queries.pop(reply.id).is_response(reply)


def test_a_client_from_afar_gets_its_answers(bench, node):
    """A client behind a router: its address is in no connected prefix, over UDP and TCP."""
    item = case(bench, "plain", 90)
    for source, v6 in (("10.53.200.7", False), ("fd53:8000::7", True)):
        assert node.ask(item.name, item.rrtype, v6=v6, source=source).rcode() == dns.rcode.NOERROR
        assert node.ask_tcp(item.name, item.rrtype, v6=v6, source=source).rcode() == dns.rcode.NOERROR


def test_a_stranger_is_refused(node):
    """Clients outside the ACL get REFUSED."""
    subprocess.run(["ip", "-n", CLIENT_NS, "addr", "replace", "10.99.0.1/32", "dev", "lo"], check=True)
    assert node.ask("plain.swarm.", "SOA", source="10.99.0.1").rcode() == dns.rcode.REFUSED


def test_authentic_data_only_where_asked_for(bench, node):
    item = case(bench, "ttl-huge")
    assert item.name.endswith(".swarm.")
    assert not node.ask(item.name, item.rrtype).flags & dns.flags.AD
    assert node.ask(item.name, item.rrtype, dnssec=True).flags & dns.flags.AD
    wants_ad = inside.query(item.name, item.rrtype)
    wants_ad.flags |= dns.flags.AD
    assert node.send(wants_ad).flags & dns.flags.AD


def test_lies_are_servfail_and_visible_with_checking_disabled(bench, node):
    item = case(bench, "bogus")
    assert node.ask(item.name, item.rrtype).rcode() == dns.rcode.SERVFAIL
    unchecked = inside.query(item.name, item.rrtype, True)
    unchecked.flags |= dns.flags.CD
    reply = node.send(unchecked)
    assert reply.rcode() == dns.rcode.NOERROR and reply.answer and not reply.flags & dns.flags.AD
    assert node.ask(item.name, item.rrtype).rcode() == dns.rcode.SERVFAIL  # the answer to CD did not leak


def test_ttl_counts_down_in_the_cache(bench, node):
    item = case(bench, "ttl-huge", 3)
    first = node.ask(item.name, item.rrtype).answer[0].ttl
    time.sleep(2.1)
    second = node.ask(item.name, item.rrtype).answer[0].ttl
    assert first - 4 <= second <= first - 2


def test_ttl_0_is_not_kept(bench, node):
    item = case(bench, "ttl-0")
    node.ask(item.name, item.rrtype)
    before = node.counters()
    reply = node.ask(item.name, item.rrtype)
    assert reply.answer[0].ttl == 0
    assert node.added(before)["cache.misses"] == 1


def test_case_of_the_question_is_kept(bench, node):
    """0x20: the question comes back letter by letter, from the upstream and from the cache."""
    label = case(bench, "plain", 12).name
    for mixed in (label.upper(), label.title(), label):
        query = inside.query(mixed, case(bench, "plain", 12).rrtype)
        reply = node.send(query)
        assert reply.question[0].name.to_text() == dns.name.from_text(mixed).to_text()
        assert reply.rcode() == dns.rcode.NOERROR and reply.answer


@pytest.mark.parametrize("v6", [False, True], ids=["ipv4", "ipv6"])
def test_the_kernel_answers_arp_nd_and_ping(node, v6):
    subprocess.run([*netns.enter(CLIENT_NS), "ip", "neigh", "flush", "dev", node.at.client_if], check=True)
    assert wire.echo(CLIENT_NS, node.at.service6 if v6 else node.at.service4)


@pytest.mark.parametrize("v6", [False, True], ids=["ipv4", "ipv6"])
def test_a_query_in_fragments_is_answered(bench, node, v6):
    """Padding beyond the MTU: the kernel puts the pieces together and a stream thread answers."""
    item = case(bench, "plain", 20)
    padding = dns.edns.GenericOption(12, b"\0" * 1700)
    query = dns.message.make_query(item.name, item.rrtype, use_edns=0, options=[padding], payload=1232)
    reply = node.send(query, v6=v6)
    assert reply.rcode() == dns.rcode.NOERROR and reply.answer


def raw_exchange(node, payload):
    """The raw reply, or None when there is none within half a second."""
    with inside.udp_socket(CLIENT_NS, node.at.service4, 53) as sock:
        sock.settimeout(0.5)
        sock.send(payload)
        try:
            return sock.recv(65535)
        except TimeoutError:
            return None


def test_odd_queries_get_what_the_rfcs_say(node):
    query = dns.message.make_query("plain.swarm.", "A").to_wire()
    reply = raw_exchange(node, query[:4] + b"\0\0" + query[6:12])  # no question: RFC 9619
    assert reply[3] & 15 == dns.rcode.FORMERR
    reply = raw_exchange(node, query[:4] + b"\0\2" + query[6:] + query[12:])
    assert reply[3] & 15 == dns.rcode.FORMERR
    reply = raw_exchange(node, query[:2] + bytes([5 << 3]) + query[3:])  # opcode UPDATE
    assert reply[3] & 15 == dns.rcode.NOTIMP
    for silent in (b"", b"\0" * 11, query[:2] + bytes([query[2] | 0x80]) + query[3:]):
        assert raw_exchange(node, silent) is None
    reply = raw_exchange(node, query[:10] + b"\0\1" + query[12:] + bytes.fromhex("0000290400000700000000"))  # EDNS 7
    assert dns.message.from_wire(reply).rcode() == dns.rcode.BADVERS


def test_any_bytes_leave_the_node_up(node):
    """A few thousand random and mutated datagrams: each answered or counted, and the node goes on."""
    rng = random.Random(99)
    pid = node.pid("dataplane")
    valid = dns.message.make_query("plain.swarm.", "A", use_edns=0, want_dnssec=True).to_wire()
    with inside.udp_socket(CLIENT_NS, node.at.service4, 53) as sock:
        for _ in range(4000):
            if rng.random() < 0.3:
                data = rng.randbytes(rng.randrange(0, 600))
            else:
                data = bytearray(valid)
                for _ in range(rng.randrange(1, 6)):
                    data[rng.randrange(2, len(data))] = rng.randrange(256)
                data = bytes(data[: rng.randrange(12, len(data) + 1)])
            sock.send(data)
    assert eventually(node.answers)
    assert node.pid("dataplane") == pid


def test_identity(node):
    reply = node.send(dns.message.make_query("id.server.", "TXT", rdclass="CH"))
    assert "n1" in str(reply.answer[0])
    query = dns.message.make_query("plain.swarm.", "SOA", use_edns=0, options=[dns.edns.GenericOption(3, b"")])
    options = {option.otype: option for option in node.send(query).options}
    assert b"n1" in options[3].data


def test_no_recursion_asked_for_no_miss(bench, node):
    item = case(bench, "wildcard", 17)
    query = inside.query(item.name, item.rrtype)
    query.flags &= ~dns.flags.RD
    before = node.counters()
    node.send(query)
    added = node.added(before)
    assert added["cache.misses"] == 0 and added["upstream.queries"] == 0


def test_an_idle_node_hardly_uses_a_core(node):
    """Under 5 % of a core. What the machine's other load does to that (a wake-up costs more then) is told beside it, and
    the quietest of ten windows counts."""
    pid = node.pid("dataplane")
    seen = []
    for _ in range(10):
        before, others = health.cpu_seconds(pid), health.machine_busy_seconds()
        time.sleep(4)
        share = (health.cpu_seconds(pid) - before) / 4
        busy = (health.machine_busy_seconds() - others) / 4 / os.cpu_count()
        seen.append((round(share, 3), round(busy, 2)))
        if share < 0.05:
            return
    raise AssertionError(f"(share of a core used while idle, share of the machine in use): {seen}")


def test_swarmctl_shows_and_flushes(bench, node):
    item = case(bench, "plain", 60)
    node.ask(item.name, item.rrtype)
    assert item.name.rstrip(".") in node.ctl("cache", "show", item.name, item.rrtype).stdout
    node.ctl("cache", "flush", item.name)
    before = node.counters()
    node.ask(item.name, item.rrtype)
    assert node.added(before)["cache.misses"] == 1
    assert "n1" in node.ctl("status").stdout


def test_dump_and_load(bench, node, tmp_path):
    items = bench.asked("plain")[:30]
    for item in items:
        node.ask(item.name, item.rrtype)
    dump = tmp_path / "cache.dump"
    node.ctl("cache", "dump", str(dump))
    node.flush()
    whole = dump.read_bytes()
    for name, data in (("cut", whole[:-7]), ("altered", whole[:99] + bytes([whole[99] ^ 1]) + whole[100:])):
        (tmp_path / name).write_bytes(data)
        refused = node.ctl("cache", "load", str(tmp_path / name), check=False)
        assert refused.returncode != 0 and refused.stderr
    before = node.counters()
    node.ask(items[0].name, items[0].rrtype)
    assert node.added(before)["cache.misses"] == 1  # nothing came in with the refused dumps
    node.flush()
    node.ctl("cache", "load", str(dump))
    before = node.counters()
    for item in items:
        assert node.ask(item.name, item.rrtype).rcode() == dns.rcode.NOERROR
    assert node.added(before)["cache.misses"] == 0


def test_a_bad_configuration_is_refused_and_changes_nothing(bench, node, tmp_path):
    text = node.at.config.read_text()
    bad = tmp_path / "bad.yaml"
    bad.write_text(text.replace("memory_mib: 128", "memory_mib: -3\n    memory_mb: 7"))
    done = node.ctl("config", "check", str(bad), check=False)
    assert done.returncode != 0 and "memory_mib" in done.stdout + done.stderr and "bad.yaml:" in done.stdout + done.stderr
    assert node.ctl("config", "apply", str(bad), check=False).returncode != 0
    assert node.answers()
