"""Wall clocks that are wrong, jump forth and back: changes go on, time in the ledger never goes back, sharing stops and resumes."""

import time

from support.bench import eventually
from support.swarm import form, leader, same_height, told

from .marks import Marks, order

JUMPS = (3.0, -3.0, 300.0, -300.0, 86400.0)


def block_times(node):
    blocks = told(node, "ledger", "log", "--limit", "1000")["blocks"]
    return [int(block.get("time_ms", 0)) for block in sorted(blocks, key=lambda block: int(block["height"]))]


def run(drill):
    """Lines of what is wrong."""
    bench = drill.lab(nodes=3, faults=True)
    form(bench, drill.folder / "root.key")
    marks = Marks(bench, "clocks")
    findings = []
    with drill.load() as load:
        for number, jump in enumerate(JUMPS):
            first = leader(bench) or bench.node(1)
            node = first if number % 2 == 0 else next(each for each in bench.nodes if each is not first)
            begun = time.monotonic()
            bench.faults.clock(node.at.i, jump)
            if not order(bench.node(1 + number % 3), f"clock {number}"):
                findings.append(f"no change after the clock of n{node.at.i} went {jump:+.0f} s")
            drill.time(f"clock {jump:+.0f} s to change done", time.monotonic() - begun)
            if not eventually(lambda node=node: "clock" in node.ctl("swarm", "status").stdout, 20):
                findings.append(f"n{node.at.i} does not say that its clock is {jump:+.0f} s off")
            bench.faults.clock(node.at.i, 0)
            if not eventually(lambda node=node: "clock" not in node.ctl("swarm", "status").stdout, 30):
                findings.append(f"n{node.at.i} goes on saying that its clock is off")
        marks.end()
        account = load.finish()
    times = block_times(bench.node(1))
    if times != sorted(times):
        findings.append("time goes back in the ledger")
    return findings + drill.judge(account) + marks.check(lambda: same_height(bench.nodes))
