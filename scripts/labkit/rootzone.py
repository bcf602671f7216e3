"""A root zone from outside (`lab up --root-zone FILE`): served as it is, at its own servers' addresses."""

import calendar
import gzip
import ipaddress
import time

from .settings import LabError
from .zone import Asked


class RootZone:
    """What a lab needs to know of a root zone file: servers, signature dates, delegations."""

    def __init__(self, path):
        self.path = path
        self.servers = []  # names of the root servers
        self.addresses = {}  # server name -> [addresses]
        self.delegated = {}  # TLD -> has a DS
        self.window = None  # validity of the signature of the SOA
        opener = gzip.open if str(path).endswith(".gz") else open
        try:
            with opener(path, "rt", encoding="utf-8", errors="replace") as lines:
                self.lines = [line.rstrip("\n") for line in lines]
        except (OSError, EOFError) as error:
            raise LabError(f"cannot read the root zone {path}: {error}") from error
        self._scan()

    def _scan(self):
        glue = {}
        for line in self.lines:
            words = line.split()
            if len(words) < 5 or words[2] != "IN":
                continue
            owner, rrtype, first = words[0].lower(), words[3], words[4].lower()
            if rrtype == "NS" and owner == ".":
                self.servers.append(first)
            elif rrtype == "NS":
                self.delegated.setdefault(owner, False)
            elif rrtype == "DS":
                self.delegated[owner] = True
            elif rrtype in ("A", "AAAA"):
                glue.setdefault(owner, []).append(str(ipaddress.ip_address(words[4])))
            elif rrtype == "RRSIG" and owner == "." and words[4] == "SOA":
                self.window = (seconds(words[9]), seconds(words[8]))
        self.addresses = {name: glue.get(name, []) for name in self.servers}
        if not self.servers or not any(self.addresses.values()):
            raise LabError(
                f"{self.path} is no root zone: it needs NS records of `.` and addresses of the servers they "
                "name, one record a line (`owner TTL IN type data`)"
            )
        if not self.window:
            raise LabError(f"{self.path} is not signed: it has no RRSIG of the SOA of `.`")

    def date_within(self):
        """A date inside the validity of the zone's signatures, as Unbound's val-override-date takes it."""
        middle = (self.window[0] + self.window[1]) // 2
        return time.strftime("%Y%m%d000000", time.gmtime(middle))

    def listen(self):
        return sorted({a for addresses in self.addresses.values() for a in addresses})

    def hints(self):
        lines = []
        for name, addresses in self.addresses.items():
            lines.append(f".\t3600000\tIN\tNS\t{name}")
            for address in addresses:
                lines.append(f"{name}\t3600000\tIN\t{'AAAA' if ':' in address else 'A'}\t{address}")
        return "\n".join(lines) + "\n"

    def asked(self):
        """What such a lab can answer: the apex, and the DS (or its absence) of each TLD."""
        out = [Asked(".", rrtype, "root-apex") for rrtype in ("SOA", "NS", "DNSKEY")]
        for tld, signed in self.delegated.items():
            out.append(Asked(tld, "DS", "root-ds" if signed else "root-no-ds"))
        return out


def seconds(stamp):
    return calendar.timegm(time.strptime(stamp, "%Y%m%d%H%M%S"))
