"""A list of names from outside, asked twice under load: nothing lost, the second time from the cache.

SWARMDNS_QUERIES=FILE (`name type` lines, .gz too) takes that list instead of the tests' own.
"""

import gzip
import os
import random

import pytest
from support import load


def make_list(path, seed=20, names=4000, lines=20000):
    """Popular and unpopular names of several kinds, as a resolver sees them."""
    rng = random.Random(seed)
    pairs = []
    for n in range(names):
        tld = rng.choice(("com", "net", "org", "de", "co.uk", "lan", "example"))
        kind = rng.random()
        if kind < 0.15:
            pairs.append((f"{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}.{n % 256}.in-addr.arpa", "PTR"))
        elif kind < 0.25:
            pairs.append((f"shop{n}.{tld}", "MX"))
        elif kind < 0.35:
            pairs.append((f"www.v6-{n}.{tld}", "AAAA"))
        elif kind < 0.37:
            pairs.append((f"_sip._tcp.p{n}.{tld}", "SRV"))
        else:
            pairs.append((f"{rng.choice(('www', 'cdn', 'mail', 'a.b.c'))}.site{n}.{tld}", "A"))
    with open(path, "w", encoding="ascii") as out:
        for n in range(lines):
            name, rrtype = pairs[n] if n < names else pairs[int(names * rng.random() ** 3)]
            out.write(f"{name} {rrtype}\n")


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    path = folder / "queries"
    given = os.environ.get("SWARMDNS_QUERIES")
    if not given:
        make_list(path)
        return path
    opener = gzip.open if given.endswith(".gz") else open
    with opener(given, "rb") as source:
        path.write_bytes(source.read())
    return path


@pytest.fixture(scope="module")
def bench(lab_handle, listed):
    return lab_handle.need(nodes=1, names=listed)


def test_twice_without_loss_and_the_second_from_the_cache(bench, listed, tmp_path):
    bench.heal()
    node = bench.node(1)
    first = load.run(node.at.service4, str(listed), tmp_path, q=200, t=10)
    assert first.lost == 0 and first.completed == first.sent, first.text
    assert first.part("NOERROR") >= 0.8, first.text
    before = node.counters()
    second = load.run(node.at.service4, str(listed), tmp_path, q=200, t=10)
    added = node.added(before)
    assert second.lost == 0 and second.part("NOERROR") >= 0.8, second.text
    assert added["dns.queries"] >= second.sent
    assert added["cache.misses"] <= 0.005 * second.sent, added
    assert added["cache.hits"] + added["cache.hits_negative"] >= 0.995 * second.sent, added
