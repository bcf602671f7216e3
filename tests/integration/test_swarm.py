"""A swarm of three: founding, joining, who is there, the ledger, a leader that dies, a node that leaves."""

import re

import dns.flags
import pytest
from support.bench import eventually
from support.swarm import TOKEN, cached, form, told, up, view


@pytest.fixture(scope="module")
def bench(lab_handle):
    return lab_handle.need(nodes=3, seed=21)


@pytest.fixture(scope="module")
def swarm(bench, tmp_path_factory):
    """The three nodes as one swarm, made as an operator makes it."""
    key = tmp_path_factory.mktemp("swarm") / "root.key"
    made = form(bench, key)
    assert "Take the root key off this node" in made.stdout
    assert key.stat().st_mode & 0o077 == 0 and "PRIVATE KEY" in key.read_text()
    yield bench
    # What follows in this lab finds nodes by themselves.
    bench.heal()


def test_every_node_tells_the_same_story(swarm):
    height = int(view(swarm.node(1))["height"])
    assert eventually(lambda: all(int(view(each)["height"]) >= height for each in swarm.nodes), 20)
    hashes = {told(each, "ledger", "show", str(height))["hash"] for each in swarm.nodes}
    assert len(hashes) == 1
    log = swarm.node(3).ctl("ledger", "log").stdout
    assert 'made the swarm "demo" with n1' in log and "added n2" in log and "added n3" in log


def test_a_token_is_used_once(swarm):
    token = re.search(TOKEN, swarm.node(1).ctl("swarm", "token", "--role", "backup").stdout)[0]
    again = swarm.node(2).ctl("swarm", "join", "10.54.0.1:8453", "--token", token, check=False)
    assert again.returncode != 0 and "already" in again.stderr


def test_a_proof_verifies_without_a_node(swarm, tmp_path):
    one = swarm.node(1)
    assert eventually(lambda: int(view(one)["checkpoint_height"]) >= int(view(one)["height"]), 20)
    trust, proof = tmp_path / "trust", tmp_path / "proof"
    one.ctl("ledger", "checkpoint", "--trust-file", str(trust))
    one.ctl("ledger", "prove", "leaf", "0", "--out", str(proof))
    assert swarm.node(2).ctl("ledger", "verify", str(proof), "--trust", str(trust)).returncode == 0
    altered = tmp_path / "altered"
    octets = bytearray(proof.read_bytes())
    octets[len(octets) // 3] ^= 1
    altered.write_bytes(octets)
    assert swarm.node(2).ctl("ledger", "verify", str(altered), "--trust", str(trust), check=False).returncode != 0


def test_what_one_resolves_the_others_know(swarm):
    one, two, three = swarm.nodes
    item = swarm.asked("plain")[40]
    assert not cached(two, item.name)
    one.ask(item.name, item.rrtype)
    assert eventually(lambda: cached(two, item.name) and cached(three, item.name), 10)
    before = two.counters()
    reply = two.ask(item.name, item.rrtype)
    assert two.added(before)["cache.hits"] == 1
    # A shared answer is never vouched for: AD is for what this node has validated itself.
    assert not reply.flags & dns.flags.AD


def test_a_wrong_answer_is_found_and_taken_back_everywhere(swarm):
    one, two, three = swarm.nodes
    good, wrong = swarm.asked("plain")[50], swarm.asked("plain")[60]
    one.ask(good.name, good.rrtype)
    assert eventually(lambda: cached(three, good.name), 10)
    assert eventually(lambda: "learned" in two.ctl("ledger", "history", good.name).stdout, 10)

    def ordered():
        lines = told(two, "ledger", "history", good.name).get("mutations", [])
        return int(lines[0].get("ordered_height", 0)) if lines else 0

    assert eventually(ordered, 10)
    height = int(view(one)["height"])
    # Two learns something wrong, and it spreads.
    two.ask(wrong.name, wrong.rrtype)
    assert eventually(lambda: cached(one, wrong.name) and cached(three, wrong.name), 10)
    history = three.ctl("ledger", "history", wrong.name).stdout
    assert "n2" in history and "127.0.0.1@553" in history
    # Its head is ordered before the caches go back.
    assert eventually(lambda: int(view(one)["height"]) > height, 10)
    planned = one.ctl("ledger", "rollback", "--only", "cache", "--to", str(height), "--dry-run")
    assert "Nothing was changed" in planned.stdout and cached(three, wrong.name)
    done = one.ctl("ledger", "rollback", "--only", "cache", "--to", str(height), "--yes", "--reason", "drill")
    assert "done on every node" in done.stdout
    for each in swarm.nodes:
        assert not cached(each, wrong.name)
        assert cached(each, good.name)
    assert "n2" in one.ctl("ledger", "history", wrong.name).stdout


def test_the_leader_dies_and_the_swarm_goes_on(swarm):
    bench = swarm
    leader = next(each for each in bench.nodes if view(each)["log_state"] == "leader")
    others = [each for each in bench.nodes if each is not leader]
    height = int(view(others[0])["height"])
    leader.kill("controlplane")
    assert eventually(lambda: any(view(each).get("log_state") == "leader" for each in others), 30)
    # It answers queries all the same, and the others order changes.
    assert leader.answers()
    others[0].ctl("swarm", "token", "--role", "backup", "--reason", "without the old leader")
    assert int(view(others[0])["height"]) > height
    leader.start()
    assert eventually(lambda: up(leader, 3), 60)
    newest = int(view(others[0])["height"])
    assert eventually(lambda: int(view(leader)["height"]) >= newest, 30)


def test_one_leaves_and_the_rest_go_on(swarm):
    bench = swarm
    bench.node(3).ctl("swarm", "leave")
    assert eventually(lambda: len(view(bench.node(1)).get("nodes", [])) == 2, 20)
    assert bench.node(3).ctl("swarm", "status", check=False).returncode != 0
    assert bench.node(3).answers()
    bench.node(1).ctl("swarm", "token", "--role", "backup")
