"""Frames as they are: raw Ethernet on sw-client's link, and what passes on a node's links."""

import contextlib
import socket
import struct
import time

import dns.message

from labkit import inside
from labkit.settings import CLIENT_NS

ETH_P_ALL = 3
PACKET_HOST, PACKET_OUTGOING = 0, 4
SOL_PACKET, PACKET_AUXDATA = 263, 8


def mac(text):
    return bytes(int(part, 16) for part in text.split(":"))


def raw_socket(ns, interface):
    with inside.namespace(ns):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    sock.bind((interface, ETH_P_ALL))
    return sock


def receive(sock):
    """One frame, with the 802.1Q tag put back that the kernel moves out of the frame on receipt."""
    frame, aux, _flags, _address = sock.recvmsg(65536, socket.CMSG_SPACE(20))
    for level, kind, data in aux:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _len, _snap, _mac, _net, tci, tpid = struct.unpack("IIIHHHH", data[:20])
            if status & 0x10:  # TP_STATUS_VLAN_VALID
                frame = frame[:12] + struct.pack("!HH", tpid if status & 0x40 else 0x8100, tci) + frame[12:]
    return frame


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp4(source, target, sport, dport, payload):
    """An IPv4 packet with a UDP datagram, all checksums right."""
    src, dst = socket.inet_aton(source), socket.inet_aton(target)
    length = 8 + len(payload)
    pseudo = src + dst + struct.pack("!BBH", 0, 17, length)
    head = struct.pack("!HHHH", sport, dport, length, 0)
    value = checksum(pseudo + head + payload) or 0xFFFF
    udp = struct.pack("!HHHH", sport, dport, length, value) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0x1234, 0x4000, 64, 17, 0, src, dst)
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + udp


def udp6(source, target, sport, dport, payload):
    src, dst = socket.inet_pton(socket.AF_INET6, source), socket.inet_pton(socket.AF_INET6, target)
    length = 8 + len(payload)
    pseudo = src + dst + struct.pack("!IHBB", length, 0, 0, 17)
    value = checksum(pseudo + struct.pack("!HHHH", sport, dport, length, 0) + payload) or 0xFFFF
    udp = struct.pack("!HHHH", sport, dport, length, value) + payload
    return struct.pack("!IHBB16s16s", 6 << 28, length, 17, 64, src, dst) + udp


def frame(node, packet, tags=()):
    """`packet` in Ethernet from the client to the node's port, inside 802.1Q tags (tpid, tci)."""
    kind = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    out = mac(node.port_mac) + mac(node.client_mac)
    for tpid, tci in tags:
        out += struct.pack("!HH", tpid, tci)
    return out + struct.pack("!H", kind) + packet


def parse_reply(data):
    """(tags, source, target, sport, dport, payload) of a UDP frame, or None for any other."""
    tags, at = [], 12
    kind = struct.unpack("!H", data[at : at + 2])[0]
    while kind in (0x8100, 0x88A8):
        tags.append((kind, struct.unpack("!H", data[at + 2 : at + 4])[0]))
        at += 4
        kind = struct.unpack("!H", data[at : at + 2])[0]
    at += 2
    if kind == 0x0800 and data[at + 9] == 17:
        head = (data[at] & 15) * 4
        src, dst = socket.inet_ntoa(data[at + 12 : at + 16]), socket.inet_ntoa(data[at + 16 : at + 20])
        end = at + struct.unpack("!H", data[at + 2 : at + 4])[0]
        udp = data[at + head : end]
    elif kind == 0x86DD and data[at + 6] == 17:
        src = socket.inet_ntop(socket.AF_INET6, data[at + 8 : at + 24])
        dst = socket.inet_ntop(socket.AF_INET6, data[at + 24 : at + 40])
        udp = data[at + 40 : at + 40 + struct.unpack("!H", data[at + 4 : at + 6])[0]]
    else:
        return None
    sport, dport = struct.unpack("!HH", udp[:4])
    return tags, src, dst, sport, dport, udp[8:]


def exchange(node, query, tags=(), v6=False, sport=40123, seconds=3.0):
    """Sends a query as a raw frame from the client; returns (tags of the reply, the reply).

    Only a reply to our address and port counts. AssertionError when none comes.
    """
    build, source, target = (
        (udp6, node.client6, node.service6) if v6 else (udp4, node.client4, node.service4)
    )
    out = frame(node, build(source, target, sport, 53, query.to_wire()), tags)
    with raw_socket(CLIENT_NS, node.client_if) as sock:
        sock.settimeout(seconds)
        sock.send(out)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                data = receive(sock)
            except TimeoutError:
                break
            found = parse_reply(data) if data[:6] == mac(node.client_mac) else None
            if found and found[3] == 53 and found[4] == sport:
                assert (found[1], found[2]) == (target, source)
                assert data[6:12] == mac(node.port_mac)
                return found[0], dns.message.from_wire(found[5])
    raise AssertionError("no reply came")


def echo(ns, address, seconds=3.0):
    """Whether `address` answers an ICMP echo request from `ns` (what ping asks)."""
    v6 = ":" in address
    with inside.namespace(ns):
        sock = socket.socket(
            socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM,
            socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP,
        )
    with sock:
        sock.settimeout(seconds)
        sock.connect((address, 0))
        sock.send(struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, 0, 1) + b"swarm")
        try:
            return sock.recv(100)[0] == (129 if v6 else 0)
        except (TimeoutError, OSError):
            return False


class Watch:
    """Counts DNS queries for a name that pass an interface of a namespace towards `port`."""

    def __init__(self, ns, interface, name, port):
        self.sock = raw_socket(ns, interface)
        self.sock.setblocking(False)
        self.wanted = dns.message.make_query(name, "A").question[0].name.to_wire().lower()
        self.port = port
        self.times = []

    def drain(self):
        """Takes in what has passed since. Call it often enough for the socket's buffer (4 MiB)."""
        with contextlib.suppress(BlockingIOError):
            while True:
                data, address = self.sock.recvfrom(65536)
                # lo shows each frame twice, out and in; a query leaves by any other link once.
                if address[2] != (PACKET_HOST if address[0] == "lo" else PACKET_OUTGOING):
                    continue
                found = parse_reply(data)
                if found and found[4] == self.port and found[5][12 : 12 + len(self.wanted)].lower() == self.wanted:
                    self.times.append(time.monotonic())
        return len(self.times)

    def close(self):
        self.sock.close()
