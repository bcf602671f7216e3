"""What can be seen of a node from outside: does it answer, and do its parts run."""

import socket

import dns.exception

from . import inside, procs, servers
from .settings import CLIENT_NS


def answers(node, seconds=0.5, name=".", rrtype="NS"):
    """Whether the node answers a question at its service address, whatever the rcode."""
    return rcode(node, name, rrtype, seconds) is not None


def listens(path):
    """Whether somebody takes connections on a Unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(1)
        try:
            sock.connect(str(path))
            return True
        except OSError:
            return False


def is_up(node):
    """Whether a node answers its clients and its operator."""
    return answers(node) and all(listens(node.run / name) for name in ("dataplane.sock", "admin.sock"))


def rcode(node, name, rrtype, seconds=0.5):
    """The rcode of the node's answer over UDP, or None when none came."""
    try:
        return inside.ask_udp(CLIENT_NS, inside.query(name, rrtype), node.service4, seconds=seconds).rcode()
    except (OSError, dns.exception.DNSException):
        return None


def memory_kib(pid):
    """Resident memory of a process."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def cpu_seconds(pid):
    """User and system time a process has used."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100.0


def server_processes(options):
    """Pid, or None, of each server of the lab's Internet."""
    names = ("nsd-root",) if options.root_zone else servers.NAMES
    return {name: procs.alive_pid(name) for name in names}


def machine_busy_seconds():
    """CPU time that all processes of the machine have used, on all CPUs together."""
    with open("/proc/stat", encoding="utf-8") as file:
        user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, file.readline().split()[1:])
    return (user + nice + system + irq + softirq) / 100.0
