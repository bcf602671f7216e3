"""scripts/bench all: every bench in turn, shorter than by itself; a table, one JSON file and a chart of all.

A bench that fails is named and the others go on; what it has measured is in the file all the same.
"""

import argparse
import json
import pathlib
import subprocess
import sys

from . import chart, contest, report
from .peers import BUILD

# Name: seconds of one measurement, and whether it is a program of its own.
BENCHES = {"worker": (1, True), "cache": (1, True), "hit-ratio": (1, True), "miss": (0.5, True), "journal": (1, True), "restart": (1, True),
           "ledger": (0.5, True), "swarm": (2, False), "memif": (3, False), "veth": (3, False), "latency": (5, False), "real": (3, False)}

# What takes a list of queries, and by which option.
LISTS = {"hit-ratio": "--list", "real": "--names"}


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench all", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, default=BUILD / "bench.json",
                        help="write the figures there (default: bench.json in the build directory)")
    parser.add_argument("--svg", metavar="FILE", type=pathlib.Path,
                        help="draw the chart there (default: beside the JSON file)")
    parser.add_argument("--only", metavar="BENCH[,BENCH]", help=f"some of {', '.join(BENCHES)}")
    parser.add_argument("--repeat", type=int, default=3, help="measurements of everything (default 3)")
    parser.add_argument("--seconds", type=int, help="length of one measurement (default: each its own, 0.5 to 5)")
    parser.add_argument("--names", metavar="FILE", help="the queries of `real`, and of a case of `hit-ratio`")
    options = parser.parse_args()
    options.svg = options.svg or options.json.with_suffix(".svg")
    options.only = options.only.split(",") if options.only else list(BENCHES)
    for name in options.only:
        if name not in BENCHES:
            parser.error(f"--only: there is no bench {name}; there are {', '.join(BENCHES)}")
    return options


def command(name, path, options):
    seconds, program = BENCHES[name]
    words = [BUILD / f"tests/bench/bench-{name}"] if program else [sys.executable, "-B", "-m", f"benchkit.{name}"]
    words += ["--json", path, "--repeat", options.repeat, "--seconds", options.seconds or seconds]
    if options.names and name in LISTS:
        words += [LISTS[name], options.names]
    return [str(word) for word in words]


def run_step(words):
    """The exit code. An interrupted bench is waited for: it cleans up."""
    child = subprocess.Popen(words)
    try:
        return child.wait()
    except KeyboardInterrupt:
        with contest.undisturbed():
            child.terminate()
            child.wait()
        raise


def run(options, folder):
    rows, failed = [], []
    for name in options.only:
        print(f"\n==> {name}", flush=True)
        path = folder / f"{name}.json"
        if run_step(command(name, path, options)):
            failed.append(name)
        if path.exists():
            rows += json.loads(path.read_text())
        report.write_json(rows, options.json)
        options.svg.write_text(chart.draw(rows, report.machine()))
    print(f"\n==> all\n{report.machine()}")
    for name in dict.fromkeys(row["bench"] for row in rows):
        print(f"\n{name}")
        for row in rows:
            if row["bench"] == name:
                print(report.line(row))
    print(f"\n{options.json}\n{options.svg}")
    return failed


def main():
    options = arguments()

    def body():
        with contest.clean_scratch(lambda _: None, lambda: None) as folder:
            return run(options, folder)

    return contest.main("all", body)


if __name__ == "__main__":
    sys.exit(main())
