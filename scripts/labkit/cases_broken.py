"""Cases where something is wrong: servers that are lame, slow or silent, and signatures that lie."""

from .zone import LAME_HOSTS, NOEDNS_HOSTS, NONE_HOSTS, PLAINAA_HOSTS, SLOW_HOSTS, address4

DAY = 86400


def build(net):
    servers(net)
    signatures(net)


def fill(zone, case, count):
    """`count` names with an address and a text each, asked under `case`."""
    for n in range(count):
        owner = zone.under(f"t{n}")
        zone.add(owner, "A", address4(owner))
        zone.add(owner, "TXT", f'"{case} {n}"')
        zone.ask(case, owner, "A", "TXT")


def servers(net):
    # Delegated to a server that does not know the zone (REFUSED), wholly or in part.
    fill(net.zone("lame.swarm.", group="lame", hosts=LAME_HOSTS), "lame-refused", 10)
    fill(net.zone("lame.nest.", group="lame", hosts=LAME_HOSTS), "lame-refused", 10)
    fill(net.zone("halflame.nest.", hosts=(1, LAME_HOSTS[0])), "lame-partly", 15)
    fill(net.zone("halflame.swarm.", hosts=(2, LAME_HOSTS[1]), signed="nsec"), "lame-partly", 15)
    # Served, but without the AA bit: as a cache would answer.
    fill(net.zone("notauth.nest.", group="plainaa", hosts=PLAINAA_HOSTS), "lame-not-authoritative", 15)
    # Answers EDNS with FORMERR: the resolver must fall back.
    fill(net.zone("noedns.nest.", group="noedns", hosts=NOEDNS_HOSTS), "no-edns", 15)
    # Right, but about a second late. One server each: a resolver tries several before it waits that long.
    fill(net.zone("slow.nest.", group="slow", hosts=SLOW_HOSTS[:1]), "slow", 8)
    fill(net.zone("slow.swarm.", group="slow", hosts=SLOW_HOSTS[1:], signed="nsec"), "slow", 4)
    # Takes every query and says nothing.
    fill(net.zone("silent.nest.", group="none", hosts=NONE_HOSTS[:1]), "timeout", 2)
    fill(net.zone("silent.swarm.", group="none", hosts=NONE_HOSTS[1:2]), "timeout", 2)
    # Likewise, and none of its names is listed: a resolver does not know yet that nobody answers there.
    net.zone("flood.nest.", group="none", hosts=NONE_HOSTS[2:3])


def signatures(net):
    fill(net.zone("bogus.swarm.", signed="nsec", tamper=True), "bogus", 20)
    fill(net.zone("bogus.hive.", signed="nsec3", tamper=True), "bogus", 20)
    fill(net.zone("wrongds.swarm.", signed="nsec", ds="wrong"), "bogus-ds", 15)
    fill(net.zone("expired.swarm.", signed="nsec", window=(-40 * DAY, -10 * DAY)), "expired", 20)
    fill(net.zone("expired.hive.", signed="nsec3", window=(-40 * DAY, -10 * DAY)), "expired", 20)
    fill(net.zone("early.swarm.", signed="nsec", window=(10 * DAY, 40 * DAY)), "not-yet-valid", 10)
    fill(net.zone("island.swarm.", signed="nsec", ds="none"), "insecure", 15)
    fill(net.zone("island.hive.", signed="nsec3", ds="none"), "insecure", 15)
    fill(net.zone("plainly.swarm."), "insecure", 15)
    fill(net.zone("plainly.hive."), "insecure", 15)
    fill(net.zone("newalgo.swarm.", ds="unknown"), "unknown-algorithm", 10)
    # Vouched for by the parent, but not signed at all: stripped signatures look like this.
    fill(net.zone("stripped.swarm.", ds="stripped"), "bogus-stripped", 10)
