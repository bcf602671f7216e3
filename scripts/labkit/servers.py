"""The server processes of sw-internet: one NSD per level of the tree, and the misbehaving responders."""

import pathlib
import sys

import dns.exception

from . import inside, netns, procs, topology
from .dnssec import Key, sign
from .internet import addresses, root_hints
from .settings import INTERNET_NS, VAR, LabError
from .zone import LAME_HOSTS, NOEDNS_HOSTS, NONE_HOSTS, PLAINAA_HOSTS, ROOT_HOSTS, SLD_HOSTS, SLOW_HOSTS
from .zone import TLD_HOSTS

INTERNET = VAR / "internet"
LEVELS = ("root", "tld", "sld")
NAMES = ("responders", *(f"nsd-{level}" for level in LEVELS))
RESPONDERS = {"slow": SLOW_HOSTS, "plainaa": PLAINAA_HOSTS, "noedns": NOEDNS_HOSTS}
SERVED_AT = {
    "root": addresses("root", ROOT_HOSTS),
    "tld": addresses("tld", TLD_HOSTS),
    "sld": addresses("sld", SLD_HOSTS) + addresses("lame", LAME_HOSTS),
}


def file_name(zone_name):
    return "root" if zone_name == "." else zone_name.rstrip(".").replace("/", "_")


def write_zones(net, folder, now):
    """Writes every zone of `net`, signed where it should be, and the files that go with them."""
    folder = pathlib.Path(folder)
    keys = folder / "keys"
    keys.mkdir(parents=True, exist_ok=True)
    (folder / "zones").mkdir(exist_ok=True)
    below = net.delegations()
    served = {level: [] for level in LEVELS}
    for zone in net.zones.values():
        if zone.group in ("lame", "none"):
            continue  # nobody has it
        target = folder / "zones" / file_name(zone.name)
        text = zone.text(below[zone.name])
        if zone.signed:
            sign(zone, net.seed, text, target, keys, now)
        else:
            target.write_text(text)
        served[zone.group if zone.group in LEVELS else "sld"].append((zone.name, target))
    for level in LEVELS:
        (folder / f"nsd-{level}.conf").write_text(nsd_conf(level, SERVED_AT[level], served[level]))
    (folder / "root.key").write_text(Key(net.seed, ".").dnskey_line() + "\n")
    (folder / "root.hints").write_text(root_hints(net))
    (folder / "names.txt").write_text("".join(a.line() + "\n" for a in net.asked()))


def nsd_conf(level, listen, zones):
    """NSD on explicit addresses (it would answer from the wrong one on a wildcard), no rate limit."""
    state = VAR / "nsd"
    head = [
        "server:",
        "  server-count: 1",
        "  ip-freebind: yes",
        "  do-ip4: yes",
        "  do-ip6: yes",
        '  username: ""',
        '  chroot: ""',
        f'  zonesdir: "{VAR}"',
        '  database: ""',
        '  pidfile: ""',
        f'  xfrdfile: "{state}/{level}.xfrd"',
        f'  xfrdir: "{state}"',
        f'  zonelistfile: "{state}/{level}.list"',
        "  zonefiles-check: no",
        "  rrl-ratelimit: 0",
        "  rrl-whitelist-ratelimit: 0",
        "  hide-version: yes",
        "  tcp-count: 200",
        "  ipv4-edns-size: 1232",
        "  ipv6-edns-size: 1232",
        *(f"  ip-address: {address}" for address in listen),
        "remote-control:",
        "  control-enable: no",
    ]
    for name, path in zones:
        head += ["zone:", f'  name: "{name}"', f'  zonefile: "{path}"']
    return "\n".join(head) + "\n"


def launch(options):
    """Starts the servers of the generated Internet and waits until each answers."""
    (VAR / "nsd").mkdir(parents=True, exist_ok=True)
    if options.root_zone:
        listen = (INTERNET / "root.listen").read_text().split()
        bits = {a: 128 if ":" in a else 32 for a in listen}
        topology.anyip(INTERNET_NS, *(f"{a}/{bits[a]}" for a in listen))
        start_nsd("root")
        wait_ready("nsd-root", listen[0])
        return
    for level in LEVELS:
        start_nsd(level)
    topology.swallow(INTERNET_NS, *addresses("none", NONE_HOSTS))
    start_responders()
    for level in LEVELS:
        wait_ready(f"nsd-{level}", SERVED_AT[level][0])
    wait_ready("responders", addresses("noedns", NOEDNS_HOSTS)[0])


def start_nsd(level):
    enter = netns.enter(INTERNET_NS)
    procs.start(f"nsd-{level}", [*enter, "nsd", "-d", "-c", INTERNET / f"nsd-{level}.conf"])


def start_responders():
    wanted = [f"{mode}={a}" for mode, hosts in RESPONDERS.items() for a in addresses(mode, hosts)]
    backend = addresses("sld", SLD_HOSTS)[0]
    scripts = pathlib.Path(__file__).resolve().parents[1]
    procs.start(
        "responders",
        [*netns.enter(INTERNET_NS), "env", f"PYTHONPATH={scripts}", "PYTHONDONTWRITEBYTECODE=1", sys.executable,
         "-m", "labkit.responders", backend, *wanted],
    )


def wait_ready(name, address):
    """Waits until the server process `name` answers a question at `address`."""

    def answered():
        if not procs.alive_pid(name):
            raise LabError(f"{name} ended at once; its last words:\n{procs.tail(name)}")
        try:
            inside.ask_udp(INTERNET_NS, inside.query(".", "SOA"), address, seconds=0.2)
            return True
        except (OSError, dns.exception.DNSException):
            return False

    procs.wait_until(answered, 60, f"an answer of {name} at {address}")


def end_lost():
    """Ends servers that run in a namespace which is no longer sw-internet (it was removed under them)."""
    home = netns.pids(INTERNET_NS)
    for name in NAMES:
        pid = procs.alive_pid(name)
        if pid and pid not in home:
            procs.stop(name)


def stop():
    for name in NAMES:
        procs.stop(name)
