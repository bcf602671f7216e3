"""The leader's control plane is killed, again and again."""

import time

from support.swarm import form, leader, same_height

from .marks import PATIENCE, Marks, order, wait

TIMES = 20


def run(drill):
    """Lines of what is wrong. Times: from the kill until a survivor says that a change is done."""
    bench = drill.lab(nodes=3)
    form(bench, drill.folder / "root.key")
    marks = Marks(bench, "leaders")
    with drill.load() as load:
        for number in range(drill.times or TIMES):
            first = None
            while first is None:
                first = leader(bench)
            survivor = next(each for each in bench.nodes if each is not first)
            begun = time.monotonic()
            first.kill("controlplane")
            if not order(survivor, f"after kill {number}"):
                return [f"no change in {PATIENCE} s after kill {number}"]
            drill.time("leader killed to change done", time.monotonic() - begun)
            first.start()
            took = wait(lambda first=first: first.ctl("swarm", "status", check=False).returncode == 0, 60)
            if took is None:
                return [f"n{first.at.i} does not come back after kill {number}"]
            same_height(bench.nodes)
        marks.end()
        account = load.finish()
    return drill.judge(account) + marks.check(lambda: same_height(bench.nodes))
