"""The readiness file: there exactly while the data plane is ready, whoever else is dead."""

import json
import os
import stat

import dns.rcode
from support.bench import eventually

WARM_UP_MS = 20_000


def ready(node):
    """The words of RUN_DIR/ready, or None."""
    try:
        return (node.at.run / "ready").read_text().split()
    except FileNotFoundError:
        return None


def lives(pid):
    """As an announcer looks: a process that nobody has waited for yet has no command line any more."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as line:
            return b"swarmdns-dataplane" in line.read()
    except OSError:
        return False


def set_warm_up(node, ms):
    """As the control plane does it: by the configuration that the data plane starts from."""
    path = node.at.var / "dataplane.json"
    config = json.loads(path.read_text())
    config["warm_up_ms"] = ms
    path.write_text(json.dumps(config))


def test_there_while_it_is_ready_and_of_this_process(bench, node):
    pid = node.pid("dataplane")
    assert ready(node) == ["ready", "pid", str(pid)] and lives(pid)
    assert stat.S_IMODE(os.stat(node.at.run / "ready").st_mode) == 0o644

    # It is the data plane's own: nobody else is needed for it.
    node.kill("controlplane")
    node.kill("resolver")
    assert ready(node) == ["ready", "pid", str(pid)]

    # A killed process leaves it, and the pid tells. The next one makes its own.
    node.kill("dataplane")
    assert ready(node) == ["ready", "pid", str(pid)]
    assert not lives(pid)
    node.start("dataplane")
    successor = node.wait_part("dataplane", 20, other_than=pid)
    node.wait(lambda: ready(node) == ["ready", "pid", str(successor)], 30, "the file of the new data plane")
    node.wait(node.answers, 30, "an answer of the new data plane")

    # One that ends in good order takes it along.
    node.stop("dataplane")
    assert ready(node) is None


def test_warming_up_keeps_it_away_and_ends_by_itself(bench, node):
    item = bench.asked("ttl-huge")[0]
    node.kill("controlplane")
    node.stop("dataplane")
    set_warm_up(node, WARM_UP_MS)
    node.start("dataplane")
    pid = node.wait_part("dataplane", 20)
    node.wait(node.answers, 30, "an answer")
    assert ready(node) is None  # it answers, and tells the announcer to wait
    assert node.ask(item.name, item.rrtype).rcode() == dns.rcode.NOERROR
    # No control plane says that the cache is warm.
    assert eventually(lambda: ready(node) == ["ready", "cold", "pid", str(pid)], 60), ready(node)
    node.stop("dataplane")
    assert ready(node) is None
    set_warm_up(node, 0)
    bench.heal()
    assert ready(node) == ["ready", "pid", str(node.pid("dataplane"))]
