"""Where every frame went. Three accounts, each closed from both sides:

    the node    every frame a worker received was replied to, handed to the kernel, or dropped under a name
    the wire    every frame that the link gave to the node's port was received, and what was sent was replies
    the load    every query of dnsvolley without a reply is a named drop of the node or of the link
"""

import json
import subprocess

from . import place as places

# What can happen to a good query of a client that may ask.
LOSSES = ("drop.acl", "drop.rate_limited", "drop.miss_ring_full", "drop.miss_table_full", "drop.waiters_full",
          "drop.prefix_quota", "drop.zone_quota", "drop.reply_ring_full", "drop.no_mbuf", "drop.tx_full")
# Counted by the miss thread, not by the worker that got the frame.
MISS_THREAD = ("drop.miss_table_full", "drop.waiters_full", "drop.prefix_quota", "drop.zone_quota",
               "drop.reply_ring_full")
AFTER_THE_REPLY = ("drop.tx_full",)
PORT_COUNTERS = ("rx_packets", "tx_packets", "rx_missed", "rx_nombuf", "tx_errors")
LINKS = ((places.CLIENT, "sk-c0"), (places.SERVER, "sk-s0"), (places.CLIENT, "sk-c1"), (places.SERVER, "sk-s1"))


def link_counters():
    """{interface: {counter: value}} of both veth pairs."""
    out = {}
    for namespace, interface in LINKS:
        done = subprocess.run(["ip", "-n", namespace, "-s", "-j", "link", "show", interface], capture_output=True,
                              text=True, check=True)
        stats = json.loads(done.stdout)[0]["stats64"]
        out[interface] = {f"{way}_{what}": stats[way][what] for way in ("rx", "tx") for what in ("packets", "dropped")}
        done = subprocess.run(["ip", "netns", "exec", namespace, "ethtool", "-S", interface], capture_output=True,
                              text=True, check=True)
        for line in done.stdout.splitlines():
            name, _, value = line.strip().rpartition(": ")
            if name.startswith("rx_queue_0_"):
                out[interface][name.removeprefix("rx_queue_0_")] = int(value)
    return out


class Snapshot:
    """All counters at a moment at which nothing is under way."""

    def __init__(self, place):
        stats = place.stats()
        self.total = {c["name"]: c["value"] for c in stats["counters"]}
        self.workers = {c["name"]: sum(c["per_lcore"]) for c in stats["counters"]}
        self.ports = [{key: port[key] for key in PORT_COUNTERS} for port in stats["ports"]]
        self.links = link_counters()


def difference(after, before):
    return {name: value - before.get(name, 0) for name, value in after.items()}


class Ledger:
    """The movement between two snapshots. `side_slack`: questions of others than dnsvolley that may have been dropped."""

    def __init__(self, before, after, load, side_slack):
        self.total = difference(after.total, before.total)
        self.workers = difference(after.workers, before.workers)
        self.ports = [difference(now, then) for now, then in zip(after.ports, before.ports)]
        self.links = {name: difference(after.links[name], before.links[name]) for name in after.links}
        self.load, self.side_slack = load, side_slack
        self.findings = []
        self.lines = []
        self.close_node()
        self.close_wire()
        self.close_load()

    def close_node(self):
        w = self.workers
        dropped = {n: v for n, v in w.items() if n.startswith("drop.") and n not in AFTER_THE_REPLY and v}
        # The miss thread's drops, of which a few belong to questions over TCP or through the kernel.
        missed = {n: self.total[n] - w[n] for n in MISS_THREAD if self.total[n] != w[n]}
        kernel = {n: v for n, v in w.items() if n.startswith("kernel.to_") and v}
        found = w["dns.replies"] + sum(dropped.values()) + sum(missed.values()) + sum(kernel.values())
        off = found - w["frames.rx"]
        self.lines += [f"frames received            {w['frames.rx']:,}", f"  replied to               {w['dns.replies']:,}"]
        for name, value in sorted({**dropped, **{n: v + dropped.get(n, 0) for n, v in missed.items()}, **kernel}.items()):
            self.lines.append(f"  {name:<24} {value:,}")
        self.lines.append(f"  difference               {off:,} (questions over TCP that were turned away: {self.side_slack:,} at most)")
        if not 0 <= off <= self.side_slack:
            self.findings.append(f"the node received {w['frames.rx']:,} frames and accounts for {found:,}")
        if self.total["drop.no_mbuf"]:
            self.findings.append(f"the workers had no buffer for {self.total['drop.no_mbuf']:,} replies")
        sent = w["dns.replies"] + w["kernel.from"] - w["drop.tx_full"]
        if sent != w["frames.tx"]:
            self.findings.append(f"the node sent {w['frames.tx']:,} frames and accounts for {sent:,}")

    def close_wire(self):
        for frames, packets in (("frames.rx", "rx_packets"), ("frames.tx", "tx_packets")):
            said = sum(port[packets] for port in self.ports)
            if self.workers[frames] != said:
                self.findings.append(f"{frames} is {self.workers[frames]:,}, the ports say {said:,}")
        for number, port in enumerate(self.ports):
            link = self.links[f"sk-s{number}"]
            given, missed = link["xdp_redirect"], link["drops"]
            self.lines.append(f"port {number}: the link gave       {given:,}, received {port['rx_packets']:,}, without a buffer "
                              f"{port['rx_nombuf']:,}; for want of room not taken {missed:,}, missed {port['rx_missed']:,}")
            if given != port["rx_packets"] + port["rx_nombuf"]:
                self.findings.append(f"the link gave {given:,} frames to port {number}, it accounts for {port}")
            # A port's pool holds what its rings and bursts can. When it runs dry, buffers were lost.
            if port["rx_nombuf"]:
                self.findings.append(f"port {number} had no buffer for {port['rx_nombuf']:,} frames")
            if missed != port["rx_missed"]:
                self.findings.append(f"port {number} did not take {missed:,} frames and counts {port['rx_missed']:,} as missed")

    def close_load(self):
        lost = self.load["lost"] - self.load["late"]
        named = {n: self.total[n] for n in LOSSES if self.total[n]}
        named.update({f"port 0 {n}": self.ports[0][n] for n in ("rx_missed", "rx_nombuf") if self.ports[0][n]})
        for what, interface, counter in (("link to the node", "sk-c0", "tx_dropped"),
                                         ("link to dnsvolley", "sk-s0", "tx_dropped"), ("dnsvolley's ring", "sk-c0", "drops")):
            if self.links[interface][counter]:
                named[f"{what} ({interface} {counter})"] = self.links[interface][counter]
        off = sum(named.values()) - lost
        self.lines += [f"queries sent               {self.load['sent']:,}", f"  answered                 {self.load['received']:,}",
                       f"  answered late            {self.load['late']:,}", f"  not answered             {lost:,}, of which"]
        self.lines += [f"    {name:<38} {value:,}" for name, value in sorted(named.items())]
        self.lines.append(f"  difference               {off:,} (of others than dnsvolley: {self.side_slack:,} at most)")
        if off < 0:
            self.findings.append(f"{-off:,} queries were lost without a counter that says why")
        if off > self.side_slack:
            self.findings.append(f"{off:,} more drops are named than queries were lost")
