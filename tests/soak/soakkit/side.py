"""The other client, on port 1: kernel sockets and raw frames. Whatever a reply says is checked; what does not come is counted.

Never limited by the node's rate (its prefix is exempt), so that the limits' counters belong to dnsvolley's queries alone.
"""

import collections
import contextlib
import random
import socket
import struct
import sys
import threading
import time

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
from labkit import inside

from . import names, place as places

sys.path.insert(0, str(places.HERE.parents[1]))
from tests.replay import node as replay_node, odd_frames, reframe  # noqa: E402

PATIENCE = 6.0  # more than the node's own deadline
IDLE_CONNECTIONS = 20


def right(reply, number):
    """Whether a dns.message says what names.py has for that name, or is cut short."""
    letter = names.letter_of(number)
    wanted = names.answer_of(letter, number)
    if reply.flags & dns.flags.TC:
        return True
    if reply.rcode() != wanted.rcode:
        return False
    rrtype = names.KINDS[letter][1]
    found = []
    for rrset in reply.answer:
        if rrset.rdtype == rrtype:
            found += [b"".join(r.strings).decode() if rrtype == names.TXT else r.to_text() for r in rrset]
    return found == ["".join(r) if isinstance(r, tuple) else r for r in wanted.records]


def question(number, **options):
    rrtype = names.KINDS[names.letter_of(number)][1]
    return inside.query(names.name_of(number), dns.rdatatype.RdataType(rrtype), payload=4096, **options)


def ask_version(seconds=3.0):
    """What the data plane says it is: `version.bind` over UDP."""
    query = dns.message.make_query("version.bind.", "TXT", "CH")
    reply = inside.ask_udp(places.CLIENT, query, places.SIDE4, seconds=seconds)
    return reply.answer[0][0].strings[0].decode() if reply.answer else ""


class Side:
    """A thread that does one thing after the other, by the seed's order."""

    def __init__(self, seed, count):
        self.random = random.Random(seed)
        self.names = count
        self.counts = collections.Counter()
        self.findings = []
        self.ended = threading.Event()
        self.idle = []
        target = reframe.Target(places.PORT_MACS[1], "02:58:00:00:0f:01", places.SIDE4, "10.58.128.77", places.SIDE6,
                                "fd58:1::77")
        self.odd = [frame for frames in odd_frames.odd_frames(target).values() for frame in frames]
        self.raw = replay_node.raw_socket(places.CLIENT, "sk-c1")
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        deeds = (self.udp, self.udp, self.tcp, self.pipelined, self.fragmented, self.cut_connection, self.junk_connection,
                 self.many_connections, self.silent_connection, self.odd_frames)
        while not self.ended.wait(self.random.uniform(0.01, 0.1)):
            deed = self.random.choice(deeds)
            try:
                deed()
            except (TimeoutError, dns.exception.Timeout):
                self.counts["unanswered"] += 1
            except (OSError, EOFError):  # the node closed the connection, or did not take it
                self.counts["closed"] += 1
            except Exception as error:  # pylint: disable=broad-except  # a reply that cannot be read, above all
                self.findings.append(f"side client, {deed.__name__}: {type(error).__name__}: {error}")

    def end(self):
        self.ended.set()
        self.thread.join()
        for sock in self.idle:
            sock.close()
        self.raw.close()

    def number(self):
        # The first names are asked all the time by everybody, the last ones hardly ever.
        return self.random.randrange(self.names if self.random.random() < 0.5 else 200)

    def judge(self, reply, number, how):
        self.counts[how] += 1
        if right(reply, number):
            return
        if reply.rcode() == dns.rcode.SERVFAIL:  # over TCP a question beyond a quota is answered so
            self.counts["turned away"] += 1
        else:
            self.findings.append(f"side client, {how}: wrong reply for {names.name_of(number)}:\n{reply}")

    def address(self):
        return self.random.choice((places.SIDE4, places.SIDE6))

    def udp(self):
        number = self.number()
        query = question(number, dnssec=self.random.random() < 0.3)
        self.judge(inside.ask_udp(places.CLIENT, query, self.address(), seconds=PATIENCE), number, "udp")

    def tcp(self):
        number = self.number()
        self.judge(inside.ask_tcp(places.CLIENT, question(number), self.address(), seconds=PATIENCE), number, "tcp")

    def connection(self):
        return inside.tcp_socket(places.CLIENT, self.address(), 53, PATIENCE)

    def pipelined(self):
        asked = {}
        with self.connection() as sock:
            for _ in range(20):
                number = self.number()
                query = question(number)
                if query.id in asked:
                    continue
                asked[query.id] = number
                wire = query.to_wire()
                sock.sendall(struct.pack("!H", len(wire)) + wire)
            while asked:
                (size,) = struct.unpack("!H", inside.receive_exactly(sock, 2))
                reply = dns.message.from_wire(inside.receive_exactly(sock, size))
                self.judge(reply, asked.pop(reply.id), "tcp pipelined")

    def fragmented(self):
        """A query that needs three fragments: the node's kernel puts it together."""
        number = self.number()
        query = question(number, options=[dns.edns.GenericOption(12, bytes(self.random.randrange(1600, 3600)))])
        reply = inside.ask_udp(places.CLIENT, query, self.address(), seconds=PATIENCE)
        self.judge(reply, number, "udp in fragments")

    def cut_connection(self):
        with self.connection() as sock:
            sock.sendall(struct.pack("!H", 500) + b"x" * self.random.randrange(100))
        self.counts["tcp cut off"] += 1

    def junk_connection(self):
        junk = self.random.randbytes(self.random.randrange(1, 200))
        with self.connection() as sock, contextlib.suppress(OSError):
            sock.sendall(struct.pack("!H", len(junk)) + junk)
            sock.settimeout(0.3)
            sock.recv(1000)
        self.counts["tcp junk"] += 1

    def many_connections(self):
        """More than one client may have (stream.max_connections_per_client)."""
        address, socks = self.address(), []
        with inside.namespace(places.CLIENT):
            for _ in range(150):
                sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
                sock.setblocking(False)
                sock.connect_ex((address, 53))
                socks.append(sock)
        time.sleep(0.05)
        for sock in socks:
            sock.close()
        self.counts["tcp floods"] += 1

    def silent_connection(self):
        self.idle.append(self.connection())
        if len(self.idle) > IDLE_CONNECTIONS:
            self.idle.pop(0).close()
        self.counts["tcp silent"] += 1

    def odd_frames(self):
        """What the replay has of frames no honest client sends, and some of them with a bit turned over."""
        for frame in self.random.sample(self.odd, min(20, len(self.odd))):
            if self.random.random() < 0.5:
                frame = bytearray(frame)
                frame[self.random.randrange(12, len(frame))] ^= 1 << self.random.randrange(8)
            with contextlib.suppress(OSError):
                self.raw.send(frame)
                self.counts["odd frames"] += 1
