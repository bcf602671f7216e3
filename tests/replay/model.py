"""What a node must make of a frame, worked out apart from the node's own code: the oracle behind expected.json.

`outcome(frame, node)` names the one counter under which the frame ends: `kernel.*` (handed to the kernel), `drop.*`, or
for an answered query `rcode.*`; `resolved` stands for a question that goes to the cache or an upstream, whose reply code
is not ours to say.
"""

import collections
import ipaddress
import struct

from .reframe import ones_sum

EXTENSIONS = {0, 43, 50, 51, 60, 135, 139, 140}
META_TYPES = {0, 41, *range(128, 256)}  # OPT and RFC 6895 3.1's range of Q and meta types


def outcomes(frames, node):
    """How many frames end under each name; a DNS message that the kernel makes of fragments or of a packet with options
    is counted a second time, by the thread that reads it there."""
    ends = [outcome(frame, node) for frame in frames]
    counted = collections.Counter(ends)
    for message in _reassembled(frame for frame, end in zip(frames, ends) if end == "kernel.to_fragment"):
        counted[message_outcome(message)] += 1
    for datagram in (_behind_options(frame) for frame, end in zip(frames, ends) if end == "kernel.to_options"):
        if datagram[2:4] == b"\0\x35":
            counted[message_outcome(datagram[8:])] += 1
    return dict(sorted(counted.items()))


def _behind_options(frame):
    """The UDP datagram behind IPv4 options or IPv6 options headers, or nothing; no VLAN tags."""
    packet = frame[14:]
    if packet[0] >> 4 == 4:
        return packet[(packet[0] & 15) * 4 : struct.unpack("!H", packet[2:4])[0]] if packet[9] == 17 else b""
    following, offset = packet[6], 40
    while following in (0, 43, 60) and offset + 2 <= len(packet):
        following, offset = packet[offset], offset + 8 * (packet[offset + 1] + 1)
    return packet[offset:] if following == 17 else b""


def _fragment(frame):
    """(what names its datagram, offset, octets, whether more follow, addresses, protocol); no VLAN tags."""
    packet = frame[14:]
    if frame[12:14] == b"\x08\x00":  # RFC 791 3.2
        header, total, field = (packet[0] & 15) * 4, *struct.unpack("!2xH2xH", packet[:8])
        key = packet[12:20] + packet[9:10] + packet[4:6]
        return key, (field & 0x1FFF) * 8, packet[header:total], bool(field & 0x2000), packet[12:20], packet[9]
    # RFC 8200 4.5: the fragment header comes first behind the fixed one in all that is handed over as a fragment.
    end = 40 + struct.unpack("!H", packet[4:6])[0]
    protocol, field, number = struct.unpack("!BxHI", packet[40:48])
    return packet[8:40] + struct.pack("!I", number), field & 0xFFF8, packet[48:end], bool(field & 1), packet[8:40], protocol


def _reassembled(frames):
    """DNS messages to port 53 in the datagrams whose fragments are all there."""
    parts = collections.defaultdict(dict)
    for frame in frames:
        key, offset, octets, more, addresses, protocol = _fragment(frame)
        parts[key][offset] = (octets, more)
        datagram, more = b"", True
        while more and len(datagram) in parts[key]:
            data, more = parts[key][len(datagram)]
            datagram += data
            if not data:
                break
        if more:
            continue
        del parts[key]
        if protocol == 17 and datagram[2:4] == b"\0\x35":
            length, checksum = struct.unpack("!HH", datagram[4:8])
            right = ones_sum(addresses + struct.pack("!HH", 17, length) + datagram[:length]) == 0xFFFF
            absent = checksum == 0 and len(addresses) == 8  # lawful in IPv4 alone
            if 8 <= length <= len(datagram) and (right or absent):
                yield datagram[8:length]


class Identity:
    """The node's port: MAC, service addresses."""

    def __init__(self, mac, addresses):
        self.mac = bytes.fromhex(mac.replace(":", ""))
        self.service = {ipaddress.ip_address(a).packed for a in addresses}

    def is_ours(self, address):
        return address in self.service or (len(address) == 16 and address[:2] == b"\xfe\x80")

    def is_martian(self, address):
        ip = ipaddress.ip_address(address)
        if address in self.service or ip.is_unspecified or ip.is_loopback or ip.is_multicast:
            return True
        if ip.version == 4:
            return address[0] == 0 or address[0] >= 240
        return ip.ipv4_mapped is not None


def outcome(frame, node):
    if len(frame) < 14:
        return "drop.runt"
    kind, offset, tags = frame[12:14], 14, 0
    while kind in (b"\x81\x00", b"\x88\xa8"):
        if tags == 2:
            return "drop.vlan_depth"
        if len(frame) < offset + 4:
            return "drop.runt"
        kind = frame[offset + 2 : offset + 4]
        offset, tags = offset + 4, tags + 1
    if frame[6] & 1:
        return "drop.martian_source"
    packet = frame[offset:]
    if frame[:6] != node.mac:
        return _group(kind, packet) if frame[0] & 1 else "drop.foreign_mac"
    if kind == b"\x08\x00":
        return _ipv4(packet, node)
    if kind == b"\x86\xdd":
        return _ipv6(packet, node)
    return "kernel.to_arp" if kind == b"\x08\x06" else "drop.ether_type"


