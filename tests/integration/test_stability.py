"""Static stability: no process's death takes an answer away that could be given a moment before."""

import time

import dns.rcode
import pytest
from support import load


@pytest.fixture
def warm(bench, node):
    """Names of long TTL that are in the cache, as dnsperf lines."""
    items = [i for i in bench.asked("ttl-huge", "many-labels", "mixed-case", "long-name")]
    for item in items:
        assert node.ask(item.name, item.rrtype).rcode() == dns.rcode.NOERROR
    return [f"{item.name} {item.rrtype}" for item in items]


def fresh(bench, node, used=iter(range(10**6))):
    """Asks a name that was never asked before; its rcode."""
    return node.ask(f"never-asked-{next(used)}-{time.time_ns()}.wild.swarm.", "A", seconds=8).rcode()


def resolves(bench, node):
    try:
        return fresh(bench, node) == dns.rcode.NOERROR
    except Exception:  # pylint: disable=broad-except  # a silent node is the answer "no"
        return False


def test_control_plane_then_resolver_then_both_under_load(bench, node, warm, tmp_path):
    dataplane, resolver = node.pid("dataplane"), node.pid("resolver")
    running = load.Load(node.at.service4, warm, tmp_path, Q=3000, l=90, q=50)

    node.kill("controlplane")
    time.sleep(1.5)
    assert resolves(bench, node)  # misses go on as well: nobody needs the control plane for them
    node.start()
    node.wait_part("controlplane")
    time.sleep(1.5)
    assert (node.pid("dataplane"), node.pid("resolver")) == (dataplane, resolver)  # adopted, not restarted

    node.kill("resolver")
    resolver = node.wait_part("resolver", 20, other_than=resolver)
    node.wait(lambda: resolves(bench, node), 20, "an answer by the restarted resolver")

    node.kill("controlplane")
    node.kill("resolver")
    time.sleep(2)
    assert node.pid("resolver") is None
    node.start()
    node.wait_part("resolver", 20, other_than=resolver)
    node.wait(lambda: resolves(bench, node), 20, "an answer after both came back")

    assert running.running(), "the load ended too early"
    result = running.finish()
    assert node.pid("dataplane") == dataplane
    assert result.completed > 10000
    assert result.lost == 0, result.text
    assert result.part("NOERROR") == 1.0, result.text


def test_stale_answers_and_servfail_without_a_resolver(bench, node):
    item = bench.asked("ttl-20")[4]
    assert node.ask(item.name, item.rrtype).answer[0].ttl <= 20
    node.kill("controlplane")
    node.kill("resolver")
    time.sleep(21)
    begun = time.monotonic()
    reply = node.ask(item.name, item.rrtype, seconds=8)
    assert time.monotonic() - begun < 4
    assert reply.rcode() == dns.rcode.NOERROR and 0 < reply.answer[0].ttl <= 30
    assert any(option.otype == 15 for option in reply.options)  # EDE: Stale Answer
    assert fresh(bench, node) == dns.rcode.SERVFAIL
    node.start()
    node.wait(lambda: resolves(bench, node), 20, "an answer of the resolver that came back")


def test_data_plane_alone_from_its_last_configuration(bench, node):
    node.kill("controlplane")
    old = node.kill("dataplane")
    node.start("dataplane")
    alone = node.wait_part("dataplane", 20, other_than=old)
    node.wait(node.answers, 30, "an answer of the data plane alone")
    assert node.pid("controlplane") is None
    node.wait(lambda: resolves(bench, node), 20, "a miss resolved without a control plane")
    node.start()
    node.wait_part("controlplane")
    node.wait(lambda: "n1" in node.ctl("status", check=False).stdout, 20, "the control plane's status")
    assert node.pid("dataplane") == alone


def test_data_plane_is_restarted_by_the_control_plane(bench, node):
    old = node.kill("dataplane")
    node.wait_part("dataplane", 30, other_than=old)
    node.wait(node.answers, 30, "an answer of the restarted data plane")
    node.wait(lambda: resolves(bench, node), 20, "a miss resolved by the restarted data plane")


def test_sigterm_ends_everything_and_a_start_brings_it_back(bench, node):
    node.stop()
    assert all(node.pid(part) is None for part in ("controlplane", "resolver", "dataplane"))
    bench.heal()
    assert node.ask("plain.swarm.", "SOA").rcode() == dns.rcode.NOERROR
