"""`lab load`: DNS queries at a stated rate to several nodes at once, and what became of each of them.

Open loop: queries leave by a schedule that waits for no reply. One process sends, another receives, so that neither keeps
the other; times of replies are the kernel's, receive buffers hold seconds of them, and what they could not hold is
counted. When the machine takes the sender's CPU away, what is due is sent a little faster, never in one burst.
"""

import mmap
import os
import select
import signal
import socket
import struct
import time

import dns.message

from . import inside, priority
from .settings import CLIENT_NS, LabError
from .shell import run as run_command

TICK = 0.002  # seconds between two looks at the schedule
BURST = 64  # most queries to a node at a tick
PATIENCE = 5.0  # seconds until a query counts as lost
MOST = 10_000  # queries a second to a node: an ID must not come again while its query may be answered
SO_RCVBUFFORCE, SO_TIMESTAMPNS, SO_RXQ_OVFL = 33, 35, 40

# What became of a query; above 0x80 it is 0x80 + the rcode of a reply that is an error.
OPEN, RIGHT, MISMATCH, EMPTY, TRUNCATED, UNSENT, ERROR = 0, 1, 2, 3, 4, 5, 0x80


class Question:
    """A name and a type, ready to be sent."""

    def __init__(self, asked):
        self.name, self.rrtype = asked.name, asked.rrtype
        wire = dns.message.make_query(asked.name, asked.rrtype, use_edns=0, payload=1232).to_wire()
        self.rest = wire[2:]  # without its ID
        self.section = wire[12:-11]  # without header and OPT record

    def judge(self, reply):
        """RIGHT, or what is wrong with a reply that has this query's ID."""
        if len(reply) < 12 + len(self.section) or not reply[2] & 0x80 or not reply.startswith(self.section, 12):
            return MISMATCH
        if reply[3] & 0x0F:
            return ERROR + (reply[3] & 0x0F)
        if reply[2] & 0x02:
            return TRUNCATED
        return RIGHT if reply[6] or reply[7] else EMPTY


class Track:
    """A node's queries in order, in memory that sender and receiver share. Times in µs since the start, 0: not yet."""

    def __init__(self, node, room):
        self.node, self.room = node, room
        self.sent_at = memoryview(mmap.mmap(-1, 4 * room)).cast("I")
        self.done_at = memoryview(mmap.mmap(-1, 4 * room)).cast("I")
        self.state = memoryview(mmap.mmap(-1, room))
        self.numbers = memoryview(mmap.mmap(-1, 32)).cast("Q")  # sent, duplicates, drops of the socket, longest delay in µs
        with inside.namespace(CLIENT_NS):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
        self.socket.connect((node.service4, 53))

    def neighbour(self, *state):
        """The node's address, known or forgotten: an ARP exchange after a node's death would lose queries of its own."""
        device = ("dev", self.node.client_if)
        run_command("ip", "-n", CLIENT_NS, "neigh", *state, "to", self.node.service4, *device, check=False)


