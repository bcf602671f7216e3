"""Changes ordered all the while, and the account of them: what was said to be done is in every node's ledger."""

import json
import subprocess
import threading
import time

from labkit import netns, node as nodes

PATIENCE = 30  # seconds for one change


def order(node, mark, seconds=PATIENCE):
    """Has one change ordered by `node`; whether it said that it is done."""
    env = nodes.environment(node.options, node.at)
    words = [*netns.enter(node.at.ns), "swarmctl", "swarm", "token", "--role", "backup", "--ttl", "30d", "--reason", mark]
    try:
        done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def reasons(node, limit=1000):
    """The reasons of all changes in a node's ledger, newest first, with how often each is there."""
    found, height = {}, 0
    while True:
        words = ["--output", "json", "ledger", "log", "--limit", str(limit), *(["--from", str(height)] if height else [])]
        blocks = json.loads(node.ctl(*words).stdout).get("blocks", [])
        for block in blocks:
            for view in block.get("transactions", []):
                reason = view.get("transaction", {}).get("reason", "")
                if reason:
                    found[reason] = found.get(reason, 0) + 1
        lowest = min((int(block["height"]) for block in blocks), default=1)
        if len(blocks) < limit or lowest <= 1:
            return found
        height = lowest - 1


class Marks:
    """Orders changes by all nodes in turn until end()."""

    def __init__(self, bench, name):
        self.bench = bench
        self.name = name
        self.done = []  # marks that were said to be done
        self.doubtful = 0
        self.number = 0
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(node,)) for node in bench.nodes]
        for thread in self.threads:
            thread.start()

    def run(self, node):
        while not self.stopped.is_set():
            with self.lock:
                self.number += 1
                mark = f"{self.name} {self.number}"
            if order(node, mark):
                with self.lock:
                    self.done.append(mark)
            else:
                self.doubtful += 1
            self.stopped.wait(0.2)

    def end(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def check(self, heights_equal):
        """What is wrong with the ledgers, as lines; `heights_equal` waits until all nodes have the newest block."""
        if not heights_equal():
            return ["the nodes do not come to the same height"]
        findings = []
        for node in self.bench.nodes:
            kept = reasons(node)
            lost = [mark for mark in self.done if mark not in kept]
            twice = [mark for mark in self.done if kept.get(mark, 0) > 1]
            if lost:
                findings.append(f"n{node.at.i} has lost {len(lost)} of {len(self.done)} changes, the first: {lost[0]}")
            if twice:
                findings.append(f"n{node.at.i} has {twice[0]} more than once")
        return findings


def wait(holds, seconds, step=0.02):
    """Seconds until it holds; None: it does not in time."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        if holds():
            return time.monotonic() - begun
        time.sleep(step)
    return None
