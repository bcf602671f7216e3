"""What the ledger of three nodes can prove, tell, erase and take back."""

import json
import pathlib
import re
import subprocess

import dns.rcode
import pytest
from support.bench import eventually
from support.swarm import cached, form, height, up, view

VERIFY_EXPORT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "verify-export"


def told(node, *argv):
    """What swarmctl tells, as JSON has it; nothing when it fails. Some nodes may have been silent."""
    done = node.ctl("--output", "json", *argv, check=False)
    return json.loads(done.stdout) if done.stdout.strip() else {}


def history(node, name):
    return told(node, "ledger", "history", name).get("mutations", [])


def ordered(node, name):
    """The first line of the name's history, once a block orders it."""
    lines = history(node, name)
    return lines[0] if lines and int(lines[0].get("ordered_height", 0)) > 0 else None


@pytest.fixture(scope="module")
def swarm(lab_handle, tmp_path_factory):
    bench = lab_handle.need(nodes=3, seed=33, faults=True)
    bench.faults.end_all()
    form(bench, tmp_path_factory.mktemp("swarm") / "root.key")
    assert eventually(lambda: all(up(each, 3) for each in bench.nodes), 60)
    yield bench
    bench.faults.end_all()
    bench.heal()


@pytest.fixture(scope="module")
def trust(swarm, tmp_path_factory):
    file = tmp_path_factory.mktemp("trust") / "trust"
    one = swarm.node(1)
    # A set of three voters has cosigned.
    assert eventually(lambda: one.ctl("ledger", "checkpoint", "--trust-file", str(file), check=False).returncode == 0
                      and file.read_text().count("voter ") == 3, 30)
    return file


def proved(node, line, file):
    """A proof file of that line of a history, as soon as a checkpoint covers it."""
    place = [line["node_name"], line["segment"], line["position"]]
    return eventually(lambda: node.ctl("ledger", "prove", "mutation", *map(str, place), "--out", str(file),
                                       check=False).returncode == 0, 20)


def verified(node, file, trust):
    return node.ctl("ledger", "verify", str(file), "--trust", str(trust), check=False)


def test_a_mutation_is_proved_offline(swarm, trust, tmp_path):
    one, two, three = swarm.nodes
    item = swarm.asked("plain")[10]
    two.ask(item.name, item.rrtype)
    assert eventually(lambda: ordered(one, item.name), 20)
    proof = tmp_path / "proof"
    # Another node than the maker proves it.
    assert proved(three, ordered(three, item.name), proof)
    done = verified(one, proof, trust)
    assert done.returncode == 0 and "of node 2" in done.stdout, done.stdout + done.stderr
    text = proof.read_text()
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("mutation "))
    for altered in (text.replace(lines[at], lines[at][:-8] + "AAAAAAA="), text.replace("\nindex ", "\nindex 1", 1)):
        assert altered != text
        proof.write_text(altered)
        assert verified(one, proof, trust).returncode != 0


def test_a_name_is_erased_on_every_node_also_on_one_that_was_down(swarm, trust, tmp_path):
    one, two, three = swarm.nodes
    item, neighbour = swarm.asked("plain")[20:22]
    for each in (item, neighbour):
        two.ask(each.name, each.rrtype)
    assert eventually(lambda: all(ordered(each, item.name) and ordered(each, neighbour.name) for each in swarm.nodes), 20)
    beside = tmp_path / "beside"
    assert proved(three, ordered(three, neighbour.name), beside)
    three.stop("controlplane")
    done = one.ctl("ledger", "erase", item.name, "--yes", "--reason", "asked to", check=False)
    assert done.returncode != 0 and "not confirmed yet by n3" in done.stderr, done.stdout + done.stderr
    three.start()
    assert eventually(lambda: up(three, 3), 60)
    erasing = told(one, "ledger", "erase", item.name, "--yes")
    assert not erasing.get("silent"), erasing
    for each in swarm.nodes:
        lines = history(each, item.name)
        assert lines and all(line["erased"] for line in lines), lines
        assert "(erased)" in each.ctl("ledger", "history", item.name).stdout
        assert not history(each, neighbour.name)[0]["erased"]
    gone = tmp_path / "gone"
    assert proved(three, history(three, item.name)[0], gone)
    done = verified(one, gone, trust)
    assert done.returncode == 0 and "an erased mutation" in done.stdout, done.stdout + done.stderr
    assert verified(one, beside, trust).returncode == 0
    assert proved(three, ordered(three, neighbour.name), beside) and verified(one, beside, trust).returncode == 0


