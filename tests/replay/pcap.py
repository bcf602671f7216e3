"""Reads capture files (pcap, any byte order) and finds the IP packet in a record of any link type seen in the field."""

import struct

ETHERNET, NULL, FDDI, PPP_HDLC, RAW, IPV4, SLL, SLL2 = 1, 0, 10, 50, 101, 228, 113, 276
_MAGICS = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}


def read(path):
    """Returns (link type, [record bytes])."""
    data = path.read_bytes()
    order = _MAGICS.get(data[:4])
    if order is None:
        raise ValueError(f"{path}: not a pcap file (magic {data[:4].hex()})")
    link = struct.unpack(order + "I", data[20:24])[0] & 0xFFFF
    records, offset = [], 24
    while offset + 16 <= len(data):
        captured = struct.unpack(order + "I", data[offset + 8 : offset + 12])[0]
        records.append(data[offset + 16 : offset + 16 + captured])
        offset += 16 + captured
    return link, records


def _by_version(packet):
    return packet if packet and packet[0] >> 4 in (4, 6) else None


def ip_packet(link, record):
    """The IP packet inside a record, or None where there is none (ARP, LLC, ...)."""
    if link == ETHERNET:
        offset = 12
        while record[offset : offset + 2] in (b"\x81\x00", b"\x88\xa8"):
            offset += 4
        kind = record[offset : offset + 2]
        return _by_version(record[offset + 2 :]) if kind in (b"\x08\x00", b"\x86\xdd") else None
    if link == NULL:
        return _by_version(record[4:])
    if link == FDDI:
        return _by_version(record[21:]) if record[13:16] == b"\xaa\xaa\x03" else None
    if link == PPP_HDLC:
        return _by_version(record[4:])
    if link in (RAW, IPV4):
        return _by_version(record)
    if link == SLL:
        return _by_version(record[16:])
    if link == SLL2:
        return _by_version(record[20:])
    raise ValueError(f"unknown link type {link}: teach tests/replay/pcap.py")
