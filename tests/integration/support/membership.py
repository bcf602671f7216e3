"""Nodes of a lab as members of a swarm: made, joined and asked as an operator does it."""

import json
import re

from labkit.settings import Node

PORT = 8453


def told(node, *argv):
    return json.loads(node.ctl("--output", "json", *argv).stdout)


def view(node):
    """What the node knows of its swarm; nothing while its control plane is starting. Without a leader as well."""
    done = node.ctl("--output", "json", "swarm", "status", check=False)
    return json.loads(done.stdout) if done.stdout.startswith("{") else {}


def roles(node):
    """The role in the log of each node that is up, by name, as `node` sees it."""
    return {each["name"]: each.get("log_role") for each in view(node).get("nodes", []) if each.get("state") == "up"}


def height(node):
    return int(view(node).get("height", 0))


def found(node, key, name="demo"):
    return node.ctl("swarm", "init", "--name", name, "--root-key", str(key))


def join(node, by, role="primary"):
    """`node` enters the swarm that `by` is a member of."""
    token = re.search(r"swj1\.[a-z2-7]+", by.ctl("swarm", "token", "--role", role).stdout)[0]
    return node.ctl("swarm", "join", f"{Node(by.at.i).mgmt4}:{PORT}", "--token", token)