def test_what_caches_held_at_a_time(swarm):
    one, two, _ = swarm.nodes
    item = swarm.asked("plain")[30]
    two.ask(item.name, item.rrtype)
    assert eventually(lambda: ordered(one, item.name), 20)
    learned = int(ordered(one, item.name)["wall_ms"])

    def at(ms):
        stamp = subprocess.run(["date", "-u", "-d", f"@{ms // 1000}", "+%Y-%m-%dT%H:%M:%SZ"], capture_output=True,
                               text=True, check=True).stdout.strip()
        return told(one, "ledger", "at", stamp, item.name).get("standing", [])

    assert [line["node_name"] for line in at(learned + 1000)] == ["n2"]
    assert not at(learned - 2000)
    two.ctl("cache", "flush", "--all")
    assert eventually(lambda: not at(learned + 100_000) and len(history(one, item.name)) >= 1, 20)


def test_what_lies_between_two_heights(swarm):
    one = swarm.node(1)
    before = height(one)
    one.ctl("swarm", "settings", "promote_after=45s", "--reason", "slow disks")
    item = swarm.asked("plain")[31]
    swarm.node(3).ask(item.name, item.rrtype)
    assert eventually(lambda: ordered(one, item.name), 20)
    shown = one.ctl("ledger", "diff", str(before), str(height(one))).stdout
    assert re.search(r"~ settings: .*promote_after_ms 45000", shown) and re.search(r"\+ [1-9]\d* mutations of n3", shown), shown
    assert "+ swarm demo" in one.ctl("ledger", "diff", "0", str(height(one))).stdout


