"""Where it happens: two network namespaces, two veth pairs, one node with a port on each, its upstreams.

    sw-soak-c: sk-c0 (dnsvolley, AF_XDP)   ══ sk-s0  port 0 of the node :sw-soak-s
               sk-c1 (sockets, odd frames) ══ sk-s1  port 1
"""

import json
import os
import pathlib
import signal
import subprocess
import time

from labkit import netns
from labkit.node import raise_limits
from labkit.node_config import unprivileged_user
from labkit.procs import start_time
from labkit.shell import run

SERVER, CLIENT = "sw-soak-s", "sw-soak-c"
PORT_MACS = ("02:58:00:00:00:01", "02:58:00:00:00:02")
VOLLEY4, VOLLEY6 = "10.58.0.1", "fd58::1"
VOLLEY_SOURCES = ("10.58.16.0/20", "fd58::1:0/112")
SIDE4, SIDE6 = "10.58.128.1", "fd58:1::1"
SIDE_CLIENT4, SIDE_CLIENT6 = "10.58.128.2", "fd58:1::2"
UPSTREAMS = (5301, 5302)
HERE = pathlib.Path(__file__).resolve().parent.parent


class SoakError(Exception):
    """What stands in the way of a soak, or of going on with it."""


def cpus():
    """(CPU of the slow threads and of the load, CPU of the worker)."""
    there = sorted(os.sched_getaffinity(0))
    return there[0], there[-1]


def base_config(folder, cache_mib):
    """The node's configuration when nobody has changed it."""
    slow, worker = cpus()
    return {
        "node": {"name": "soak", "state_dir": str(folder / "state"), "run_dir": str(folder / "run"),
                 "user": unprivileged_user()},
        "dataplane": {
            "eal": {"main_cpu": slow, "worker_cpus": [worker], "memory_mib": 256, "file_prefix": "swarmdns-soak"},
            # Few buffers, so that a leak of them is soon seen.
            "ports": [
                {"device": "net_af_xdp0,iface=sk-s0", "tap": "sk-tap0", "mbufs": 8192,
                 "addresses": [f"{VOLLEY4}/17", f"{VOLLEY6}/64"]},
                {"device": "net_af_xdp1,iface=sk-s1", "tap": "sk-tap1", "mbufs": 8192,
                 "addresses": [f"{SIDE4}/24", f"{SIDE6}/64"]},
            ],
            "service": {"version": "soak-0"},
            "cache": {"memory_mib": cache_mib, "journal_entries": 4096},
            "guard": {
                "acl": {"allow": ["127.0.0.0/8", "10.58.0.0/16", "fd58::/16"]},
                "rate_limit": {"responses_per_second": 1000000, "exempt": ["10.58.128.0/24", "fd58:1::/64"]},
            },
            "upstream": {"servers": [f"127.0.0.1@{port}" for port in UPSTREAMS], "timeout_ms": 500, "tries": 4,
                         "deadline_ms": 4000},
        },
        "resolver": {"mode": "none"},
    }


