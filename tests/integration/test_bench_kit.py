"""What scripts/bench makes of its samples: rows, ratios, the chart; and what becomes of a peer that fails."""

import argparse
import signal
import xml.etree.ElementTree as ElementTree

import pytest
from benchkit import chart, contest, latency, real, report

SVG = "{http://www.w3.org/2000/svg}"


def row(case, value, unit="replies/s", bench="veth", **ratio_to):
    return {"bench": bench, "case": case, "value": value, "unit": unit,
            "ratio_to": {name.replace("_", "-"): ratio for name, ratio in ratio_to.items()}}


def test_a_ratio_above_one_means_that_ours_is_better():
    rates = report.rows_of("veth", "swarmdns", "replies/s", {"swarmdns": [10, 30, 20], "nsd": [10, 10, 40]})
    assert [(each["case"], each["value"], each["ratio_to"]) for each in rates] == [
        ("swarmdns", 20, {"nsd": 2.0}), ("nsd", 10, {})]
    for unit in ("us", "cycles/query", "cycles/lookup", "ns/query", "bytes/entry"):
        assert report.rows_of("x", "ours", unit, {"ours": [10], "theirs": [25]})[0]["ratio_to"] == {"theirs": 2.5}


def test_a_yardstick_of_nothing_has_no_ratio():
    assert report.rows_of("x", "ours", "us", {"ours": [3], "theirs": [0]})[0]["ratio_to"] == {}
    assert report.rows_of("x", "ours", "us", {"ours": [0], "theirs": [3]})[0]["ratio_to"] == {}


def drawn(rows):
    """Bars (left to right lengths by name) and all texts of a chart."""
    root = ElementTree.fromstring(chart.draw(rows, "a <machine> & more"))
    texts = [each.text for each in root.iter(f"{SVG}text")]
    names = [each.text for each in root.iter(f"{SVG}text") if each.get("text-anchor") == "end"]
    bars = [(float(each.get("width")), each.get("fill")) for each in root.iter(f"{SVG}rect")]
    assert len(names) == len(bars)
    return list(zip(names, bars)), texts


def test_bars_stand_best_first_and_in_proportion():
    rows = [row("swarmdns", 1000, empty=0.8, knot_xdp=4.0), row("empty", 1250), row("knot-xdp", 250)]
    bars, texts = drawn(rows)
    assert [name for name, _ in bars] == ["empty", chart.OUR_NAME, "knot-xdp"]
    lengths = {name: width for name, (width, _) in bars}
    assert lengths["empty"] == chart.BARS
    assert lengths[chart.OUR_NAME] == pytest.approx(chart.BARS * 0.8, abs=0.1)
    assert lengths["knot-xdp"] == pytest.approx(chart.BARS * 0.2, abs=0.1)
    assert [name for name, (_, fill) in bars if fill == chart.OURS] == [chart.OUR_NAME]
    assert "a <machine> & more" in texts and "1,250 replies/s" in texts


def test_less_may_be_better():
    bars, texts = drawn([row("hit-10k", 100, "cycles/query", "worker", rte_hash=1.5)])
    assert [name for name, _ in bars] == [chart.OUR_NAME, "rte-hash"]
    assert "150 cycles/query" in texts and "hit-10k: cycles/query, less is better" in texts


def test_what_has_no_yardstick_is_text():
    bars, texts = drawn([row("memory-entry", 120, "bytes", "cache"), row("insert", 2e6, "inserts/s", "cache")])
    assert bars == []
    assert {"memory-entry: 120 bytes", "insert: 2,000,000 inserts/s"} <= set(texts)


def test_latency_rows_have_the_empty_responder_beside_them():
    sample = {"latency_us": {"p50": 4.0, "p99": 8.0, "p99.9": 9.0}, "lost": 0, "sent": 100}
    empty = {"latency_us": {"p50": 2.0, "p99": 4.0, "p99.9": 9.0}, "lost": 0, "sent": 100}
    lost = {**sample, "lost": 3}
    rows, taken = latency.rows_of({"spin": [sample], "adaptive": [sample], "empty": [empty]}, [sample, lost])
    found = {each["case"]: each for each in rows}
    assert found["latency-spin-p50"]["ratio_to"] == {"empty": 0.5}
    assert found["latency-adaptive-p999"]["ratio_to"] == {"empty": 1.0}
    assert found["adaptive-gaps-lost"]["value"] == 3 and found["adaptive-gaps-sent"]["value"] == 200
    assert set(taken) == set(found) and taken["latency-spin-p50-empty"] == [2.0]


def test_real_rows_have_a_ratio_for_the_rates():
    def sample(rate):
        return {name: {"rate": rate, "lost": 0.0, "failed": 0.0, "hits": 90.0} for name in real.PASSES}

    rows, taken = real.rows_of({"swarmdns": [sample(300.0)], "unbound": [sample(100.0)]})
    ratios = {each["case"]: each["ratio_to"] for each in rows}
    assert ratios["cold"] == ratios["warm"] == {"unbound": 3.0}
    assert all(not ratio for case, ratio in ratios.items() if case not in ("cold", "warm"))
    assert set(taken) == set(ratios) and len(ratios) == 16


class Peer:
    """Notes what is done with it."""

    log = []
    start_fails = False

    def start(self, _folder):
        self.log.append(f"start {type(self).__name__}")
        if self.start_fails:
            raise RuntimeError("no answer")

    def stop(self):
        self.log.append(f"stop {type(self).__name__}")


class Ours(Peer):
    pass


class Broken(Peer):
    start_fails = True


class Other(Peer):
    pass


def turns(responders):
    Peer.log.clear()
    return contest.Turns("veth", responders, argparse.Namespace(repeat=2, seconds=1))


def test_a_peer_that_fails_is_stopped_named_and_left_out(capsys, tmp_path):
    found = turns({"ours": Ours, "broken": Broken, "other": Other})
    found.run(tmp_path, lambda *_: 7, str)
    assert found.failed == ["broken"] and found.samples == {"ours": [7, 7], "other": [7, 7]}
    assert Peer.log == ["start Ours", "stop Ours", "start Broken", "stop Broken", "start Other", "stop Other",
                        "start Ours", "stop Ours", "start Other", "stop Other"]
    assert "broken is left out: no answer" in capsys.readouterr().err


def test_ours_failing_ends_the_bench(tmp_path):
    found = turns({"broken": Broken, "other": Other})
    with pytest.raises(RuntimeError, match="broken: no answer"):
        found.run(tmp_path, lambda *_: 7, str)
    assert Peer.log == ["start Broken", "stop Broken"]


def test_an_interrupted_bench_cleans_up(capsys):
    done, before = [], signal.getsignal(signal.SIGTERM)

    def body():
        with contest.clean_scratch(done.append, lambda: done.append("torn down")):
            signal.raise_signal(signal.SIGTERM)

    try:
        assert contest.main("veth", body) == 130
    finally:
        signal.signal(signal.SIGTERM, before)
    assert done[1:] == ["torn down"] and not done[0].exists()
    assert "interrupted" in capsys.readouterr().err
