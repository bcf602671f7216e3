"""A zone of the lab's Internet: its records, its servers, and how it is (mis)signed."""

import dataclasses
import hashlib
import random

from .settings import server4, server6

DEFAULT_TTL = 3600


def digest(*words):
    """Stable 256-bit number of `words`: the lab's only source of variety, so a seed fixes all."""
    text = "/".join(str(w) for w in words)
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def address4(*words):
    """An IPv4 address for record data, from the documentation and benchmark ranges' neighbours."""
    n = digest("a", *words)
    return f"{(192, 198, 203)[n % 3]}.{(0, 51, 0)[n % 3]}.{(2, 100, 113)[n % 3]}.{n // 3 % 254 + 1}"


def address6(*words):
    n = digest("aaaa", *words)
    return f"2001:db8:{n % 65536:x}:{(n >> 16) % 65536:x}::{(n >> 32) % 65535 + 1:x}"


@dataclasses.dataclass
class Asked:
    """One line of `lab names`."""

    name: str
    rrtype: str
    case: str

    def line(self):
        return f"{self.name} {self.rrtype} {self.case}"


@dataclasses.dataclass
class Zone:
    """Records in presentation form, names fully qualified.

    group     which server process answers: root, tld, sld (NSD), slow, plainaa, noedns (responders), none
    hosts     numbers of the server addresses in the group's address block
    signed    "" (unsigned), "nsec" or "nsec3"
    window    signature validity (inception, expiry) in seconds relative to now
    ds        "good", "none" (signed but not vouched for), "wrong" (vouches for another key),
              "unknown" (an algorithm that no validator has), "stripped" (vouched for, yet unsigned)
    tamper    change data after signing
    """

    name: str
    group: str
    hosts: tuple
    signed: str = ""
    algorithm: int = 13
    window: tuple = (-86400 * 2, 86400 * 28)
    ds: str = "good"
    tamper: bool = False
    opt_out: bool = False
    glueless: str = ""
    apex_ttl: int = DEFAULT_TTL
    negative_ttl: int = 900
    records: list = dataclasses.field(default_factory=list)
    asked: list = dataclasses.field(default_factory=list)

    def add(self, owner, rrtype, rdata, ttl=DEFAULT_TTL):
        self.records.append(f"{owner}\t{ttl}\tIN\t{rrtype}\t{rdata}")

    def ask(self, case, owner, *rrtypes):
        for rrtype in rrtypes or ("A",):
            self.asked.append(Asked(owner, rrtype, case))

    def under(self, labels):
        return f"{labels}.{self.name}" if self.name != "." else f"{labels}."

    def rng(self, seed):
        return random.Random(digest(seed, self.name))

    def server_names(self):
        if self.glueless:
            return [f"ns{n}.{self.glueless}" for n in range(1, len(self.hosts) + 1)]
        home = "rootservers." if self.name == "." else self.name
        return [f"ns{n}.{home}" for n in range(1, len(self.hosts) + 1)]

    def server_addresses(self):
        block = BLOCKS[self.group]
        return [(server4(block, h), server6(block, h)) for h in self.hosts]

    def ns_and_glue(self):
        """Lines that stand both in the parent and at the apex."""
        lines = []
        for server, (v4, v6) in zip(self.server_names(), self.server_addresses()):
            lines.append(f"{self.name}\t{self.apex_ttl}\tIN\tNS\t{server}")
            if not self.glueless:
                lines.append(f"{server}\t{self.apex_ttl}\tIN\tA\t{v4}")
                lines.append(f"{server}\t{self.apex_ttl}\tIN\tAAAA\t{v6}")
        return lines

    def text(self, delegations):
        """The unsigned zone file. `delegations` are the parent-side lines of its children."""
        soa = (
            f"{self.name}\t{self.apex_ttl}\tIN\tSOA\t{self.server_names()[0]} hostmaster.{self.name.lstrip('.')} "
            f"2026010100 7200 3600 1209600 {self.negative_ttl}"
        )
        return "\n".join([soa, *self.ns_and_glue(), *self.records, *delegations]) + "\n"


# Third octet of 198.18.x.y (and the IPv6 twin) by server group.
BLOCKS = {
    "root": 0,
    "tld": 1,
    "sld": 2,
    "slow": 3,  # right answers after about a second
    "plainaa": 4,  # answers without the AA bit
    "noedns": 5,  # FORMERR to any query with EDNS
    "none": 6,  # takes queries and never answers
    "lame": 2,  # an NSD that does not have the zone: REFUSED (hosts from LAME_HOSTS)
}
LAME_HOSTS = (201, 202)
ROOT_HOSTS = (1, 2, 3, 4)
TLD_HOSTS = tuple(range(1, 9))
SLD_HOSTS = tuple(range(1, 17))
SLOW_HOSTS = (1, 2)
PLAINAA_HOSTS = (1, 2)
NOEDNS_HOSTS = (1, 2)
NONE_HOSTS = (1, 2, 3, 4)
