"""CPU time for the lab before other work of this machine, by a control group of its own.

Several nodes on a few CPUs beside a compiler would otherwise wait for a turn longer than their ports have room for
frames. Nice values do not do: a kernel with autogroups compares them only within a session, and a node has three.
"""

import os
import pathlib

WEIGHT = 20  # times that of any other session or service
# The `cpu` controller: of cgroup v2, or of v1. Folder, file of the weight, its default.
PLACES = (("/sys/fs/cgroup", "cpu.weight", 100), ("/sys/fs/cgroup/cpu", "cpu.shares", 1024))
NAME = "swarmdns-lab"


def groups():
    for folder, file, plain in PLACES:
        yield pathlib.Path(folder) / NAME, file, plain * WEIGHT


def join():
    """Puts the calling process, and what it will start, into the group. Without one on this machine all stays as it is."""
    for group, file, weight in groups():
        if not (group.parent / "cgroup.procs").exists():
            continue
        try:
            group.mkdir(exist_ok=True)
            (group / file).write_text(str(weight))
            (group / "cgroup.procs").write_text(str(os.getpid()))
            return
        except OSError:
            continue  # no cpu controller here


def remove():
    for group, _, _ in groups():
        if group.exists():
            try:
                group.rmdir()
            except OSError:
                pass  # somebody's shell is in it
