"""The command line of scripts/lab."""

import argparse
import os
import signal
import sys

from . import compare, faults, internet, lab, load, netns, node, procs, servers
from .settings import CLIENT_NS, INTERNET_NS, MGMT_NS, LabError, Node, Options

DESCRIPTION = """\
The test bed: nodes, a client and an Internet of our own, in network namespaces on this machine.
Nothing leaves the machine, and nothing of its network is changed.
"""


def parser():
    top = argparse.ArgumentParser(prog="lab", description=DESCRIPTION, formatter_class=argparse.RawTextHelpFormatter)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="bring the lab up, or bring it into the state asked for")
    up.add_argument("--nodes", type=int, default=1, help="how many nodes (default 1; 0: the Internet and a client)")
    up.add_argument("--regions", default="", metavar="R1,R2,...",
                    help="region of each node (default: `lab` for up to 3 nodes; more: half `east`, half `west`)")
    up.add_argument("--faults", action="store_true",
                    help="nodes that `disk-full`, `slow-disk` and `clock` can hurt: swarm/ on a disk of its own of 384 MiB, and\n"
                    "a control plane with a library below it that shifts its wall clock")
    up.add_argument("--names", default="", metavar="FILE", help="`name [type]` lines (.gz too) that shall resolve")
    up.add_argument("--seed", type=int, default=1, help="the number all names and data come from (default 1)")
    up.add_argument("--root-zone", default="", metavar="FILE", help="serve this signed root zone (.gz too) as the root")
    up.add_argument("--root-key", default=Options.root_key, metavar="FILE", help="trust anchor of --root-zone")
    up.add_argument("--val-date", default="", metavar="YYYYMMDDHHMMSS",
                    help="when --root-zone's signatures are checked (default: when they were valid)")
    up.add_argument("--workers", type=int, default=1, help="workers, and queue pairs of the port, of each node")
    up.add_argument("--driver", choices=("af_xdp", "af_packet"), default="af_xdp",
                    help="of the DPDK port (default af_xdp)")
    up.add_argument("--idle", choices=("adaptive", "spin"), default="adaptive", help="what an idle worker does")
    up.add_argument("--build", default="", metavar="DIR", help="Meson build directory (default: SWARMDNS_BUILD or build)")
    up.add_argument("--no-start", action="store_true", help="wire the nodes, but do not start their processes")

    commands.add_parser("down", help="end every process of the lab and remove its namespaces")
    commands.add_parser("status", help="what runs, and what faults are in force; exit code 1 when something does not run")

    run = commands.add_parser("exec", help="run a command in a namespace: exec client|internet|mgmt|n1 -- CMD")
    run.add_argument("where")
    run.add_argument("argv", nargs=argparse.REMAINDER)

    one = commands.add_parser("node", help="node 1 start|stop|kill|pause|resume [dataplane|controlplane|resolver]")
    one.add_argument("number", type=int)
    one.add_argument("action", choices=("start", "stop", "kill", "pause", "resume"))
    one.add_argument("part", nargs="?", default="", choices=("", *node.PARTS))

    faults.add_arguments(commands)

    names = commands.add_parser("names", help="what the lab's Internet can answer: `name type case` lines")
    names.add_argument("--case", default="", help="only this case")
    names.add_argument("--cases", action="store_true", help="the cases and how many questions each has")

    load.add_arguments(commands.add_parser(
        "load", help="ask nodes at a stated rate and account for every query; exit code 1 when one is not answered right"))
    compare.add_arguments(commands.add_parser(
        "diff", help="ask a node and its resolver the same questions and print what differs"))
    return top


def command_up(args):
    options = Options(
        nodes=args.nodes, seed=args.seed, names=absolute(args.names), root_zone=absolute(args.root_zone),
        root_key=absolute(args.root_key), val_date=args.val_date, workers=args.workers,
        driver=args.driver, build=absolute(args.build), start=not args.no_start, idle=args.idle,
        regions=args.regions, faults=args.faults,
    )
    lab.up(options)
    return command_status(args)


def absolute(path):
    return os.path.abspath(path) if path else ""


def command_down(_args):
    lab.down()
    return 0


def command_status(_args):
    lines, well = lab.status_lines()
    hurt, mended = faults.lines(lab.current())
    print("\n".join(lines + hurt))
    print(lab.logs_hint())
    return 0 if well and mended else 1


def namespace_of(where, options):
    fixed = {"client": CLIENT_NS, "internet": INTERNET_NS, "mgmt": MGMT_NS}
    if where in fixed:
        return fixed[where], None
    if where[:1] == "n" and where[1:].isdigit() and 1 <= int(where[1:]) <= options.nodes:
        each = Node(int(where[1:]))
        return each.ns, each
    known = ", ".join([*fixed, *(f"n{i}" for i in range(1, options.nodes + 1))])
    raise LabError(f"there is no `{where}` in this lab; it has {known}")


def command_exec(args):
    options = lab.current()
    argv = args.argv[1:] if args.argv[:1] == ["--"] else args.argv
    if not argv:
        raise LabError("name a command: lab exec client -- dig @10.53.1.1 example. A")
    ns, each = namespace_of(args.where, options)
    env = node.environment(options, each) if each else dict(os.environ)
    words = [*netns.enter(ns), *argv]
    os.execvpe(words[0], words, env)


def command_node(args):
    options = lab.current()
    _, each = namespace_of(f"n{args.number}", options)
    with lab.Lock():
        if args.action == "start":
            node.prepare(options, each)
            node.start(options, each, args.part or "controlplane")
        elif args.action in ("pause", "resume"):
            sig = signal.SIGSTOP if args.action == "pause" else signal.SIGCONT
            if not node.signal_parts(each, args.part, sig):
                print(f"the {args.part} was not running" if args.part else "nothing of this node was running")
        else:
            sig = signal.SIGKILL if args.action == "kill" else signal.SIGTERM
            ended = node.stop(each, args.part, sig)
            if not ended:
                print(f"the {args.part} was not running" if args.part else "nothing of this node was running")
            elif args.part in ("dataplane", "resolver") and node.pid(each, "controlplane"):
                print(f"the control plane will start the {args.part} again; stop the control plane first to keep it down")
    return 0


def command_names(args):
    lab.current()
    asked = internet.read_asked(servers.INTERNET / "names.txt")
    counts = internet.case_counts(asked)
    if args.case and args.case not in counts:
        raise LabError(f"there is no case `{args.case}`; this lab has: {', '.join(sorted(counts))}")
    if args.cases:
        lines = [f"{case} {count}" for case, count in sorted(counts.items())]
    else:
        lines = [item.line() for item in asked if args.case in ("", item.case)]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def command_diff(args):
    return compare.main(args, lab.current())


def command_load(args):
    return load.main(args, lab.current())


def main(argv=None):
    args = parser().parse_args(argv)
    commands = {
        "up": command_up, "down": command_down, "status": command_status, "exec": command_exec,
        "node": command_node, "names": command_names, "diff": command_diff, "load": command_load,
    }
    try:
        if args.command in faults.COMMANDS:
            return faults.command(args, lab.current())
        return commands[args.command](args)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(f"lab: interrupted; run it again, or `lab down`. Logs: {procs.LOGS}", file=sys.stderr)
        return 130
