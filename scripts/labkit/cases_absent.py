"""Cases where the answer is that there is nothing: NXDOMAIN, NODATA, empty non-terminals."""

from .zone import address4, digest


def build(net):
    for zone in net.trio("absent"):
        rng = zone.rng(net.seed)
        for n in range(30):
            owner = zone.under(f"here{n}")
            zone.add(owner, "A", address4(owner))
            zone.ask("nodata", owner, rng.choice(("MX", "TXT", "SRV", "AAAA")), "CAA")
        for n in range(60):
            zone.ask("nxdomain", zone.under(f"{rng.getrandbits(48):x}-{n}"), rng.choice(("A", "AAAA", "MX", "TXT")))
        for n in range(20):
            zone.ask("nxdomain", zone.under(f"below.here{n}"), "A")
        for n in range(12):
            zone.add(zone.under(f"leaf.inner{n}.ent{n}"), "A", address4(zone.name, "ent", n))
            zone.ask("empty-non-terminal", zone.under(f"ent{n}"), "A", "TXT")
            zone.ask("empty-non-terminal", zone.under(f"inner{n}.ent{n}"), "AAAA")
            zone.ask("nxdomain", zone.under(f"other.inner{n}.ent{n}"), "A")
    root = net.zones["."]
    for n in range(30):
        word = f"no-tld-{digest(net.seed, 'tld', n) % 10**9}"
        root.ask("nxdomain-tld", f"{word}.", "A")
        root.ask("nxdomain-tld", f"www.{word}.", "A")
    for tld in ("swarm.", "hive.", "nest."):
        for n in range(15):
            net.zones[tld].ask("nxdomain-sld", f"www.unregistered{n}.{tld}", "A")
