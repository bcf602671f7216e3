"""The lab's Internet as text: the same from the same seed, complete, and taken by real DNS software."""

import collections
import gzip
import subprocess
import time

import dns.name
import pytest
from labkit import dnssec, fed, internet, netns, rootzone, servers
from labkit.settings import LabError, Node
from labkit.zone import Zone

NEEDED_CASES = """plain cname-chain cname-cross cname-loop cname-nxdomain cname-nodata cname-bogus dname dname-cross
dname-nxdomain dname-too-long wildcard wildcard-cname wildcard-cname-nxdomain wildcard-nodata wildcard-blocked nxdomain
nxdomain-tld nxdomain-sld nodata empty-non-terminal large-txt many-addresses edge-size ttl-0 ttl-20 ttl-huge mixed-case
long-name many-labels octets underscore deep-cut out-of-bailiwick lame-refused lame-partly lame-not-authoritative
no-edns slow timeout bogus bogus-ds bogus-stripped expired not-yet-valid insecure unknown-algorithm apex""".split()


def texts(net):
    below = net.delegations()
    return {zone.name: zone.text(below[zone.name]) for zone in net.zones.values()}


def test_same_seed_same_internet():
    one, two = internet.build(7), internet.build(7)
    assert texts(one) == texts(two)
    assert [a.line() for a in one.asked()] == [a.line() for a in two.asked()]
    assert dnssec.Key(7, "swarm.").rdata() == dnssec.Key(7, "swarm.").rdata()


def test_another_seed_another_internet():
    assert texts(internet.build(7)) != texts(internet.build(8))
    assert dnssec.Key(7, "swarm.").rdata() != dnssec.Key(8, "swarm.").rdata()


def test_every_case_has_names_and_there_are_thousands():
    asked = internet.build(7).asked()
    counts = internet.case_counts(asked)
    assert sorted(NEEDED_CASES) == sorted(counts)
    odd = {item.name.lower() for item in asked if item.case not in ("plain", "apex")}
    assert len(odd) >= 2000


def test_every_asked_name_is_legal():
    for item in internet.build(7).asked():
        assert len(dns.name.from_text(item.name).to_wire()) <= 255, item


def test_lines_read_back(tmp_path):
    asked = internet.build(7).asked()
    path = tmp_path / "names"
    path.write_text("".join(item.line() + "\n" for item in asked))
    assert internet.read_asked(path) == asked


def test_nsd_takes_every_zone(tmp_path):
    net = internet.build(7)
    servers.write_zones(net, tmp_path, time.time())
    for zone in net.zones.values():
        path = tmp_path / "zones" / servers.file_name(zone.name)
        if zone.group in ("lame", "none"):
            assert not path.exists()
            continue
        done = subprocess.run(["nsd-checkzone", zone.name, str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0 and "warning" not in done.stderr, done.stderr[:500]
    for level in servers.LEVELS:
        subprocess.run(["nsd-checkconf", str(tmp_path / f"nsd-{level}.conf")], check=True)


def test_damage_changes_data_and_spares_the_servers(tmp_path):
    path = tmp_path / "zone"
    path.write_text("ns1.b.\t60\tIN\tA\t198.18.2.1\nt0.b.\t60\tIN\tA\t192.0.2.1\nt0.b.\t60\tIN\tTXT\t\"x\"\n")
    dnssec.damage(path)
    assert path.read_text() == (
        'ns1.b.\t60\tIN\tA\t198.18.2.1\nt0.b.\t60\tIN\tA\t192.0.2.66\nt0.b.\t60\tIN\tTXT\t"tampered"\n'
    )


def test_ds_is_true_only_where_it_should_be():
    def ds(**how):
        return dnssec.delegation_ds(Zone("a.b.", "sld", (1, 2), **how), 7)

    good = ds(signed="nsec")
    assert len(good) == 1 and dnssec.Key(7, "a.b.").ds() in good[0]
    assert ds() == [] and ds(signed="nsec", ds="none") == []
    wrong = ds(signed="nsec", ds="wrong")
    assert len(wrong) == 1 and wrong != good
    assert ds(ds="stripped") == good


def test_fed_names_are_read_plain_and_gzipped(tmp_path):
    text = "www.Example.COM\n; comment\nmail.example.org. mx\nwww.example.com A\n\n1.0.0.127.in-addr.arpa PTR\n"
    (tmp_path / "a").write_text(text)
    (tmp_path / "a.gz").write_bytes(gzip.compress(text.encode()))
    wanted = [("www.example.com.", "A"), ("mail.example.org.", "MX"), ("1.0.0.127.in-addr.arpa.", "PTR")]
    assert fed.read(tmp_path / "a") == wanted
    assert fed.read(tmp_path / "a.gz") == wanted


def test_fed_names_need_few_zones_and_skip_what_no_zone_holds():
    pairs = [("a.b.com.", "A"), ("c.com.", "MX"), ("d.org.", "AAAA"), ("x" * 64 + ".com.", "A"), (".", "NS"),
             ("new.swarm.", "A"), ("q.com.", "ANY"), ("r.com.", "NS")]
    net = internet.build(7, pairs)
    assert {"com.", "org."} <= set(net.zones) and "b.com." not in net.zones
    listed = {item.name for item in net.asked() if item.case == "list"}
    assert listed == {"a.b.com.", "c.com.", "d.org.", "new.swarm.", "q.com.", "r.com."}
    held = collections.Counter(line.split("\t")[0] for line in net.zones["com."].records)
    assert held["a.b.com."] == 1 and held["c.com."] == 1 and held["q.com."] == 1
    assert not any("\tNS\t" in line for line in net.zones["com."].records)


@pytest.mark.parametrize("content", ["", "# nothing\n\n"])
def test_a_file_without_names_is_refused(tmp_path, content):
    (tmp_path / "empty").write_text(content)
    with pytest.raises(LabError, match="one `name"):
        fed.read(tmp_path / "empty")


def test_a_cut_gzip_is_refused(tmp_path):
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"a.com A\n" * 99)[:-9])
    with pytest.raises(LabError, match="cannot read"):
        fed.read(tmp_path / "cut.gz")


def test_a_root_zone_must_be_one_and_be_signed(tmp_path):
    path = tmp_path / "zone"
    path.write_text("example. 60 IN NS ns.example.\n")
    with pytest.raises(LabError, match="no root zone"):
        rootzone.RootZone(path)
    path.write_text(". 60 IN NS a.rs.\na.rs. 60 IN A 192.0.2.1\n")
    with pytest.raises(LabError, match="not signed"):
        rootzone.RootZone(path)


def test_namespace_numbers_are_those_of_the_documentation():
    node = Node(3)
    assert (node.ns, node.service4, node.service6) == ("sw-n3", "10.53.3.1", "fd53:3::1")
    assert netns.enter("no-such")[:2] == ["nsenter", "--net=/run/netns/no-such"]
