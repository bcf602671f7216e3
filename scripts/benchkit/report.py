"""The table and the JSON of a bench run."""

import json
import pathlib
import platform
import statistics


def machine():
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown CPU")
    cpus = len([l for l in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if l.startswith("processor")])
    return f"{model}, {cpus} CPUs, Linux {platform.release()}"


LESS_IS_BETTER = ("cycles", "ns", "us", "ms", "bytes", "per mille", "% lost", "lost", "queries lost", "questions")


def less_is_better(unit):
    return unit in LESS_IS_BETTER or unit.split("/")[0] in LESS_IS_BETTER


def rows_of(bench, ours, unit, samples):
    """samples: {case: [values]}. Ours gets the ratios, above 1 when it is better; yardsticks stand as rows of their own."""
    medians = {case: statistics.median(values) for case, values in samples.items()}
    rows = []
    for case, value in medians.items():
        row = {"bench": bench, "case": case, "value": round(value, 1 if value >= 1000 else 3), "unit": unit, "ratio_to": {}}
        if case == ours:
            row["ratio_to"] = {other: ratio(unit, value, theirs) for other, theirs in medians.items()
                               if other != ours and theirs > 0 and value > 0}
        rows.append(row)
    return rows


def ratio(unit, value, theirs):
    return round(theirs / value if less_is_better(unit) else value / theirs, 3)


def print_table(rows, samples):
    print(machine())
    for row in rows:
        print(line(row, samples[row["case"]]))


def line(row, values=()):
    digits = 0 if row["value"] >= 1000 else 2
    ratios = "  ".join(f"{ratio:.2f} x {other}" for other, ratio in row["ratio_to"].items())
    spread = f"({min(values):,.{digits}f} - {max(values):,.{digits}f})" if values else ""
    return f"{row['case']:<26}{row['value']:>14,.{digits}f} {row['unit']}  {spread}  {ratios}".rstrip()


def write_json(rows, path):
    pathlib.Path(path).write_text(json.dumps(rows, indent=1) + "\n")
