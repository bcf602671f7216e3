"""A root zone from outside, signed years ago: served as it is, and validated with the date of its time.

The zone here is our own, signed with dates of 2020; the real one of that year works the same way
(`scripts/lab up --root-zone FILE`).
"""

import calendar
import time

import dns.flags
import dns.rcode
import dns.rdatatype
import pytest
from labkit import dnssec
from labkit.zone import Zone
from support.plain_unbound import PlainUnbound

THEN = calendar.timegm((2020, 10, 25, 0, 0, 0))
SERVERS = {"a.root-servers.net.": ("198.41.0.4", "2001:503:ba3e::2:30"), "m.root-servers.net.": ("202.12.27.33",)}


def write_root(folder):
    """A small root with `com` (signed) and `lan` (not), and the file with its key."""
    zone = Zone(".", "root", (1,), signed="nsec", window=(-6 * 86400, 7 * 86400))
    lines = [". 86400 IN SOA a.root-servers.net. nstld.example. 2020102500 1800 900 604800 86400"]
    for server, addresses in SERVERS.items():
        lines.append(f". 518400 IN NS {server}")
        lines += [f"{server} 518400 IN {'AAAA' if ':' in a else 'A'} {a}" for a in addresses]
    for tld, address in (("com.", "192.5.6.30"), ("lan.", "192.5.6.31"), ("net.", "192.5.6.32")):
        lines += [f"{tld} 172800 IN NS ns.nic.{tld}", f"ns.nic.{tld} 172800 IN A {address}"]
    lines.append(f"com. 86400 IN DS {dnssec.Key(4, 'com.').ds()}")
    path = folder / "root.zone"
    dnssec.sign(zone, 4, "\n".join(lines) + "\n", path, folder, THEN)
    key = folder / "root.key"
    key.write_text(dnssec.Key(4, ".").dnskey_line() + "\n")
    return path, key


@pytest.fixture(scope="module")
def bench(lab_handle, tmp_path_factory):
    zone, key = write_root(tmp_path_factory.mktemp("root"))
    return lab_handle.need(nodes=1, root_zone=zone, root_key=key)


def test_ds_of_com_comes_back_authentic(bench, node):
    reply = node.ask("com.", "DS", dnssec=True, seconds=8)
    assert reply.rcode() == dns.rcode.NOERROR and reply.flags & dns.flags.AD
    kinds = {rrset.rdtype for rrset in reply.answer}
    assert kinds == {dns.rdatatype.DS, dns.rdatatype.RRSIG}
    again = node.ask("com.", "DS", dnssec=True)
    assert again.flags & dns.flags.AD


def test_absence_is_authentic_too(bench, node):
    reply = node.ask("lan.", "DS", dnssec=True, seconds=8)
    assert reply.rcode() == dns.rcode.NOERROR and reply.flags & dns.flags.AD and not reply.answer
    reply = node.ask("no-such-tld.", "A", dnssec=True, seconds=8)
    assert reply.rcode() == dns.rcode.NXDOMAIN and reply.flags & dns.flags.AD


def test_the_date_matters(bench, node, tmp_path):
    """By today's clock the same signatures are expired."""
    assert time.time() > THEN + 30 * 86400
    with PlainUnbound(node.at, tmp_path) as today:
        reply = today.ask_until("com.", "DS", 3)  # it may look for a better server for half a minute
        assert reply is None or reply.rcode() == dns.rcode.SERVFAIL


def test_names_list_the_delegations(bench):
    lines = {item.line() for item in bench.asked()}
    assert {"com. DS root-ds", "lan. DS root-no-ds", ". SOA root-apex"} <= lines
