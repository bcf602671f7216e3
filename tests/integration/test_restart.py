"""The restart snapshot: a data plane that comes back alone answers from what it had, with nobody to ask."""

import json
import os

import dns.rcode
import pytest
from support.bench import eventually


@pytest.fixture
def alone(bench, node):
    """The node without a control plane that would start anything again."""
    node.kill("controlplane")
    yield node
    bench.heal()


def snapshot(node):
    return node.at.var / "cache.snapshot"


def ready(node):
    try:
        return (node.at.run / "ready").read_text().startswith(f"ready pid {node.pid('dataplane')}\n")
    except FileNotFoundError:
        return False


def start(node):
    node.start("dataplane")
    node.wait(lambda: ready(node), 30, "a data plane that is ready")


def rcode(node, item):
    return node.ask(item.name, item.rrtype, seconds=8).rcode()


def written(node):
    """Of which moment and how large it is; nothing while there is none."""
    try:
        told = snapshot(node).stat()
    except FileNotFoundError:
        return None
    return told.st_mtime_ns, told.st_size


def shown(node):
    """What swarmctl tells of it."""
    done = node.ctl("--output", "json", "status", check=False)
    return json.loads(done.stdout).get("dataplane", {}).get("snapshot", {}) if done.stdout.strip() else {}


def test_a_stop_and_a_start_lose_nothing(bench, alone):
    items = bench.asked("ttl-huge", "many-labels", "mixed-case")
    before = {item.name: alone.ask(item.name, item.rrtype) for item in items}
    assert all(reply.rcode() == dns.rcode.NOERROR for reply in before.values())
    alone.kill("resolver")
    alone.stop("dataplane")
    octets = snapshot(alone).read_bytes()
    assert os.stat(snapshot(alone)).st_mode & 0o777 == 0o600
    labels = {label for item in items for label in item.name.lower().encode().split(b".") if len(label) > 5}
    assert labels and not any(label in octets for label in labels)  # no name can be read in it
    start(alone)
    for item in items:
        reply = alone.ask(item.name, item.rrtype)
        assert reply.rcode() == dns.rcode.NOERROR
        assert reply.answer[0].ttl <= before[item.name].answer[0].ttl


def test_a_kill_costs_what_came_since_the_last_interval(bench, alone):
    item = bench.asked("ttl-huge")[0]
    alone.stop("dataplane")
    path = alone.at.var / "dataplane.json"
    config = json.loads(path.read_text())
    config["cache"]["restart_snapshot_s"] = 1
    path.write_text(json.dumps(config))
    start(alone)
    assert rcode(alone, item) == dns.rcode.NOERROR
    newest = written(alone)
    for _ in range(2):  # one may have been under way
        assert eventually(lambda: written(alone) != newest, 20)
        newest = written(alone)
    alone.kill("dataplane")
    alone.kill("resolver")
    assert written(alone)
    start(alone)
    assert rcode(alone, item) == dns.rcode.NOERROR
    config["cache"]["restart_snapshot_s"] = 300
    path.write_text(json.dumps(config))


def test_a_damaged_one_is_named_and_the_node_starts_cold(bench, alone):
    item = bench.asked("ttl-huge")[0]
    assert rcode(alone, item) == dns.rcode.NOERROR
    alone.stop("dataplane")
    octets = bytearray(snapshot(alone).read_bytes())
    octets[100] ^= 1
    snapshot(alone).write_bytes(octets)
    start(alone)
    alone.start()
    assert eventually(lambda: shown(alone), 20)
    told = shown(alone)
    assert int(told.get("loaded", 0)) == 0
    assert any("was altered" in trouble and str(snapshot(alone)) in trouble for trouble in told["troubles"]), told
    assert "was altered" in alone.ctl("status").stdout
    assert rcode(alone, item) == dns.rcode.NOERROR  # asked for anew
