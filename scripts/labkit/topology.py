"""The lab's wiring: who is connected to whom, and by which link.

    sw-client ── sw-c1 ══ vb (AF_XDP port) ── sw-n1 ── mgmt0 ── bridge in sw-mgmt
                                                └───── up0 ──── n1 in sw-internet
"""

import signal

from . import netns, procs, slow
from .settings import CLIENT_NS, CLIENTS_NET4, CLIENTS_NET6, INTERNET_NS, MAX_NODES, MGMT_NS
from .settings import PORT_INTERFACE, RUN, SERVER_NET4, SERVER_NET6, Node
from .shell import run


def all_namespaces():
    """Every namespace a lab of any size can have left behind."""
    return [CLIENT_NS, INTERNET_NS, MGMT_NS] + [Node(i).ns for i in range(1, MAX_NODES + 1)]


def wire(options):
    """Makes all namespaces and links for `options.nodes` nodes."""
    RUN.mkdir(parents=True, exist_ok=True)
    netns.create(CLIENT_NS)
    netns.create_mounts(CLIENT_NS, resolver=Node(1).service4)
    netns.create(INTERNET_NS)
    netns.create(MGMT_NS)
    anyip(INTERNET_NS, SERVER_NET4, SERVER_NET6)
    anyip(CLIENT_NS, CLIENTS_NET4, CLIENTS_NET6)
    if not netns.link_exists(MGMT_NS, "br0"):
        run("ip", "-n", MGMT_NS, "link", "add", "br0", "type", "bridge")
    run("ip", "-n", MGMT_NS, "link", "set", "br0", "up")
    netns.address(MGMT_NS, "br0", "10.54.0.254/24", "fd54::254/64")
    for i in range(1, options.nodes + 1):
        wire_node(Node(i), options.workers)


def wire_node(node, workers):
    netns.create(node.ns)
    netns.create_mounts(node.ns)

    # The DPDK port. Its carrier interface is silent: no ARP, no IPv6, no address. The kernel's side of
    # the port is the TAP that the data plane makes.
    netns.veth(
        CLIENT_NS, node.client_if, node.ns, PORT_INTERFACE,
        queues=workers, mac_a=node.client_mac, mac_b=node.port_mac,
    )
    netns.silent(node.ns, PORT_INTERFACE)
    netns.address(CLIENT_NS, node.client_if, f"{node.client4}/24", f"{node.client6}/64")

    netns.veth(node.ns, "mgmt0", MGMT_NS, f"n{node.i}")
    netns.silent(MGMT_NS, f"n{node.i}")
    if not slow.is_on(node):
        run("ip", "-n", MGMT_NS, "link", "set", f"n{node.i}", "master", "br0")
    netns.address(node.ns, "mgmt0", f"{node.mgmt4}/24", f"{node.mgmt6}/64")

    netns.veth(node.ns, "up0", INTERNET_NS, f"n{node.i}")
    netns.address(node.ns, "up0", f"{node.upstream4}/30", f"{node.upstream6}/64")
    netns.address(INTERNET_NS, f"n{node.i}", f"{node.gateway4}/30", f"{node.gateway6}/64")
    run("ip", "-n", node.ns, "route", "replace", "default", "via", node.gateway4)
    run("ip", "-n", node.ns, "-6", "route", "replace", "default", "via", node.gateway6)


def anyip(ns, *prefixes):
    """Makes `ns` take every address of `prefixes` as its own (AnyIP), without listing them."""
    for prefix in prefixes:
        family = ["-6"] if ":" in prefix else ["-4"]
        run("ip", "-n", ns, *family, "route", "replace", "local", prefix, "dev", "lo")


def swallow(ns, *addresses):
    """Makes `ns` drop what is sent to `addresses`: a server that never answers."""
    for addr in addresses:
        family, bits = (["-6"], 128) if ":" in addr else (["-4"], 32)
        run("ip", "-n", ns, *family, "route", "replace", "blackhole", f"{addr}/{bits}", "table", "local")


def unwire():
    """Ends what still lives in our namespaces and removes them."""
    for ns in all_namespaces():
        if not netns.exists(ns):
            netns.delete(ns)
            continue
        for pid in netns.pids(ns):
            procs.end_pid(pid, signal.SIGTERM, patience=3.0)
        netns.delete(ns)
    netns.release_mounts()
