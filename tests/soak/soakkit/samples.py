"""What the node's processes take, looked at about once a second, and whether that grows."""

import collections
import contextlib
import json
import os
import statistics
import subprocess
import threading
import time

from labkit.health import memory_kib

GROWTH_KIB = 24576  # of the data plane: its allocators settle, after a dump, a load or a restart snapshot, too; a leak goes on
GROWTH_CONTROL_KIB = 32768  # of a control plane in its life: it begins cold, and dumps pass through it
DESCRIPTORS = 8  # connections of the moment
UPSTREAM_SOCKETS = 16  # opened with the first questions and kept: eight for each of two upstreams on loopback
THREADS = 4  # gRPC's pool follows the calls


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


class Samples:
    """A thread that looks; findings() judges what it saw. The data plane is the one of the start throughout."""

    def __init__(self, place, pid, controlplane_pid):
        self.place, self.pid = place, pid
        self.seen = []  # (time, KiB, descriptors, threads)
        self.cold = 0  # how many of them are from before the warm-up was over
        self.largest_cache = (0, 1)  # bytes used, budget
        self.over_budget = 0
        self.lives = []  # of control planes: (KiB and descriptors at the begin, at the end)
        self.lock = threading.Lock()
        self.first_descriptors = descriptors(pid)
        self.first_threads = threads(pid)
        self.controlplane = None
        self.ended = threading.Event()
        self.controlplane_begins(controlplane_pid)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ended.wait(1):
            try:
                self.seen.append((time.monotonic(), memory_kib(self.pid), descriptors(self.pid), threads(self.pid)))
            except OSError:
                return  # it is gone; the caller sees that too
            self.look_at_cache()

    def look_at_cache(self):
        try:
            shown = self.place.ctl("-o", "json", "status")
        except subprocess.TimeoutExpired:
            return
        cache = json.loads(shown.stdout).get("dataplane", {}).get("cache") if shown.returncode == 0 else None
        if cache and cache["budget_bytes"]:
            used, budget = cache["used_bytes"], cache["budget_bytes"]
            self.over_budget += used > budget
            self.largest_cache = max(self.largest_cache, (used, budget))

    def controlplane_begins(self, pid):
        with self.lock:
            self.controlplane = (pid, memory_kib(pid), descriptors(pid))

    def controlplane_ends(self):
        with self.lock:
            pid, kib, fds = self.controlplane
            self.lives.append((kib, fds, memory_kib(pid), descriptors(pid)))

    def end(self):
        """Ends, and leaves all samples in the folder of the soak."""
        self.ended.set()
        self.thread.join()
        lines = [f"{when - self.seen[0][0]:.1f} {kib} {fds} {count}\n" for when, kib, fds, count in self.seen]
        (self.place.folder / "samples.txt").write_text("seconds KiB descriptors threads\n" + "".join(lines))

    def warm(self):
        """Everything has been done to the node once, and its allocators are warm."""
        self.cold = len(self.seen)

    def memory(self):
        """(KiB in the second third of the time since the warm-up, KiB in the last): medians. In the first third pools and heaps
        still grow to what the worst moment takes; a leak goes on.
        """
        kib = [sample[1] for sample in self.seen[self.cold :]] or [self.seen[-1][1]]
        third = len(kib) // 3
        return statistics.median(kib[third : 2 * third] or kib), statistics.median(kib[2 * third :])

    def kinds(self):
        """What the data plane's descriptors are: {kind: number}."""
        kinds = collections.Counter()
        for name in os.listdir(f"/proc/{self.pid}/fd"):
            with contextlib.suppress(OSError):
                kinds[os.readlink(f"/proc/{self.pid}/fd/{name}").partition(":")[0]] += 1
        return dict(kinds)

    def at_rest(self, seconds=20):
        """Descriptors and threads of the data plane once connections of the load have been closed."""
        end = time.monotonic() + seconds
        while descriptors(self.pid) > self.first_descriptors + UPSTREAM_SOCKETS + DESCRIPTORS and time.monotonic() < end:
            time.sleep(0.5)
        return descriptors(self.pid), threads(self.pid)

    def findings(self):
        out = []
        before, after = self.memory()
        if after - before > GROWTH_KIB:
            out.append(f"the data plane's memory grew from {before:.0f} to {after:.0f} KiB")
        fds, count = self.at_rest()
        if fds > self.first_descriptors + UPSTREAM_SOCKETS + DESCRIPTORS:
            out.append(f"the data plane had {self.first_descriptors} file descriptors at the start and has {fds} at rest: {self.kinds()}")
        if count > self.first_threads + THREADS:
            out.append(f"the data plane had {self.first_threads} threads at the start and has {count} at rest")
        if self.over_budget:
            out.append(f"the cache used more than its budget in {self.over_budget} samples: {self.largest_cache}")
        for kib, first, kib_end, last in self.lives:
            if last > first + DESCRIPTORS:
                out.append(f"a control plane began with {first} file descriptors and had {last} at its end")
            if kib_end - kib > GROWTH_CONTROL_KIB:
                out.append(f"a control plane began with {kib} KiB and had {kib_end} at its end")
        return out

    def report(self):
        before, after = self.memory()
        used, budget = self.largest_cache
        fds, count = self.at_rest()
        grown = max(life[2] - life[0] for life in self.lives) if self.lives else 0
        return [
            f"memory of the data plane   {before:,.0f} KiB in the middle, {after:,.0f} KiB at the end",
            f"cache                      {used:,} of {budget:,} bytes at most",
            f"file descriptors, threads  {self.first_descriptors}, {self.first_threads} at the start; {fds}, {count} at rest",
            f"control planes             {len(self.lives)} lives ended; grew by {grown:,} KiB at most, "
            f"{max((life[3] - life[1] for life in self.lives), default=0)} file descriptors at most",
        ]
