"""`lab clock`: the wall clock of a node's control plane, shifted while it runs.

In a lab that was brought up with --faults control planes are started with a library (wall_clock.cc) that adds an offset to
every wall-clock time they read. Their children, the data plane and the resolver, keep the true time.
"""

import pathlib
import re
import struct

from .settings import VAR, LabError
from .shell import run

SOURCE = pathlib.Path(__file__).with_name("wall_clock.cc")
LIBRARY = VAR / "bin" / "wall_clock.so"
UNITS = {"ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}
NANOSECONDS = 1_000_000_000


def offset_file(node):
    return node.run / "clock"


def seconds(text):
    """`+5m` or `-30s` as seconds; `off` is 0."""
    if text == "off":
        return 0.0
    found = re.fullmatch(r"([+-])(\d+(?:\.\d+)?)(ms|s|m|h|d)", text)
    if not found:
        raise LabError(f"`{text}` is no offset: give it as +5m, -30s or off")
    return float(found.group(1) + found.group(2)) * UNITS[found.group(3)]


def words(node):
    """What stands before the command line of a control plane whose clock can be shifted."""
    if not LIBRARY.exists() or LIBRARY.stat().st_mtime < SOURCE.stat().st_mtime:
        LIBRARY.parent.mkdir(parents=True, exist_ok=True)
        fresh = LIBRARY.with_suffix(".new")
        run("c++", "-std=c++20", "-O2", "-Wall", "-shared", "-fPIC", "-o", fresh, SOURCE, "-ldl")
        fresh.replace(LIBRARY)
    if not offset_file(node).exists():
        shift(node, 0.0)
    return ["env", f"LD_PRELOAD={LIBRARY}", f"LAB_WALL_CLOCK={offset_file(node)}"]


def shift(node, by):
    """Sets the wall clock of the node's control plane `by` seconds off the true time. Stays over its restarts."""
    with open(offset_file(node), "r+b" if offset_file(node).exists() else "wb", buffering=0) as file:
        file.write(struct.pack("=q", round(by * NANOSECONDS)))


def offset(node):
    """Seconds."""
    try:
        return struct.unpack("=q", offset_file(node).read_bytes())[0] / NANOSECONDS
    except FileNotFoundError:
        return 0.0


def line(node):
    """For `lab status`."""
    by = offset(node)
    return f"{'n' + str(node.i) + ' clock':<22} {by:+g} s in the control plane" if by else None
