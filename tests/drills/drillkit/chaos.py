"""Control planes, resolvers and data planes die at random, clocks jump, networks part: all at once."""

import random
import time

from support.swarm import form, same_height

from .marks import Marks

SECONDS = 180
AWAY = 15.0  # seconds at most that a data plane's death excuses its node's answers


def run(drill):
    """Lines of what is wrong."""
    bench = drill.lab(nodes=5, faults=True)
    form(bench, drill.folder / "root.key")
    chance = random.Random(drill.seed)
    marks = Marks(bench, "random")
    excused = {each.at.i: [] for each in bench.nodes}
    with drill.load() as load:
        end = time.monotonic() + (drill.seconds or SECONDS)
        while time.monotonic() < end:
            act(bench, chance, excused, drill)
            time.sleep(chance.uniform(1, 4))
        bench.faults.end_all()
        bench.heal()
        marks.end()
        account = load.finish()
    return drill.judge(account, excused) + marks.check(lambda: same_height(bench.nodes, 120))


def act(bench, chance, excused, drill):
    node = chance.choice(bench.nodes)
    others = [each.at.i for each in bench.nodes if each is not node]
    what = chance.choices(("controlplane", "resolver", "dataplane", "partition", "one way", "clock", "slow", "heal"),
                          (4, 2, 1, 2, 2, 2, 1, 3))[0]
    drill.count(what)
    match what:
        case "controlplane":
            if node.pid("controlplane"):
                node.kill("controlplane")
            time.sleep(chance.uniform(0, 2))
            node.start()
        case "resolver":
            if node.pid("resolver"):
                node.kill("resolver")
        case "dataplane":
            if pid := node.pid("dataplane"):
                begun = time.monotonic()
                node.kill("dataplane")
                node.wait_part("dataplane", AWAY, other_than=pid)
                node.wait(node.answers, AWAY, f"an answer of n{node.at.i}")
                excused[node.at.i].append((begun, time.monotonic()))
        case "partition":
            side = chance.sample([each.at.i for each in bench.nodes], chance.randint(1, 2))
            bench.faults.partition(side, [each.at.i for each in bench.nodes if each.at.i not in side])
        case "one way":
            bench.faults.one_way([node.at.i], chance.sample(others, 2))
        case "clock":
            bench.faults.clock(node.at.i, chance.choice((-3600, -5, 1.5, 30, 86400)))
        case "slow":
            bench.faults.slow(node.at.i, 0.05, 0.02)
        case "heal":
            bench.faults.end_all()
