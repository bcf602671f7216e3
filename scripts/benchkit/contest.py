"""A bench of responders on one wire: each is measured in turns, so that a drift of the machine falls on all of them."""

import argparse
import contextlib
import signal
import subprocess
import sys

from labkit.settings import LabError

from . import report, wire

FAILURES = (RuntimeError, OSError, subprocess.SubprocessError, LabError)


def parser(bench, description, repeat=3, seconds=5):
    """What every bench takes."""
    top = argparse.ArgumentParser(prog=f"scripts/bench {bench}", description=description,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--json", metavar="FILE", help="write the figures there")
    top.add_argument("--repeat", type=int, default=repeat, help=f"measurements of each responder (default {repeat})")
    top.add_argument("--seconds", type=int, default=seconds, help=f"length of one measurement (default {seconds})")
    return top


@contextlib.contextmanager
def undisturbed():
    """Cleaning up is not interrupted by a second Ctrl-C."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def clean_scratch(set_up, tear_down):
    """A folder in which `set_up(folder)` has made what the bench needs. All of it is gone afterwards, however it ends."""
    folder = wire.scratch()
    try:
        set_up(folder)
        yield folder
    finally:
        with undisturbed():
            tear_down()
            wire.remove(folder)


def measure_once(folder, responder, measure, seconds):
    running = responder()
    try:
        running.start(folder)
        return measure(folder, running, seconds)
    finally:
        with undisturbed():
            running.stop()


class Turns:
    """Measures each of `responders` (name: class; the first is ours) `repeat` times. A peer that fails is named, left out
    from then on, and in `failed`; ours failing ends the bench."""

    def __init__(self, bench, responders, options):
        self.bench, self.responders, self.options = bench, dict(responders), options
        self.ours = next(iter(responders))
        self.samples = {name: [] for name in responders}
        self.failed = []

    def run(self, folder, measure, describe):
        """`measure(folder, responder, seconds)` gives a sample, `describe(sample)` the words to print for it."""
        for _ in range(self.options.repeat):
            for name, responder in list(self.responders.items()):
                try:
                    sample = measure_once(folder, responder, measure, self.options.seconds)
                except FAILURES as error:
                    if name == self.ours:
                        raise RuntimeError(f"{name}: {error}") from error
                    print(f"{self.bench}: {name} is left out: {error}", file=sys.stderr)
                    self.failed.append(name)
                    del self.responders[name], self.samples[name]
                    continue
                self.samples[name].append(sample)
                print(f"{name}: {describe(sample)}", file=sys.stderr, flush=True)


def main(bench, body):
    """Runs `body()`, which returns the names of what failed. The exit code of the bench: 0 when all was measured."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it as Ctrl-C does
    try:
        failed = body()
    except KeyboardInterrupt:
        print(f"{bench}: interrupted; everything it had made is gone again", file=sys.stderr)
        return 130
    except FAILURES as error:
        print(f"{bench}: {error}", file=sys.stderr)
        return 1
    if failed:
        print(f"{bench}: not complete, see above: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def run(bench, description, responders, set_up, measure, tear_down):
    """The whole of a bench with one figure, replies a second. `measure` returns (replies a second, a note)."""
    options = parser(bench, description).parse_args()

    def body():
        turns = Turns(bench, responders, options)
        with clean_scratch(set_up, tear_down) as folder:
            turns.run(folder, measure, lambda sample: f"{sample[0]:,.0f} replies/s{sample[1]}")
        samples = {name: [rate for rate, _ in taken] for name, taken in turns.samples.items()}
        rows = report.rows_of(bench, turns.ours, "replies/s", samples)
        report.print_table(rows, samples)
        if options.json:
            report.write_json(rows, options.json)
        return turns.failed

    sys.exit(main(bench, body))
