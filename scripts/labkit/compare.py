"""`lab diff`: the same questions to a node's service address and to its own resolver, and what differs.

Compared are rcode, flags and the sections, apart from TTLs, order and the OPT record. A truncated answer is
asked for again over TCP, on either side. The node is asked twice: the first answer comes through the miss path,
the second from its cache.
"""

import collections
import concurrent.futures
import dataclasses
import random
import time

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from . import inside, internet, servers
from .settings import CLIENT_NS, LabError, Node

SECTIONS = ("question", "answer", "authority", "additional")
VARIANTS = {"plain": {}, "do": {"dnssec": True}, "ad": {"ad": True}, "cd": {"dnssec": True, "cd": True}, "noedns": {}}
PATIENCE = 25.0  # seconds a resolver may take over a name whose servers do not answer


@dataclasses.dataclass
class View:
    """What is compared of an answer."""

    rcode: str
    flags: str
    sections: dict

    @staticmethod
    def of(message):
        flags = dns.flags.to_text(message.flags & ~0x000F)
        sections = {}
        for name in SECTIONS:
            rrs = set()
            for rrset in getattr(message, name):
                owner = rrset.name.canonicalize().to_text()
                kind = dns.rdatatype.to_text(rrset.rdtype)
                if name == "question":
                    rrs.add((owner, kind))
                rrs.update((owner, kind, rdata.to_digestable(dns.name.root)) for rdata in rrset)
            sections[name] = rrs
        return View(dns.rcode.to_text(message.rcode()), flags, sections)


def differences(ours, theirs):
    """Lines that say how two views differ; none when they are equal."""
    out = []
    if ours.rcode != theirs.rcode:
        out.append(f"rcode {ours.rcode}, resolver {theirs.rcode}")
    if ours.flags != theirs.flags:
        out.append(f"flags {ours.flags}, resolver {theirs.flags}")
    for name in SECTIONS:
        only_ours = ours.sections[name] - theirs.sections[name]
        only_theirs = theirs.sections[name] - ours.sections[name]
        if only_ours or only_theirs:
            out.append(f"{name}: only node {brief(only_ours)}, only resolver {brief(only_theirs)}")
    return out


def brief(rrs):
    words = sorted(f"{rr[0]}/{rr[1]}" for rr in rrs)
    shown = ", ".join(words[:3])
    return f"{{{shown}{', …' if len(words) > 3 else ''}}} ({len(words)})"


def make_query(asked, variant):
    options = dict(VARIANTS[variant])
    message = dns.message.make_query(
        dns.name.from_text(asked.name), asked.rrtype, use_edns=-1 if variant == "noedns" else 0,
        want_dnssec=options.get("dnssec", False), payload=1232,
    )
    if options.get("ad"):
        message.flags |= dns.flags.AD
    else:
        message.flags &= ~dns.flags.AD
    if options.get("cd"):
        message.flags |= dns.flags.CD
    return message


def ask(ns, message, address, port, seconds, total):
    """Asks until an answer comes or `total` seconds are over; over TCP when truncated."""
    end = time.monotonic() + total
    while True:
        message.id = random.getrandbits(16)
        try:
            reply = inside.ask_udp(ns, message, address, port, seconds)
            if reply.flags & dns.flags.TC:
                reply = inside.ask_tcp(ns, message, address, port, max(seconds, 10.0))
            return reply
        except (dns.exception.Timeout, ConnectionError, EOFError):
            if time.monotonic() > end:
                return None


