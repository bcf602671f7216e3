"""Frames of our own that no honest client sends, for the integration tests, which must do without captures."""

import struct

from .reframe import ones_sum


def question(name=b"\x04name\x04test\x00", qtype=1, qclass=1):
    return name + struct.pack("!HH", qtype, qclass)


def message(body=question(), flags=0x0100, counts=(1, 0, 0, 0)):
    return struct.pack("!6H", 0x1234, flags, *counts) + body


def opt(version=0, options=b"", owner=b"\0", size=None):
    length = len(options) if size is None else size
    return owner + struct.pack("!HHIH", 41, 1232, version << 16, length) + options


def udp(payload, source_port=40000, port=53, length=None, checksum=None):
    """A UDP header without its checksum unless one is given; `finish` computes it."""
    return source_port, port, len(payload) + 8 if length is None else length, checksum, payload


def ipv4(target, segment, options=b"", fragment=0, ttl=64, total=None, header_checksum=None, source=None, version=4):
    source_port, port, length, checksum, payload = segment
    source, destination = source or target.v4[0], target.v4[1]
    body = struct.pack("!4H", source_port, port, length, 0) + payload
    if checksum is None:
        checksum = ~ones_sum(source + destination + struct.pack("!HH", 17, length) + body[:length]) & 0xFFFF or 0xFFFF
    body = body[:6] + struct.pack("!H", checksum) + payload
    header_len = 20 + len(options)
    header = bytearray(struct.pack("!BBHHHBBH", version << 4 | header_len // 4, 0, total or header_len + len(body), 7,
                                   fragment, ttl, 17, 0) + source + destination + options)
    sum_now = ~ones_sum(bytes(header)) & 0xFFFF if header_checksum is None else header_checksum
    header[10:12] = struct.pack("!H", sum_now)
    return bytes(header) + body


def ipv6(target, segment, following=17, prefix=b"", length=None, source=None):
    source_port, port, udp_length, checksum, payload = segment
    source, destination = source or target.v6[0], target.v6[1]
    body = struct.pack("!4H", source_port, port, udp_length, 0) + payload
    if checksum is None:
        checksum = ~ones_sum(source + destination + struct.pack("!IHBB", udp_length, 0, 0, 17) + body) & 0xFFFF or 0xFFFF
    body = prefix + body[:6] + struct.pack("!H", checksum) + payload
    return struct.pack("!IHBB", 6 << 28, len(body) if length is None else length, following, 64) + source + destination + body


