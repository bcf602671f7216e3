"""Cuts in the management network: packets between two nodes are lost in the bridge, each direction by itself.

The bridge of sw-mgmt drops by address, and silently: the sender's socket sees what it would see of a cut cable
far away. Neighbour discovery and ARP pass, or the sender's kernel would soon say "no route to host".
"""

import itertools
import json

from . import netns
from .settings import MAX_NODES, MGMT_NS, LabError, Node
from .shell import run

TABLE = """\
add table bridge lab
add set bridge lab cut4 { type ipv4_addr . ipv4_addr; }
add set bridge lab cut6 { type ipv6_addr . ipv6_addr; }
add chain bridge lab forward { type filter hook forward priority 0; }
flush chain bridge lab forward
add rule bridge lab forward icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
add rule bridge lab forward ip saddr . ip daddr @cut4 drop
add rule bridge lab forward ip6 saddr . ip6 daddr @cut6 drop
"""


def nft(script):
    run(*netns.enter(MGMT_NS), "nft", "-f", "-", stdin=script)


def groups(words, options):
    """`1,2 3,4,5` as lists of node numbers; LabError for nodes that are not there or stand in two groups."""
    out = []
    for word in words:
        try:
            out.append([int(number) for number in word.split(",")])
        except ValueError as error:
            raise LabError(f"`{word}`: name nodes by number, e.g. `lab partition 1,2 3,4,5`") from error
    named = list(itertools.chain(*out))
    for number in named:
        if not 1 <= number <= options.nodes:
            raise LabError(f"there is no node {number} in this lab; it has {options.nodes}")
    if len(set(named)) != len(named):
        raise LabError("a node can stand in one group only")
    if len(out) < 2:
        raise LabError("name two groups or more, e.g. `lab partition 1,2 3,4,5`")
    return out


def cut(*sides, one_way=False):
    """Cuts every node of a side off those of each other side, in one instant. Adds to what is cut already.

    One way: packets from the first side to the second are lost.
    """
    couples = [sides[:2]] if one_way else itertools.permutations(sides, 2)
    pairs = [(a, b) for sources, targets in couples for a in sources for b in targets]
    script = TABLE
    for name, address in (("cut4", lambda i: Node(i).mgmt4), ("cut6", lambda i: Node(i).mgmt6)):
        elements = ", ".join(f"{address(a)} . {address(b)}" for a, b in pairs)
        script += f"add element bridge lab {name} {{ {elements} }}\n"
    nft(script)


def heal():
    nft("add table bridge lab\ndelete table bridge lab\n")


def cuts():
    """The directions that are cut now, as the kernel has them: pairs (from, to)."""
    shown = run(*netns.enter(MGMT_NS), "nft", "-j", "list", "set", "bridge", "lab", "cut4", check=False)
    if shown.returncode != 0:
        return []
    found = [item["set"].get("elem", []) for item in json.loads(shown.stdout)["nftables"] if "set" in item]
    number = {Node(i).mgmt4: i for i in range(1, MAX_NODES + 1)}
    pairs = [element["concat"] for element in found[0]]
    return sorted((number[a], number[b]) for a, b in pairs)


def lines():
    """What is cut, for `lab status`."""
    pairs = cuts()
    both = [f"{a}↔{b}" for a, b in pairs if a < b and (b, a) in pairs]
    single = [f"{a}→{b}" for a, b in pairs if (b, a) not in pairs]
    return [f"{'partition':<22} lost: {' '.join(both + single)}"] if pairs else []
