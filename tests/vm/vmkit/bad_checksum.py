"""Sends five DNS queries whose UDP checksum is wrong: bad_checksum.py INTERFACE MAC SOURCE TARGET."""

import socket
import struct
import sys

import dns.message

interface, mac, source, target = sys.argv[1:]
payload = dns.message.make_query("www.vm.test.", "A").to_wire()
udp = struct.pack("!HHHH", 40000, 53, 8 + len(payload), 0x1234) + payload
header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(target))
total = sum(struct.unpack("!10H", header))
total = (total & 0xFFFF) + (total >> 16)
header = header[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + header[12:]
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
    raw.bind((interface, 0))
    own = raw.getsockname()[4]
    for _ in range(5):
        raw.send(bytes.fromhex(mac.replace(":", "")) + own + b"\x08\x00" + header + udp)