def odd_messages():
    """DNS messages that the network layers have nothing against."""
    long_name = (b"\x3f" + b"a" * 63) * 4 + b"\0"
    return {
        "short": b"\x12\x34\x01\x00\x00\x01",
        "response": message(flags=0x8180),
        "notify": message(flags=0x2000),
        "update": message(flags=0x2800),
        "opcode 15": message(flags=0x7800),
        "no question": message(b"", counts=(0, 0, 0, 0)),
        "two questions": message(question() * 2, counts=(2, 0, 0, 0)),
        "65535 questions": message(counts=(65535, 0, 0, 0)),
        "an answer": message(question() + b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04\x7f\0\0\x01", counts=(1, 1, 0, 0)),
        "pointer in the question": message(b"\xc0\x0c" + struct.pack("!HH", 1, 1)),
        "label type 01": message(b"\x41abc\0" + struct.pack("!HH", 1, 1)),
        "name of 257": message(question(long_name)),
        "name cut": message(b"\x3fabc"),
        "no type": message(b"\x04name\x04test\x00\0"),
        "OPT cut": message(question() + opt()[:7], counts=(1, 0, 0, 1)),
        "OPT options past the end": message(question() + opt(size=9), counts=(1, 0, 0, 1)),
        "OPT not at the root": message(question() + opt(owner=b"\x01x\0"), counts=(1, 0, 0, 1)),
        "EDNS version 1": message(question() + opt(version=1), counts=(1, 0, 0, 1)),
        "cookie of 5": message(question() + opt(options=b"\0\x0a\0\x05abcde"), counts=(1, 0, 0, 1)),
        "option cut": message(question() + opt(options=b"\0\x03\0"), counts=(1, 0, 0, 1)),
        "two OPTs": message(question() + opt() * 2, counts=(1, 0, 0, 2)),
        "class HS": message(question(qclass=4)),
        "class ANY": message(question(qclass=255)),
        "type ANY": message(question(qtype=255)),
        "AXFR": message(question(qtype=252)),
        "MAILB": message(question(qtype=253)),
        "type OPT": message(question(qtype=41)),
        "type 0": message(question(qtype=0)),
        "no recursion": message(question(b"\x05never\x04seen\x00"), flags=0x0000),
        "octets behind the question": message(question(b"\x05never\x04seen\x00") + b"\xff" * 9, flags=0x0000),
    }


def odd_frames(target):
    """{what it is: [frame]}, each in IPv4 and, where there is a counterpart, IPv6."""
    good = message(question(b"\x05never\x04seen\x00"), flags=0x0000)  # REFUSED without a miss
    cases = {name: [target.frame(ipv4(target, udp(m))), target.frame(ipv6(target, udp(m)))]
             for name, m in odd_messages().items()}
    v4, v6 = target.v4[1], target.v6[1]
    four = {
        "padded frame": ipv4(target, udp(good)) + b"\0" * 40,
        "no checksum": ipv4(target, udp(good, checksum=0)),
        "bad checksum": ipv4(target, udp(good, checksum=0x1234)),
        "bad header checksum": ipv4(target, udp(good), header_checksum=0x1234),
        "IP options": ipv4(target, udp(good), options=b"\x01" * 4),
        "first fragment": ipv4(target, udp(good), fragment=0x2000),
        "last fragment": ipv4(target, udp(good), fragment=0x0010),
        "do not fragment": ipv4(target, udp(good), fragment=0x4000),
        "total too long": ipv4(target, udp(good), total=1000),
        "UDP length 7": ipv4(target, udp(good, length=7)),
        "UDP length too long": ipv4(target, udp(good, length=900)),
        "port 5353": ipv4(target, udp(good, port=5353)),
        "source port 0": ipv4(target, udp(good, source_port=0)),
        "from ourselves": ipv4(target, udp(good), source=v4),
        "from loopback": ipv4(target, udp(good), source=b"\x7f\0\0\x01"),
        "from multicast": ipv4(target, udp(good), source=b"\xe0\0\0\xfb"),
        "version 5": ipv4(target, udp(good), version=5),
        "cut in the header": ipv4(target, udp(good))[:15],
    }
    six = {
        "v6 padded frame": ipv6(target, udp(good)) + b"\0" * 9,
        "v6 no checksum": ipv6(target, udp(good, checksum=0)),
        "v6 bad checksum": ipv6(target, udp(good, checksum=0x1234)),
        "v6 destination options": ipv6(target, udp(good), following=60, prefix=b"\x11\0\x01\x04\0\0\0\0"),
        "v6 fragment": ipv6(target, udp(good), following=44, prefix=b"\x11\0\0\x01\0\0\0\x07"),
        "v6 length too long": ipv6(target, udp(good), length=1000),
        "v6 from ourselves": ipv6(target, udp(good), source=v6),
        "v6 from multicast": ipv6(target, udp(good), source=b"\xff\x02" + b"\0" * 13 + b"\x01"),
    }
    cases.update({name: [target.frame(packet)] for name, packet in (four | six).items()})
    plain = target.frame(ipv4(target, udp(good)))
    tag = b"\x81\0\0\x07"
    cases["three VLAN tags"] = [plain[:12] + tag * 3 + plain[12:]]
    cases["another MAC"] = [b"\x02\x99\x99\x99\x99\x99" + plain[6:]]
    cases["from a group MAC"] = [plain[:6] + b"\x03" + plain[7:]]
    cases["unknown ethertype"] = [plain[:12] + b"\x12\x34" + plain[14:]]
    return cases
