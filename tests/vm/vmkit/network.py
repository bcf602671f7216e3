"""The other end of the machine's network cards: TAP interfaces in a network namespace that the test makes and removes.

Nothing leads out of it: the machine runs inside the namespace and sees the peer's addresses only.
"""

import dataclasses
import pathlib
import re
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
NAMESPACE = "sw-vm"


class PeerError(RuntimeError):
    """A command of the peer failed."""


@dataclasses.dataclass(frozen=True)
class Card:
    """A network card of the machine and the peer's interface at its other end."""

    name: str  # of the peer's TAP interface
    pci: str  # in the machine
    model: str  # of QEMU
    driver: str  # of the kernel
    pmd: str  # of DPDK
    mac: str
    node4: str
    peer4: str
    node6: str
    peer6: str
    queues: int = 1


MANAGEMENT = Card("vm-mgmt", "0000:00:02.0", "virtio-net-pci", "virtio-pci", "net_virtio", "52:54:00:00:00:02",
                  "203.0.113.53", "203.0.113.1", "2001:db8:0:3::53", "2001:db8:0:3::1")
E1000E = Card("vm-e1000e", "0000:00:03.0", "e1000e", "e1000e", "net_e1000_em", "52:54:00:00:00:03",
              "192.0.2.53", "192.0.2.1", "2001:db8:0:1::53", "2001:db8:0:1::1")
VIRTIO = Card("vm-virtio", "0000:00:04.0", "virtio-net-pci", "virtio-pci", "net_virtio", "52:54:00:00:00:04",
              "198.51.100.53", "198.51.100.1", "2001:db8:0:2::53", "2001:db8:0:2::1", queues=2)
CARDS = (MANAGEMENT, E1000E, VIRTIO)
# Two functions of one card behind a bridge, which no access control keeps apart: one IOMMU group. Without cables.
PAIR = ("0000:01:00.0", "0000:01:00.1")


def inside(*argv):
    return ("ip", "netns", "exec", NAMESPACE, *(str(a) for a in argv))


def run(*argv, check=True, timeout=60):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=False, timeout=timeout)
    if check and done.returncode != 0:
        raise PeerError(f"`{' '.join(str(a) for a in argv)}` failed ({done.returncode}): {(done.stderr or done.stdout).strip()}")
    return done


def peer(*argv, check=True, timeout=60):
    """Runs a command at the other end of the cables."""
    return run(*inside(*argv), check=check, timeout=timeout)


def ping(address, count=3):
    """How many of `count` echo requests were answered; neighbours and links may take a while to come up."""
    done = peer("ping", "-n", "-c", count, "-i", "0.5", "-W", "10", address, check=False)
    found = re.search(r"(\d+) received", done.stdout)
    if not found:
        raise PeerError(f"ping did not run: {done.stdout}{done.stderr}")
    return int(found[1])


def wait_ping(address, seconds=60):
    """Until an echo request is answered."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ping(address, 1) == 1:
            return
    raise PeerError(f"{address} does not answer a ping within {seconds} s")


def up():
    down()
    run("ip", "netns", "add", NAMESPACE)
    peer("ip", "link", "set", "lo", "up")
    for card in CARDS:
        several = ("multi_queue",) if card.queues > 1 else ()
        peer("ip", "tuntap", "add", card.name, "mode", "tap", *several)
        # As on a wire: what the peer sends has its checksums, and no frame is put together from several.
        peer("ethtool", "-K", card.name, "tx", "off", "gso", "off", "tso", "off", "gro", "off")
        peer("ip", "address", "add", f"{card.peer4}/24", "dev", card.name)
        peer("ip", "address", "add", f"{card.peer6}/64", "dev", card.name, "nodad")
        peer("ip", "link", "set", card.name, "up")


def down():
    if run("ip", "netns", "list", check=False).stdout.find(NAMESPACE) >= 0:
        run("ip", "netns", "delete", NAMESPACE)