class Place:
    """The namespaces, the node's processes and swarmctl."""

    def __init__(self, folder, build, cache_mib):
        self.folder, self.build = folder, build
        self.config = base_config(folder, cache_mib)
        self.controlplane = None
        self.upstream = None
        self.socket = folder / "run" / "admin.sock"

    def wire(self):
        self.unwire()
        for namespace in (SERVER, CLIENT):
            netns.create(namespace)
        for n in (0, 1):
            netns.veth(CLIENT, f"sk-c{n}", SERVER, f"sk-s{n}", mac_b=PORT_MACS[n])
            netns.sysctl(SERVER, **{f"net__ipv6__conf__sk-s{n}__disable_ipv6": 1})
            run("ip", "-n", SERVER, "link", "set", f"sk-s{n}", "arp", "off")
        netns.sysctl(CLIENT, **{"net__ipv6__conf__sk-c0__disable_ipv6": 1})
        netns.address(CLIENT, "sk-c1", f"{SIDE_CLIENT4}/24", f"{SIDE_CLIENT6}/64")

    @staticmethod
    def unwire():
        for namespace in (SERVER, CLIENT):
            netns.delete(namespace)

    # -- processes

    def start(self):
        for name in ("state", "run"):
            (self.folder / name).mkdir()
        environment = dict(os.environ, PYTHONPATH=str(HERE), PYTHONDONTWRITEBYTECODE="1")
        self.upstream = subprocess.Popen(
            [*netns.enter(SERVER), "/usr/bin/python3", "-m", "soakkit.upstream", *map(str, UPSTREAMS)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        if self.upstream.stdout.readline() != "ready\n":
            raise SoakError("the upstreams did not start; are the ports 5301 and 5302 of the namespace taken?")
        (self.folder / "node.yaml").write_text(json.dumps(self.config))
        self.start_controlplane()
        return self.dataplane_pid()

    def order(self, *words):
        """An order to the upstreams; returns when it is in force."""
        self.upstream.stdin.write(" ".join(map(str, words)) + "\n")
        self.upstream.stdin.flush()
        if self.upstream.stdout.readline() != "ok\n":
            raise SoakError("the upstreams ended")

    def start_controlplane(self):
        """Starts the control plane and waits until it and the data plane answer."""
        # A private mount namespace with bpffs, as AF_XDP wants it.
        script = 'mount -t bpf bpf /sys/fs/bpf 2>/dev/null; exec "$0" "$@"'
        with open(self.folder / "controlplane.log", "ab") as log:
            self.controlplane = subprocess.Popen(
                ["ip", "netns", "exec", SERVER, "sh", "-c", script,
                 str(self.build / "controlplane/swarmdns-controlplane"), "--config", str(self.folder / "node.yaml")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, preexec_fn=raise_limits)
        end = time.monotonic() + 30
        while self.ctl("stats").returncode != 0:
            if self.controlplane.poll() is not None or time.monotonic() > end:
                raise SoakError(f"the node does not come up:\n{self.words_of('controlplane.log')}")
            time.sleep(0.05)

    def kill_controlplane(self):
        self.controlplane.kill()
        self.controlplane.wait()

    def dataplane_pid(self):
        """Pid of the running data plane; None when it does not run."""
        try:
            pid = int((self.folder / "run/dataplane.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None
        return pid if start_time(pid) is not None else None

    def stop(self):
        """Ends everything, whatever state it is in. The data plane first: it takes its XDP programs off."""
        if self.controlplane and self.controlplane.poll() is None:
            self.ctl("node", "stop")
            self.controlplane.terminate()
            try:
                self.controlplane.wait(10)
            except subprocess.TimeoutExpired:
                self.kill_controlplane()
        pid = self.dataplane_pid()
        if pid:
            os.kill(pid, signal.SIGTERM)
            end = time.monotonic() + 10
            while start_time(pid) is not None and time.monotonic() < end:
                time.sleep(0.05)
        if self.upstream:
            self.upstream.kill()
            self.upstream.wait()
        self.unwire()

    def words_of(self, name, lines=15):
        try:
            return "\n".join((self.folder / name).read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""

    # -- swarmctl

    def command(self, *words):
        return [str(self.build / "controlplane/swarmctl"), "--socket", str(self.socket), *map(str, words)]

    def ctl(self, *words):
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=60, check=False)

    def must(self, *words):
        """swarmctl that has to succeed; its standard output."""
        done = self.ctl(*words)
        if done.returncode != 0:
            raise SoakError(f"swarmctl {' '.join(map(str, words))} ended with {done.returncode}: "
                            f"{done.stderr.strip()} {done.stdout.strip()}")
        return done.stdout

    def stats(self):
        return json.loads(self.must("-o", "json", "stats"))

    def status(self):
        return json.loads(self.must("-o", "json", "status"))

    def write_config(self, config):
        path = self.folder / "wanted.yaml"
        path.write_text(json.dumps(config))
        return path
