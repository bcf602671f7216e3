"""Namespaces and links. Every function here may be run again over what is left of an earlier run."""

import os
import pathlib

from .settings import RUN, LabError
from .shell import run, try_run

MOUNTS = RUN / "ns"  # one persistent mount namespace per network namespace (bpffs, resolv.conf)


def exists(ns):
    return pathlib.Path(f"/run/netns/{ns}").exists()


def pids(ns):
    """Processes that live in `ns`."""
    done = run("ip", "netns", "pids", ns, check=False)
    return [int(p) for p in done.stdout.split()] if done.returncode == 0 else []


def enter(ns):
    """Prefix of a command line that runs inside `ns` and its mount namespace."""
    mount = MOUNTS / ns
    words = ["nsenter", f"--net=/run/netns/{ns}"]
    if is_mount_point(mount):
        words.append(f"--mount={mount}")
    return words + ["--"]


def run_in(ns, *argv, check=True):
    return run(*enter(ns), *argv, check=check)


def sysctl(ns, **settings):
    """Sets keys given with `__` for `/`; a key that this kernel does not have is left alone."""
    script = []
    for key, value in settings.items():
        path = "/proc/sys/" + key.replace("__", "/")
        script.append(f"[ ! -e {path} ] || echo {value} > {path}")
    run("ip", "netns", "exec", ns, "sh", "-ec", "\n".join(script))


def create(ns):
    """Makes `ns` with lo up, no forwarding, and no path to anywhere."""
    if not exists(ns):
        try_run("ip", "netns", "del", ns)
        run("ip", "netns", "add", ns)
    sysctl(
        ns,
        net__ipv4__ip_forward=0,
        net__ipv6__conf__all__forwarding=0,
        net__ipv4__conf__all__rp_filter=0,
        net__ipv4__conf__default__rp_filter=0,
        net__ipv6__conf__default__accept_ra=0,
        net__ipv6__conf__default__accept_dad=0,
        net__ipv4__ping_group_range="0 2147483647",
    )
    run("ip", "-n", ns, "link", "set", "lo", "up")


def is_mount_point(path):
    try:
        with open("/proc/self/mountinfo", encoding="utf-8") as lines:
            return any(line.split()[4] == str(path) for line in lines)
    except FileNotFoundError:
        return False


def create_mounts(ns, resolver=""):
    """Keeps a mount namespace for `ns`: its own /sys, a bpffs, and a resolv.conf when asked for.

    `ip netns exec` would hide bpffs under a fresh /sys each time, and programs pinned by libxdp would
    not be found by the next start of the data plane.
    """
    MOUNTS.mkdir(parents=True, exist_ok=True)
    if not is_mount_point(MOUNTS):
        run("mount", "--bind", MOUNTS, MOUNTS)
    run("mount", "--make-private", MOUNTS)
    handle = MOUNTS / ns
    if is_mount_point(handle):
        return
    handle.touch()
    script = "mount -t sysfs sysfs /sys && mount -t bpf bpf /sys/fs/bpf"
    if resolver:
        conf = RUN / f"resolv-{ns}.conf"
        conf.write_text(f"nameserver {resolver}\noptions timeout:2 attempts:2\n")
        target = os.path.realpath("/etc/resolv.conf")
        if os.path.exists(target):
            script += f" && mount --bind {conf} {target}"
    run(
        "nsenter", f"--net=/run/netns/{ns}", "unshare", f"--mount={handle}", "--propagation", "slave",
        "sh", "-ec", script,
    )


def link_exists(ns, name):
    return try_run("ip", "-n", ns, "link", "show", name)


def delete_link(ns, name):
    if exists(ns):
        try_run("ip", "-n", ns, "link", "del", name)


def veth(ns_a, if_a, ns_b, if_b, queues=1, mac_a="", mac_b=""):
    """A veth pair between two namespaces, both ends up, offloads off.

    A pair whose other half is missing (a crash between two steps) is made anew.
    """
    if not (link_exists(ns_a, if_a) and link_exists(ns_b, if_b)):
        delete_link(ns_a, if_a)
        delete_link(ns_b, if_b)
        q = ["numrxqueues", str(queues), "numtxqueues", str(queues)]
        run(
            "ip", "link", "add", if_a, "netns", ns_a, *q, *(["address", mac_a] if mac_a else []),
            "type", "veth", "peer", "name", if_b, "netns", ns_b, *q,
            *(["address", mac_b] if mac_b else []),
        )
    for ns, name in ((ns_a, if_a), (ns_b, if_b)):
        plain_offloads(ns, name)
        run("ip", "-n", ns, "link", "set", name, "up")


def plain_offloads(ns, name):
    """Checksums finished by the sender and frames as on a wire.

    A kernel sender leaves only the pseudo-header sum in UDP and TCP checksums on a veth, which no real
    NIC would deliver; GRO and VLAN acceleration change frames likewise.
    """
    for feature in ("tx", "rx", "tso", "gso", "gro", "rxvlan", "txvlan"):
        run("ip", "netns", "exec", ns, "ethtool", "-K", name, feature, "off", check=False)
    shown = run("ip", "netns", "exec", ns, "ethtool", "-k", name).stdout
    if "tx-checksumming: on" in shown:
        raise LabError(f"cannot switch off tx checksumming of {name} in {ns}: is this a veth?")


def address(ns, name, *addresses):
    for addr in addresses:
        family = ["-6"] if ":" in addr else []
        nodad = ["nodad"] if ":" in addr else []
        run("ip", "-n", ns, *family, "addr", "replace", addr, "dev", name, *nodad)


def silent(ns, name):
    """The kernel of `ns` itself says and answers nothing on this interface."""
    sysctl(ns, **{f"net__ipv6__conf__{name}__disable_ipv6": 1})
    run("ip", "-n", ns, "link", "set", name, "arp", "off")


def delete(ns):
    """Removes `ns` with all its links and its mount namespace. Silent when it is not there."""
    handle = MOUNTS / ns
    while is_mount_point(handle):
        run("umount", "-l", handle)
    handle.unlink(missing_ok=True)
    if exists(ns):
        run("ip", "netns", "del", ns)


def release_mounts():
    while is_mount_point(MOUNTS):
        run("umount", "-l", MOUNTS)
