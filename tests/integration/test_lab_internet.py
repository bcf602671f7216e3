"""The lab's Internet as a validating resolver sees it, before any node of ours is in the way."""

import dns.flags
import dns.rcode
import dns.rdatatype
import pytest
from support.plain_unbound import PlainUnbound

AD = dns.flags.AD


@pytest.fixture(scope="module")
def unbound(internet_lab, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbound")
    with PlainUnbound(internet_lab.node(1).at, folder) as resolver:
        yield resolver


def outcome(unbound, item):
    reply = unbound.ask(item.name, item.rrtype)
    return dns.rcode.to_text(reply.rcode()), bool(reply.flags & AD), bool(reply.answer), bool(reply.flags & dns.flags.TC)


def of_zone(bench, case, zone):
    return [item for item in bench.asked(case) if item.name.lower().endswith(zone)]


@pytest.mark.parametrize("zone, signed", [("plain.swarm.", True), ("plain.hive.", True), ("plain.nest.", False)])
def test_plain_names_resolve_and_signed_ones_validate(internet_lab, unbound, zone, signed):
    for item in of_zone(internet_lab, "plain", zone)[::4]:
        rcode, authentic, answered, _ = outcome(unbound, item)
        assert (rcode, authentic, answered) == ("NOERROR", signed, True), item


@pytest.mark.parametrize("case", ["bogus", "bogus-ds", "bogus-stripped", "expired", "not-yet-valid", "cname-bogus"])
def test_lies_are_servfail(internet_lab, unbound, case):
    for item in internet_lab.asked(case):
        assert outcome(unbound, item)[0] == "SERVFAIL", item


def test_lies_are_only_in_the_signatures(internet_lab, unbound):
    """With checking disabled the data is there: it is validation that fails, not the servers."""
    for item in internet_lab.asked("bogus", "expired")[::10]:
        query_reply = unbound.ask_cd(item.name, item.rrtype)
        assert query_reply.rcode() == dns.rcode.NOERROR and query_reply.answer, item


@pytest.mark.parametrize("case", ["insecure", "unknown-algorithm", "out-of-bailiwick", "no-edns",
                                  "lame-not-authoritative"])
def test_unsigned_ways_answer_without_ad(internet_lab, unbound, case):
    for item in internet_lab.asked(case)[::3]:
        rcode, authentic, answered, _ = outcome(unbound, item)
        assert (rcode, authentic, answered) == ("NOERROR", False, True), item


@pytest.mark.parametrize("case", ["nxdomain", "nxdomain-tld", "nxdomain-sld", "cname-nxdomain", "wildcard-blocked"])
def test_what_is_not_there(internet_lab, unbound, case):
    asked = [i for i in internet_lab.asked(case) if i.rrtype != "CNAME" and not i.name.startswith("real.")]
    for item in asked[::7]:
        assert outcome(unbound, item)[0] == "NXDOMAIN", item


@pytest.mark.parametrize("case", ["nodata", "empty-non-terminal", "wildcard-nodata"])
def test_what_has_no_data(internet_lab, unbound, case):
    for item in internet_lab.asked(case)[::7]:
        rcode, _, answered, _ = outcome(unbound, item)
        assert (rcode, answered) == ("NOERROR", False), item


@pytest.mark.parametrize("case", ["cname-chain", "cname-cross", "dname", "dname-cross", "wildcard", "wildcard-cname"])
def test_indirection(internet_lab, unbound, case):
    for item in [i for i in internet_lab.asked(case) if i.rrtype == "A" and not i.name.startswith("old.")][::5]:
        rcode, _, answered, _ = outcome(unbound, item)
        assert (rcode, answered) == ("NOERROR", True), item


def test_dname_beyond_255_octets_is_yxdomain(internet_lab, unbound):
    for item in internet_lab.asked("dname-too-long")[::3]:
        assert outcome(unbound, item)[0] == "YXDOMAIN"


@pytest.mark.parametrize("case", ["large-txt", "many-addresses"])
def test_large_sets_need_tcp(internet_lab, unbound, case):
    for item in internet_lab.asked(case)[::6]:
        assert outcome(unbound, item)[3], item


@pytest.mark.parametrize("case", ["long-name", "many-labels", "octets", "mixed-case", "underscore"])
def test_odd_owner_names(internet_lab, unbound, case):
    for item in internet_lab.asked(case)[::4]:
        assert outcome(unbound, item)[::2] == ("NOERROR", True), item


@pytest.mark.parametrize("case, low, high", [("ttl-20", 1, 20), ("ttl-0", 0, 0), ("ttl-huge", 3600, 2**31 - 1)])
def test_ttls(internet_lab, unbound, case, low, high):
    for item in internet_lab.asked(case)[::6]:
        ttl = min(rrset.ttl for rrset in unbound.ask(item.name, item.rrtype).answer)
        assert low <= ttl <= high, item


def test_lame_servers_fail_and_half_lame_ones_do_not(internet_lab, unbound):
    for item in internet_lab.asked("lame-refused")[::6]:
        assert outcome(unbound, item)[0] == "SERVFAIL", item
    for item in internet_lab.asked("lame-partly")[::6]:
        assert outcome(unbound, item)[::2] == ("NOERROR", True), item


def test_slow_servers_answer_late_and_silent_ones_never(internet_lab, unbound):
    item = internet_lab.asked("slow")[0]
    assert unbound.ask_until(item.name, item.rrtype, 15).rcode() == dns.rcode.NOERROR
    item = internet_lab.asked("timeout")[0]
    reply = unbound.ask_until(item.name, item.rrtype, 3)
    assert reply is None or reply.rcode() == dns.rcode.SERVFAIL


def test_ds_and_dnskey_at_the_cuts(unbound):
    reply = unbound.ask("plain.swarm.", "DS")
    assert reply.flags & AD and any(rrset.rdtype == dns.rdatatype.DS for rrset in reply.answer)
    reply = unbound.ask(".", "DNSKEY")
    assert reply.flags & AD and reply.answer


def test_answers_come_over_ipv6_too(internet_lab, tmp_path):
    """A resolver without IPv4 finds everything as well."""
    with PlainUnbound(internet_lab.node(1).at, tmp_path, extra=("do-ip4: no",), v6=True) as six:
        for item in internet_lab.asked("plain")[::90]:
            assert outcome(six, item)[0] == "NOERROR", item
