"""The node under replay, as seen from outside: its counters, its memory, its port."""

import json
import socket
import subprocess
import time

# Counters that say what became of a frame or a query; the rest (histograms, upstream timing, cache housekeeping)
# depends on timing and is not part of a capture's expected table.
STABLE_PREFIXES = ("rx.", "to_kernel.", "drop.", "queries", "rcode.", "truncated", "local_answers", "cookie.")


class Node:
    """One node of the lab, numbered from 1. Frames are injected raw on the client's end of its port."""

    def __init__(self, lab, number=1):
        self.lab, self.number = lab, number
        self.interface = f"sw-c{number}"

    def swarmctl(self, *arguments):
        done = subprocess.run([self.lab, "exec", f"n{self.number}", "--", "swarmctl", "-o", "json", *arguments],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"swarmctl {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def counters(self):
        return {c["name"]: int(c.get("value", 0)) for c in self.swarmctl("stats")["counters"]}

    def settled_counters(self, patience=12.0):
        """Counters once nothing is under way: two equal readings half a second apart, misses all answered."""
        deadline = time.monotonic() + patience
        last = self.counters()
        while time.monotonic() < deadline:
            time.sleep(0.5)
            now = self.counters()
            if now == last:
                return now
            last = now
        return last

    def dataplane_pid(self):
        return int(self.swarmctl("status")["dataplane"]["pid"])

    def resident_kib(self):
        pid = self.dataplane_pid()
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def changed(before, after):
    """What moved between two readings, stable counters only."""
    return {name: after[name] - before.get(name, 0) for name in sorted(after)
            if name.startswith(STABLE_PREFIXES) and after[name] != before.get(name, 0)}


def inject(interface, frames):
    """Sends frames raw, from within the client's namespace. Returns how many the link took (not longer than its MTU)."""
    sent = 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((interface, 0))
        for number, frame in enumerate(frames):
            try:
                wire.send(frame)
                sent += 1
            except OSError:
                pass
            if number % 64 == 63:
                time.sleep(0.005)  # a burst stays within the port's ring: what is tested is the parser
    return sent
