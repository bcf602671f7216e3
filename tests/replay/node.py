"""The node under replay, as seen from outside: its counters, its memory, its port."""

import ctypes
import json
import os
import socket
import subprocess
import time

CLONE_NEWNET = 0x40000000


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

    def settled_counters(self, patience=15.0):
        """Counters once nothing is under way: every question has been replied to or dropped, and nothing moves."""
        deadline = time.monotonic() + patience
        last = self.counters()
        while time.monotonic() < deadline:
            time.sleep(0.15)
            now = self.counters()
            under_way = now["cache.misses"] - now["miss.replies"] - sum(
                now[n] for n in now if n.startswith("drop.") and ("miss" in n or "quota" in n or "waiters" in n))
            if now == last and under_way <= 0:
                return now
            last = now
        return last

    def port_mac(self):
        return f"02:53:00:00:00:{self.number:02x}"

    def dataplane_pid(self):
        return int(self.swarmctl("status")["dataplane"]["pid"])

    def resident_kib(self):
        with open(f"/proc/{self.dataplane_pid()}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def raw_socket(namespace, interface):
    """A packet socket on `interface` inside a named network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net", encoding="ascii") as own, open(f"/run/netns/{namespace}", encoding="ascii") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), namespace)
        try:
            wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            wire.bind((interface, 0))
        finally:
            libc.setns(own.fileno(), CLONE_NEWNET)
    return wire


def inject(wire, frames):
    """Sends frames raw. Returns how many the link took."""
    sent = 0
    for number, frame in enumerate(frames):
        try:
            wire.send(frame)
            sent += 1
        except OSError:
            pass
        if number % 16 == 15:
            time.sleep(0.005)  # a burst stays within the port's ring and the policers: what is tested is the parser
    return sent
