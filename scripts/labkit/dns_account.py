"""The account of a load: every query of it answered, late, wrong, lost or never sent, by node and second."""

import collections
import json
import time

from .dns_load import EMPTY, ERROR, MISMATCH, OPEN, PATIENCE, RIGHT, TRUNCATED, UNSENT

RCODES = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
KINDS = {MISMATCH: "mismatch", EMPTY: "empty", TRUNCATED: "truncated", UNSENT: "unsent"}
LATE = 1.0  # seconds: a reply that a stub would hardly have waited for


def kind(state, sent, done):
    """`right`, `late`, or what went wrong. Times in µs."""
    if state == OPEN or (state != UNSENT and done - sent > PATIENCE * 1e6):
        return "lost"
    if state == RIGHT:
        return "late" if done - sent > LATE * 1e6 else "right"
    return KINDS.get(state) or RCODES.get(state - ERROR, f"RCODE{state - ERROR}")


def percentiles(waits):
    """Of latencies in µs, as ms."""
    waits.sort()
    at = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1.0}
    return {name: waits[min(int(len(waits) * part), len(waits) - 1)] / 1000 for name, part in at.items()} if waits else {}


def of_node(load, track):
    totals, waits, failures = collections.Counter(), [], []
    seconds = []  # per second of sending: how many of each kind
    for index in range(track.numbers[0]):
        sent, done = track.sent_at[index], track.done_at[index]
        what = kind(track.state[index], sent, done)
        totals[what] += 1
        while len(seconds) <= sent // 1_000_000:
            seconds.append(collections.Counter())
        seconds[sent // 1_000_000][what] += 1
        if what in ("right", "late"):
            waits.append(done - sent)
        if what != "right":
            question = load.question(index)
            failures.append({"at": sent / 1e6, "kind": what, "name": question.name, "type": question.rrtype,
                             "answered_at": done / 1e6 if done else None})
    return {
        "sent": track.numbers[0], "kinds": dict(totals), "latency_ms": percentiles(waits),
        "duplicates": track.numbers[1], "dropped_by_receiver": track.numbers[2],
        "longest_delay_of_sender_ms": track.numbers[3] / 1000, "seconds": [dict(each) for each in seconds],
        "failures": failures,
    }


def report(load):
    """The whole account. `at` and `answered_at` are seconds after `begun_monotonic`."""
    return {
        "rate": load.rate, "names": len(load.questions), "begun_monotonic": load.begun_monotonic,
        "begun": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(load.begun_ns / 1e9)),
        "nodes": {str(track.node.i): of_node(load, track) for track in load.tracks},
    }


def lines(account):
    """The account for people."""
    out = []
    for number, node in account["nodes"].items():
        rest = ", ".join(f"{count} {what}" for what, count in sorted(node["kinds"].items()) if what != "right")
        times = ", ".join(f"{name} {value:.2f}" for name, value in node["latency_ms"].items())
        out.append(f"n{number}: {node['sent']} sent, {node['kinds'].get('right', 0)} right" +
                   (f", {rest}" if rest else "") + f"; ms: {times or 'none'}; sender at most "
                   f"{node['longest_delay_of_sender_ms']:.0f} ms behind, {node['dropped_by_receiver']} dropped by the receiver")
    return out


def is_clean(account):
    return all(set(node["kinds"]) <= {"right", "late"} for node in account["nodes"].values())


def write(account, path):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(account, file)
        file.write("\n")
