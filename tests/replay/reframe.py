"""Re-addresses captured packets to a node: its MAC, its service address, port 53, from the client's address.

Checksums of whole datagrams are computed anew: no capture has a bad one for its subject, and those taken on a sending
host hold only the pseudo-header sum (checksum offload). A fragment's is moved along with what changed (RFC 1624), so
that it stays what the whole datagram needs. A UDP checksum of 0 stays 0.
"""

import ipaddress
import struct


def ones_sum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def _moved(checksum, old, new):
    return ~ones_sum(struct.pack("!H", ~checksum & 0xFFFF) + bytes(~b & 0xFF for b in old) + new) & 0xFFFF


class Target:
    """Where frames go: the node's MAC and service addresses, and the client they come from."""

    def __init__(self, node_mac, client_mac, node_v4, client_v4, node_v6, client_v6):
        self.node_mac = bytes.fromhex(node_mac.replace(":", ""))
        self.client_mac = bytes.fromhex(client_mac.replace(":", ""))
        self.v4 = (ipaddress.ip_address(client_v4).packed, ipaddress.ip_address(node_v4).packed)
        self.v6 = (ipaddress.ip_address(client_v6).packed, ipaddress.ip_address(node_v6).packed)

    def frame(self, packet):
        kind = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
        return self.node_mac + self.client_mac + kind + packet


def _transport(packet, offset, protocol, first_fragment, whole, old_addresses, new_addresses):
    """Returns the packet with its UDP or TCP ports and checksum put right."""
    at = {17: 6, 6: 16}.get(protocol)
    if at is None or not first_fragment or len(packet) < offset + at + 2:
        return packet
    segment = bytearray(packet[offset:])
    old_ports = bytes(segment[0:4])
    source = struct.unpack("!H", old_ports[0:2])[0]
    # A captured response comes from port 53; a query must not.
    segment[0:2] = struct.pack("!H", 50053 if source == 53 else source)
    segment[2:4] = struct.pack("!H", 53)
    stored = struct.unpack("!H", segment[at : at + 2])[0]
    if stored or protocol == 6:
        length = struct.unpack("!H", segment[4:6])[0] if protocol == 17 else len(segment)
        pseudo_tail = struct.pack("!BBH", 0, protocol, length & 0xFFFF)
        if whole:
            segment[at : at + 2] = b"\0\0"
            fresh = ~ones_sum(new_addresses + pseudo_tail + bytes(segment[:length])) & 0xFFFF
        else:
            fresh = _moved(stored, old_addresses + old_ports, new_addresses + bytes(segment[0:4]))
        segment[at : at + 2] = struct.pack("!H", fresh or 0xFFFF)
    return packet[:offset] + bytes(segment)


def reframe(packet, target):
    """The frame for one captured IP packet, or None where its header is cut short."""
    if packet[0] >> 4 == 4:
        header_len = (packet[0] & 0xF) * 4
        if len(packet) < 20 or header_len < 20 or len(packet) < header_len:
            return None
        old = packet[12:20]
        new = target.v4[0] + target.v4[1]
        header = bytearray(packet[:header_len])
        header[12:20] = new
        header[8] = header[8] or 1
        header[10:12] = b"\0\0"
        header[10:12] = struct.pack("!H", ~ones_sum(bytes(header)) & 0xFFFF)
        fragment = struct.unpack("!H", packet[6:8])[0]
        body = bytes(header) + packet[header_len:]
        packet = _transport(body, header_len, packet[9], fragment & 0x1FFF == 0, fragment & 0x3FFF == 0, old, new)
        return target.frame(packet)
    if len(packet) < 40:
        return None
    old = packet[8:40]
    new = target.v6[0] + target.v6[1]
    body = packet[:8] + new + packet[40:]
    following, offset, first, whole = packet[6], 40, True, True
    if following == 44 and len(packet) >= 48:  # fragment header
        fragment = struct.unpack("!H", packet[42:44])[0]
        following, offset, first, whole = packet[40], 48, fragment >> 3 == 0, False
    return target.frame(_transport(body, offset, following, first, whole, old, new))
