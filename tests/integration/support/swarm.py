"""The nodes of a lab as one swarm: made as an operator makes it, and looked at as one looks."""

import json
import re

from labkit.settings import SWARM_PORT, region

from .bench import eventually

TOKEN = r"swj1\.[a-z2-7]+"


def told(node, *argv):
    """What swarmctl tells, as JSON has it."""
    return json.loads(node.ctl("--output", "json", *argv).stdout)


def view(node):
    """What the node knows of its swarm; nothing while its control plane is starting."""
    done = node.ctl("--output", "json", "swarm", "status", check=False)
    return json.loads(done.stdout) if done.returncode == 0 else {}


def height(node):
    return int(view(node).get("height", 0))


def leader(bench):
    """The node that says it leads; of two, the one of the newer term."""
    views = [(int(known.get("term", 0)), each) for each in bench.nodes
             if (known := view(each)).get("log_state") == "leader"]
    return max(views, key=lambda item: item[0])[1] if views else None


def up(node, voters, standbys=0):
    """Whether `node` sees so many members, all of them up, and in these roles."""
    nodes = view(node).get("nodes", [])
    roles = sorted(each.get("log_role") for each in nodes if each.get("state") == "up")
    return roles == sorted(["leader"] + ["voter"] * (voters - 1) + ["stand-by"] * standbys)


def join(first, node, role="primary"):
    place = region(node.options, node.at.i)
    token = re.search(TOKEN, first.ctl("swarm", "token", "--role", role, "--region", place).stdout)[0]
    return node.ctl("swarm", "join", f"{first.at.mgmt4}:{SWARM_PORT}", "--token", token)


def form(bench, key, count=0):
    """Makes a swarm of the first `count` nodes, or of all; what `swarm init` printed."""
    bench.heal()
    one, *others = bench.nodes[:count or None]
    made = one.ctl("swarm", "init", "--name", "demo", "--root-key", str(key))
    for node in others:
        join(one, node)
    members = len(others) + 1
    voters = members - (members + 1) % 2
    assert eventually(lambda: up(one, voters, members - voters), 60), one.ctl("nodes").stdout
    return made


def same_height(nodes, seconds=60):
    """Waits until all have the block that is the newest of any of them now."""
    newest = max(height(each) for each in nodes)
    return eventually(lambda: all(height(each) >= newest for each in nodes), seconds)


def cached(node, name):
    """What the node's data plane has cached of a name: entries as swarmctl tells them."""
    done = node.ctl("--output", "json", "cache", "show", name, check=False)
    return json.loads(done.stdout).get("entries", []) if done.returncode == 0 else []
