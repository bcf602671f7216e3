"""`lab disk-full`: a node's swarm/ folder on a small file system of its own, to be filled up and emptied again.

ext4 in a file by a loop device with direct I/O: O_DIRECT, fsync and asynchronous writes behave as on a disk. It is
mounted twice, here and in the node's mount namespace, so that tests and people find the files where they expect them.
A node has it in a lab that was brought up with --faults.
"""

import json
import os

from . import netns
from .settings import VAR
from .shell import run, try_run

MIB = 1 << 20
SIZE = 384 * MIB  # C-raft keeps segments of 8 MiB, RocksDB write-ahead logs of 64 MiB
BALLAST = ".ballast"


def folder(node):
    return node.var / "swarm"


def image(node):
    return VAR / f"n{node.i}.disk"


def loop_devices(node):
    shown = run("losetup", "--json", "-O", "NAME,BACK-FILE").stdout
    devices = json.loads(shown)["loopdevices"] if shown.strip() else []
    return [each["name"] for each in devices if each["back-file"].removesuffix(" (deleted)") == str(image(node))]


def is_mounted(node):
    return netns.is_mount_point(folder(node))


def make(node):
    """Makes and mounts the node's small disk, unless it is there. Before the node's namespace is made, or after."""
    folder(node).mkdir(parents=True, exist_ok=True)
    if not is_mounted(node):
        remove(node)
        with open(image(node), "wb") as file:
            file.truncate(SIZE)
        run("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=1", image(node))
        device = run("losetup", "--find", "--show", "--direct-io=on", image(node)).stdout.strip()
        folder(node).mkdir(parents=True, exist_ok=True)
        run("mount", "-o", "noatime", device, folder(node))
        try_run("rmdir", folder(node) / "lost+found")
    if netns.exists(node.ns) and netns.run_in(node.ns, "mountpoint", "-q", folder(node), check=False).returncode != 0:
        netns.run_in(node.ns, "mount", "-o", "noatime", *loop_devices(node), folder(node))


def remove(node):
    """Ends the small disk with all that is on it. Silent when there is none."""
    while is_mounted(node):
        run("umount", "-l", folder(node))
    for device in loop_devices(node):
        try_run("losetup", "-d", device)
    image(node).unlink(missing_ok=True)


def ballast(node):
    return folder(node) / BALLAST


def fill(node, leave=0):
    """Takes all free space but `leave` bytes. At once, and while the node runs."""
    path = ballast(node)
    with open(path, "ab") as file:
        step = SIZE
        while step >= 4096:
            free = os.statvfs(path).f_bavail * os.statvfs(path).f_frsize - leave
            size = min(step, free) & -4096
            try:
                if size > 0:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, size)
                    continue
                break
            except OSError:  # a little less: the file system needs blocks for its own books
                step = min(step, free) // 2
        os.fsync(file.fileno())


def empty(node):
    """Gives back what fill() took."""
    ballast(node).unlink(missing_ok=True)


def free_bytes(node):
    shown = os.statvfs(folder(node))
    return shown.f_bavail * shown.f_frsize


def line(node):
    """For `lab status`."""
    if not is_mounted(node) or not ballast(node).exists():
        return None
    return f"{'n' + str(node.i) + ' disk':<22} full ({free_bytes(node) // 1024} KiB free)"