def test_an_export_is_verified_by_another_program(swarm, trust, tmp_path):
    one = swarm.node(1)
    then = height(one)
    for first, flags in ((1, ["--bodies"]), (1, []), (then // 2, ["--bodies"])):
        file = tmp_path / f"ledger-{first}-{len(flags)}"
        argv = ["ledger", "export", str(file), "--from", str(first), "--to", str(then), *flags]
        assert eventually(lambda argv=argv: one.ctl(*argv, check=False).returncode == 0, 20), one.ctl(*argv, check=False)
        check = [VERIFY_EXPORT, file, "--trust", trust]
        done = subprocess.run(check, capture_output=True, text=True, check=False)
        assert done.returncode == 0 and f"blocks {first} to {then}" in done.stdout, done.stdout + done.stderr
        octets = file.read_bytes()
        # A tree's root, a time, the checkpoint; a body.
        header = octets.index(b"swarmdns block v1")
        for at in (header + 110, octets.rindex(b"swarmdns block v1") + 80, len(octets) - 300):
            altered = bytearray(octets)
            altered[at] ^= 1
            file.write_bytes(altered)
            assert subprocess.run(check, capture_output=True, check=False).returncode != 0, at
        if flags and first == 1:
            file.write_bytes(octets.replace(b"slow disks", b"fast disks"))
            done = subprocess.run(check, capture_output=True, text=True, check=False)
            assert done.returncode != 0 and "the body of leaf" in done.stderr, done.stderr
        file.write_bytes(octets[:-200])
        assert subprocess.run(check, capture_output=True, check=False).returncode != 0


def test_a_partitioned_node_removes_the_wrong_entry_when_it_returns(swarm):
    one, two, three = swarm.nodes
    good, wrong = swarm.asked("plain")[40:42]
    one.ask(good.name, good.rrtype)
    assert eventually(lambda: ordered(one, good.name) and cached(three, good.name), 20)
    then = height(one)
    two.ask(wrong.name, wrong.rrtype)
    assert eventually(lambda: cached(one, wrong.name) and cached(three, wrong.name) and ordered(one, wrong.name), 20)
    assert {line["node_name"] for line in history(one, wrong.name)} == {"n2"}
    swarm.faults.partition([1, 2], [3])
    assert eventually(lambda: view(one).get("log_state") in ("leader", "follower") and
                      one.ctl("swarm", "token", "--role", "backup", check=False).returncode == 0, 60)
    done = one.ctl("ledger", "rollback", "--only", "cache", "--to", str(then), "--yes", "--reason", "drill", check=False)
    assert "no word yet from n3" in done.stderr, done.stdout + done.stderr
    assert not cached(one, wrong.name) and not cached(two, wrong.name)
    assert cached(three, wrong.name)  # it cannot know, and goes on answering
    silent = told(one, "ledger", "history", wrong.name).get("silent", [])
    assert silent == ["n3"]
    swarm.faults.heal()
    assert eventually(lambda: not cached(three, wrong.name), 60)
    assert cached(one, good.name) and cached(three, good.name)
    assert eventually(lambda: all(up(each, 3) for each in swarm.nodes), 60)
    # Nothing shared brings it back, and it stays in history.
    assert not cached(three, wrong.name) and history(three, wrong.name)


def test_a_node_that_was_down_never_answers_what_was_rolled_back_meanwhile(swarm):
    one, two, three = swarm.nodes
    good, wrong, own = swarm.asked("plain")[50:53]
    one.ask(good.name, good.rrtype)
    three.ask(own.name, own.rrtype)
    assert eventually(lambda: all(ordered(one, each.name) for each in (good, own)) and cached(three, good.name), 20)
    then = height(one)
    two.ask(wrong.name, wrong.rrtype)
    assert eventually(lambda: cached(three, wrong.name) and ordered(one, wrong.name), 20)
    three.stop()
    done = one.ctl("ledger", "rollback", "--only", "cache", "--to", str(then), "--yes", "--reason", "drill", check=False)
    assert "no word yet from n3" in done.stderr, done.stdout + done.stderr

    # Alone, with nobody to ask: its own comes from the snapshot, what others said does not, good or wrong.
    three.start("dataplane")
    assert eventually(lambda: three.ask(own.name, own.rrtype, seconds=8).rcode() == dns.rcode.NOERROR, 30)
    assert three.ask(wrong.name, wrong.rrtype, seconds=8).rcode() == dns.rcode.SERVFAIL
    three.start()
    assert eventually(lambda: up(three, 3), 60)

    def back():
        return told(three, "status").get("dataplane", {}).get("snapshot", {})

    assert eventually(lambda: "loaded" in back() and not int(back().get("held", 0)), 60), back()
    assert int(back()["left_out"]) >= 1, back()
    assert cached(three, good.name) and cached(three, own.name)
    assert not cached(three, wrong.name) and history(three, wrong.name)


def test_what_was_current_comes_back_with_readmit(swarm):
    one, two, _ = swarm.nodes
    item = swarm.asked("plain")[45]
    two.ask(item.name, item.rrtype)
    assert eventually(lambda: ordered(one, item.name), 20)
    then = height(one)
    two.ctl("cache", "flush", item.name)
    assert not cached(two, item.name)
    two.ask(item.name, item.rrtype)
    assert eventually(lambda: len(history(one, item.name)) >= 2, 20)
    left = max(int(entry["remaining_ms"]) for entry in cached(two, item.name))
    assert eventually(lambda: height(one) > then, 20)
    done = one.ctl("ledger", "rollback", "--only", "cache", "--to", str(then), "--readmit", "--yes")
    assert re.search(r"n2 .* [1-9]\d* readmitted", done.stdout), done.stdout
    entries = cached(two, item.name)
    assert entries and all(0 < int(entry["remaining_ms"]) <= left for entry in entries)
