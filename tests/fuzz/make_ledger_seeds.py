#!/usr/bin/env python3
"""Writes the seeds of ledger_proof_fuzz and the test vectors of docs/formats/ledger.md.

It is a second implementation of the ledger's formats, in nothing but Python's standard library: hashes, the tree of RFC
9162, Ed25519 (RFC 8032), signed notes, proof files. The unit tests compare the program with these vectors. `--check` writes
nothing and fails when a committed file differs.
"""

import base64
import hashlib
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = HERE.parent.parent / "docs/formats/ledger.md"

# --- Ed25519 ---

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def point_add(a, b):
    """Extended coordinates, RFC 8032 section 5.1.4."""
    first, second = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    third, fourth = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = second - first, fourth - third, fourth + third, second + first
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = point_add(result, point)
        point = point_add(point, point)
        scalar >>= 1
    return result


def base_point():
    y = 4 * pow(5, P - 2, P) % P
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x & 1:
        x = P - x
    return x, y, 1, x * y % P


BASE = base_point()


def compress(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def expand(seed):
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
    return scalar, digest[32:]


def public_key(seed):
    return compress(point_multiply(expand(seed)[0], BASE))


def sign(message, seed):
    scalar, prefix = expand(seed)
    def number(octets):
        return int.from_bytes(hashlib.sha512(octets).digest(), "little") % ORDER
    once = number(prefix + message)
    point = compress(point_multiply(once, BASE))
    return point + ((once + number(point + public_key(seed) + message) * scalar) % ORDER).to_bytes(32, "little")


# --- Hashes and the tree ---


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def be32(value):
    return value.to_bytes(4, "big")


def be64(value):
    return value.to_bytes(8, "big")


def leaf_hash(leaf):
    return sha256(b"\0", leaf)


def split(count):
    power = 1
    while 2 * power < count:
        power *= 2
    return power


def root(leaves):
    if not leaves:
        return sha256()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    k = split(len(leaves))
    return sha256(b"\1", root(leaves[:k]), root(leaves[k:]))


def inclusion(index, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return inclusion(index, leaves[:k]) + [root(leaves[k:])]
    return inclusion(index - k, leaves[k:]) + [root(leaves[:k])]


def consistency(old, leaves, whole=True):
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    k = split(len(leaves))
    if old <= k:
        return consistency(old, leaves[:k], whole) + [root(leaves[k:])]
    return consistency(old - k, leaves[k:], False) + [root(leaves[:k])]


def state_root(state):
    buckets = {}
    for key in sorted(state):
        number = int.from_bytes(sha256(key)[:2], "big") >> 4
        buckets[number] = buckets.get(number, b"\2") + be32(len(key)) + key + sha256(state[key])
    level = [sha256(buckets[i]) if i in buckets else bytes(32) for i in range(4096)]
    while len(level) > 1:
        level = [sha256(b"\3", level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


# --- The sample ledger, that of tests/unit/controlplane/ledger/samples.h ---


def filled(count, start):
    return bytes((start + i) % 256 for i in range(count))


SWARM = filled(16, 0xA0)


def salt(i):
    return filled(16, 3 * i)


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def number_field(tag, value):
    return varint(tag << 3) + varint(value) if value else b""


def octets_field(tag, value):
    return varint(tag << 3 | 2) + varint(len(value)) + value


def transaction(i):
    return (number_field(1, 1) + number_field(2, 1700000000000 + i) + octets_field(3, b"alice@n1") +
            octets_field(26, octets_field(1, b"mark %d" % i)))


def commitment(one_salt, body):
    return sha256(b"swarmdns leaf v1\0", one_salt, body)


def mutation_salt(seed, position):
    return sha256(b"swarmdns mutation salt v1\0", seed, be32(position))[:16]


def mutation_commitment(one_salt, body):
    return sha256(b"swarmdns mutation v1\0", one_salt, body)


def segment_hash(header):
    return sha256(b"swarmdns segment v1\0", header)


def mutation(segment, position):
    return b"mutation %d %d" % (segment, position)


def segment_leaves(segment):
    seed = filled(32, segment * 5)
    return [mutation_commitment(mutation_salt(seed, i), mutation(segment, i)) for i in range(segment + 2)]


def segment_headers(count):
    headers, previous = [], bytes(32)
    for number in range(1, count + 1):
        leaves = segment_leaves(number)
        headers.append(number_field(1, 7) + number_field(2, number) + octets_field(3, previous) + number_field(4, 99) +
                       number_field(5, number * 10) + number_field(6, number * 10 + len(leaves) - 1) +
                       number_field(7, len(leaves)) + number_field(8, 1700000000000) + number_field(9, 1700000000250) +
                       octets_field(10, root(leaves)))
        previous = segment_hash(headers[-1])
    return headers


HEADERS = segment_headers(5)
HEAD = number_field(1, 1) + octets_field(21, number_field(1, 5) + octets_field(2, segment_hash(HEADERS[4])) +
                                            number_field(7, 7))
BODIES = [HEAD if i == 20 else transaction(i) for i in range(40)]
LEAVES = [commitment(salt(i), body) for i, body in enumerate(BODIES)]


# --- Notes and files ---


def b64(octets):
    return base64.b64encode(octets).decode()


ORIGIN = f"swarmdns/{SWARM.hex()}/1"


def checkpoint(size):
    return (f"{ORIGIN}\n{size}\n{b64(root(LEAVES[:size]))}\nheight {size // 2}\nblock {b64(filled(32, 1))}\n"
            f"state {b64(filled(32, 2))}\n")


def key_id(voter):
    return sha256(f"n{voter}\n".encode(), b"\4", public_key(filled(32, voter)))[:4]


def vkey(voter):
    return f"n{voter}+{key_id(voter).hex()}+{b64(bytes([4]) + public_key(filled(32, voter)))}"


def cosignature(text, voter, time):
    signature = sign(f"cosignature/v1\ntime {time}\n{text}".encode(), filled(32, voter))
    return f"\u2014 n{voter} {b64(key_id(voter) + be64(time) + signature)}\n"


def note(size, voters):
    text = checkpoint(size)
    return text + "\n" + "".join(cosignature(text, voter, 1700000000 + size) for voter in voters)


def path_lines(hashes):
    return "".join(f"path {b64(one)}\n" for one in hashes)


def content_lines(one_salt, word, body, erased):
    if erased:
        kind = commitment if word == "transaction" else mutation_commitment
        return f"commitment {b64(kind(one_salt, body))}\n"
    return f"salt {b64(one_salt)}\n{word} {b64(body)}\n"


MAGIC = "swarmdns/ledger-proof@v1\n"


def leaf_lines(index, erased=False):
    return (f"index {index}\n" + content_lines(salt(index), "transaction", BODIES[index], erased) +
            path_lines(inclusion(index, LEAVES)))


def inclusion_file(index, voters=(1, 3), erased=False):
    return MAGIC + "inclusion\n" + leaf_lines(index, erased) + "\n" + note(40, voters)


def consistency_file(old, with_old_note):
    return (MAGIC + f"consistency\nsize {old}\nroot {b64(root(LEAVES[:old]))}\n" + path_lines(consistency(old, LEAVES)) +
            ("\n" + note(old, (2, 3)) if with_old_note else "") + "\n" + note(40, (1, 2)))


def mutation_file(segment, position, erased=False):
    one_salt = mutation_salt(filled(32, segment * 5), position)
    return (MAGIC + f"mutation\nindex {position}\n" +
            content_lines(one_salt, "mutation", mutation(segment, position), erased) +
            path_lines(inclusion(position, segment_leaves(segment))) +
            "".join(f"segment {b64(header)}\n" for header in HEADERS[segment - 1:]) + leaf_lines(20) + "\n" +
            note(40, (2, 3)))


def trust_file():
    return f"swarmdns/trust@v1\norigin {ORIGIN}\nvoters from 0 needed 2\n" + "".join(
        f"voter {vkey(voter)}\n" for voter in (1, 2, 3))


def seeds():
    yield "inclusion", inclusion_file(7)
    yield "inclusion_erased", inclusion_file(7, erased=True)
    yield "inclusion_few_cosignatures", inclusion_file(7, voters=(1,))
    yield "inclusion_first", inclusion_file(0)
    yield "consistency", consistency_file(13, True)
    yield "consistency_alone", consistency_file(13, False)
    yield "consistency_same", consistency_file(40, False)
    yield "mutation", mutation_file(2, 3)
    yield "mutation_erased", mutation_file(5, 0, True)
    yield "note", note(40, (1, 2, 3))
    yield "checkpoint", checkpoint(40)
    yield "trust", trust_file()
    yield "vkey", vkey(1)
    yield "bad_no_empty_line", checkpoint(40) + cosignature(checkpoint(40), 1, 1)
    yield "bad_trailing", inclusion_file(7) + "\n"


# --- Test vectors ---


def block_header():
    return (b"swarmdns block v1\0" + SWARM + be32(1) + be64(2) + filled(32, 1) + be64(1700000000000) + be64(1) + be32(3) +
            be64(4) + root(LEAVES[:4]) + state_root({b"a": b"1", b"b": b"2"}))


def bundle():
    return b"swarmdns bundle v1\0" + SWARM + be32(1) + be64(2) + be64(3) + be32(4) + root(LEAVES[:4])


def vectors():
    yield "swarm", SWARM
    yield "salt", salt(7)
    yield "transaction", BODIES[7]
    yield "leaf.commitment", LEAVES[7]
    yield "leaf.hash", leaf_hash(LEAVES[7])
    for size in (0, 1, 2, 3, 4, 5, 6, 7, 8, 40):
        yield f"tree.root.{size}", root(LEAVES[:size])
    yield "bundle.octets", bundle()
    yield "bundle.key", public_key(filled(32, 1))
    yield "bundle.signature", sign(bundle(), filled(32, 1))
    yield "state.root.empty", state_root({})
    yield "state.root.a1.b2", state_root({b"a": b"1", b"b": b"2"})
    yield "state.root.many", state_root({b"key %d" % i: b"value %d" % (i * i) for i in range(10000)})
    yield "block.octets", block_header()
    yield "block.hash", sha256(block_header())
    yield "mutation.salt", mutation_salt(filled(32, 10), 3)
    yield "mutation.commitment", segment_leaves(2)[3]
    yield "segment.root", root(segment_leaves(2))
    yield "segment.header", HEADERS[1]
    yield "segment.hash", segment_hash(HEADERS[1])
    yield "vkey", vkey(1).encode()
    yield "note", note(40, (1, 2, 3)).encode()
    yield "proof.inclusion", inclusion_file(7).encode()
    yield "proof.erased", inclusion_file(7, erased=True).encode()
    yield "proof.consistency", consistency_file(13, True).encode()
    yield "proof.mutation", mutation_file(2, 3).encode()
    yield "trust", trust_file().encode()


def is_text(name):
    return name.split(".")[0] in ("vkey", "note", "proof", "trust")


def document():
    """The document with its vectors put in: long ones and texts as SHA-256 of theirs when the text stands elsewhere."""
    begin, end = "<!-- vectors: made by tests/fuzz/make_ledger_seeds.py -->\n", "<!-- end of vectors -->\n"
    text = DOCUMENT.read_text()
    lines = "```\n"
    for name, value in vectors():
        if is_text(name):
            lines += f"{name} sha256 {sha256(value).hex()}\n"
        else:
            lines += f"{name} hex {value.hex()}\n"
    lines += "```\n"
    for name in ("proof.inclusion", "trust"):
        lines += f"\n`{name}`:\n\n```\n{dict(vectors())[name].decode()}```\n"
    return text[:text.index(begin)] + begin + "\n" + lines + "\n" + text[text.index(end):]


def main():
    files = {HERE / "seeds/ledger_proof_fuzz" / name: text.encode() for name, text in seeds()}
    files[DOCUMENT] = document().encode()
    if sys.argv[1:] == ["--check"]:
        wrong = [path for path, contents in files.items() if not path.exists() or path.read_bytes() != contents]
        strangers = [path for path in (HERE / "seeds/ledger_proof_fuzz").iterdir() if path not in files]
        for path in wrong + strangers:
            print(f"{path} is not what {pathlib.Path(__file__).name} writes")
        return 1 if wrong or strangers else 0
    for path, contents in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)
    return 0


if __name__ == "__main__":
    sys.exit(main())