def _group(kind, packet):
    """Broadcast and multicast: what an interface cannot live without."""
    if kind == b"\x08\x06":
        return "kernel.to_arp"
    if kind != b"\x86\xdd":
        return "drop.foreign_mac"
    if len(packet) < 40:
        return "drop.runt"
    if packet[0] >> 4 != 6:
        return "drop.ip_version"
    if struct.unpack("!H", packet[4:6])[0] > len(packet) - 40:
        return "drop.runt"
    if packet[24:26] != b"\xff\x02":
        return "drop.foreign_mac"
    return {58: "kernel.to_icmp", 0: "kernel.to_options"}.get(packet[6], "drop.foreign_mac")


def _ipv4(packet, node):
    if len(packet) < 20:
        return "drop.runt"
    if packet[0] >> 4 != 4:
        return "drop.ip_version"
    header = (packet[0] & 15) * 4
    total, flags = struct.unpack("!H", packet[2:4])[0], struct.unpack("!H", packet[6:8])[0]
    if header < 20 or total < header:
        return "drop.ip_header"
    if total > len(packet):
        return "drop.runt"
    if ones_sum(packet[:header]) != 0xFFFF:
        return "drop.ip_header"
    source, destination, protocol = packet[12:16], packet[16:20], packet[9]
    fragment = flags & 0x3FFF != 0
    if protocol == 17 and not fragment and header == 20:
        if destination not in node.service:
            return "drop.foreign_address"
        return _udp(packet[20:total], source, source + destination, node)
    if not node.is_ours(destination):
        return "drop.foreign_address"
    if node.is_martian(source):
        return "drop.martian_source"
    if fragment:
        return "kernel.to_fragment"
    if header > 20:
        return "kernel.to_options"
    return {6: "kernel.to_tcp", 1: "kernel.to_icmp"}.get(protocol, "kernel.to_other")


def _ipv6(packet, node):
    if len(packet) < 40:
        return "drop.runt"
    if packet[0] >> 4 != 6:
        return "drop.ip_version"
    length = struct.unpack("!H", packet[4:6])[0]
    if length > len(packet) - 40:
        return "drop.runt"
    source, destination, following = packet[8:24], packet[24:40], packet[6]
    if following == 17:
        if destination not in node.service:
            return "drop.foreign_address"
        return _udp(packet[40 : 40 + length], source, source + destination, node)
    if not node.is_ours(destination):
        return "drop.foreign_address"
    if following == 58:
        return "kernel.to_icmp"
    if node.is_martian(source):
        return "drop.martian_source"
    if following == 44:
        return "kernel.to_fragment"
    if following in EXTENSIONS:
        return "kernel.to_options"
    return "kernel.to_tcp" if following == 6 else "kernel.to_other"


def _udp(segment, source, addresses, node):
    if len(segment) < 8:
        return "drop.udp_length"
    source_port, port, length, checksum = struct.unpack("!4H", segment[:8])
    if length < 8 or length > len(segment):
        return "drop.udp_length"
    if port != 53:
        return "drop.udp_port"
    if source_port == 0:
        return "drop.source_port_zero"
    if node.is_martian(source):
        return "drop.martian_source"
    if checksum == 0:
        if len(source) == 16:
            return "drop.udp_checksum"
    elif ones_sum(addresses + struct.pack("!HH", 17, length) + segment[:length]) != 0xFFFF:
        return "drop.udp_checksum"
    return message_outcome(segment[8:length])


def message_outcome(message):
    """The DNS layer, RFC 1035 4.1, RFC 6891, RFC 8482, RFC 9619. Octets behind the last record are nobody's business."""
    if len(message) < 12:
        return "drop.short_message"
    _, flags, questions, answers, authorities, additionals = struct.unpack("!6H", message[:12])
    if flags & 0x8000:
        return "drop.response"
    if flags >> 11 & 15 != 0:
        return "rcode.notimp"
    if (questions, answers, authorities) != (1, 0, 0) or additionals > 1:
        return "rcode.formerr"  # a query has one question and at most an OPT record
    end = _skip_name(message, 12)
    if end is None or end + 4 > len(message):
        return "rcode.formerr"
    qtype, qclass = struct.unpack("!HH", message[end : end + 4])
    if additionals:
        verdict = _opt_outcome(message[end + 4 :])
        if verdict:
            return verdict
    return _question_outcome(qtype, qclass, flags)


def _skip_name(message, offset):
    """Offset behind the question's name, or None where it is malformed; a pointer has nothing to point at."""
    octets = 1
    while offset < len(message):
        length = message[offset]
        if length == 0:
            return offset + 1
        octets += length + 1
        if length > 63 or octets > 255:
            return None
        offset += length + 1
    return None


def _opt_outcome(record):
    """What the one additional record makes of the query, or None where it is a good OPT."""
    if len(record) < 11 or record[0] != 0 or record[1:3] != b"\0\x29":
        return "rcode.formerr"
    size = struct.unpack("!H", record[9:11])[0]
    if 11 + size > len(record):
        return "rcode.formerr"
    if record[6] != 0:
        return "rcode.badvers"
    options, at = record[11 : 11 + size], 0
    while at < len(options):
        if at + 4 > len(options):
            return "rcode.formerr"
        code, length = struct.unpack("!HH", options[at : at + 4])
        at += 4 + length
        if at > len(options):
            return "rcode.formerr"
        if code == 10 and length != 8 and not 16 <= length <= 40:  # RFC 7873 4
            return "rcode.formerr"
    return None


def _question_outcome(qtype, qclass, flags):
    if qclass != 1:
        return "rcode.refused"  # no capture asks for one of the CHAOS names that are answered
    if qtype == 255:
        return "rcode.noerror"  # RFC 8482
    if qtype in (251, 252):
        return "rcode.refused"  # zone transfers
    if qtype in META_TYPES:
        return "rcode.formerr"
    return "resolved" if flags & 0x0100 else "rcode.refused"
