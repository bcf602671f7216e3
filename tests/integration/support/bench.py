"""A running lab as the tests see it: nodes, questions, counters, load."""

import json
import os
import signal
import subprocess
import time

from labkit import health, inside, internet, netns, node as nodes, procs, servers
from labkit.settings import CLIENT_NS, Node

from .faults import Faults


class NodeUnderTest:
    """One node of the lab."""

    def __init__(self, options, number):
        self.options = options
        self.at = Node(number)

    def ask(self, name, rrtype="A", dnssec=False, seconds=5.0, v6=False, source=None):
        """One question over UDP from sw-client; the reply as a dns.message."""
        return self.send(inside.query(name, rrtype, dnssec), seconds, v6, source)

    def send(self, message, seconds=5.0, v6=False, source=None):
        address = self.at.service6 if v6 else self.at.service4
        return inside.ask_udp(CLIENT_NS, message, address, seconds=seconds, source=source)

    def ask_tcp(self, name, rrtype="A", dnssec=False, seconds=8.0, v6=False, source=None):
        address = self.at.service6 if v6 else self.at.service4
        return inside.ask_tcp(CLIENT_NS, inside.query(name, rrtype, dnssec), address, seconds=seconds, source=source)

    def pid(self, part):
        return nodes.pid(self.at, part)

    def kill(self, part):
        """SIGKILL to one part; returns the pid it had."""
        pid = self.pid(part)
        assert pid, f"the {part} of node {self.at.i} does not run"
        born = procs.start_time(pid)
        os.kill(pid, signal.SIGKILL)
        procs.wait_gone(pid, born, 5)
        if part == "dataplane":
            time.sleep(2)  # the kernel lets go of AF_XDP queues a while after the process has gone
        return pid

    def start(self, part="controlplane"):
        nodes.start(self.options, self.at, part)

    def stop(self, part="", sig=signal.SIGTERM):
        return nodes.stop(self.at, part, sig)

    def wait(self, check, seconds, what):
        return procs.wait_until(check, seconds, what)

    def wait_part(self, part, seconds=20, other_than=None):
        """Waits until a part runs (again); returns its pid."""

        def there():
            pid = self.pid(part)
            return pid if pid and pid != other_than else None

        return procs.wait_until(there, seconds, f"a running {part} on node {self.at.i}")

    def answers(self):
        return health.answers(self.at)

    def ctl(self, *argv, check=True):
        """swarmctl aimed at this node; the completed process."""
        env = nodes.environment(self.options, self.at)
        words = [*netns.enter(self.at.ns), "swarmctl", *argv]
        done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert not check or done.returncode == 0, f"swarmctl {' '.join(argv)}: {done.stdout}{done.stderr}"
        return done

    def counters(self):
        """All counters of the data plane by name."""
        shown = json.loads(self.ctl("--output", "json", "stats").stdout)
        return {c["name"]: int(c.get("value", 0)) for c in shown["counters"]}

    def added(self, before):
        """What the counters have grown by since `before`."""
        now = self.counters()
        return {name: value - before.get(name, 0) for name, value in now.items()}

    def flush(self):
        self.ctl("cache", "flush", "--all")


class Bench:
    """The lab of a test module."""

    def __init__(self, options):
        self.options = options
        self.faults = Faults(options)
        self.nodes = [NodeUnderTest(options, i) for i in range(1, options.nodes + 1)]

    def node(self, number):
        return self.nodes[number - 1]

    def asked(self, *cases):
        found = internet.read_asked(servers.INTERNET / "names.txt")
        return [item for item in found if not cases or item.case in cases]

    def heal(self):
        """Starts what a test has killed, and waits until every node answers."""
        for each in self.nodes:
            each.start()
            nodes.wait_ready(self.options, each.at)
            each.wait_part("resolver")
            # The control plane looks for a new data plane every half a second.
            each.wait(lambda each=each: each.ctl("stats", check=False).returncode == 0, 10, "an answer to swarmctl")

    def in_client(self, argv, **how):
        return subprocess.Popen([*netns.enter(CLIENT_NS), *map(str, argv)], text=True, **how)


def eventually(check, seconds=10.0, step=0.1):
    """True as soon as `check()` is; False when it is not within `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(step)
    return False
