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


def rows_of(bench, ours, unit, samples):
    """samples: {case: [values]}, higher is better. Ours gets the ratios; yardsticks stand as rows of their own."""
    medians = {case: statistics.median(values) for case, values in samples.items()}
    rows = []
    for case, value in medians.items():
        row = {"bench": bench, "case": case, "value": round(value, 1), "unit": unit, "ratio_to": {}}
        if case == ours:
            row["ratio_to"] = {other: round(value / medians[other], 3) for other in medians
                               if other != ours and medians[other] > 0}
        rows.append(row)
    return rows


def print_table(rows, samples):
    print(machine())
    for row in rows:
        values = samples[row["case"]]
        ratios = "  ".join(f"{ratio:.2f} x {other}" for other, ratio in row["ratio_to"].items())
        print(f"{row['case']:<14}{row['value']:>14,.0f} {row['unit']}  ({min(values):,.0f} - {max(values):,.0f})  {ratios}")


def write_json(rows, path):
    pathlib.Path(path).write_text(json.dumps(rows, indent=1) + "\n")
