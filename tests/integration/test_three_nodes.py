"""Three nodes on one machine: each answers at its own addresses, none minds the others."""

import dns.rcode
import pytest
from support.bench import eventually


@pytest.fixture(scope="module")
def bench(lab_handle):
    return lab_handle.need(nodes=3)


def test_each_node_answers_in_both_families(bench):
    bench.heal()
    for each in bench.nodes:
        for item in bench.asked("plain")[::60]:
            for v6 in (False, True):
                reply = each.ask(item.name, item.rrtype, v6=v6)
                assert reply.rcode() == dns.rcode.NOERROR and reply.answer
    assert len({each.pid("dataplane") for each in bench.nodes}) == 3


def test_one_node_down_two_go_on(bench):
    bench.heal()
    bench.node(2).stop()
    assert not bench.node(2).answers()
    for number in (1, 3):
        assert bench.node(number).ask("plain.hive.", "SOA").rcode() == dns.rcode.NOERROR
    bench.heal()
    assert eventually(bench.node(2).answers)
