"""Sockets and DNS questions inside a namespace, without starting a process there."""

import contextlib
import ctypes
import os
import socket
import struct

import dns.exception
import dns.message
import dns.query

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
IPV6_FREEBIND = 78


def _setns(fd):
    if _LIBC.setns(fd, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextlib.contextmanager
def namespace(ns):
    """Puts the calling thread into `ns`. A socket made in here stays there after the block."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        target = os.open(f"/run/netns/{ns}", os.O_RDONLY)
        try:
            _setns(target)
        finally:
            os.close(target)
        try:
            yield
        finally:
            _setns(home)
    finally:
        os.close(home)


def udp_socket(ns, address, port, source=None):
    """A UDP socket of `ns`, connected to (address, port)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with namespace(ns):
        sock = socket.socket(family, socket.SOCK_DGRAM)
        bind(sock, source)
        sock.connect((address, port))
    return sock


def bind(sock, source):
    """Binds to an address that need not be on an interface (AnyIP), if one is given."""
    if not source:
        return
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
    sock.bind((source, 0))


def ask_udp(ns, query, address, port=53, seconds=3.0, source=None):
    """Sends a dns.message over UDP. Returns the reply; dns.exception.Timeout when there is none.

    Every reply with another ID or question is passed over, as a resolver would do.
    """
    with udp_socket(ns, address, port, source) as sock:
        sock.settimeout(seconds)
        sock.send(query.to_wire(max_size=65535))
        while True:
            try:
                reply = dns.message.from_wire(sock.recv(65535), ignore_trailing=False)
            except socket.timeout as error:
                raise dns.exception.Timeout(timeout=seconds) from error
            if query.is_response(reply):
                return reply


def tcp_socket(ns, address, port, seconds, source=None):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with namespace(ns):
        sock = socket.socket(family, socket.SOCK_STREAM)
    sock.settimeout(seconds)
    bind(sock, source)
    sock.connect((address, port))
    return sock


def receive_exactly(sock, size):
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise EOFError(f"the connection closed after {len(data)} of {size} octets")
        data += piece
    return data


def ask_tcp(ns, query, address, port=53, seconds=5.0, source=None):
    """Sends a dns.message over a TCP connection of its own and returns the reply."""
    wire = query.to_wire(max_size=65535)
    with tcp_socket(ns, address, port, seconds, source) as sock:
        sock.sendall(struct.pack("!H", len(wire)) + wire)
        try:
            (size,) = struct.unpack("!H", receive_exactly(sock, 2))
            return dns.message.from_wire(receive_exactly(sock, size))
        except socket.timeout as error:
            raise dns.exception.Timeout(timeout=seconds) from error


def query(name, rrtype, dnssec=False, payload=1232, **flags):
    return dns.message.make_query(name, rrtype, use_edns=0, want_dnssec=dnssec, payload=payload, **flags)
