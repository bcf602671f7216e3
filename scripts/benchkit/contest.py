"""A bench of responders on one wire: each is measured in turns, so that a drift of the machine falls on all of them."""

import argparse
import sys

from . import report, wire


def run(bench, description, responders, set_up, measure, tear_down):
    """Prints the table; the first of `responders` (name: class) is ours. `set_up(folder)` makes the wire and its files;
    `measure(folder, responder, seconds)` returns (replies a second, a note)."""
    parser = argparse.ArgumentParser(prog=f"scripts/bench {bench}", description=description)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--repeat", type=int, default=3, help="measurements of each responder")
    parser.add_argument("--seconds", type=int, default=5, help="length of one measurement")
    options = parser.parse_args()
    samples = {case: [] for case in responders}
    folder = wire.scratch()
    try:
        set_up(folder)
        for _ in range(options.repeat):
            for case, responder in responders.items():
                running = responder()
                try:
                    running.start(folder)
                    rate, note = measure(folder, running, options.seconds)
                finally:
                    running.stop()
                samples[case].append(rate)
                print(f"{case}: {rate:,.0f} replies/s{note}", file=sys.stderr)
    finally:
        tear_down()
        wire.remove(folder)
    rows = report.rows_of(bench, next(iter(responders)), "replies/s", samples)
    report.print_table(rows, samples)
    if options.json:
        report.write_json(rows, options.json)
