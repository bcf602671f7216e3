"""DNSSEC of the lab's zones: keys derived from the seed, signing by ldns-signzone, deliberate damage."""

import base64
import hashlib
import pathlib
import re
import time

import dns.dnssec
import dns.name
import dns.rdata
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from .settings import LabError
from .shell import run

ALGORITHMS = {13: "ECDSAP256SHA256", 15: "ED25519"}
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Key:
    """A combined signing key (flags 257) of one zone; the same for the same seed and zone."""

    def __init__(self, seed, zone, algorithm=13):
        self.zone = zone
        self.algorithm = algorithm
        secret = hashlib.sha256(f"lab key/{seed}/{zone}/{algorithm}".encode()).digest()
        if algorithm == 13:
            number = int.from_bytes(secret, "big") % (P256_ORDER - 1) + 1
            self.secret = number.to_bytes(32, "big")
            public = ec.derive_private_key(number, ec.SECP256R1()).public_key().public_numbers()
            self.public = public.x.to_bytes(32, "big") + public.y.to_bytes(32, "big")
        elif algorithm == 15:
            self.secret = secret
            private = ed25519.Ed25519PrivateKey.from_private_bytes(secret)
            self.public = private.public_key().public_bytes(
                serialization.Encoding.Raw, serialization.PublicFormat.Raw
            )
        else:
            raise LabError(f"algorithm {algorithm} is not one the lab can make keys for (13, 15)")

    def rdata(self):
        return f"257 3 {self.algorithm} {base64.b64encode(self.public).decode()}"

    def dnskey_line(self, ttl=3600):
        return f"{self.zone}\t{ttl}\tIN\tDNSKEY\t{self.rdata()}"

    def parsed(self):
        return dns.rdata.from_text("IN", "DNSKEY", self.rdata())

    def ds(self):
        return dns.dnssec.make_ds(dns.name.from_text(self.zone), self.parsed(), "SHA256").to_text()

    def write(self, folder):
        """Writes the pair as ldns-signzone reads it. Returns the base name."""
        tag = dns.dnssec.key_id(self.parsed())
        safe = self.zone.replace("/", "_")
        base = pathlib.Path(folder) / f"K{safe}+{self.algorithm:03d}+{tag:05d}"
        base.with_name(base.name + ".key").write_text(self.dnskey_line() + "\n")
        base.with_name(base.name + ".private").write_text(
            "Private-key-format: v1.2\n"
            f"Algorithm: {self.algorithm} ({ALGORITHMS[self.algorithm]})\n"
            f"PrivateKey: {base64.b64encode(self.secret).decode()}\n"
        )
        return base


def delegation_ds(zone, seed):
    """DS lines for the parent of `zone`, true or false as the zone asks."""
    if zone.ds == "unknown":
        return [f"{zone.name}\t3600\tIN\tDS\t4711 200 2 {hashlib.sha256(zone.name.encode()).hexdigest()}"]
    if zone.ds == "none" or (not zone.signed and zone.ds != "stripped"):
        return []
    owner = "another." + zone.name if zone.ds == "wrong" else zone.name
    ds = Key(seed, owner, zone.algorithm)
    ds.zone = zone.name
    return [f"{zone.name}\t3600\tIN\tDS\t{ds.ds()}"]


def stamp(seconds):
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(seconds))


def sign(zone, seed, text, target, folder, now):
    """Signs zone text with the zone's key into `target`."""
    plain = pathlib.Path(str(target) + ".unsigned")
    plain.write_text(text)
    base = Key(seed, zone.name, zone.algorithm).write(folder)
    options = []
    if zone.signed == "nsec3":
        options = ["-n", "-a", "1", "-t", "0"] + (["-p"] if zone.opt_out else [])
    run(
        "ldns-signzone", *options, "-o", zone.name, "-f", target,
        "-i", stamp(now + zone.window[0]), "-e", stamp(now + zone.window[1]), plain, base,
    )
    plain.unlink()
    if zone.tamper:
        damage(target)


def damage(path):
    """Changes every A and TXT record of a signed zone, and leaves the signatures as they were.

    Name-server addresses stay, so that the zone is reachable and only its data is bogus.
    """
    lines = pathlib.Path(path).read_text().splitlines()
    out = []
    for line in lines:
        words = line.split(None, 4)
        if len(words) == 5 and not words[0].startswith("ns"):
            if words[3] == "A":
                line = re.sub(r"\S+$", "192.0.2.66", line)
            elif words[3] == "TXT":
                line = "\t".join(words[:4]) + '\t"tampered"'
        out.append(line)
    pathlib.Path(path).write_text("\n".join(out) + "\n")
