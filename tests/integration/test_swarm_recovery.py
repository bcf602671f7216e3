"""Two of three nodes are lost for good: the third goes on as a new incarnation, and the lost ones are refused."""

import pytest
from support.bench import eventually
from support.membership import found, height, join, roles, told, view
from support.open_load import OpenLoad


@pytest.fixture(scope="module")
def bench(lab_handle):
    return lab_handle.need(nodes=3, seed=22)


@pytest.fixture(scope="module")
def swarm(bench, tmp_path_factory):
    bench.heal()
    one, two, three = bench.nodes
    found(one, tmp_path_factory.mktemp("swarm") / "root.key")
    for node in (two, three):
        join(node, one)
    assert eventually(lambda: sorted(roles(one).values()) == ["leader", "voter", "voter"], 40)
    return bench


def recover(node, key, *more):
    return node.ctl("swarm", "recover", "--confirm", "demo", "--root-key", str(key), *more, check=False)


def test_a_swarm_that_has_a_quorum_is_not_recovered(swarm, tmp_path):
    for node in swarm.nodes:
        refused = recover(node, tmp_path / f"{node.at.i}.key")
        assert refused.returncode != 0 and "a quorum can be heard" in refused.stderr
    assert int(view(swarm.node(1))["incarnation"]) == 1


def test_one_goes_on_and_the_others_are_refused_until_they_join_anew(swarm, tmp_path):
    one, two, three = swarm.nodes
    one.ctl("swarm", "settings", "promote_after=30s", "--reason", "to be kept")
    assert eventually(lambda: height(one) == height(two) == height(three), 20)
    old = int(view(one)["checkpoint_height"])
    with OpenLoad(tmp_path, rate=300) as load:
        two.kill("controlplane")
        three.kill("controlplane")
        assert eventually(lambda: not view(one).get("leader", 0) or view(one).get("log_state") == "no quorum", 30)
        wrong = one.ctl("swarm", "recover", "--confirm", "another", check=False)
        assert wrong.returncode != 0 and "demo" in wrong.stderr
        key = tmp_path / "second-root.key"
        done = recover(one, key, "--reason", "west burned down")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "incarnation 2" in done.stdout and "n2" in done.stdout and "n3" in done.stdout
        assert key.stat().st_mode & 0o077 == 0 and "PRIVATE KEY" in key.read_text()
        now = view(one)
        assert int(now["incarnation"]) == 2 and [each["name"] for each in now["nodes"]] == ["n1"]
        assert not now.get("troubles")
        assert int(now["settings"]["promote_after_ms"]) == 30000
        # It orders by itself, and says where it comes from.
        one.ctl("swarm", "token", "--role", "primary")
        story = one.ctl("ledger", "log").stdout
        assert "began incarnation 2" in story
        genesis = told(one, "ledger", "show", "1")["transactions"][0]["transaction"]["genesis"]
        assert int(genesis["previous_incarnation"]) == 1 and int(genesis["previous_height"]) >= old
        assert "swarmdns/" in genesis["previous_checkpoint"]
        # Both ledgers hold, and the seam between them.
        assert one.ctl("ledger", "verify").returncode == 0
        assert one.ctl("ledger", "verify", "--incarnation", "1").returncode == 0

        # The lost majority comes back, and is a quorum among itself: it is told, and nothing of it counts here.
        two.start()
        three.start()
        assert eventually(lambda: any("recovered without this node" in each for each in view(two).get("troubles", [])), 60)
        assert eventually(lambda: any("incarnation 1" in each for each in view(one).get("troubles", [])), 60)
        assert int(view(two)["incarnation"]) == 1 and int(view(one)["incarnation"]) == 2
        assert [each["name"] for each in view(one)["nodes"]] == ["n1"]

        # The control plane starts again as what it is now.
        one.kill("controlplane")
        one.start()
        assert eventually(lambda: int(view(one).get("incarnation", 0)) == 2 and view(one).get("log_state") == "leader", 40)
        for node in (two, three):
            left = node.ctl("swarm", "leave")
            assert "left behind" in left.stdout or "recovered without" in left.stdout
            join(node, one)
        assert eventually(lambda: sorted(roles(one).values()) == ["leader", "voter", "voter"], 60)
        assert eventually(lambda: height(one) == height(two) == height(three), 20)
        account = load.finish()
    account.check()
    hashes = {told(each, "ledger", "show", "1")["hash"] for each in swarm.nodes}
    assert len(hashes) == 1
