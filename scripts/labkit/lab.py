"""The lab as a whole: up, down, and what state it is in."""

import fcntl
import shutil

from . import build, disk, health, netns, node, priority, procs, servers, shell, slow, slow_disk, topology
from .settings import DAEMONS, INTERNET_NS, LOCK_FILE, MAX_NODES, RUN, STATE_FILE, LabError, Node, binary
from .settings import load_state, regions, save_state


class Lock:
    """One `lab` command at a time changes the lab."""

    def __enter__(self):
        self.file = open(LOCK_FILE, "w", encoding="utf-8")
        fcntl.flock(self.file, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_):
        self.file.close()


def nodes(options):
    return [Node(i) for i in range(1, options.nodes + 1)]


def current():
    """Options of the lab that is up. LabError when none is."""
    options = load_state()
    if options is None or not netns.exists(INTERNET_NS):
        raise LabError("the lab is not up: run `scripts/lab up`")
    return options


def check(options):
    if not 0 <= options.nodes <= MAX_NODES:
        raise LabError(f"--nodes {options.nodes}: the lab has room for 0 to {MAX_NODES}")
    if not 1 <= options.workers <= 8:
        raise LabError(f"--workers {options.workers}: a node takes 1 to 8")
    regions(options)
    if options.names and options.root_zone:
        raise LabError("--names and --root-zone exclude each other: a root from outside has no zones of ours below it")
    if options.start:
        for part in DAEMONS:
            if options.nodes:
                binary(options, part)


def up(options, say=print):
    """Brings the lab into the state that `options` ask for, from whatever is there."""
    shell.require_root()
    shell.require_tools()
    check(options)
    if options.root_zone and not options.val_date:
        options.val_date = build.default_date(options)
    with Lock():
        before = load_state()
        if before is not None and before != options:
            say("another lab is up: taking it down first")
            tear_down()
        elif before is not None and not build.is_current(options):
            say("the Internet of this lab is to be made anew: taking it down first")
            tear_down()
        elif before is None and any(netns.exists(ns) for ns in topology.all_namespaces()):
            say("remains of a crashed lab: clearing them away")
            tear_down()
        if before == options and STATE_FILE.exists():
            say("the lab is up; starting what does not run")
        save_state(options)
        build.make(options)
        for each in nodes(options):
            slow.end_lost(each)
            slow_disk.end_lost(each)
            if options.faults:
                disk.make(each)
        topology.wire(options)
        if options.faults:
            for each in nodes(options):
                disk.make(each)
        servers.end_lost()
        for each in nodes(options):
            node.end_lost(each)
        servers.launch(options)
        if options.start:
            for each in nodes(options):
                if node.is_outdated(options, each):
                    say(f"node {each.i} runs an older build: starting it anew")
                    node.stop(each)
                node.prepare(options, each)
                node.start(options, each)
            for each in nodes(options):
                node.wait_ready(options, each)


def tear_down():
    """Ends every process of the lab and removes its namespaces. Does not mind what is missing."""
    for i in range(1, MAX_NODES + 1):
        each = Node(i)
        if netns.exists(each.ns) or each.run.exists():
            node.stop(each)
    servers.stop()
    for i in range(1, MAX_NODES + 1):
        slow.stop(Node(i))
        slow_disk.stop(Node(i))
    topology.unwire()
    priority.remove()
    for i in range(1, MAX_NODES + 1):
        disk.remove(Node(i))
        node.remove_files(Node(i))
    STATE_FILE.unlink(missing_ok=True)
    shutil.rmtree(RUN, ignore_errors=True)


def down(say=print):
    shell.require_root()
    with Lock():
        there = load_state() is not None or any(netns.exists(ns) for ns in topology.all_namespaces())
        tear_down()
        say("the lab is down" if there else "no lab is up: nothing to do")


def status_lines():
    """One line per process. The second value tells whether all is well."""
    options = current()
    lines, well = [], True

    def line(what, pid, note=""):
        nonlocal well
        well = well and pid is not None
        state = f"{'paused' if procs.is_paused(pid) else 'running'}, pid {pid}" if pid else "not running"
        lines.append(f"{what:<22} {state}{', ' + note if note else ''}")

    for name, pid in health.server_processes(options).items():
        line(name, pid)
    for each in nodes(options):
        if not options.start:
            lines.append(f"{'node ' + str(each.i):<22} wired, left to be started by hand (--no-start)")
            continue
        for part, pid in node.parts(each).items():
            note = ""
            if part == "dataplane" and pid:
                ok = health.answers(each)
                well = well and ok
                note = f"{'answers' if ok else 'does not answer'} at {each.service4} and {each.service6}"
            line(f"n{each.i} {part}", pid, note)
    return lines, well


def logs_hint():
    return f"logs: {procs.LOGS}"
