"""A swarm of three is upgraded node by node under load; its version is raised when the last one has it."""

import pathlib

import pytest
from labkit import node as nodes
from labkit.settings import build_dir
from support.bench import eventually
from support.membership import found, height, join, roles, view
from support.open_load import OpenLoad


@pytest.fixture(scope="module")
def swarm(lab_handle, tmp_path_factory):
    bench = lab_handle.need(nodes=3, seed=24)
    bench.heal()
    found(bench.node(1), tmp_path_factory.mktemp("swarm") / "root.key")
    for node in bench.nodes[1:]:
        join(node, bench.node(1))
    assert eventually(lambda: sorted(roles(bench.node(1)).values()) == ["leader", "voter", "voter"], 40)
    return bench


def version(node):
    return int(view(node).get("version", 0))


def test_node_by_node_and_no_query_is_lost(swarm, tmp_path, monkeypatch):
    following = pathlib.Path(build_dir(swarm.options)) / "tests/upgrade/swarmdns-controlplane-next"
    usual = nodes.binary
    with OpenLoad(tmp_path, rate=300) as load:
        for number, node in enumerate(swarm.nodes, 1):
            # No version is raised before all have it.
            assert version(swarm.node(1)) == 1
            node.stop("controlplane")
            with monkeypatch.context() as patch:
                patch.setattr(nodes, "binary",
                              lambda options, part: following if part == "controlplane" else usual(options, part))
                node.start()
            assert eventually(lambda: len(roles(node)) == 3 and view(node).get("leader"), 60)
            others = swarm.nodes[number:]
            assert all(version(each) == 1 for each in others)
            swarm.node(number).ctl("swarm", "token", "--role", "backup", "--reason", f"with {number} upgraded")
        assert eventually(lambda: all(version(each) == 2 for each in swarm.nodes), 60)
        account = load.finish()
    account.check()
    log = swarm.node(1).ctl("ledger", "log").stdout
    assert "raised the ledger's version to 2" in log


def test_an_older_program_refuses_and_says_why(swarm):
    """Put back, it would judge otherwise than the others: it says so, answers DNS, and takes no part."""
    node = swarm.node(3)
    node.stop("controlplane")
    node.start()
    assert eventually(lambda: any("install the program of the other members" in each
                                  for each in view(node).get("troubles", []))
                      or "install the program of the other members" in node.ctl("swarm", "status", check=False).stderr, 40)
    assert node.answers()
    swarm.node(1).ctl("swarm", "token", "--role", "backup")
    assert height(swarm.node(2)) > 0
