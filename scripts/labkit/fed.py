"""Names from outside (`lab up --names FILE`), made to resolve in as few zones as can be.

Each last label is one unsigned zone, delegated from the root: two steps for a resolver.
"""

import gzip
import re

import dns.exception
import dns.name

from . import rdata
from .settings import LabError
from .zone import address4, digest

DEFAULT_TYPE = "A"
NEVER_STORED = {"ANY", "AXFR", "IXFR", "OPT", "TSIG", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "SOA", "DNSKEY"}


def read(path):
    """Pairs (name with a trailing dot, type) of a file of `name [type]` lines, plain or gzipped; each pair once."""
    return list(dict.fromkeys(read_all(path)))


def read_all(path):
    """The same, as often and in the order in which they are asked."""
    opener = gzip.open if str(path).endswith(".gz") else open
    pairs = []
    try:
        with opener(path, "rt", encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                words = line.split()
                if not words or words[0][0] in "#;":
                    continue
                rrtype = words[1].upper() if len(words) > 1 else DEFAULT_TYPE
                pairs.append((words[0].lower().rstrip(".") + ".", rrtype))
    except (OSError, EOFError) as error:
        raise LabError(f"cannot read the names of {path}: {error}") from error
    if not pairs:
        raise LabError(f"{path} has no names: give one `name [type]` a line")
    return pairs


PLAIN = re.compile(r"^(?:[a-z0-9_-]{1,63}\.){1,60}$")


def clean(name):
    """The name as a zone file takes it, or None when no zone can hold it."""
    if PLAIN.match(name) and len(name) < 255:
        return name
    if name == ".":
        return None
    try:
        escaped = re.sub(r'([;"()@$])', r"\\\1", name)
        return dns.name.from_text(escaped).to_text()
    except (dns.exception.DNSException, UnicodeError, ValueError):
        return None


def last_label(name):
    return name.rstrip(".").rsplit(".", 1)[-1] + "."


def build(net, pairs, top_level):
    """Adds zones and records for `pairs` to `net`, and asks each under the case `list`."""
    by_name = {}
    for name, rrtype in pairs:
        owner = clean(name)
        if owner:
            by_name.setdefault(owner, []).append(rrtype)
    made = set()
    for owner in by_name:
        tld = last_label(owner)
        if tld not in net.zones:
            top_level(net, tld)
            made.add(tld)
    for tld in made:
        net.zones[tld].add(f"mx.{tld}", "A", address4("mx", tld))
    for owner, rrtypes in by_name.items():
        zone = net.zones[last_label(owner)]
        if zone.name in made:
            add_records(zone, owner, rrtypes)
        for rrtype in rrtypes:
            zone.ask("list", owner, rrtype)


def add_records(zone, owner, rrtypes):
    ttl = 3600 * (1 + digest("ttl", owner) % 24)
    alone = rrtypes == ["CNAME"]
    stored = set()
    for rrtype in rrtypes:
        if rrtype in NEVER_STORED or (rrtype == "CNAME" and not alone):
            rrtype = "A"
        if rrtype == "NS" and owner == zone.name:
            continue  # the apex has its servers already
        if rrtype in ("NS", "DS", "DNAME"):
            rrtype = "A"  # a cut below the zone would lead nowhere
        if rrtype in stored:
            continue
        stored.add(rrtype)
        if rrtype == "MX":
            zone.add(owner, "MX", f"10 mx.{zone.name}", ttl)
        else:
            zone.add(owner, rrtype, rdata.record(rrtype, owner), ttl)
