"""Cases where the answer is data: every type, big sets, odd TTLs, odd owner names."""

from . import rdata
from .zone import address4, address6


def build(net):
    plain(net)
    large(net)
    ttls(net)
    owners(net)
    deep(net)


def plain(net):
    """One record set of each ordinary type, in a signed, an NSEC3-signed and an unsigned zone."""
    for zone in net.trio("plain"):
        rng = zone.rng(net.seed)
        for rrtype in rdata.ORDINARY:
            for n in range(8):
                owner = zone.under(f"{rrtype.lower()}{n}")
                ttl = rng.choice((300, 3600, 43200))
                for salt in range(rng.choice((1, 1, 2, 3))):
                    zone.add(owner, rrtype, rdata.record(rrtype, owner, salt), ttl)
                zone.ask("plain", owner, rrtype)
        for n in range(1, 201):
            zone.add(zone.under(f"host{n}"), "A", address4(zone.name, n))
        for n in range(30):
            owner = zone.under(f"www{n}")
            zone.add(owner, "A", address4(owner))
            zone.add(owner, "AAAA", address6(owner))
            zone.ask("plain", owner, "A", "AAAA")


def large(net):
    """Sets beyond a UDP payload of 1232 octets, some beyond 4096 and some near the limit of TCP."""
    for zone in net.trio("large"):
        for n in range(20):
            owner = zone.under(f"txt{n}")
            strings = (6, 12, 24, 48, 150)[n % 5]
            for k in range(strings):
                zone.add(owner, "TXT", f'"{k:03d}-{owner}" "{"x" * 240}"')
            zone.ask("large-txt", owner, "TXT")
        for n in range(20):
            owner = zone.under(f"many{n}")
            for k in range(90 + n):
                zone.add(owner, "A", f"198.51.{n}.{k + 1}")
                zone.add(owner, "AAAA", f"2001:db8:{n:x}::{k + 1:x}")
            zone.ask("many-addresses", owner, "A", "AAAA")
        for n in range(20):  # around the limits 512 and 1232: one octet more or less must not matter
            owner = zone.under(f"edge{n:02d}")
            for k in range(4 if n < 10 else 11):
                zone.add(owner, "TXT", f'"{k:02d}{"y" * (80 + n)}"')
            zone.ask("edge-size", owner, "TXT")


def ttls(net):
    for label, ttl, case in (("zero", 0, "ttl-0"), ("twenty", 20, "ttl-20"), ("huge", 2147483647, "ttl-huge")):
        for zone in net.trio(label):
            for n in range(15):
                owner = zone.under(f"t{n}")
                zone.add(owner, "A", address4(owner), ttl)
                zone.add(owner, "TXT", f'"ttl {ttl}"', ttl)
                zone.ask(case, owner, "A", "TXT")


def owners(net):
    """Mixed case, names at the limits of RFC 1035, and octets that need escaping."""
    for zone in net.trio("owner"):
        rng = zone.rng(net.seed)
        for n in range(25):
            label = f"Mixed{n}Case"
            zone.add(zone.under(label + ".Sub"), "A", address4(zone.name, n))
            shown = "".join(rng.choice((c.upper(), c.lower())) for c in label + ".sub")
            zone.ask("mixed-case", f"{shown}.{zone.name}", "A")
        for n in range(20):
            # NSD hashes `*.NAME` of each name of an NSEC3 zone, and 4.6 crashes when that is too long.
            owner = longest(zone.name, n, 253 if zone.signed == "nsec3" else 255)
            zone.add(owner, "A", address4(owner))
            zone.ask("long-name", owner, "A")
        for n in range(5):
            owner = zone.under(".".join([str(n)] + ["x"] * (58 + n)))  # 60 labels and more
            zone.add(owner, "A", address4(owner))
            zone.ask("many-labels", owner, "A")
        for n in range(12):
            label = (r"\000z{}", r"\255\254{}", r"a\.b{}", r"sp\032ace{}", r"bell\007{}", r"back\\slash{}")[n % 6]
            owner = zone.under(label.format(n))
            zone.add(owner, "A", address4(owner))
            zone.ask("octets", owner, "A")
        for n in range(10):
            owner = zone.under(f"_{n}._tcp")
            zone.add(owner, "SRV", f"0 5 {n + 1000} host{n + 1}.plain.swarm.")
            zone.ask("underscore", owner, "SRV")


def longest(zone, n, octets):
    """A name of exactly that many octets on the wire that ends in `zone` (which has no escapes)."""
    room = octets - (len(zone) + 1)
    labels, k = [], 0
    while room > 1:
        size = min(63, room - 1)
        if room - 1 - size == 1:
            size -= 1  # a rest of one octet cannot hold a label
        fill = f"l{n:02d}{k}"
        labels.append((fill + "o" * 63)[: size])
        room -= size + 1
        k += 1
    return ".".join(labels) + "." + zone


def deep(net):
    """Zone cuts one below the other, signed all the way, and one unsigned step in the middle."""
    for tld in ("swarm.", "nest."):
        name = f"deep.{tld}"
        for level in range(6):
            signed = "nsec" if tld == "swarm." and level != 4 else ""
            zone = net.zone(name, signed=signed)
            for n in range(5):
                owner = zone.under(f"leaf{n}")
                zone.add(owner, "A", address4(owner))
                zone.ask("deep-cut", owner, "A")
            name = f"d{level}.{name}"
    for n in range(6):  # servers named outside the zone: the resolver must find their addresses first
        zone = net.zone(f"away{n}.hive.", glueless="away0.nest." if n == 0 else "plain.nest.")
        if n == 0:
            helper = net.zone("away0.nest.", hosts=zone.hosts)
            helper.ask("out-of-bailiwick", helper.under("ns1"), "A")
        else:
            zone.hosts = net.zones["plain.nest."].hosts
        for k in range(4):
            owner = zone.under(f"w{k}")
            zone.add(owner, "A", address4(owner))
            zone.ask("out-of-bailiwick", owner, "A")
