"""The upstreams of the soaked node: two servers on loopback, in one process. Run inside the node's namespace.

    python3 -m soakkit.upstream PORT PORT

They know no zone: a name's first label says what its answer is (names.py). Orders come as lines on standard input, each
answered by `ok`: `turn N VERSION` (what turnN.w0.soak. is from now on), `mute SERVER SECONDS`.
"""

import heapq
import ipaddress
import os
import selectors
import socket
import struct
import sys
import threading
import time

from . import names

LATE_SECONDS = 0.3  # of the names that take their time
TURN_SECONDS = 0.4  # so that there is always one under way when its cache is flushed
SOA_TTL = 20


def wire_name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.rstrip(".").split(".")) + b"\0"


SOA_RDATA = wire_name("ns.soak.") + wire_name("host.soak.") + struct.pack("!IIIII", 1, 3600, 600, 86400, SOA_TTL)
SOA_RECORD = wire_name("soak.") + struct.pack("!HHIH", names.SOA, 1, SOA_TTL, len(SOA_RDATA)) + SOA_RDATA


def record(owner, rrtype, ttl, rdata):
    return owner + struct.pack("!HHIH", rrtype, 1, ttl, len(rdata)) + rdata


def rdata_of(rrtype, value):
    if rrtype == names.TXT:
        return b"".join(bytes([len(part)]) + part.encode() for part in value)
    return ipaddress.ip_address(value).packed


class Upstream:
    """The answers of both servers."""

    def __init__(self):
        self.turns = {}
        self.muted = [0.0, 0.0]
        self.known = {}  # what has been asked by UDP, but for its ID: the answer, but for its ID

    def datagram(self, query):
        """As reply(), in a fraction of its time for what was asked before: an upstream that cannot keep up is asked again and
        again, and falls behind for good.
        """
        found = self.known.get(query[2:])
        if found is None:
            found = self.reply(query, False)
            if found is None or found[0] == TURN_SECONDS:
                return found
            found = found[0], found[1][2:]
            self.known[query[2:]] = found
        return found[0], query[:2] + found[1]

    def reply(self, query, tcp):
        """(seconds to wait, message), or None for silence."""
        if len(query) < 17 or query[2] & 0x80:
            return None
        end = 12
        while query[end]:
            end += query[end] + 1
        end += 5
        first = query[13 : 13 + query[12]].decode("ascii", "replace").lower()
        rrtype = struct.unpack("!H", query[end - 4 : end - 2])[0]
        has_opt = query[10:12] != b"\0\0"
        if first.startswith("turn"):
            version = self.turns.get(int(first[4:]), 0)
            answers = [record(b"\xc0\x0c", names.A, 3600, struct.pack("!I", 0x0A000000 + version))]
            return TURN_SECONDS, self.message(query, end, has_opt, names.NOERROR, answers)
        letter = first[:1]
        if letter not in names.KINDS or not first[1:].isdigit():  # not one of ours: a guest among odd frames
            return 0, self.message(query, end, has_opt, names.NXDOMAIN, [])
        if letter == "x":
            return None
        number = int(first[1:])
        answer = names.answer_of(letter, number)
        if letter == "b" and not tcp:
            return 0, self.message(query, end, has_opt, names.NOERROR, [], flags=0x8380)
        answers, owner = [], b"\xc0\x0c"
        ttl = names.ttl_of(number)
        if rrtype == names.KINDS[letter][1]:
            for alias in answer.aliases:
                target = wire_name(alias)
                answers.append(record(owner, names.CNAME, ttl, target))
                owner = target
            answers += [record(owner, rrtype, ttl, rdata_of(rrtype, value)) for value in answer.records]
        return LATE_SECONDS if letter == "l" else 0, self.message(query, end, has_opt, answer.rcode, answers)

    @staticmethod
    def message(query, end, has_opt, rcode, answers, flags=0x8180):
        authority = b"" if answers or flags & 0x0200 or rcode == names.SERVFAIL else SOA_RECORD
        opt = struct.pack("!BHHIH", 0, 41, 4096, 0, 0) if has_opt else b""
        head = struct.pack("!HHHHH", flags | rcode, 1, len(answers), 1 if authority else 0, 1 if opt else 0)
        return query[:2] + head + query[12:end] + b"".join(answers) + authority + opt


def receive_exactly(sock, size):
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def serve_tcp(upstream, port):
    listener = socket.create_server(("127.0.0.1", port), backlog=128)

    def connection(sock):
        try:
            with sock:
                while True:
                    (size,) = struct.unpack("!H", receive_exactly(sock, 2))
                    found = upstream.reply(receive_exactly(sock, size), True)
                    if found:
                        sock.sendall(struct.pack("!H", len(found[1])) + found[1])
        except (OSError, EOFError):
            pass

    while True:
        threading.Thread(target=connection, args=(listener.accept()[0],), daemon=True).start()


def take_orders(upstream):
    for line in sys.stdin:
        word, which, value = line.split()
        if word == "turn":
            upstream.turns[int(which)] = int(value)
        else:
            upstream.muted[int(which)] = time.monotonic() + float(value)
        print("ok", flush=True)


def main(ports):
    # The load spins on the same processor. What is on trial is the node, not this.
    os.nice(-10)
    upstream = Upstream()
    selector = selectors.DefaultSelector()
    for number, port in enumerate(ports):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)  # what waits longer than that is asked again
        sock.bind(("127.0.0.1", port))
        sock.setblocking(False)
        selector.register(sock, selectors.EVENT_READ, number)
        threading.Thread(target=serve_tcp, args=(upstream, port), daemon=True).start()
    threading.Thread(target=take_orders, args=(upstream,), daemon=True).start()
    print("ready", flush=True)
    late = []  # (when, a number that no two share, socket, message, peer)
    count = 0
    while True:
        ready = selector.select(max(late[0][0] - time.monotonic(), 0) if late else None)
        for key, _ in ready:
            muted = upstream.muted[key.data] > time.monotonic()
            for _ in range(64):
                try:
                    query, peer = key.fileobj.recvfrom(4096)
                except BlockingIOError:
                    break
                found = None if muted else upstream.datagram(query)
                if found is None:
                    continue
                wait, message = found
                if wait:
                    count += 1
                    heapq.heappush(late, (time.monotonic() + wait, count, key.fileobj, message, peer))
                else:
                    key.fileobj.sendto(message, peer)
        while late and late[0][0] <= time.monotonic():
            _, _, sock, message, peer = heapq.heappop(late)
            sock.sendto(message, peer)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]])
