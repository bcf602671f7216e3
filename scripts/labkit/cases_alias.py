"""Cases of indirection: CNAME chains and loops, DNAME, wildcards."""

from .zone import address4, address6


def build(net):
    chains(net)
    across(net)
    dnames(net)
    wildcards(net)


def chains(net):
    for zone in net.trio("chain"):
        for length in range(1, 9):
            for n in range(5):
                names = [zone.under(f"c{length}-{n}-{k}") for k in range(length + 1)]
                for here, there in zip(names, names[1:]):
                    zone.add(here, "CNAME", there)
                zone.add(names[-1], "A", address4(names[-1]))
                zone.add(names[-1], "MX", f"10 {names[-1]}")
                zone.ask("cname-chain", names[0], "A", "MX", "AAAA")
        for length in range(1, 5):
            names = [zone.under(f"loop{length}-{k}") for k in range(length)]
            for k, here in enumerate(names):
                zone.add(here, "CNAME", names[(k + 1) % length])
                zone.ask("cname-loop", here, "A")
        for n in range(8):
            nowhere = zone.under(f"gone{n}")
            zone.add(nowhere, "CNAME", zone.under(f"not-there-{n}"))
            # Not asked for CNAME: Unbound says NXDOMAIN the first time and NOERROR from its cache.
            zone.ask("cname-nxdomain", nowhere, "A", "TXT")
            empty = zone.under(f"nodata{n}")
            zone.add(empty, "CNAME", zone.under(f"c1-{n % 5}-1"))
            zone.ask("cname-nodata", empty, "SRV")


def across(net):
    """Chains that leave their zone: signed to signed, signed to unsigned and back, and longer."""
    zones = net.trio("cross")
    for source in zones:
        for target in zones:
            for n in range(5):
                here = source.under(f"to-{target.name.split('.')[1]}{n}")
                there = target.under(f"from-{source.name.split('.')[1]}{n}")
                if source is target:
                    there = target.under(f"self{n}")
                source.add(here, "CNAME", there)
                target.add(there, "A", address4(there))
                source.ask("cname-cross", here, "A", "AAAA")
    for n in range(6):  # round all three zones, four times each
        hops = [zones[k % 3].under(f"tour{n}-{k}") for k in range(8)]
        for k, here in enumerate(hops[:-1]):
            zones[k % 3].add(here, "CNAME", hops[k + 1])
        zones[7 % 3].add(hops[-1], "A", address4(hops[-1]))
        zones[0].ask("cname-cross", hops[0], "A")
    zones[0].add(zones[0].under("to-bogus"), "CNAME", "t0.bogus.swarm.")
    zones[0].ask("cname-bogus", zones[0].under("to-bogus"), "A")
    zones[2].add(zones[2].under("to-bogus"), "CNAME", "t1.bogus.swarm.")
    zones[2].ask("cname-bogus", zones[2].under("to-bogus"), "A")


def dnames(net):
    zones = net.trio("alias")
    for index, zone in enumerate(zones):
        zone.add(zone.under("old"), "DNAME", zone.under("new"))
        other = zones[(index + 1) % 3]
        zone.add(zone.under("moved"), "DNAME", other.under("new"))
        zone.add(zone.under("stretch"), "DNAME", ".".join(["s" * 60] * 3) + "." + zone.name)
        for n in range(12):
            owner = zone.under(f"h{n}.new")
            zone.add(owner, "A", address4(owner))
            zone.ask("dname", zone.under(f"h{n}.old"), "A")
            zone.ask("dname-cross", zone.under(f"h{n}.moved"), "A")
        for n in range(6):
            zone.ask("dname-nxdomain", zone.under(f"nobody{n}.old"), "A")
            zone.ask("dname", zone.under(f"h{n}.old"), "AAAA", "CNAME")
        zone.ask("dname", zone.under("old"), "DNAME", "A")
        for n in range(4):  # the substituted name would exceed 255 octets: YXDOMAIN
            zone.ask("dname-too-long", zone.under(f"{'q' * 60}.{n}{'r' * 59}.stretch"), "A")


def wildcards(net):
    for zone in net.trio("wild"):
        rng = zone.rng(net.seed)
        zone.add(zone.under("*"), "A", address4("star", zone.name))
        zone.add(zone.under("*"), "TXT", '"from a wildcard"')
        zone.add(zone.under("*.sub"), "AAAA", address6("star", zone.name))
        zone.add(zone.under("*.alias"), "CNAME", zone.under("there.target"))
        zone.add(zone.under("*.void"), "CNAME", "no-such-name.chain.swarm.")
        zone.add(zone.under("there.target"), "A", address4("target", zone.name))
        zone.add(zone.under("real.sub"), "A", address4("real", zone.name))
        for n in range(25):
            word = f"{rng.getrandbits(40):x}{n}"
            zone.ask("wildcard", zone.under(word), "A", "TXT")
            zone.ask("wildcard-cname", zone.under(f"{word}.alias"), "A")
        for n in range(10):
            word = f"{rng.getrandbits(40):x}{n}"
            zone.ask("wildcard", zone.under(f"{word}.sub"), "AAAA")
            zone.ask("wildcard", zone.under(f"{word}.deeper.sub"), "AAAA")
            zone.ask("wildcard-nodata", zone.under(f"{word}.sub"), "A", "MX")
            zone.ask("wildcard-cname-nxdomain", zone.under(f"{word}.void"), "A")
            zone.ask("wildcard-blocked", zone.under(f"{word}.target"), "A")  # an existing name hides `*`
        zone.ask("wildcard", zone.under("*"), "A", "MX")
        zone.ask("wildcard-blocked", zone.under("real.sub"), "A", "AAAA")
