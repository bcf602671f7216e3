"""The names that are asked, and their answers: what the upstream says and what dnsvolley expects come from here.

A name says by its first letter what it is: `t123.w26.soak.` is a TXT of some hundred octets. Each has one answer for
ever, so that an answer may come from the cache, from a stale entry, from a dump or from upstream, and only one is right.
The names `turnN.w0.soak.` are different: see prober.py.
"""

import dataclasses
import ipaddress

ZONES = 97
TTLS = (1, 3, 10, 3600, 3600, 3600, 3600)
A, CNAME, SOA, MX, TXT, AAAA = 1, 5, 6, 15, 16, 28
TYPES = {A: "A", MX: "MX", TXT: "TXT", AAAA: "AAAA"}
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3
SILENT_ONE_IN = 5000

# Letter: how many of a hundred names, the type asked.
KINDS = {
    "a": (40, A),  # an address
    "q": (10, AAAA),
    "t": (30, TXT),  # some hundred octets, so that the budget is soon used up
    "c": (5, A),  # an alias of an alias of an address
    "n": (9, A),  # does not exist
    "d": (3, MX),  # exists, without the type
    "l": (1, A),  # the upstream takes its time
    "b": (1, TXT),  # too large for UDP
    "s": (1, A),  # the upstream fails
    "x": (0, A),  # the upstream says nothing: one in SILENT_ONE_IN names
}
LETTERS = "".join(letter * share for letter, (share, _) in KINDS.items())


@dataclasses.dataclass
class Answer:
    """rcode, and records of the type asked as text for an address or alias, as strings for TXT."""

    rcode: int
    aliases: tuple = ()
    records: tuple = ()


def letter_of(number):
    # 37 is prime to 100: the kinds are mixed, so that the names asked most are of all kinds.
    return "x" if number % SILENT_ONE_IN == SILENT_ONE_IN // 2 else LETTERS[number * 37 % 100]


def name_of(number):
    return f"{letter_of(number)}{number}.w{number % ZONES}.soak."


def ttl_of(number):
    return TTLS[number % len(TTLS)]


def text_of(number, octets):
    line = f"{number}-soak " * (octets // 6)
    return tuple(line[at : min(at + 200, octets)] for at in range(0, octets, 200))


def answer_of(letter, number):
    if letter in "al":
        return Answer(NOERROR, (), (str(ipaddress.IPv4Address(0x0B000000 + number)),))
    if letter == "c":
        tail = f".w{number % ZONES}.soak."
        return Answer(NOERROR, (f"c2-{number}{tail}", f"c3-{number}{tail}"),
                      (str(ipaddress.IPv4Address(0x0C000000 + number)),))
    if letter == "q":
        return Answer(NOERROR, (), (str(ipaddress.IPv6Address((0x20010DB8 << 96) + number)),))
    if letter == "t":
        return Answer(NOERROR, (), (text_of(number, 500 + number % 600),))
    if letter == "b":
        return Answer(NOERROR, (), (text_of(number, 2000 + number % 900),))
    if letter == "n":
        return Answer(NXDOMAIN)
    if letter == "d":
        return Answer(NOERROR)
    return Answer(SERVFAIL)  # "s", and "x" when the node has waited long enough


def expectation(number):
    """Two lines of text: of dnsvolley's query list, and of its expectations."""
    letter = letter_of(number)
    kind = TYPES[KINDS[letter][1]]
    answer = answer_of(letter, number)
    question = f"{name_of(number)} {kind}"
    rcode = {NOERROR: "NOERROR", SERVFAIL: "SERVFAIL", NXDOMAIN: "NXDOMAIN"}[answer.rcode]
    if answer.rcode != NOERROR:
        return question, f"{question} {rcode}"
    records = [" ".join(f'"{part}"' for part in r) if isinstance(r, tuple) else r for r in answer.records]
    return question, f"{question} {rcode} {' | '.join(records) or '-'}"


def write(folder, count):
    """queries.txt and expect.txt for names 0 … count - 1."""
    with open(folder / "queries.txt", "w", encoding="ascii") as queries, \
            open(folder / "expect.txt", "w", encoding="ascii") as expect:
        for number in range(count):
            question, expected = expectation(number)
            queries.write(question + "\n")
            expect.write(expected + "\n")
