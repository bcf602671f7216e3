"""An Unbound of the tests' own inside a node's namespace: checks the lab's Internet without our node."""

import os
import pathlib
import signal
import subprocess
import time

import dns.exception
import dns.flags

from labkit import inside, netns, node_config, servers

PORT = 5553


class PlainUnbound:
    """Unbound at 127.0.0.1@5553 of `node`, validating from the lab's root key."""

    def __init__(self, node, folder, val_date="", extra=(), v6=False):
        self.node = node
        self.address = "::1" if v6 else "127.0.0.1"
        self.conf = pathlib.Path(folder) / "unbound.conf"
        self.log = pathlib.Path(folder) / "unbound.log"
        lines = [
            "server:",
            f"  interface: {self.address}",
            f"  port: {PORT}",
            '  username: ""',
            '  chroot: ""',
            f'  directory: "{folder}"',
            '  pidfile: ""',
            "  do-daemonize: no",
            "  use-syslog: no",
            f'  logfile: "{self.log}"',
            f'  trust-anchor-file: "{servers.INTERNET}/root.key"',
            f'  root-hints: "{servers.INTERNET}/root.hints"',
            f"  outgoing-interface: {node.upstream4}",
            f"  outgoing-interface: {node.upstream6}",
            '  module-config: "validator iterator"',
            "  num-threads: 1",
            "  ede: yes",
            *(f"  {line}" for line in extra),
        ]
        if val_date:
            lines.append(f"  val-override-date: {val_date}")
        lines += ["remote-control:", "  control-enable: no"]
        self.conf.write_text("\n".join(lines) + "\n")
        self.process = None

    def __enter__(self):
        argv = [*netns.enter(self.node.ns), str(node_config.unbound()), "-d", "-c", str(self.conf)]
        self.process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                self.ask("localhost.", "A", seconds=0.3)
                return self
            except (OSError, dns.exception.DNSException):
                time.sleep(0.05)
        self.__exit__()
        raise RuntimeError("unbound did not start: " + self.log.read_text(errors="replace"))

    def __exit__(self, *_):
        os.kill(self.process.pid, signal.SIGTERM)
        self.process.wait(10)

    def ask(self, name, rrtype="A", dnssec=True, seconds=10.0):
        return self._send(inside.query(name, rrtype, dnssec), seconds)

    def ask_cd(self, name, rrtype="A"):
        query = inside.query(name, rrtype, True)
        query.flags |= dns.flags.CD
        return self._send(query, 10.0)

    def ask_until(self, name, rrtype, seconds):
        """Asks again until there is an answer; None when there is none in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                return self.ask(name, rrtype, seconds=2.5)
            except dns.exception.Timeout:
                continue
        return None

    def _send(self, query, seconds):
        return inside.ask_udp(self.node.ns, query, self.address, PORT, seconds)
