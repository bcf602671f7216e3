"""`lab slow`: a node whose management link has a long way, both ways.

This kernel has no netem. The node's end of the bridge is taken out of it, and a process carries every frame between
it and an interface that is in the bridge in its place:

    mgmt0 of the node ══ nI ── delay_proxy ── slowI ══ slowI-br ── bridge
"""

import pathlib
import re
import sys

from . import netns, priority, procs
from .settings import MGMT_NS, LabError
from .shell import run, try_run

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


def seconds(text):
    """`50ms` as seconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(us|ms|s)", text)
    if not found:
        raise LabError(f"`{text}` is no time: give it as 50ms or 1.5s")
    return float(found.group(1)) * UNITS[found.group(2)]


def process(node):
    return f"slow-n{node.i}"


def note(node):
    """Says how slow the node was made; beside the process's pid file."""
    return procs.PIDS / f"{process(node)}.delay"


def port(node):
    return f"slow{node.i}"


def start(node, delay, jitter=0.0):
    """Makes the node slow, or slow in another measure. `delay` and `jitter` in seconds, each way."""
    if not 0 < delay <= 5 or not 0 <= jitter <= delay:
        raise LabError("a delay is more than 0 and at most 5 s, its jitter not more than the delay")
    stop(node)
    netns.veth(MGMT_NS, port(node), MGMT_NS, f"{port(node)}-br")
    for name in (port(node), f"{port(node)}-br"):
        netns.silent(MGMT_NS, name)
    procs.log_file(process(node)).unlink(missing_ok=True)
    scripts = pathlib.Path(__file__).resolve().parents[1]
    procs.start(
        process(node),
        [*netns.enter(MGMT_NS), "env", f"PYTHONPATH={scripts}", "PYTHONDONTWRITEBYTECODE=1", sys.executable,
         "-m", "labkit.delay_proxy", f"n{node.i}", port(node), str(delay), str(jitter)],
        before=priority.join,
    )
    procs.wait_until(lambda: procs.tail(process(node)), 20, f"a word of the process that delays node {node.i}")
    if not procs.alive_pid(process(node)):
        raise LabError(f"the process that delays node {node.i} ended:\n{procs.tail(process(node))}")
    note(node).write_text(f"{delay * 1000:g} ms" + (f" ± {jitter * 1000:g} ms" if jitter else "") + "\n")
    run("ip", "-n", MGMT_NS, "-batch", "-",
        stdin=f"link set n{node.i} nomaster\nlink set {port(node)}-br master br0\n")


def is_on(node):
    return note(node).exists()


def stop(node):
    """The node's link is short again. Frames that were under way arrive at once."""
    procs.stop(process(node))
    note(node).unlink(missing_ok=True)
    if netns.exists(MGMT_NS) and netns.link_exists(MGMT_NS, port(node)):
        try_run("ip", "-n", MGMT_NS, "link", "del", port(node))
        try_run("ip", "-n", MGMT_NS, "link", "set", f"n{node.i}", "master", "br0")


def end_lost(node):
    """Makes the node fast when the process that carries its frames died, or runs in a bridge that is no longer there."""
    if is_on(node) and procs.alive_pid(process(node)) not in netns.pids(MGMT_NS):
        stop(node)


def line(node):
    """For `lab status`; the second value tells whether all is as it should be."""
    if not is_on(node):
        return None, True
    pid = procs.alive_pid(process(node))
    state = f"by process {pid}" if pid else "but the process that carries its frames is gone: `lab heal`"
    return f"{'n' + str(node.i) + ' slow':<22} {note(node).read_text().strip()} each way, {state}", pid is not None
