"""Full disks and slow ones: of a follower, of the leader. Changes go on, the node is named, and catches up by itself."""

import time

from support.bench import eventually
from support.swarm import form, leader, same_height

from .marks import Marks, order


def run(drill):
    """Lines of what is wrong. Times: from the fault until a change is done elsewhere."""
    bench = drill.lab(nodes=3, faults=True)
    form(bench, drill.folder / "root.key")
    marks = Marks(bench, "disks")
    findings = []
    with drill.load() as load:
        for fault in ("full", "slow"):
            for whose in ("follower", "leader"):
                first = leader(bench) or bench.node(1)
                node = first if whose == "leader" else next(each for each in bench.nodes if each is not first)
                other = next(each for each in bench.nodes if each is not node)
                begun = time.monotonic()
                if fault == "full":
                    bench.faults.fill_disk(node.at.i)
                else:
                    bench.faults.slow_disk(node.at.i, 2.0)
                if not order(other, f"{fault} disk of the {whose}"):
                    findings.append(f"no change while the disk of the {whose}, n{node.at.i}, is {fault}")
                drill.time(f"{fault} disk of the {whose} to change done", time.monotonic() - begun)
                if fault == "full":
                    if not eventually(lambda node=node: "disk" in node.ctl("swarm", "status").stdout, 60):
                        findings.append(f"n{node.at.i} does not say that its disk is full")
                    bench.faults.empty_disk(node.at.i)
                else:
                    time.sleep(5)
                    bench.faults.slow_disk(node.at.i, 0)
                if not same_height(bench.nodes, 60):
                    findings.append(f"n{node.at.i} does not catch up after its disk was {fault}")
        marks.end()
        account = load.finish()
    return findings + drill.judge(account) + marks.check(lambda: same_height(bench.nodes))
