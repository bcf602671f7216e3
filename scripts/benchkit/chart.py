"""A chart of a bench run as SVG: for each figure that has yardsticks a group of bars, ours in colour, best first.

    scripts/bench chart FILE.json FILE.svg

Groups have scales of their own, for their units differ. What has no yardstick is written below as text. Colours are
such that the picture can be read on white and on black.
"""

import json
import pathlib
import sys
from xml.sax.saxutils import escape

from . import report

WIDTH, MARGIN, LABELS, BARS = 860, 24, 190, 400
BAR, GAP, LINE = 16, 5, 17
TEXT, OURS, THEIRS = "#7d8590", "#2f81f7", "#9aa3ad"
OUR_NAME = "SwarmDNS"
TITLES = {
    "worker": "Pipeline of a worker, cache hits, without a NIC",
    "cache": "Cache table alone",
    "miss": "Misses",
    "journal": "The journal, one follower",
    "memif": "Shared memory (memif), one worker core",
    "veth": "veth pair, one core each",
    "latency": "A lone packet",
    "real": "A list of queries, in the lab",
}


def number(value):
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.3g}"


def is_yardstick(row, rows):
    """Whether a row is that of a yardstick, which stands as a bar beside the figure it belongs to."""
    return any(row["case"] in (name, f"{other['case']}-{name}") for other in rows for name in other["ratio_to"])


def bars_of(row, rows=()):
    """(name, value, ours) of a figure and its yardsticks, best first. A yardstick without a row follows from its ratio."""
    own = {other["case"]: other["value"] for other in rows if other["unit"] == row["unit"]}
    less = report.less_is_better(row["unit"])
    bars = [(OUR_NAME, row["value"], True)]
    for name, ratio in row["ratio_to"].items():
        if ratio > 0:
            value = row["value"] * ratio if less else row["value"] / ratio
            bars.append((name, own.get(f"{row['case']}-{name}", own.get(name, value)), False))
    return sorted(bars, key=lambda bar: bar[1], reverse=not less)


class Drawing:
    def __init__(self):
        self.parts, self.y = [], MARGIN

    def text(self, x, words, size=12, weight="normal", anchor="start", fill=TEXT):
        self.parts.append(f'<text x="{x}" y="{self.y}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
                          f'fill="{fill}">{escape(words)}</text>')

    def bar(self, name, value, longest, unit, ours):
        width = max(BARS * value / longest, 1) if longest > 0 else 1
        top = self.y
        self.parts.append(f'<rect x="{MARGIN + LABELS}" y="{top}" width="{width:.1f}" height="{BAR}" rx="2" '
                          f'fill="{OURS if ours else THEIRS}"/>')
        self.y = top + BAR - 4
        colour, weight = (OURS, "bold") if ours else (TEXT, "normal")
        self.text(MARGIN + LABELS - 8, name, 12, weight, "end", colour)
        self.text(f"{MARGIN + LABELS + width + 6:.1f}", f"{number(value)} {unit}", 12, weight, fill=colour)
        self.y = top + BAR + GAP

    def group(self, row, rows):
        self.y += LINE
        less = ", less is better" if report.less_is_better(row["unit"]) else ""
        case = "" if row["case"] == OUR_NAME.lower() else f"{row['case']}: "
        self.text(MARGIN + LABELS, f"{case}{row['unit']}{less}")
        self.y += 6
        bars = bars_of(row, rows)
        longest = max(value for _, value, _ in bars)
        for name, value, ours in bars:
            self.bar(name, value, longest, row["unit"], ours)

    def notes(self, rows):
        """Figures without a yardstick, in two columns."""
        half = (len(rows) + 1) // 2
        self.y += 8
        for left, right in zip(rows[:half], rows[half:] + [None]):
            self.y += LINE
            for x, row in ((MARGIN, left), (WIDTH // 2, right)):
                if row:
                    self.text(x, f"{row['case']}: {number(row['value'])} {row['unit']}", 11)

    def svg(self):
        height = self.y + MARGIN
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
                f'viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif">\n' + "\n".join(self.parts) +
                "\n</svg>\n")


def draw(rows, machine=""):
    """The SVG text for the rows of a JSON file."""
    drawing = Drawing()
    if machine:
        drawing.text(MARGIN, machine, 11)
        drawing.y += LINE
    for bench in dict.fromkeys(row["bench"] for row in rows):
        own = [row for row in rows if row["bench"] == bench]
        drawing.y += LINE
        drawing.text(MARGIN, TITLES.get(bench, bench), 16, "bold")
        drawing.y += 4
        for row in own:
            if row["ratio_to"]:
                drawing.group(row, own)
        alone = [row for row in own if not row["ratio_to"] and not is_yardstick(row, own)]
        if alone:
            drawing.notes(alone)
        drawing.y += LINE
    return drawing.svg()


def main():
    if len(sys.argv) != 3:
        print("usage: scripts/bench chart FILE.json FILE.svg", file=sys.stderr)
        return 2
    try:
        rows = json.loads(pathlib.Path(sys.argv[1]).read_text())
        pathlib.Path(sys.argv[2]).write_text(draw(rows))
    except (OSError, ValueError, KeyError) as error:
        print(f"chart: {sys.argv[1]}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