class Comparison:
    """One run over a list of questions against node and resolver."""

    def __init__(self, node, resolver, passes=2):
        self.node = node
        self.resolver = resolver
        self.passes = passes

    def one(self, asked, variant):
        """Difference lines of one question, each naming the pass it was seen in."""
        message = make_query(asked, variant)
        replies = [
            ask(CLIENT_NS, message, self.node.service4, 53, 6.0, 20.0) for _ in range(self.passes)
        ]
        direct = ask(self.node.ns, message, *self.resolver, 4.0, PATIENCE)
        out = []
        for number, reply in enumerate(replies, 1):
            if reply is None:
                found = ["no answer"]
            elif direct is None:  # silence and SERVFAIL both say that it cannot be resolved
                failed = reply.rcode() == dns.rcode.SERVFAIL
                found = [] if failed else [f"the resolver gave no answer in {PATIENCE:g} s"]
            else:
                found = differences(View.of(reply), View.of(direct))
            out += [f"answer {number}: {line}" for line in found]
        return out

    def settled(self, asked, variant):
        """Like one(). A side that gave up for lack of time (SERVFAIL) gets a second chance."""
        found = self.one(asked, variant)
        if any("SERVFAIL" in line or "no answer" in line for line in found):
            time.sleep(6.0)  # longer than a SERVFAIL is kept (RFC 9520)
            found = self.one(asked, variant)
        return found

    def run(self, questions, jobs):
        """Yields (asked, variant, difference lines) for each question, in order."""
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            window = collections.deque()
            for asked, variant in questions:
                window.append((asked, variant, pool.submit(self.settled, asked, variant)))
                if len(window) >= 64 * jobs:
                    yield finish(window.popleft())
            while window:
                yield finish(window.popleft())


def finish(entry):
    asked, variant, future = entry
    return asked, variant, future.result()


def add_arguments(parser):
    parser.add_argument("--node", type=int, default=1, help="which node (default 1)")
    parser.add_argument("--case", action="append", default=[], help="only this case; may be repeated")
    parser.add_argument("--names", default="", metavar="FILE", help="`name type [case]` lines instead of `lab names`")
    parser.add_argument("--limit", type=int, default=0, help="at most this many questions of each case")
    parser.add_argument("--flags", default="plain,do", help="variants, of " + ",".join(VARIANTS) + " (default plain,do)")
    parser.add_argument("--resolver", default="127.0.0.1@553", help="ADDRESS@PORT inside the node (default 127.0.0.1@553)")
    parser.add_argument("--jobs", type=int, default=24, help="questions at once (default 24)")
    parser.add_argument("--quiet", action="store_true", help="only the sum")


def select(asked, cases, limit):
    """The questions of `asked` that are wanted, slow cases first so that they do not come last alone."""
    seen = collections.Counter()
    out = []
    for item in asked:
        if cases and item.case not in cases:
            continue
        seen[item.case] += 1
        if not limit or seen[item.case] <= limit:
            out.append(item)
    return sorted(out, key=lambda item: item.case not in ("timeout", "slow", "lame-refused"))


def main(args, options):
    if not 1 <= args.node <= options.nodes:
        raise LabError(f"--node {args.node}: this lab has {options.nodes}")
    variants = args.flags.split(",")
    for variant in variants:
        if variant not in VARIANTS:
            raise LabError(f"--flags {variant}: known are {', '.join(VARIANTS)}")
    address, _, port = args.resolver.partition("@")
    source = args.names or servers.INTERNET / "names.txt"
    asked = select(internet.read_asked(source), args.case, args.limit)
    if not asked:
        raise LabError("no question matches: `scripts/lab names --cases` lists the cases")
    comparison = Comparison(Node(args.node), (address, int(port or 53)))
    questions = [(item, variant) for item in asked for variant in variants]
    begun, different = time.monotonic(), 0
    for item, variant, found in comparison.run(questions, args.jobs):
        if found:
            different += 1
            if not args.quiet:
                print(f"{item.name} {item.rrtype} ({item.case}, {variant})")
                print("".join(f"    {line}\n" for line in found), end="")
    names = len({item.name.lower() for item in asked})
    print(
        f"{names} names, {len(questions)} questions in {time.monotonic() - begun:.1f} s: "
        f"{len(questions) - different} equal, {different} differ"
    )
    return 1 if different else 0
