"""Octets of ledgers are altered, of a follower and of the leader, at rest and while they run: named, healed, nothing is lost."""

import shutil
import time

from support.bench import eventually
from support.damage import alter, kept_aside, table_files
from support.swarm import form, leader, same_height, view

from .marks import Marks, order


def replaced(node, file):
    """Whether it says that the ledger with that file was damaged, and has another now."""
    return any(file.name in each and "was replaced" in each for each in view(node).get("troubles", []))


def damage(node, at_rest):
    """The file that was altered, once the node has found it; None: its rows went into another one, again and again."""
    for _ in range(5):
        if at_rest:
            node.stop("controlplane")
        file = table_files(node)[0]
        alter(file)
        if at_rest:
            node.start("controlplane")
            return file
        if node.ctl("ledger", "verify", check=False).returncode != 0:
            return file
    return None


def run(drill):
    """Lines of what is wrong. Times: from the octet until the node has its ledger back and says so."""
    bench = drill.lab(nodes=3)
    form(bench, drill.folder / "root.key")
    marks = Marks(bench, "altered")
    findings = []
    with drill.load() as load:
        for round_number in range(drill.times or 4):
            at_rest = round_number % 2 == 0
            whose = "follower" if round_number // 2 % 2 == 0 else "leader"
            time.sleep(2)
            for each in bench.nodes:
                each.ctl("ledger", "verify", check=False)  # what is in memory goes into files
            first = leader(bench) or bench.node(1)
            node = first if whose == "leader" else next(each for each in bench.nodes if each is not first)
            other = next(each for each in bench.nodes if each is not node)
            what = f"ledger of the {whose} altered {'at rest' if at_rest else 'while it runs'}"
            begun = time.monotonic()
            file = damage(node, at_rest)
            if file is None:
                findings.append(f"n{node.at.i} does not find what was altered")
                continue
            if not order(other, what):
                findings.append(f"no change while the {what}, n{node.at.i}")
            if not eventually(lambda node=node, file=file: replaced(node, file), 60):
                findings.append(f"n{node.at.i} does not say that {file.name} was damaged, and heal: {view(node).get('troubles')}")
            drill.time(f"{what}, to healed", time.monotonic() - begun)
            if not same_height(bench.nodes, 60):
                findings.append(f"n{node.at.i} does not catch up after its ledger was altered")
            if node.ctl("ledger", "verify", check=False).returncode != 0:
                findings.append(f"n{node.at.i} is not well after it has healed")
            for each in kept_aside(node):
                shutil.rmtree(each)
        marks.end()
        account = load.finish()
    return findings + drill.judge(account) + marks.check(lambda: same_height(bench.nodes))
