"""scripts/bench latency: how long a lone packet takes, and whether a worker's sleep costs one.

Over shared memory, dnsvolley on the other core, which takes time by the TSC and sends each query at a random time of its
interval. Beside the empty responder, which always spins: a ratio to it says what answering adds. First at one low
rate, worker spinning and in adaptive idle; then adaptive at several, for gaps from nothing to 20 ms: what is lost there.
"""

import sys

from . import contest, memif, report

PERCENTILES = ("p50", "p99", "p99.9")
GAP_RATES = (100, 300, 1000, 2000)


class Spinning(memif.SwarmDns):
    idle = "SPIN"


class Adaptive(memif.SwarmDns):
    idle = "ADAPTIVE"


MODES = {"spin": Spinning, "adaptive": Adaptive, "empty": memif.Empty}


def ask(folder, responder, rate, seconds):
    found = memif.dnsvolley(folder, *responder.options, f"--rate={rate}", "--random-gaps", "--warmup=0.5",
                            f"--duration={seconds}", "--max-shortfall=100")
    if found["wrong"] or not found["received"]:
        raise RuntimeError(f"dnsvolley says: {'; '.join(found['failures'])}")
    return found


def arguments():
    parser = contest.parser("latency", __doc__)
    parser.add_argument("--rate", type=int, default=1000, help="queries a second of the latencies (default 1000)")
    return parser.parse_args()


def words(found):
    return ", ".join(f"{name} {found['latency_us'][name]:.1f} us" for name in PERCENTILES) + f", {found['lost']} lost"


def rows_of(samples, gaps):
    """A row for each mode and percentile, the empty responder beside it; then what was lost. And the samples of each."""
    rows, taken = [], {}
    for name in PERCENTILES:
        values = {mode: [found["latency_us"][name] for found in list_] for mode, list_ in samples.items()}
        for mode in (mode for mode in values if mode != "empty"):
            case = f"latency-{mode}-{name.replace('.', '')}"
            beside = {case: values[mode], **{other: values[other] for other in values if other == "empty"}}
            for row in report.rows_of("latency", case, "us", beside):
                if row["case"] != case:
                    row["case"] = f"{case}-{row['case']}"
                taken[row["case"]] = values["empty"] if row["case"].endswith("-empty") else values[mode]
                rows.append(row)
    for what, unit in (("sent", "queries"), ("lost", "queries lost")):
        case = f"adaptive-gaps-{what}"
        taken[case] = [sum(found[what] for found in gaps)]
        rows += report.rows_of("latency", case, unit, {case: taken[case]})
    return rows, taken


def main():
    options = arguments()

    def body():
        turns = contest.Turns("latency", MODES, options)
        with contest.clean_scratch(memif.set_up, memif.tear_down) as folder:
            turns.run(folder, lambda *given: ask(*given[:2], options.rate, given[2]), words)
            gaps = contest.measure_once(folder, Adaptive, across_gaps, options.seconds)
        rows, taken = rows_of(turns.samples, gaps)
        report.print_table(rows, taken)
        if options.json:
            report.write_json(rows, options.json)
        return turns.failed

    return contest.main("latency", body)


def across_gaps(folder, responder, seconds):
    found = []
    for rate in GAP_RATES:
        found.append(ask(folder, responder, rate, seconds))
        print(f"adaptive, {rate} q/s with random gaps: {words(found[-1])}", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
