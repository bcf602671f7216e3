"""Replays captures at a node of the lab, raw and re-addressed, and holds its counters against an expected table.

    python3 -m tests.replay.run CAPTURES [--expected FILE] [--write] [--node N] [--only TEXT]

CAPTURES is a folder of *.pcap. The table names, for each capture and each of the two passes, every counter that moves.
`--write` makes it anew from the model (tests/replay/model.py), which knows nothing of the node's code. The node must come
through with the data plane's process alive and its memory flat. Run as root, with a lab up.
"""

import argparse
import json
import pathlib
import subprocess
import sys

from . import model, pcap, reframe
from .node import Node, inject, raw_socket

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = pathlib.Path(__file__).with_name("expected.json")
LINK_MTU = 1500
# Neighbour discovery between the two kernels goes on meanwhile: these may be more than the capture's own.
BACKGROUND = {"kernel.to_arp", "kernel.to_icmp", "kernel.to_options"}
MEMORY_SLACK_KIB = 4096


def frames_of(path, target):
    """{pass: [frames]} of one capture. Frames the link cannot carry are left out of both."""
    link, records = pcap.read(path)
    packets = [pcap.ip_packet(link, record) for record in records]
    passes = {"raw": records, "reframed": [f for f in (reframe.reframe(p, target) for p in packets if p) if f]}
    return {name: [f for f in frames if 14 <= len(f) <= LINK_MTU + 14] for name, frames in passes.items()}


def observed(before, after):
    """The counters' movement in the model's words: questions that were resolved, whatever the reply code, together."""
    moved = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    result = {n: v for n, v in moved.items() if n.startswith(("drop.", "kernel.to_"))}
    for code in ("formerr", "notimp", "refused", "badvers", "noerror"):
        name = f"rcode.{code}"
        if name in moved:
            result[name] = moved[name]
    questions = moved.get("cache.misses", 0) + moved.get("cache.hits", 0)
    if questions:
        result["resolved"] = questions
        # What was resolved came back with some code; only local answers keep theirs apart.
        local = moved.get("dns.local_answers", 0)
        named = sum(result.get(f"rcode.{c}", 0) for c in ("formerr", "notimp", "refused", "badvers"))
        result["rcode.noerror"] = max(local - named, 0)
    return {name: value for name, value in sorted(result.items()) if value}


def differences(expected, seen):
    problems = []
    for name in sorted(set(expected) | set(seen)):
        want, have = expected.get(name, 0), seen.get(name, 0)
        if have != want and not (name in BACKGROUND and have > want):
            problems.append(f"{name}: expected {want}, counted {have}")
    return problems


def target_and_identity(node):
    address = {kind: f"{prefix}{node.number}{tail}" for kind, prefix, tail in (("v4", "10.53.", ".1"), ("v6", "fd53:", "::1"))}
    mac = node.port_mac()
    # The client's address is nobody's: no kernel answers what comes back, so nothing but the capture is counted.
    target = reframe.Target(mac, "02:53:00:00:0f:01", address["v4"], f"10.53.{node.number}.77", address["v6"],
                            f"fd53:{node.number}::77")
    return target, model.Identity(mac, address.values())


def replay(captures, table, node, say=print):
    """Returns the list of problems. `captures` are (name, {pass: frames}); `table` is {name: {pass: counters}}."""
    problems = []
    pid, memory = node.dataplane_pid(), node.resident_kib()
    wire = raw_socket("sw-client", node.interface)
    after = node.settled_counters()
    for name, passes in captures:
        for which, frames in passes.items():
            before = after
            sent = inject(wire, frames)
            after = node.settled_counters()
            found = differences(table[name][which], observed(before, after))
            if sent != len(frames):
                found.append(f"only {sent} of {len(frames)} frames could be sent")
            for problem in found:
                say(f"{name} ({which}): {problem}")
            problems += [f"{name} ({which}): {problem}" for problem in found]
    wire.close()
    if node.dataplane_pid() != pid:
        problems.append(f"the data plane was restarted: pid {pid} is now {node.dataplane_pid()}")
    grown = node.resident_kib() - memory
    say(f"{len(captures)} captures, twice each; memory {memory} KiB, {grown:+d} KiB")
    if grown > MEMORY_SLACK_KIB:
        problems.append(f"memory grew by {grown} KiB")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", type=pathlib.Path)
    parser.add_argument("--expected", type=pathlib.Path, default=TABLE)
    parser.add_argument("--write", action="store_true", help="make the table anew from the model, replay nothing")
    parser.add_argument("--node", type=int, default=1)
    parser.add_argument("--only", default="", help="captures whose name holds this text")
    options = parser.parse_args()
    node = Node(str(ROOT / "scripts/lab"), options.node)
    target, identity = target_and_identity(node)
    captures = [(str(path.relative_to(options.captures)), frames_of(path, target))
                for path in sorted(options.captures.rglob("*.pcap")) if options.only in str(path)]
    if not captures:
        sys.exit(f"{options.captures}: no *.pcap there")
    if options.write:
        table = {name: {which: model.outcomes(frames, identity) for which, frames in passes.items()}
                 for name, passes in captures}
        options.expected.write_text(json.dumps(table, indent=1) + "\n")
        return 0
    try:
        problems = replay(captures, json.loads(options.expected.read_text()), node)
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error}: is a lab up? sudo scripts/lab up")
    print(f"{len(problems)} differences from {options.expected.name}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
