"""Five nodes, three of them in the log: the other two follow its blocks, and one comes in when it is needed."""

import pytest
from support.bench import eventually
from support.membership import found, height, join, roles, told, view


@pytest.fixture(scope="module")
def swarm(lab_handle, tmp_path_factory):
    bench = lab_handle.need(nodes=5, seed=23)
    bench.heal()
    one = bench.node(1)
    found(one, tmp_path_factory.mktemp("swarm") / "root.key")
    one.ctl("swarm", "settings", "max_voters=3", "max_log_members=3", "promote_after=5s")
    for node in bench.nodes[1:]:
        join(node, one)
    return bench


def counted(node):
    return sorted(roles(node).values())


def test_two_follow_and_have_what_the_others_have(swarm):
    one = swarm.node(1)
    wanted = ["follower", "follower", "leader", "voter", "voter"]
    assert eventually(lambda: counted(one) == wanted, 60), roles(one)
    outside = [each for each in swarm.nodes if roles(one)[f"n{each.at.i}"] == "follower"]
    assert eventually(lambda: all(view(each).get("log_state") == "following" for each in outside), 40)
    assert eventually(lambda: all(counted(each) == wanted for each in outside), 20)
    one.ctl("swarm", "token", "--role", "backup")
    newest = height(one)
    assert eventually(lambda: all(height(each) >= newest for each in outside), 20)
    shown = {told(each, "ledger", "show", str(newest))["hash"] for each in swarm.nodes}
    assert len(shown) == 1
    for each in outside:
        assert each.answers()
        assert each.ctl("ledger", "verify").returncode == 0
    # What one that follows orders goes by way of the leader.
    outside[0].ctl("swarm", "token", "--role", "backup", "--reason", "by a follower")
    assert "by a follower" in one.ctl("ledger", "log").stdout
    # What was acknowledged anywhere is in what it shows when it is to be sure.
    newest = height(one)
    assert int(told(outside[0], "swarm", "status", "--confirmed")["height"]) >= newest


def test_one_that_was_away_comes_up_to_date(swarm):
    one = swarm.node(1)
    away = next(each for each in swarm.nodes if roles(one).get(f"n{each.at.i}") == "follower")
    away.kill("controlplane")
    for _ in range(5):
        one.ctl("swarm", "token", "--role", "backup")
    newest = height(one)
    away.start()
    assert eventually(lambda: height(away) >= newest, 60)


def test_a_voter_is_lost_and_one_that_follows_takes_its_place(swarm):
    one = swarm.node(1)
    assert eventually(lambda: counted(one) == ["follower", "follower", "leader", "voter", "voter"], 60), roles(one)
    lost = next(each for each in swarm.nodes if roles(one)[f"n{each.at.i}"] == "voter" and each is not one)
    lost.kill("controlplane")
    assert eventually(lambda: counted(one) == ["follower", "leader", "voter", "voter"], 60), roles(one)
    assert f"n{lost.at.i}" not in roles(one)
    lost.start()
    assert eventually(lambda: len(roles(one)) == 5, 60)
    assert eventually(lambda: height(lost) == height(one), 60)
