"""The network between the nodes is cut in every way, one direction alone too, and heals."""

import random
import time

from support.swarm import form, leader, same_height

from .marks import PATIENCE, Marks, order

TIMES = 10


def run(drill):
    """Lines of what is wrong. Times: from the cut, and from the healing, until a change is done."""
    bench = drill.lab(nodes=3, faults=True)
    form(bench, drill.folder / "root.key")
    chance = random.Random(drill.seed)
    marks = Marks(bench, "partitions")
    with drill.load() as load:
        for number in range(drill.times or TIMES):
            first = leader(bench) or bench.node(1)
            alone = first if number % 2 == 0 else chance.choice([each for each in bench.nodes if each is not first])
            rest = [each for each in bench.nodes if each is not alone]
            way = ("both", "to the rest", "from the rest")[number % 3]
            begun = time.monotonic()
            if way == "both":
                bench.faults.partition([alone.at.i], [each.at.i for each in rest])
            elif way == "to the rest":
                bench.faults.one_way([alone.at.i], [each.at.i for each in rest])
            else:
                bench.faults.one_way([each.at.i for each in rest], [alone.at.i])
            if not order(rest[0], f"partition {number}"):
                return [f"no change in {PATIENCE} s by the majority: {way} of n{alone.at.i}"]
            drill.time("cut off to change done by the majority", time.monotonic() - begun)
            time.sleep(chance.uniform(0, 5))
            begun = time.monotonic()
            bench.faults.heal()
            if not order(alone, f"healed {number}"):
                return [f"no change in {PATIENCE} s by n{alone.at.i} after the healing"]
            drill.time("healed to change done by the one cut off", time.monotonic() - begun)
        # Nobody has a quorum: changes wait, answers do not.
        bench.faults.partition([1], [2], [3])
        if order(bench.node(1), "without a quorum", 5):
            return ["a change was done without a quorum"]
        bench.faults.heal()
        marks.end()
        account = load.finish()
    return drill.judge(account) + marks.check(lambda: same_height(bench.nodes))
