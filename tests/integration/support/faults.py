"""What hurts the nodes of a lab, as tests call it."""

import signal

from labkit import clock, disk, faults, node as nodes, partition, slow, slow_disk
from labkit.settings import Node


class Faults:
    """Faults of one lab. Nodes by number, times in seconds. What is hurt stays so until it is healed."""

    def __init__(self, options):
        self.options = options

    def partition(self, *groups):
        """Loses every packet between nodes of different groups, e.g. partition([1, 2], [3, 4, 5]). Cuts add up."""
        partition.cut(*groups)

    def one_way(self, sources, targets):
        """Loses the packets from `sources` to `targets`; those in the other direction arrive."""
        partition.cut(sources, targets, one_way=True)

    def cuts(self):
        """Directions that are cut, as pairs (from, to)."""
        return partition.cuts()

    def slow(self, number, delay, jitter=0.0):
        slow.start(Node(number), delay, jitter)

    def fast(self, number):
        slow.stop(Node(number))

    def heal(self):
        """Ends all partitions and delays."""
        faults.heal_network(self.options)

    def fill_disk(self, number, leave=0):
        """Fills the node's disk but for `leave` bytes."""
        disk.fill(Node(number), leave)

    def empty_disk(self, number):
        disk.empty(Node(number))

    def slow_disk(self, number, delay):
        """Makes writes to the node's disk take up to `delay`; 0 ends it."""
        if delay:
            slow_disk.start(Node(number), delay)
        else:
            slow_disk.stop(Node(number))

    def clock(self, number, offset):
        """Sets the control plane's wall clock off the true time; 0 ends it."""
        clock.shift(Node(number), offset)

    def pause(self, number, part=""):
        return nodes.signal_parts(Node(number), part, signal.SIGSTOP)

    def resume(self, number, part=""):
        return nodes.signal_parts(Node(number), part, signal.SIGCONT)

    def end_all(self):
        """Ends every fault of every node; what was killed stays dead until Bench.heal()."""
        self.heal()
        faults.heal_nodes(self.options)
        for number in range(1, self.options.nodes + 1):
            self.resume(number)
