"""A ledger that was altered by an octet is found, named and fetched anew from the others, and DNS goes on."""

import shutil
import time

import pytest
from support.bench import eventually
from support.damage import alter, kept_aside, table_files
from support.open_load import OpenLoad
from support.swarm import form, height, same_height, told, view


@pytest.fixture(scope="module")
def bench(lab_handle):
    return lab_handle.need(nodes=3, seed=23)


@pytest.fixture(scope="module")
def swarm(bench, tmp_path_factory):
    form(bench, tmp_path_factory.mktemp("swarm") / "root.key")
    for number in range(20):
        bench.node(1 + number % 3).ctl("swarm", "token", "--role", "backup", "--reason", f"change {number}")
    # A copy is made for it, and what was in memory is in files then.
    for node in bench.nodes:
        assert node.ctl("ledger", "verify").returncode == 0
    return bench


def kept(node):
    return [trouble for trouble in view(node).get("troubles", []) if "a damaged ledger was replaced" in trouble]


def same_chain(nodes):
    """Whether all have the same newest block that all of them have."""
    at = str(min(height(each) for each in nodes))
    return len({told(each, "ledger", "show", at)["hash"] for each in nodes}) == 1


def verified(node):
    return node.ctl("ledger", "verify", check=False).returncode == 0


@pytest.mark.parametrize("which", [0, 1, 2])
def test_it_heals_when_it_starts(swarm, tmp_path, which):
    one, two, three = swarm.nodes
    with OpenLoad(tmp_path, rate=200) as load:
        three.stop("controlplane")
        file = table_files(three)[which]
        alter(file)
        three.start("controlplane")
        assert eventually(lambda: any(file.name in each for each in kept(three)), 60), (file, view(three).get("troubles"))
        assert eventually(lambda: view(three).get("log_state") == "follower", 30), view(three)
        one.ctl("swarm", "token", "--role", "backup", "--reason", "afterwards")
        assert same_height(swarm.nodes) and same_chain(swarm.nodes)
        assert verified(three)
        assert not load.finish().unexcused()
    assert [str(each) in trouble for each, trouble in zip(kept_aside(three), kept(three))] == [True]
    assert len(kept_aside(three)) <= 2
    shutil.rmtree(kept_aside(three)[-1])


def test_what_a_running_node_finds_heals(swarm):
    _, two, three = swarm.nodes
    for each in kept_aside(two):
        shutil.rmtree(each)
    for _ in range(5):
        file = table_files(two)[0]
        alter(file)
        found = two.ctl("ledger", "verify", check=False)
        if found.returncode != 0:
            break
        # Its rows, in memory as they were, have gone into another file meanwhile.
        assert not file.exists()
    assert found.returncode != 0 and file.name in found.stdout + found.stderr, found.stdout + found.stderr
    assert eventually(lambda: any(file.name in each for each in kept(two)), 60), view(two).get("troubles")
    two.ctl("swarm", "token", "--role", "backup", "--reason", "healed while it ran")
    assert same_height(swarm.nodes) and same_chain(swarm.nodes)
    assert verified(two)
    # Named until somebody has looked at it.
    for each in kept_aside(two):
        shutil.rmtree(each)
    assert eventually(lambda: not view(two).get("troubles"), 20), view(two)


def test_without_anybody_to_ask_it_says_so_and_goes_on_asking(swarm, tmp_path):
    one, two, three = swarm.nodes
    with OpenLoad(tmp_path, rate=200, numbers=[3]) as load:
        for node in (one, two, three):
            node.stop("controlplane")
        alter(table_files(three)[0])
        three.start("controlplane")
        time.sleep(2)
        one.start("controlplane")
        two.start("controlplane")
        assert eventually(lambda: kept(three) and view(three).get("leader"), 60), view(three)
        assert same_height(swarm.nodes) and same_chain(swarm.nodes)
        assert not load.finish().unexcused()
