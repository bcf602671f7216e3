"""One configuration for all nodes of a swarm, and the change of its certification authority."""

import contextlib
import json
import re
import subprocess
import sys

import pytest
from labkit import netns
from support.bench import eventually
from support.open_load import OpenLoad

REFUSED, PARTLY = 4, 8
TAKE_PORT = """
import socket, sys
taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
taken.bind(("127.0.0.1", int(sys.argv[1])))
print("taken", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def bench(lab_handle):
    return lab_handle.need(nodes=3, seed=22, regions="east,east,west")


def told(node, *argv):
    return json.loads(node.ctl("--output", "json", *argv).stdout)


def view(node):
    """What the node knows of its swarm; nothing while its control plane is starting."""
    done = node.ctl("--output", "json", "swarm", "status", check=False)
    return json.loads(done.stdout) if done.stdout.startswith("{") else {}


def up(node, count):
    nodes = view(node).get("nodes", [])
    roles = [each.get("log_role") for each in nodes if each.get("state") == "up"]
    return len(roles) == count and sorted(roles) == ["leader"] + ["voter"] * (count - 1)


def in_force(node, *path):
    """A field of what is in force on the node; None while nobody answers there."""
    done = node.ctl("--output", "json", "config", "show", "--defaults", check=False)
    value = json.loads(done.stdout) if done.returncode == 0 else {}
    for word in path:
        value = value.get(word, {})
    return value or None


def max_ttl(node):
    return in_force(node, "dataplane", "cache", "max_ttl_s")


@pytest.fixture(scope="module")
def swarm(bench, tmp_path_factory):
    """Three nodes, the third in another region; and the key of the root."""
    bench.heal()
    bench.root_key = tmp_path_factory.mktemp("swarm") / "root.key"
    one, two, three = bench.nodes
    one.ctl("swarm", "init", "--name", "demo", "--root-key", str(bench.root_key))
    for node, region in ((two, "east"), (three, "west")):
        token = one.ctl("swarm", "token", "--role", "primary", "--region", region).stdout
        node.ctl("swarm", "join", "10.54.0.1:8453", "--token", re.search(r"swj1\.[a-z2-7]+", token)[0])
    assert eventually(lambda: up(one, 3), 30)
    yield bench
    bench.heal()


@pytest.fixture
def apply(swarm, tmp_path):
    """Applies a document on the second node; the completed process."""

    def run(text, *more, node=2):
        file = tmp_path / "swarm.yaml"
        file.write_text(text)
        return swarm.node(node).ctl("config", *(more or ("apply",)), str(file), check=False)

    return run


def test_a_node_has_all_its_region_and_itself_on_top_of_its_file(swarm, apply):
    done = apply(
        "all: {dataplane: {cache: {max_ttl_s: 5000, max_negative_ttl_s: 300}}}\n"
        "regions: {west: {dataplane: {cache: {max_ttl_s: 4000}}}}\n"
        "nodes: {n2: {dataplane: {service: {nsid: second}}}}\n"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall("n[123] +in force", done.stdout)) == 3
    assert [max_ttl(each) for each in swarm.nodes] == [5000, 5000, 4000]
    assert [in_force(each, "dataplane", "service", "nsid") for each in swarm.nodes] == ["n1", "second", "n3"]
    # By the data plane, too.
    item = swarm.asked("plain")[10]
    for each in swarm.nodes:
        each.ask(item.name, item.rrtype)
    assert "config  that of block" in swarm.node(1).ctl("status").stdout


def test_what_is_wrong_names_the_node_and_the_field(swarm, apply):
    before = int(view(swarm.node(1))["config_agreed"])
    unknown = apply("all:\n  dataplane: {cache: {max_tll_s: 5000}}\n")
    assert unknown.returncode == REFUSED and "swarm.yaml:2: all.dataplane.cache.max_tll_s" in unknown.stderr
    refused = apply("all: {node: {admin_users: [nobody-of-that-name]}}\n")
    assert refused.returncode == REFUSED
    for name in ("n1", "n2", "n3"):
        assert re.search(rf"{name} +refuses +.*node.admin_users.*nobody-of-that-name", refused.stdout), refused.stdout
    assert "2 of the 3 voters must accept it" in refused.stderr
    local = apply("all: {swarm: {listen: 10.54.0.9}}\n")
    assert local.returncode == REFUSED and "stands in the node's own file" in local.stderr
    good = apply("all: {dataplane: {cache: {max_ttl_s: 6000}}}\n", "check")
    assert good.returncode == 0 and len(re.findall("n[123] +accepts", good.stdout)) == 3
    assert int(view(swarm.node(1))["config_agreed"]) == before and max_ttl(swarm.node(1)) == 5000


def test_one_that_was_away_takes_it_when_it_is_back(swarm, apply):
    three = swarm.node(3)
    three.stop("controlplane")
    done = apply("all: {dataplane: {cache: {max_ttl_s: 7000}}}\n")
    assert done.returncode == PARTLY, done.stdout + done.stderr
    assert re.search("n3 +silent", done.stdout) and "no answer from n3" in done.stderr
    assert three.answers()
    three.start()
    assert eventually(lambda: max_ttl(three) == 7000, 30)
    agreed = int(view(swarm.node(1))["config_agreed"])
    assert eventually(lambda: int(view(three).get("config_height", 0)) == agreed, 10)


@contextlib.contextmanager
def port_taken(node, port):
    argv = [*netns.enter(node.at.ns), sys.executable, "-c", TAKE_PORT, str(port)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "taken\n"
            yield
        finally:
            holder.stdin.close()


def test_one_that_cannot_is_degraded_and_named(swarm, apply):
    one, two, three = swarm.nodes
    with port_taken(three, 559):
        done = apply("all: {resolver: {port: 559}, dataplane: {cache: {max_ttl_s: 7100}}}\n")
        assert done.returncode == PARTLY, done.stdout + done.stderr
        assert re.search("n3 +degraded .*resolver.address: another program listens on 127.0.0.1 port 559", done.stdout)
        assert [max_ttl(each) for each in swarm.nodes] == [7100, 7100, 7000]
        named = "degraded, keeps its last good configuration"
        assert eventually(lambda: re.search(f"n3: .*{named}", one.ctl("nodes").stdout), 10)
        assert named in three.ctl("status").stdout
        log = one.ctl("ledger", "log").stdout
        assert "is degraded, it cannot carry out" in log
        item = swarm.asked("plain")[11]
        for each in swarm.nodes:
            each.wait_part("resolver")
            assert eventually(lambda each=each: each.ask(item.name, item.rrtype).rcode() == 0, 20)
    # The cause has passed.
    assert eventually(lambda: max_ttl(three) == 7100, 60)
    assert eventually(lambda: "degraded" not in two.ctl("nodes").stdout, 10)


def test_a_resolver_that_does_not_come_up_takes_it_back(swarm, apply):
    three = swarm.node(3)
    done = apply(
        "all: {resolver: {port: 559}, dataplane: {cache: {max_ttl_s: 7200}}}\n"
        "nodes: {n3: {resolver: {binary: /bin/true}}}\n"
    )
    assert done.returncode == PARTLY, done.stdout + done.stderr
    assert re.search("n3 +degraded .*resolver: does not stay up with it", done.stdout)
    assert [max_ttl(each) for each in swarm.nodes] == [7200, 7200, 7100]
    item = swarm.asked("plain")[12]
    assert eventually(lambda: three.ask(item.name, item.rrtype).rcode() == 0, 30)


def test_history_and_the_way_back(swarm):
    one = swarm.node(1)
    versions = told(one, "config", "history")["versions"]
    heights = [int(each["height"]) for each in versions]
    assert len(heights) == 4 and heights == sorted(heights, reverse=True)
    first = str(heights[-1])
    assert "max_ttl_s: 4000" in swarm.node(3).ctl("config", "history", first).stdout
    dry = one.ctl("config", "rollback", "--to", first, "--dry-run")
    assert len(re.findall("n[123] +accepts", dry.stdout)) == 3 and max_ttl(one) == 7200
    done = one.ctl("ledger", "rollback", "--only", "config", "--to", first, "--reason", "drill")
    assert len(re.findall("n[123] +in force", done.stdout)) == 3
    assert [max_ttl(each) for each in swarm.nodes] == [5000, 5000, 4000]
    assert in_force(one, "resolver", "port") == 553
    newest = told(one, "config", "history")["versions"][0]
    assert int(newest["restores_height"]) == heights[-1] and newest["reason"] == "drill"
    # To before the first: every node has its own file alone.
    one.ctl("config", "rollback", "--to", "1")
    assert all(max_ttl(each) == 86400 for each in swarm.nodes)
    one.ctl("config", "rollback", "--to", first)
    assert [max_ttl(each) for each in swarm.nodes] == [5000, 5000, 4000]


def test_a_nodes_own_file_is_below(swarm):
    one = swarm.node(1)
    done = one.ctl("config", "apply", str(one.at.config))
    assert "is on top of this file and decides" in done.stdout and "dataplane.cache.max_ttl_s" in done.stdout
    assert max_ttl(one) == 5000


def test_a_start_without_a_quorum_has_the_last_good_one(swarm):
    one, two, three = swarm.nodes
    for each in swarm.nodes:
        each.stop("controlplane")
    one.start()
    assert eventually(lambda: max_ttl(one) == 5000, 20)
    assert one.answers()
    for each in (two, three):
        each.start()
    assert eventually(lambda: up(one, 3), 60)


def test_the_authority_is_changed_under_way(swarm, tmp_path):
    one, two, three = swarm.nodes
    before = view(one)
    with OpenLoad(tmp_path, rate=300) as load:
        one.ctl("swarm", "rotate-ca", "--root-key", str(swarm.root_key))
        wrong = two.ctl("swarm", "rotate-ca", "--root-key", str(one.at.config), check=False)
        assert wrong.returncode != 0 and "--root-key" in wrong.stderr
        new_key = tmp_path / "new.key"
        two.ctl("swarm", "rotate-ca", "--root-key", str(swarm.root_key), "--new-root", "--new-root-key", str(new_key))
        assert new_key.stat().st_mode & 0o077 == 0 and "PRIVATE KEY" in new_key.read_text()
        # Both are trusted until all have renewed; then the old one goes by itself.
        assert eventually(lambda: not view(one).get("troubles"), 90)
        old = three.ctl("swarm", "rotate-ca", "--root-key", str(swarm.root_key), check=False)
        assert old.returncode != 0 and "not the key of the root in force" in old.stderr
        three.ctl("swarm", "rotate-ca", "--root-key", str(new_key))
        load.finish().check()
    # No stream was dropped: nobody has had to elect anybody.
    after = view(one)
    assert (after["term"], after["leader"]) == (before["term"], before["leader"])
    # New connections are made with the new certificates.
    three.stop("controlplane")
    three.start()
    assert eventually(lambda: up(one, 3) and up(three, 3), 60)
