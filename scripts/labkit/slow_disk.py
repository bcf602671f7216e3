"""`lab slow-disk`: a node's swarm/ folder on a disk whose writes take their time.

A process freezes the folder's small file system for that time, lets what has waited pass, and freezes it again at once: the
kernel has it wait until those writes are done. So writes pass one after the other, each takes as long as the freeze that
it meets has still to go, and reads are as fast as ever. Nothing is lost and nothing fails.

    python3 -m labkit.slow_disk FOLDER SECONDS      the process
"""

import fcntl
import os
import pathlib
import signal
import sys
import time

from . import disk, priority, procs
from .settings import LabError

FIFREEZE, FITHAW = 0xC0045877, 0xC0045878


def process(node):
    return f"slow-disk-n{node.i}"


def note(node):
    return procs.PIDS / f"{process(node)}.delay"


def start(node, delay):
    """Makes the disk slow, or slow in another measure. `delay` in seconds."""
    if not 0 < delay <= 5:
        raise LabError("a write takes more than 0 and at most 5 s")
    stop(node)
    procs.log_file(process(node)).unlink(missing_ok=True)
    scripts = pathlib.Path(__file__).resolve().parents[1]
    procs.start(
        process(node),
        ["env", f"PYTHONPATH={scripts}", "PYTHONDONTWRITEBYTECODE=1", sys.executable, "-m", "labkit.slow_disk",
         disk.folder(node), str(delay)],
        before=priority.join,
    )
    note(node).write_text(f"{delay * 1000:g} ms\n")
    procs.wait_until(lambda: procs.tail(process(node)), 20, f"a word of the process that slows node {node.i}'s disk")


def stop(node):
    """The disk is as fast as before, whatever became of the process."""
    procs.stop(process(node))
    note(node).unlink(missing_ok=True)
    if disk.is_mounted(node):
        turn(disk.folder(node), FITHAW)


def end_lost(node):
    """Thaws the disk when the process that thaws it in turns died."""
    if note(node).exists() and not procs.alive_pid(process(node)):
        stop(node)


def line(node):
    """For `lab status`; the second value tells whether all is as it should be."""
    if not note(node).exists():
        return None, True
    pid = procs.alive_pid(process(node))
    state = f"by process {pid}" if pid else "but the process that does it is gone: `lab heal --all`"
    return f"{'n' + str(node.i) + ' slow disk':<22} writes take up to {note(node).read_text().strip()}, {state}", pid is not None


def turn(folder, what):
    file = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(file, what, 0)
    except OSError:
        pass  # it is so already
    finally:
        os.close(file)


def main(argv):
    folder, delay = argv[0], float(argv[1])
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    turn(folder, FIFREEZE)
    print(f"{folder}: writes take up to {delay * 1000:g} ms", flush=True)
    while not ended:
        time.sleep(delay)
        turn(folder, FITHAW)
        turn(folder, FIFREEZE)
    turn(folder, FITHAW)


if __name__ == "__main__":
    main(sys.argv[1:])
