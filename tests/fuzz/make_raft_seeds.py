#!/usr/bin/env python3
"""Writes the seeds of the consensus message fuzz target: seeds/raft_message_fuzz, as messages of peer.proto.

The seeds are committed; the same script always gives the same octets. `--check` writes nothing and fails when a
committed seed differs.
"""

import hashlib
import pathlib
import struct
import sys

SEEDS = pathlib.Path(__file__).resolve().parent / "seeds" / "raft_message_fuzz"

VOTE, VOTE_RESULT, APPEND, APPEND_RESULT, INSTALL, TIMEOUT_NOW = 1, 2, 3, 4, 5, 6
COMMAND, BARRIER, CHANGE = 1, 2, 3
MEMBERS = [(1, b"one:1", 0), (2, b"two:1", 1), (3, b"three:1", 2)]


def varint(value):
    octets = b""
    while value > 127:
        octets += bytes([value & 127 | 128])
        value >>= 7
    return octets + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value) if value else b""
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(*values):
    """Fields 1, 2, 3 ...; a list is repeated."""
    octets = b""
    for number, value in enumerate(values, 1):
        for item in value if isinstance(value, list) else [value]:
            octets += field(number, item)
    return octets


def command(index, data, kind=1):
    framed = struct.pack("<I", len(data)) + struct.pack("<I", index)[:3] + bytes([kind]) + data
    return framed + bytes(-len(framed) % 8)


def members(servers):
    raft_role = {0: 1, 1: 0, 2: 2}  # C-raft counts stand-by, voter, spare
    octets = struct.pack("<BQ", 1, len(servers))
    for server, address, role in servers:
        octets += struct.pack("<Q", server) + address + b"\0" + bytes([raft_role[role]])
    return octets + bytes(-len(octets) % 8)


def manifest(text):
    return b"SDNSMAN1" + hashlib.blake2b(text, digest_size=16).digest() + text


def entry(term, kind, data):
    return fields(term, kind, data)


def append(entries, term=5, index=10, before=4):
    return field(APPEND, fields(term, index, before, 9, entries))


def seeds():
    yield "vote", field(VOTE, fields(5, 7, 10, 4, 1, 1))
    yield "vote_for_another", field(VOTE, fields(5, 8, 10, 4))
    yield "vote_result", field(VOTE_RESULT, fields(5, 1, 1, 1, 24576))
    yield "append_result", field(APPEND_RESULT, fields(5, 11, 10, 1, 24576))
    yield "timeout_now", field(TIMEOUT_NOW, fields(5, 10, 4))
    yield "heartbeat", append([])
    yield "first", append([entry(1, CHANGE, members(MEMBERS))], 1, 0, 0)
    yield "entries", append([entry(4, COMMAND, command(11, b"entry")), entry(5, BARRIER, bytes(8)),
                             entry(5, COMMAND, command(13, b"", 2)), entry(5, COMMAND, command(14, bytes(100)))])
    yield "entries_and_members", append([entry(5, COMMAND, command(11, b"a")), entry(5, CHANGE, members(MEMBERS)),
                                         entry(5, COMMAND, command(13, b"b")), entry(5, CHANGE, members(MEMBERS[:2]))])
    yield "entry_of_another_number", append([entry(5, COMMAND, command(12, b"entry"))])
    yield "entry_cut", append([entry(5, COMMAND, command(11, b"entry")[:-1])])
    yield "terms_fall", append([entry(5, BARRIER, bytes(8)), entry(4, BARRIER, bytes(8))])
    yield "members_cut", append([entry(5, CHANGE, members(MEMBERS)[:40])])
    yield "members_many", append([entry(5, CHANGE, struct.pack("<BQ", 1, 1 << 40) + bytes(7))])
    servers = [fields(*member) for member in MEMBERS]
    yield "install", field(INSTALL, fields(5, 100, 4, 50, servers, manifest(b"checkpoint 100")))
    yield "install_garbled", field(INSTALL, fields(5, 100, 4, 50, servers, manifest(b"checkpoint 100")[:-1]))
    yield "install_nobody", field(INSTALL, fields(5, 100, 4, 50, [], manifest(b"checkpoint 100")))
    yield "members_bare", members(MEMBERS)
    yield "empty", b""


def main():
    check = "--check" in sys.argv[1:]
    wanted = dict(seeds())
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
