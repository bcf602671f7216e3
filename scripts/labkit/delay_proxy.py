"""The process behind `lab slow`: carries frames between two interfaces, each after a delay, in their order.

    python3 -m labkit.delay_proxy IF_A IF_B DELAY_S JITTER_S

Frames are taken and given in batches by recvmmsg and sendmmsg, so that a frame costs next to nothing. A batch waits
DELAY ± JITTER, and never leaves before one that came earlier. SIGTERM: what waits is sent at once, then it ends.
"""

import collections
import ctypes
import os
import random
import select
import signal
import socket
import sys
import time

ETH_P_ALL = 3
PACKET_STATISTICS, PACKET_IGNORE_OUTGOING = 6, 23
SOL_PACKET = 263
SO_RCVBUFFORCE, SO_SNDBUFFORCE = 33, 32
MSG_DONTWAIT = 0x40
BATCH, FRAME = 32, 2048  # frames; octets, more than the links' 1514
GATHER = 0.0005  # seconds that frames gather before they are taken


class IoVec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


class MsgHdr(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_void_p), ("namelen", ctypes.c_uint32), ("iov", ctypes.POINTER(IoVec)),
        ("iovlen", ctypes.c_size_t), ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


class MMsgHdr(ctypes.Structure):
    _fields_ = [("hdr", MsgHdr), ("len", ctypes.c_uint32)]


LIBC = ctypes.CDLL(None, use_errno=True)


class Batch:
    """Room for BATCH frames, used again and again."""

    def __init__(self):
        self.room = ctypes.create_string_buffer(BATCH * FRAME)
        self.pieces = (IoVec * BATCH)()
        self.messages = (MMsgHdr * BATCH)()
        self.count = 0
        start = ctypes.addressof(self.room)
        for i in range(BATCH):
            self.pieces[i].base = start + i * FRAME
            self.messages[i].hdr.iov = ctypes.pointer(self.pieces[i])
            self.messages[i].hdr.iovlen = 1

    def receive(self, fd):
        """Takes what waits at `fd`; False when that is nothing."""
        for i in range(self.count or BATCH):
            self.pieces[i].len = FRAME
        self.count = max(0, LIBC.recvmmsg(fd, self.messages, BATCH, MSG_DONTWAIT, None))
        for i in range(self.count):
            self.pieces[i].len = self.messages[i].len
        return self.count > 0

    def send(self, fd):
        sent = 0
        while sent < self.count:
            done = LIBC.sendmmsg(fd, ctypes.byref(self.messages, sent * ctypes.sizeof(MMsgHdr)), self.count - sent, 0)
            if done < 0:
                if ctypes.get_errno() not in (4, 11, 105):  # EINTR, EAGAIN, ENOBUFS: again
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
                time.sleep(0.0002)
            sent += max(done, 0)


class Direction:
    """Frames from one interface to the other."""

    def __init__(self, source, target, delay, jitter):
        self.source, self.target, self.delay, self.jitter = source, target, delay, jitter
        self.waiting = collections.deque()  # (when due, batch)
        self.free = []

    def take(self):
        now = time.monotonic()
        batch = self.free.pop() if self.free else Batch()
        while batch.receive(self.source.fileno()):
            due = now + max(0.0, self.delay - GATHER / 2 + random.uniform(-self.jitter, self.jitter))
            if self.waiting:
                due = max(due, self.waiting[-1][0])
            self.waiting.append((due, batch))
            batch = self.free.pop() if self.free else Batch()
        self.free.append(batch)

    def give(self, until):
        while self.waiting and self.waiting[0][0] <= until:
            _, batch = self.waiting.popleft()
            batch.send(self.target.fileno())
            self.free.append(batch)

    def next_due(self):
        return self.waiting[0][0] if self.waiting else float("inf")


def link(name):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    sock.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 64 << 20)
    sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    sock.bind((name, ETH_P_ALL))
    return sock


def main(argv):
    name_a, name_b, delay, jitter = argv[0], argv[1], float(argv[2]), float(argv[3])
    a, b = link(name_a), link(name_b)
    directions = (Direction(a, b, delay, jitter), Direction(b, a, delay, jitter))
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    print(f"carrying frames between {name_a} and {name_b}, {delay * 1000:g} ms ± {jitter * 1000:g} ms", flush=True)
    while not ended:
        wait = min(each.next_due() for each in directions) - time.monotonic()
        readable = select.select((a, b), (), (), min(max(wait, 0.0), 0.2))[0]
        if readable:
            time.sleep(GATHER)
            for each in directions:
                each.take()
        now = time.monotonic()
        for each in directions:
            each.give(now)
    for each in directions:
        each.give(float("inf"))
    for name, sock in ((name_a, a), (name_b, b)):
        lost = int.from_bytes(sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)[4:8], "little")
        print(f"{name}: {lost} frames found no room", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