class Load:
    """Queries over `questions`, each `rate` times a second to every node, for `seconds` at most."""

    def __init__(self, nodes, asked, rate, seconds):
        if not 0 < rate <= MOST:
            raise LabError(f"--rate {rate}: a node gets 1 to {MOST} queries a second")
        self.questions = [Question(each) for each in asked]
        if not self.questions:
            raise LabError("there is no name to ask for")
        self.rate, self.seconds = rate, seconds
        self.tracks = [Track(node, int(rate * seconds) + 1) for node in nodes]
        self.flags = memoryview(mmap.mmap(-1, 16)).cast("Q")  # sending is to end, sending has ended
        self.begun_ns = self.begun_monotonic = 0

    def question(self, index):
        return self.questions[index % len(self.questions)]

    def warm(self, seconds=30):
        """Asks every node for every name once, until all are answered right: LabError when one is not."""
        end = time.monotonic() + seconds
        for track in self.tracks:
            left = dict(enumerate(self.questions))
            while left:
                if time.monotonic() > end:
                    some = ", ".join(f"{each.name} {each.rrtype}" for each in list(left.values())[:3])
                    raise LabError(f"n{track.node.i} does not answer {len(left)} of the names, e.g. {some}")
                for number, question in list(left.items())[:200]:
                    track.socket.send(struct.pack("!H", number & 0xFFFF) + question.rest)
                while left and select.select((track.socket,), (), (), 0.3)[0]:
                    reply = track.socket.recv(4096)
                    for number in range(int.from_bytes(reply[:2], "big"), len(self.questions), 0x10000):
                        if number in left and left[number].judge(reply) == RIGHT:
                            del left[number]

    def start(self):
        """Starts to ask."""
        for track in self.tracks:
            track.neighbour("replace", "lladdr", track.node.port_mac, "nud", "permanent")
        self.begun_ns, self.begun_monotonic = time.time_ns(), time.monotonic()
        self.children = [in_child(self.receive), in_child(self.send)]

    def stop(self):
        """Ends the sending. Safe in a signal handler."""
        self.flags[0] = 1

    def finish(self):
        """Waits until everything is sent, and for the replies that are due."""
        for child in reversed(self.children):
            while True:
                try:
                    _, status = os.waitpid(child, 0)
                    break
                except InterruptedError:
                    continue
            if status:
                raise LabError(f"a process of the load ended by {status:#x}; see its output above")
        for track in self.tracks:
            track.neighbour("del")

    def now_us(self):
        return (time.time_ns() - self.begun_ns) // 1000

    def send(self):
        try:
            while not self.flags[0] and self.now_us() < self.seconds * 1e6:
                for track in self.tracks:
                    self.send_due(track)
                time.sleep(TICK)
        finally:
            self.flags[1] = 1

    def send_due(self, track):
        index = track.numbers[0]
        due = min(int(self.now_us() * self.rate / 1e6), track.room)
        for index in range(index, min(due, index + BURST)):
            wire = struct.pack("!H", index & 0xFFFF) + self.question(index).rest
            now = self.now_us()
            track.sent_at[index] = max(now, 1)
            track.numbers[0] = index + 1
            track.numbers[3] = max(track.numbers[3], now - int(index * 1e6 / self.rate))
            try:
                track.socket.send(wire)
            except OSError:  # an ICMP error for an earlier one; this one has not left yet
                try:
                    track.socket.send(wire)
                except OSError:
                    track.state[index] = UNSENT

    def receive(self):
        poll = select.epoll()
        by_fd = {track.socket.fileno(): track for track in self.tracks}
        for fd in by_fd:
            poll.register(fd, select.EPOLLIN)
        end = None
        while end is None or (time.monotonic() < end and any(self.is_open(track) for track in self.tracks)):
            if end is None and self.flags[1]:
                end = time.monotonic() + PATIENCE + 0.5
            for fd, _ in poll.poll(0.2):
                self.take(by_fd[fd])
            time.sleep(TICK)

    @staticmethod
    def is_open(track):
        begin = max(0, track.numbers[0] - 0x10000)
        return OPEN in track.state[begin : track.numbers[0]].tobytes()

    def take(self, track):
        """Everything that waits at a socket."""
        while True:
            try:
                reply, extra, _, _ = track.socket.recvmsg(4096, 128, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error: the node's port is closed
            at = self.now_us()
            for level, kind, data in extra:
                if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    whole, part = struct.unpack("qq", data[:16])
                    at = (whole * 10**9 + part - self.begun_ns) // 1000
                elif level == socket.SOL_SOCKET and kind == SO_RXQ_OVFL:
                    track.numbers[2] = struct.unpack("I", data[:4])[0]
            sent = track.numbers[0]
            index = sent - 1 - (sent - 1 - int.from_bytes(reply[:2], "big") & 0xFFFF)  # the newest with this ID
            if index < 0 or track.state[index] not in (OPEN, UNSENT):
                track.numbers[1] += 1
                continue
            track.done_at[index] = max(at, track.sent_at[index])
            track.state[index] = self.question(index).judge(reply)


def in_child(work):
    """Runs `work` in a process of its own, with the lab's priority, that leaves signals to its parent."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        priority.join()
        work()
        status = 0
    finally:
        os._exit(status)
