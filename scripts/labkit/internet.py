"""The lab's Internet as a set of zones: who is whose parent, and the root over all."""

import dataclasses

from . import cases_absent, cases_alias, cases_broken, cases_data, fed
from .dnssec import delegation_ds
from .settings import server4, server6
from .zone import BLOCKS, ROOT_HOSTS, SLD_HOSTS, TLD_HOSTS, Asked, Zone, digest

# Top-level domains of our own: signed with NSEC, signed with NSEC3 and opt-out, unsigned.
SIGNED, SIGNED3, UNSIGNED = "swarm.", "hive.", "nest."


@dataclasses.dataclass
class Internet:
    """All zones by name. `seed` decides every name, address and key in them."""

    seed: int
    zones: dict = dataclasses.field(default_factory=dict)
    swallowed: list = dataclasses.field(default_factory=list)

    def zone(self, name, **how):
        """A zone with servers chosen by its name, in the sld group unless told otherwise."""
        if "hosts" not in how:
            n = digest(self.seed, "servers", name)
            first = n % len(SLD_HOSTS)
            second = (first + 1 + n // 64 % (len(SLD_HOSTS) - 1)) % len(SLD_HOSTS)
            how["hosts"] = (SLD_HOSTS[first], SLD_HOSTS[second])
        how.setdefault("group", "sld")
        made = Zone(name=name, **how)
        self.zones[name] = made
        return made

    def trio(self, label):
        """The same second-level name signed with NSEC, signed with NSEC3, and unsigned."""
        return [
            self.zone(f"{label}.{SIGNED}", signed="nsec", algorithm=13),
            self.zone(f"{label}.{SIGNED3}", signed="nsec3", algorithm=15),
            self.zone(f"{label}.{UNSIGNED}"),
        ]

    def parent(self, name):
        """The closest zone above `name`."""
        labels = name.rstrip(".").split(".")
        for cut in range(1, len(labels)):
            above = ".".join(labels[cut:]) + "."
            if above in self.zones:
                return self.zones[above]
        return self.zones["."]

    def enclosing(self, name):
        """The zone that holds `name`."""
        return self.zones.get(name) or self.parent(name)

    def delegations(self):
        """Parent-side lines (NS, glue, DS) by parent zone name."""
        lines = {name: [] for name in self.zones}
        for zone in self.zones.values():
            if zone.name == ".":
                continue
            lines[self.parent(zone.name).name] += zone.ns_and_glue() + delegation_ds(zone, self.seed)
        return lines

    def asked(self):
        return [asked for zone in self.zones.values() for asked in zone.asked]


def top_level(net, name, signed="", **how):
    n = digest(net.seed, "tld", name)
    hosts = (TLD_HOSTS[n % 4], TLD_HOSTS[4 + n // 8 % 4])
    return net.zone(name, group="tld", hosts=hosts, signed=signed, **how)


def build(seed, names=None):
    """Every zone of the lab for `seed`, with the pairs (name, type) of `names` made to resolve."""
    net = Internet(seed)
    net.zone(".", group="root", hosts=ROOT_HOSTS, signed="nsec", negative_ttl=3600, apex_ttl=86400)
    top_level(net, SIGNED, "nsec")
    top_level(net, SIGNED3, "nsec3", opt_out=True)
    top_level(net, UNSIGNED)
    for module in (cases_data, cases_alias, cases_absent, cases_broken):
        module.build(net)
    apex_questions(net)
    if names:
        fed.build(net, names, top_level)
    return net


def apex_questions(net):
    """SOA, NS, DNSKEY and DS of every zone that is well."""
    for zone in list(net.zones.values()):
        well = zone.group in ("root", "tld", "sld") and not zone.tamper and zone.ds in ("good", "none")
        if not well or zone.window[1] < 0 or zone.window[0] > 0:
            continue
        zone.ask("apex", zone.name, "SOA", "NS", "DNSKEY")
        if zone.name != ".":
            zone.ask("apex", zone.name, "DS")


def root_hints(net):
    """Root hints for Unbound, naming the servers of our own root."""
    return "\n".join(net.zones["."].ns_and_glue()) + "\n"


def addresses(group, hosts):
    block = BLOCKS[group]
    return [a for h in hosts for a in (server4(block, h), server6(block, h))]


def case_counts(asked):
    counts = {}
    for item in asked:
        counts[item.case] = counts.get(item.case, 0) + 1
    return counts


def read_asked(path):
    """Reads `name type case` lines, as `lab names` prints them; type and case may be missing."""
    out = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            words = line.split()
            if words:
                out.append(Asked(words[0], words[1] if len(words) > 1 else "A", words[2] if len(words) > 2 else "list"))
    return out
