"""A list of names from outside, asked twice under load: nothing lost, the second time from the cache.

SWARMDNS_QUERIES=FILE (`name type` lines, .gz too) takes that list instead of the tests' own.
"""

import gzip
import os

import pytest
from labkit.made_list import make_list
from support import load


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
