"""Commands of scripts/lab that hurt nodes and mend them again, and what `lab status` says of it."""

import argparse

from . import clock, disk, lab, partition, slow, slow_disk
from .settings import LabError, Node


def add_arguments(commands):
    cut = commands.add_parser("partition", help="partition 1,2 3,4,5: cut the management network between groups of nodes\n"
                              "partition --one-way 1 3: lose the packets from node 1 to node 3")
    cut.add_argument("groups", nargs="+", metavar="GROUP", help="numbers of nodes; what is in no group keeps all its ways")
    cut.add_argument("--one-way", action="store_true", help="from the first group to the second only")

    heal = commands.add_parser("heal", help="end all partitions and delays; --all: full and slow disks and wrong clocks, too")
    heal.add_argument("--all", action="store_true")

    delay = commands.add_parser("slow", help="slow 3 50ms [--jitter 10ms], slow 3 off: delay all of a node's management traffic,\n"
                                "each way")
    delay.add_argument("number", type=int)
    delay.add_argument("delay", metavar="TIME|off")
    delay.add_argument("--jitter", default="0ms", metavar="TIME", help="most that a delay differs; the order is kept")

    full = commands.add_parser("disk-full", help="disk-full 2, disk-full 2 off: fill the disk below a node's swarm/ folder\n"
                               "(in a lab up --faults)")
    full.add_argument("number", type=int)
    full.add_argument("what", nargs="?", choices=("on", "off"), default="on")

    brake = commands.add_parser("slow-disk", help="slow-disk 2 20ms, slow-disk 2 off: make writes to that disk take up to so long\n"
                                "(in a lab up --faults)")
    brake.add_argument("number", type=int)
    brake.add_argument("delay", metavar="TIME|off")

    shift = commands.add_parser("clock", help="clock 4 +5m|-30s|off: shift the wall clock of a node's control plane\n"
                                "(in a lab up --faults)")
    shift.add_argument("number", type=int)
    # The rest of the line, or -30s would be taken for an option.
    shift.add_argument("offset", nargs=argparse.REMAINDER, metavar="OFFSET|off")


def node_of(options, number):
    if not 1 <= number <= options.nodes:
        raise LabError(f"there is no node {number} in this lab; it has {options.nodes}")
    return Node(number)


def command_partition(args, options):
    sides = partition.groups(args.groups, options)
    if args.one_way and len(sides) != 2:
        raise LabError("--one-way goes from one group to one other, e.g. `lab partition --one-way 1 3`")
    partition.cut(*sides, one_way=args.one_way)


def command_heal(args, options):
    heal_network(options)
    if args.all:
        heal_nodes(options)


def command_slow(args, options):
    node = node_of(options, args.number)
    if args.delay == "off":
        slow.stop(node)
    else:
        slow.start(node, slow.seconds(args.delay), slow.seconds(args.jitter))


def command_disk_full(args, options):
    node = node_of(options, args.number)
    (disk.fill if args.what == "on" else disk.empty)(node)


def command_slow_disk(args, options):
    node = node_of(options, args.number)
    if args.delay == "off":
        slow_disk.stop(node)
    else:
        slow_disk.start(node, slow.seconds(args.delay))


def command_clock(args, options):
    clock.shift(node_of(options, args.number), clock.seconds(" ".join(args.offset)))


COMMANDS = {
    "partition": command_partition, "heal": command_heal, "slow": command_slow,
    "disk-full": command_disk_full, "slow-disk": command_slow_disk, "clock": command_clock,
}
PREPARED = ("disk-full", "slow-disk", "clock")  # need a lab whose nodes were made for it


def command(args, options):
    if args.command in PREPARED and not options.faults:
        raise LabError(f"the nodes of this lab are not made for `{args.command}`: run `lab up` with --faults")
    with lab.Lock():
        COMMANDS[args.command](args, options)
    return 0


def heal_network(options):
    partition.heal()
    for node in lab.nodes(options):
        slow.stop(node)


def heal_nodes(options):
    for node in lab.nodes(options):
        slow_disk.stop(node)
        disk.empty(node)
        if clock.offset(node):
            clock.shift(node, 0.0)


def lines(options):
    """One line for each thing that is in force. The second value tells whether all is as it should be."""
    out, well = partition.lines(), True
    for node in lab.nodes(options):
        delay, carried = slow.line(node)
        brake, held = slow_disk.line(node)
        well = well and carried and held
        out += [line for line in (delay, disk.line(node), brake, clock.line(node)) if line]
    return out, well
