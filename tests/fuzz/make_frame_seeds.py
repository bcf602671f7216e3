#!/usr/bin/env python3
"""Writes the seeds of the frame fuzz target: seeds/frame_fuzz. The first octet of each is the set-up (see frame_fuzz.cc).

The seeds are committed; the same script always gives the same octets. `--check` writes nothing and fails when a
committed seed differs.
"""

import pathlib
import socket
import struct
import sys

SEEDS = pathlib.Path(__file__).resolve().parent / "seeds" / "frame_fuzz"

MEND, COOKIES, REQUIRE, REFUSE, NIC, SMALL = 1, 2, 4, 8, 16, 32
SERVER, CLIENT = bytes.fromhex("020000000053"), bytes.fromhex("0200000000c1")


def name(text):
    labels = [label.encode() for label in text.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def message(body, flags=0x0100, qd=1, an=0, ns=0, ar=0):
    return struct.pack("!6H", 0x1234, flags, qd, an, ns, ar) + body


def question(text, qtype=1, qclass=1):
    return name(text) + struct.pack("!HH", qtype, qclass)


def opt(options=b"", payload=1232, ttl=0):
    return b"\0" + struct.pack("!HHIH", 41, payload, ttl, len(options)) + options


def option(code, data=b""):
    return struct.pack("!HH", code, len(data)) + data


def udp(payload, port=53, length=None):
    return struct.pack("!4H", 40000, port, 8 + len(payload) if length is None else length, 0) + payload


def ipv4(payload, first=0x45, fragment=0x4000, protocol=17, source="10.53.1.100", options=b""):
    head = struct.pack("!BBHHHBBH", first, 0, 20 + len(options) + len(payload), 1, fragment, 57, protocol, 0)
    return head + socket.inet_aton(source) + socket.inet_aton("10.53.1.1") + options + payload


def ipv6(payload, following=17, source="2001:db8::7"):
    head = struct.pack("!IHBB", 0x60000000, len(payload), following, 57)
    return head + socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, "fd53:1::1") + payload


def frame(packet, tags=b"", kind=None, to=SERVER):
    kind = struct.pack("!H", 0x86DD if packet[0] >> 4 == 6 else 0x0800) if kind is None else kind
    return to + CLIENT + tags + kind + packet


def seeds():
    plain = message(question("b.example."))
    edns = message(question("U.ExAmple.") + opt(payload=512, ttl=0x8000), flags=0x0120, ar=1)
    cookie = bytes.fromhex("2464c4abcf10c957010000005cf79f111f8130c3eee29480")
    yield "v4_plain", MEND, frame(ipv4(udp(plain)))
    yield "v6_plain", MEND, frame(ipv6(udp(plain)))
    yield "v4_edns_truncated", MEND, frame(ipv4(udp(edns)))
    yield "v6_edns_large", MEND, frame(ipv6(udp(message(question("i.example.") + opt(payload=4096), ar=1))))
    yield "vlan", MEND, frame(ipv4(udp(plain)), tags=bytes.fromhex("81000064"))
    yield "qinq_padded", MEND, frame(ipv6(udp(plain)), tags=bytes.fromhex("88a8000781000064")) + bytes(7)
    yield "no_udp_checksum", 0, frame(ipv4(udp(plain)))
    yield "nic_verified", NIC, frame(ipv4(udp(plain)))
    yield "small_room", MEND | SMALL, frame(ipv4(udp(edns)))
    yield "root", MEND, frame(ipv4(udp(message(question(".", 2)))))
    yield "miss", MEND, frame(ipv6(udp(message(question("miss.example.", 28) + opt(option(3)), ar=1))))
    yield "longest_name", MEND, frame(ipv4(udp(message(question(".".join(["x" * 63] * 3 + ["y" * 61]))))))
    yield "refused", MEND | REFUSE, frame(ipv4(udp(edns)))
    yield "cookie_good", MEND | COOKIES, frame(ipv4(udp(message(question("b.example.") + opt(option(10, cookie)), ar=1))))
    yield "cookie_required", MEND | COOKIES | REQUIRE, frame(ipv4(udp(message(question("b.example.") + opt(option(10, cookie[:8])), ar=1))))
    yield "cookie_probe", MEND | COOKIES, frame(ipv4(udp(message(opt(option(10, cookie)), qd=0, ar=1))))
    yield "options", MEND, frame(ipv4(udp(message(question("b.example.") + opt(option(3) + option(8, b"\0\1\x18\0\xc0\0\2") + option(11) + option(12, bytes(9))), ar=1))))
    yield "badvers", MEND, frame(ipv4(udp(message(question("b.example.") + opt(ttl=0x10000), ar=1))))
    yield "two_opts", MEND, frame(ipv4(udp(message(question("b.example.") + opt() + opt(), ar=2))))
    yield "two_questions", MEND, frame(ipv4(udp(message(question("b.example.") * 2, qd=2))))
    yield "compressed_question", MEND, frame(ipv4(udp(message(b"\xc0\x0c\0\1\0\1"))))
    yield "chaos", MEND, frame(ipv6(udp(message(question("version.bind.", 16, 3)))))
    yield "any", MEND, frame(ipv4(udp(message(question("b.example.", 255)))))
    yield "meta_type", MEND, frame(ipv4(udp(message(question("b.example.", 250) + opt(), ar=1))))
    yield "notify", MEND, frame(ipv4(udp(message(question("b.example.", 6), flags=0x2400))))
    yield "response", MEND, frame(ipv4(udp(message(question("b.example."), flags=0x8180))))
    yield "rd_clear", MEND, frame(ipv4(udp(message(question("none.example."), flags=0))))
    yield "ip_options", MEND, frame(ipv4(udp(plain), first=0x46, options=bytes(4)))
    yield "fragment", MEND, frame(ipv4(udp(plain), fragment=0x2000))
    yield "tcp", 0, frame(ipv4(bytes(20), protocol=6))
    yield "hop_by_hop", 0, frame(ipv6(bytes(8) + udp(plain), following=0))
    yield "udp_length", MEND, frame(ipv4(udp(plain, length=500)))
    yield "martian", MEND, frame(ipv4(udp(plain), source="127.0.0.1"))
    yield "arp", 0, frame(bytes(28), kind=b"\x08\x06", to=b"\xff" * 6)
    yield "runt", 0, frame(ipv4(udp(plain)))[:40]


def main():
    check = "--check" in sys.argv[1:]
    wanted = {text: bytes([setup]) + octets for text, setup, octets in seeds()}
    if not check:
        SEEDS.mkdir(parents=True, exist_ok=True)
        for text, octets in wanted.items():
            (SEEDS / text).write_bytes(octets)
        return 0
    wrong = [text for text, octets in wanted.items() if not (SEEDS / text).is_file() or (SEEDS / text).read_bytes() != octets]
    for text in wrong:
        print(f"{SEEDS / text}: not what {pathlib.Path(__file__).name} writes; run it without --check", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
