"""Runs drills one after the other and judges. See tests/drills/run."""

import argparse
import collections
import importlib
import json
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests/integration"), str(ROOT / "tests/drills")]

from labkit import lab  # noqa: E402
from labkit.settings import Options  # noqa: E402
from support.bench import Bench  # noqa: E402
from support.open_load import OpenLoad  # noqa: E402

# Name: module.
DRILLS = {"leaders": "leaders", "partitions": "partitions", "random": "chaos", "clocks": "clocks", "disks": "disks",
          "altered": "altered"}


class Drill:
    """What a drill is given, and what it tells."""

    def __init__(self, name, options, folder):
        self.name = name
        self.folder = folder
        self.seed = options.seed
        self.times = options.times
        self.seconds = options.seconds
        self.rate = options.rate
        self.times_taken = collections.defaultdict(list)
        self.counts = collections.Counter()

    def lab(self, **wishes):
        wishes.setdefault("seed", self.seed)
        options = Options(**wishes)
        lab.down(say=lambda *_: None)  # no swarm of an earlier drill
        lab.up(options, say=lambda *_: None)
        return Bench(options)

    def load(self, numbers=()):
        return OpenLoad(self.folder, rate=self.rate, numbers=numbers)

    def time(self, what, seconds):
        self.times_taken[what].append(seconds)
        print(f"  {self.name}: {what}: {seconds * 1000:.0f} ms", flush=True)

    def count(self, what):
        self.counts[what] += 1

    def judge(self, account, excused=None):
        """What is wrong with the answers, as lines."""
        for number, node in account.nodes.items():
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(node["kinds"].items()))
            print(f"  {self.name}: n{number}: {node['sent']} queries: {kinds}", flush=True)
        found = account.unexcused(excused)
        return [f"{len(found)} queries without a right answer; the first: {found[:3]}"] if found else []

    def summary(self):
        for what, taken in self.times_taken.items():
            taken = sorted(taken)
            yield (f"  {self.name}: {what}: {len(taken)} times, median {taken[len(taken) // 2] * 1000:.0f} ms, "
                   f"most {taken[-1] * 1000:.0f} ms")
        if self.counts:
            yield f"  {self.name}: " + ", ".join(f"{count} x {what}" for what, count in sorted(self.counts.items()))


def parse(arguments):
    parser = argparse.ArgumentParser(prog="tests/drills/run", description="Drills of a swarm under DNS load.")
    parser.add_argument("drills", nargs="*", help=f"some of {', '.join(DRILLS)} (default: all)")
    parser.add_argument("--times", type=int, default=0, help="of what a drill does again and again (default: its own)")
    parser.add_argument("--seconds", type=int, default=0, help="length of `random` (default 180)")
    parser.add_argument("--seed", type=int, default=21, help="equal seeds ask and hurt alike (default 21)")
    parser.add_argument("--rate", type=int, default=500, help="queries a second to each node (default 500)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the times there")
    options = parser.parse_args(arguments)
    for name in options.drills:
        if name not in DRILLS:
            parser.error(f"there is no drill {name}; there are {', '.join(DRILLS)}")
    options.drills = options.drills or list(DRILLS)
    return options


def main(arguments):
    options = parse(arguments)
    failed, told = [], {}
    for name in options.drills:
        print(f"==> {name}", flush=True)
        with tempfile.TemporaryDirectory(prefix="swarmdns-drill-") as folder:
            drill = Drill(name, options, pathlib.Path(folder))
            try:
                findings = importlib.import_module(f"drillkit.{DRILLS[name]}").run(drill)
            except Exception as error:  # the other drills go on
                findings = [f"{type(error).__name__}: {error}"]
        print("\n".join(drill.summary()))
        for finding in findings:
            print(f"  {name}: WRONG: {finding}")
        if findings:
            failed.append(name)
        told[name] = {"seconds": drill.times_taken, "counts": drill.counts, "wrong": findings}
    lab.down(say=lambda *_: None)
    if options.json:
        options.json.write_text(json.dumps(told, indent=1) + "\n")
    print(f"FAILED: {', '.join(failed)}" if failed else "PASSED")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
