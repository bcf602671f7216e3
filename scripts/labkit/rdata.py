"""Record data of every type that the lab's zones hold, derived from the owner name and a salt."""

import dns.rdata

from .zone import address4, address6, digest

# SVCB and HTTPS are written in the generic form (RFC 3597): not every signer knows their text form.
_GENERIC = {
    "HTTPS": '1 . alpn="h2,h3" ipv4hint=192.0.2.{n}',
    "SVCB": "{n} svc.example.net. port=8443",
}


def _hex(n, octets):
    text = f"{n:x}".rjust(64, "0") * (octets // 32 + 1)
    return text[: octets * 2]


def _templates(owner, salt):
    n = digest("rdata", owner, salt)
    small = n % 200 + 1
    host = f"host{small}.plain.swarm."
    return n, small, host


def record(rrtype, owner, salt=0):
    """Presentation form of one record's data."""
    n, small, host = _templates(owner, salt)
    if rrtype in _GENERIC:
        text = _GENERIC[rrtype].format(n=small)
        return dns.rdata.from_text("IN", rrtype, text).to_generic().to_text()
    table = {
        "A": address4(owner, salt),
        "AAAA": address6(owner, salt),
        "MX": f"{small} mx{small}.plain.swarm.",
        "NS": f"ns{small}.plain.swarm.",
        "TXT": f'"v=lab{small}" "seed {n % 99991}"',
        "SPF": f'"v=spf1 ip4:192.0.2.{small} -all"',
        "PTR": host,
        "SRV": f"{small} {n % 100} {n % 60000 + 1} {host}",
        "CAA": f'{n % 2 * 128} issue "ca{small}.example"',
        "NAPTR": f'{small} 10 "U" "E2U+sip" "!^.*$!sip:info@example{small}.com!" .',
        "TLSA": f"3 1 1 {_hex(n, 32)}",
        "SSHFP": f"4 2 {_hex(n, 32)}",
        "DS": f"{n % 65536} 13 2 {_hex(n, 32)}",
        "LOC": f"{n % 90} {n % 60} {n % 60}.000 N {n % 180} {n % 60} {n % 60}.000 E {small}.00m 1.00m 10000.00m 10.00m",
        "HINFO": f'"CPU{small}" "OS{small}"',
        "URI": f'{small} 1 "https://example{small}.com/path"',
        "RP": f"admin{small}.plain.swarm. info{small}.plain.swarm.",
        "AFSDB": f"1 {host}",
        "KX": f"{small} {host}",
        "EUI48": "-".join(f"{(n >> 8 * k) % 256:02x}" for k in range(6)),
        "EUI64": "-".join(f"{(n >> 8 * k) % 256:02x}" for k in range(8)),
        "CERT": "1 1 13 " + "TGFiIENlcnRpZmljYXRl",
        "OPENPGPKEY": "TGFiIE9wZW5QR1AgS2V5",
        "DNAME": host,
        "CNAME": host,
        "TYPE65400": f"\\# 8 {_hex(n, 8)}",
    }
    return table.get(rrtype, f"\\# 4 {_hex(n, 4)}")


ORDINARY = (
    "A AAAA MX TXT PTR SRV CAA HTTPS SVCB NAPTR TLSA SSHFP LOC HINFO URI RP AFSDB KX EUI48 EUI64 CERT "
    "OPENPGPKEY SPF TYPE65400"
).split()
