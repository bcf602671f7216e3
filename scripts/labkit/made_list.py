"""A list of queries for who has none: as a resolver sees them, but made."""

import random


def make_list(path, seed=20, names=4000, lines=20000):
    """Popular and unpopular names of several kinds, as a resolver sees them."""
    rng = random.Random(seed)
    pairs = []
    for n in range(names):
        tld = rng.choice(("com", "net", "org", "de", "co.uk", "lan", "example"))
        kind = rng.random()
        if kind < 0.15:
            pairs.append((f"{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}.{n % 256}.in-addr.arpa", "PTR"))
        elif kind < 0.25:
            pairs.append((f"shop{n}.{tld}", "MX"))
        elif kind < 0.35:
            pairs.append((f"www.v6-{n}.{tld}", "AAAA"))
        elif kind < 0.37:
            pairs.append((f"_sip._tcp.p{n}.{tld}", "SRV"))
        else:
            pairs.append((f"{rng.choice(('www', 'cdn', 'mail', 'a.b.c'))}.site{n}.{tld}", "A"))
    with open(path, "w", encoding="ascii") as out:
        for n in range(lines):
            name, rrtype = pairs[n] if n < names else pairs[int(names * rng.random() ** 3)]
            out.write(f"{name} {rrtype}\n")
