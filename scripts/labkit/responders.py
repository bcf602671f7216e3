"""Servers that misbehave on purpose, in front of the lab's NSD. Run inside sw-internet.

    python3 -m labkit.responders BACKEND MODE=ADDRESS ...

Each query is passed to BACKEND (an address of NSD); what comes back is late (`slow`), has no AA bit
(`plainaa`), or is FORMERR when the query carried EDNS (`noedns`).
"""

import asyncio
import socket
import struct
import sys

SLOW_SECONDS = 1.0
BACKEND_SECONDS = 3.0
IP_FREEBIND, IPV6_FREEBIND = 15, 78


def bound(address, kind):
    """A socket on port 53 of an address that no interface carries (AnyIP)."""
    v6 = ":" in address
    sock = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if v6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
    sock.setblocking(False)
    sock.bind((address, 53))
    return sock


async def ask_tcp(backend, query):
    reader, writer = await asyncio.open_connection(backend, 53)
    try:
        writer.write(struct.pack("!H", len(query)) + query)
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        return await reader.readexactly(size)
    finally:
        writer.close()


class Waiter(asyncio.DatagramProtocol):
    """Takes one datagram from the backend."""

    def __init__(self):
        self.reply = asyncio.get_running_loop().create_future()

    def datagram_received(self, data, addr):
        if not self.reply.done():
            self.reply.set_result(data)

    def error_received(self, exc):
        if not self.reply.done():
            self.reply.set_exception(exc)


async def ask_udp(backend, query):
    loop = asyncio.get_running_loop()
    transport, waiter = await loop.create_datagram_endpoint(Waiter, remote_addr=(backend, 53))
    try:
        transport.sendto(query)
        return await asyncio.wait_for(waiter.reply, BACKEND_SECONDS)
    finally:
        transport.close()


async def answer(mode, query, ask, backend):
    """The reply of a server of kind `mode`, or None for silence."""
    if len(query) < 12:
        return None
    if mode == "noedns" and struct.unpack("!H", query[10:12])[0] > 0:
        flags = 0x8000 | (query[2] & 0x79) << 8 | 1  # QR, the query's opcode and RD, FORMERR
        return query[:2] + struct.pack("!HHHHH", flags, 0, 0, 0, 0)
    if mode == "slow":
        await asyncio.sleep(SLOW_SECONDS)
    try:
        reply = bytearray(await ask(backend, query))
    except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
        return None
    if mode == "plainaa":
        reply[2] &= 0xFB
    return bytes(reply)


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, mode, backend):
        self.mode, self.backend = mode, backend
        self.transport = None
        self.tasks = set()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        task = asyncio.get_running_loop().create_task(self.serve(data, addr))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def serve(self, data, addr):
        reply = await answer(self.mode, data, ask_udp, self.backend)
        if reply:
            self.transport.sendto(reply, addr)


def stream_server(mode, backend):
    async def serve(reader, writer):
        try:
            while True:
                (size,) = struct.unpack("!H", await reader.readexactly(2))
                reply = await answer(mode, await reader.readexactly(size), ask_tcp, backend)
                if reply is None:
                    break
                writer.write(struct.pack("!H", len(reply)) + reply)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    return serve


async def main(backend, wanted):
    loop = asyncio.get_running_loop()
    for mode, address in wanted:
        await loop.create_datagram_endpoint(
            lambda mode=mode: Datagrams(mode, backend), sock=bound(address, socket.SOCK_DGRAM)
        )
        await asyncio.start_server(stream_server(mode, backend), sock=bound(address, socket.SOCK_STREAM))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], [word.split("=", 1) for word in sys.argv[2:]]))
