"""Asks a server COUNT questions, each from a port of its own, 32 at a time: burst.py ADDRESS COUNT. Prints how many were
answered rightly: the ID, the question, and the address that the name stands for."""

import select
import socket
import sys
import time

import dns.message
import dns.rdatatype

address, count = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
right = 0
for first in range(0, count, 32):
    waiting = {}
    for i in range(first, min(first + 32, count)):
        query = dns.message.make_query(f"n{i % 64}.vm.test.", "A")
        one = socket.socket(family, socket.SOCK_DGRAM)
        one.connect((address, 53))
        one.send(query.to_wire())
        waiting[one] = (query, f"203.0.113.{i % 64 + 1}")
    deadline = time.monotonic() + 30
    while waiting and time.monotonic() < deadline:
        for one in select.select(list(waiting), [], [], 1)[0]:
            query, wanted = waiting.pop(one)
            reply = dns.message.from_wire(one.recv(4096))
            if query.is_response(reply) and [item.address for rrset in reply.answer for item in rrset] == [wanted]:
                right += 1
            one.close()
print(right)
