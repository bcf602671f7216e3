"""Two workers, each with a queue pair of its own: both work, and answers of misses find the right one."""

import json

import dns.rcode
import pytest
from labkit import compare
from labkit.settings import Node
from support import load


@pytest.fixture(scope="module", params=["af_xdp", "af_packet"])
def bench(lab_handle, request):
    return lab_handle.need(nodes=1, workers=2, driver=request.param)


def per_lcore(node, name):
    shown = json.loads(node.ctl("--output", "json", "stats").stdout)
    for counter in shown["counters"]:
        if counter["name"] == name:
            return [int(value) for value in counter.get("perLcore", counter.get("per_lcore", []))]
    return []


def test_both_workers_answer_hits_and_misses(bench, node, tmp_path):
    questions = [f"w{n}.wild.swarm A" for n in range(3000)]
    before = per_lcore(node, "dns.queries")
    first = load.run(node.at.service4, questions, tmp_path, c=32, q=100)
    assert (first.lost, first.codes) == (0, {"NOERROR": 3000}), first.text
    second = load.run(node.at.service4, questions, tmp_path, c=32, q=100)
    assert (second.lost, second.codes) == (0, {"NOERROR": 3000}), second.text
    grown = [now - then for now, then in zip(per_lcore(node, "dns.queries"), before)]
    busy = [value for value in grown if value > 0]
    assert len(busy) == 2 and min(busy) > 300, grown


def test_both_families_and_tcp(bench, node):
    for item in bench.asked("plain")[::40]:
        for v6 in (False, True):
            assert node.ask(item.name, item.rrtype, v6=v6).rcode() == dns.rcode.NOERROR
            assert node.ask_tcp(item.name, item.rrtype, v6=v6).rcode() == dns.rcode.NOERROR


def test_the_same_as_the_resolver(bench, node):
    items = [i for i in compare.select(bench.asked(), (), 6) if i.case not in ("timeout", "slow", "lame-refused")]
    comparison = compare.Comparison(Node(1), ("127.0.0.1", 553))
    wrong = [entry for entry in comparison.run([(item, "do") for item in items], 24) if entry[2]]
    assert not wrong, wrong[:10]
