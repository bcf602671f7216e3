"""A swarm over two regions: what is shared, and how far."""

import pytest
from support.bench import eventually
from support.swarm import cached, form, same_height, view


@pytest.fixture(scope="module")
def swarm(lab_handle, tmp_path_factory):
    """Nodes 1 to 3 in the east, 4 and 5 in the west."""
    bench = lab_handle.need(nodes=5, seed=21)
    form(bench, tmp_path_factory.mktemp("swarm") / "root.key")
    yield bench
    bench.heal()


def hit(node, item):
    """Whether the node answers it from its cache."""
    before = node.counters()
    node.ask(item.name, item.rrtype)
    return node.added(before)["cache.hits"] == 1


def test_every_node_tells_its_region(swarm):
    nodes = view(swarm.node(5))["nodes"]
    assert [each["region"] for each in nodes] == ["east"] * 3 + ["west"] * 2
    shown = swarm.node(1).ctl("nodes").stdout
    assert shown.count("east") == 3 and shown.count("west") == 2


def test_an_answer_stays_in_its_region(swarm):
    one, two, three, four, five = swarm.nodes
    item, other = swarm.asked("plain")[40:42]
    one.ask(item.name, item.rrtype)
    assert eventually(lambda: cached(two, item.name) and cached(three, item.name), 10)
    assert hit(two, item) and hit(three, item)
    # What the west learns later is there before what the east has learned, if that came at all.
    four.ask(other.name, other.rrtype)
    assert eventually(lambda: cached(five, other.name), 10)
    assert not cached(four, item.name) and not cached(five, item.name)
    assert not cached(one, other.name)
    assert not hit(five, item)


def test_the_whole_swarm_shares_when_told_to(swarm):
    one, five = swarm.node(1), swarm.node(5)
    one.ctl("swarm", "settings", "sharing=swarm")
    assert same_height(swarm.nodes)
    item = swarm.asked("plain")[45]
    one.ask(item.name, item.rrtype)
    assert eventually(lambda: cached(five, item.name), 10)
    one.ctl("swarm", "settings", "sharing=region")
