#!/usr/bin/env python3
"""Writes the seeds of backup_fuzz and the test vectors of docs/formats/backup.md.

It is a second implementation of the backup format, in nothing but Python's standard library: XChaCha20-Poly1305, sealed
boxes (X25519, XSalsa20-Poly1305), packs, manifests, envelopes, the recovery form. The unit tests compare the program with
these vectors. What the program draws at random is fixed here. `--check` writes nothing and fails when a committed file
differs.
"""

import hashlib
import pathlib
import sys

from make_ledger_seeds import be32, filled, number_field, octets_field, public_key, sign

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = HERE.parent.parent / "docs/formats/backup.md"
SEEDS = HERE / "seeds/backup_fuzz"

# --- Ciphers ---

MASK = 0xFFFFFFFF
SIGMA = b"expand 32-byte k"


def words(octets):
    return [int.from_bytes(octets[i:i + 4], "little") for i in range(0, len(octets), 4)]


def octets_of(numbers):
    return b"".join((number & MASK).to_bytes(4, "little") for number in numbers)


def rotate(value, count):
    value &= MASK
    return value << count & MASK | value >> (32 - count)


def chacha_rounds(state):
    x = list(state)
    def quarter(a, b, c, d):
        x[a] = x[a] + x[b] & MASK
        x[d] = rotate(x[d] ^ x[a], 16)
        x[c] = x[c] + x[d] & MASK
        x[b] = rotate(x[b] ^ x[c], 12)
        x[a] = x[a] + x[b] & MASK
        x[d] = rotate(x[d] ^ x[a], 8)
        x[c] = x[c] + x[d] & MASK
        x[b] = rotate(x[b] ^ x[c], 7)
    for _ in range(10):
        for i in range(4):
            quarter(i, i + 4, i + 8, i + 12)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return x


def chacha20(key, nonce, counter, data):
    out = b""
    for at in range(0, len(data), 64):
        state = words(SIGMA) + words(key) + [counter + at // 64] + words(nonce)
        stream = octets_of(a + b for a, b in zip(chacha_rounds(state), state))
        out += bytes(a ^ b for a, b in zip(data[at:at + 64], stream))
    return out


def hchacha20(key, nonce):
    x = chacha_rounds(words(SIGMA) + words(key) + words(nonce))
    return octets_of(x[:4] + x[12:])


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(message), 16):
        total = (total + int.from_bytes(message[at:at + 16] + b"\1", "little")) * r % ((1 << 130) - 5)
    return (total + int.from_bytes(key[16:], "little") & (1 << 128) - 1).to_bytes(16, "little")


def pad16(octets):
    return octets + bytes(-len(octets) % 16)


def seal(key, nonce, data, plain):
    """nonce ‖ XChaCha20-Poly1305, as draft-irtf-cfrg-xchacha has it."""
    subkey, inner = hchacha20(key, nonce[:16]), bytes(4) + nonce[16:]
    sealed = chacha20(subkey, inner, 1, plain)
    lengths = len(data).to_bytes(8, "little") + len(plain).to_bytes(8, "little")
    return nonce + sealed + poly1305(chacha20(subkey, inner, 0, bytes(32)), pad16(data) + pad16(sealed) + lengths)


def salsa_rounds(state):
    x = list(state)
    def quarter(a, b, c, d):
        x[b] ^= rotate(x[a] + x[d], 7)
        x[c] ^= rotate(x[b] + x[a], 9)
        x[d] ^= rotate(x[c] + x[b], 13)
        x[a] ^= rotate(x[d] + x[c], 18)
    for _ in range(10):
        for i in range(4):
            quarter(*(5 * i % 16 if k == 0 else (5 * i + 4 * k) % 16 for k in range(4)))
        for i in range(4):
            quarter(*(4 * i + (i + k) % 4 for k in range(4)))
    return x


def salsa_state(key, middle):
    s, k = words(SIGMA), words(key)
    return [s[0]] + k[:4] + [s[1]] + middle + [s[2]] + k[4:] + [s[3]]


def hsalsa20(key, nonce):
    x = salsa_rounds(salsa_state(key, words(nonce)))
    return octets_of([x[0], x[5], x[10], x[15]] + x[6:10])


def xsalsa20(key, nonce, length):
    subkey, out = hsalsa20(key, nonce[:16]), b""
    for block in range((length + 63) // 64):
        state = salsa_state(subkey, words(nonce[16:]) + [block, 0])
        out += octets_of(a + b for a, b in zip(salsa_rounds(state), state))
    return out[:length]


P = 2**255 - 19


def x25519(scalar, point):
    k = int.from_bytes(scalar, "little") & (1 << 254) - 8 | 1 << 254
    u = int.from_bytes(point, "little") & (1 << 255) - 1
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = aa - bb
        x3, z3 = (da + cb)**2 % P, u * (da - cb)**2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


BASE = (9).to_bytes(32, "little")


def box_seal(ephemeral, recipient, plain):
    """libsodium's crypto_box_seal with that ephemeral private key."""
    own = x25519(ephemeral, BASE)
    key = hsalsa20(x25519(ephemeral, recipient), bytes(16))
    nonce = hashlib.blake2b(own + recipient, digest_size=24).digest()
    stream = xsalsa20(key, nonce, 32 + len(plain))
    sealed = bytes(a ^ b for a, b in zip(plain, stream[32:]))
    return own + poly1305(stream[:32], sealed) + sealed


# --- Hashes and keys ---


def blake(label, *parts, key=b""):
    return hashlib.blake2b(label.encode() + b"\0" + b"".join(parts), digest_size=32, key=key).digest()


def plain_blake(octets):
    return hashlib.blake2b(octets, digest_size=32).digest()


def derived(root, use):
    return blake(f"swarmdns backup {use} v1", key=root)


def commitment(root):
    return derived(root, "commitment")


DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def base32(octets):
    bits = "".join(f"{octet:08b}" for octet in octets)
    bits += "0" * (-len(bits) % 5)
    return "".join(DIGITS[int(bits[i:i + 5], 2)] for i in range(0, len(bits), 5))


def recipient_text(key):
    return "swarmdns-recipient-1" + base32(key + blake("swarmdns backup recipient v1", key)[:4])


def recipient_id(key):
    return blake("swarmdns backup recipient id v1", key)[:8]


def gf_times(value, power):
    for _ in range(power):
        value <<= 1
        if value & 32:
            value ^= 0b100101
    return value


def recovery_form(secret):
    digits = base32(secret + blake("swarmdns backup recovery v1", secret)[:2])[:54]
    groups = []
    for g in range(9):
        values = [DIGITS.index(c) for c in digits[6 * g:6 * g + 6]]
        for checks in range(1024):
            whole = values + [checks >> 5, checks & 31]
            first = second = 0
            for i, value in enumerate(whole):
                first, second = first ^ value, second ^ gf_times(value, i)
            if (first, second) == (g + 1, 0):
                groups.append("".join(DIGITS[value] for value in whole))
    return " ".join(groups[:5]) + "\n" + " ".join(groups[5:]) + "\n"


# --- Chunks ---


def gear_table(root):
    key = derived(root, "boundaries")
    return b"".join(hashlib.blake2b(be32(block), digest_size=64, key=key).digest() for block in range(32))


def cuts(root, data):
    octets = gear_table(root)
    table = [int.from_bytes(octets[8 * i:8 * i + 8], "big") for i in range(256)]
    sizes, begin = [], 0
    while begin < len(data):
        most = min(len(data) - begin, 1 << 20)
        size, h = most, 0
        for at in range(65536, most):
            h = (h << 1) + table[data[begin + at]] & (1 << 64) - 1
            if h >> (44 if at < 262144 else 48) == 0:
                size = at + 1
                break
        sizes.append(size)
        begin += size
    return sizes


def padme(length):
    exponent = length.bit_length() - 1
    mask = (1 << exponent - exponent.bit_length()) - 1
    return length + mask & ~mask


def padded(octets):
    return octets + bytes(padme(len(octets)) - len(octets))


def chunk_id(root, plain):
    return blake("swarmdns backup chunk id v1", plain, key=derived(root, "chunk id"))


def chunk_inner(method, payload):
    return padded(bytes([method]) + be32(len(payload)) + payload)


def chunk_sealed(root, nonce, one_id, inner):
    return seal(derived(root, "chunk"), nonce, b"swarmdns backup chunk v1\0" + one_id, inner)


def zstd_of_one_octet(octet, count):
    """A zstd frame (RFC 8878) of one RLE block; count below 256."""
    return bytes.fromhex("28b52ffd") + bytes([0x20, count]) + (3 | count << 3).to_bytes(3, "little") + bytes([octet])


# --- The sample ---

EPOCH, DAY_KEY, DAY = filled(32, 1), filled(32, 60), "2026-11-22"
NODE = filled(32, 7)
OPERATORS = [filled(32, 10), filled(32, 20)]
RECIPIENTS = [x25519(secret, BASE) for secret in OPERATORS]
STREAM = b"".join(hashlib.sha256(be32(i)).digest() for i in range(1 << 15))


def nonce_of(number):
    return filled(24, 0x40 + number)


RAW, TEXT = filled(100, 3), b"a" * 200
RAW_ID, TEXT_ID = chunk_id(EPOCH, RAW), chunk_id(DAY_KEY, TEXT)
RAW_SEALED = chunk_sealed(EPOCH, nonce_of(0), RAW_ID, chunk_inner(0, RAW))
TEXT_SEALED = chunk_sealed(DAY_KEY, nonce_of(1), TEXT_ID, chunk_inner(1, zstd_of_one_octet(0x61, 200)))


def entries():
    return (RAW_ID + commitment(EPOCH)[:8] + be32(48) + be32(len(RAW_SEALED)) + be32(100) + TEXT_ID +
            commitment(DAY_KEY)[:8] + be32(48 + len(RAW_SEALED)) + be32(len(TEXT_SEALED)) + be32(200))


def pack():
    out = b"swarmdns-pack-v1" + commitment(EPOCH) + RAW_SEALED + TEXT_SEALED
    data = b"swarmdns backup directory v1\0" + commitment(EPOCH) + be32(len(out)) + be32(2)
    return out + seal(derived(EPOCH, "directory"), nonce_of(2), data, entries()) + be32(2)


def envelope(day, key):
    boxes = sorted((recipient_id(one), box_seal(filled(32, 0x80 + i), one, key)) for i, one in enumerate(RECIPIENTS))
    return (b"swarmdns-keybox1" + bytes([1 if day else 0]) + commitment(EPOCH) + (day.encode() if day else bytes(10)) +
            commitment(key) + len(boxes).to_bytes(2, "big") + b"".join(one_id + box for one_id, box in boxes))


SNAPSHOT_ID, CREATED = filled(8, 0xA0), 1795391885123
NAME = "snapshots/20261122t235805z-" + SNAPSHOT_ID.hex()


def part_hash(chunks):
    return blake("swarmdns backup part v1", *(one_id + be32(size) for one_id, size in chunks))


def parts_message():
    config = (octets_field(1, b"config") + octets_field(2, b"configuration") + number_field(3, 100) +
              octets_field(4, part_hash([(RAW_ID, 100)])) + number_field(8, 1))
    cache = (octets_field(1, b"cache") + octets_field(2, b"cache") + number_field(3, 200) +
             octets_field(4, part_hash([(TEXT_ID, 200)])) + octets_field(5, DAY.encode()) +
             octets_field(6, commitment(DAY_KEY)) + number_field(7, 1) + number_field(8, 1))
    return octets_field(1, config) + octets_field(1, cache)


def parts_plain():
    return padded(be32(len(parts_message())) + parts_message())


def chunks_plain():
    return (RAW_ID + be32(0) + be32(48) + be32(len(RAW_SEALED)) + be32(100) + TEXT_ID + be32(0) +
            be32(48 + len(RAW_SEALED)) + be32(len(TEXT_SEALED)) + be32(200))


def frame(number, plain):
    data = b"swarmdns backup frame v1\0" + SNAPSHOT_ID + be32(number)
    return seal(derived(EPOCH, "manifest"), nonce_of(3 + number), data, plain)


FRAMES = [frame(0, parts_plain()), frame(1, chunks_plain())]


def header():
    point = number_field(1, 77) + octets_field(2, filled(32, 30)) + octets_field(3, filled(32, 40))
    return (octets_field(1, filled(16, 0xA0)) + number_field(2, 2) + number_field(3, 3) + octets_field(4, public_key(NODE)) +
            octets_field(5, SNAPSHOT_ID) + number_field(6, CREATED) + octets_field(7, point) +
            octets_field(8, commitment(EPOCH)) + b"".join(octets_field(9, one) for one in sorted(map(recipient_id, RECIPIENTS))) +
            octets_field(10, filled(32, 50)) + number_field(11, 300) + number_field(12, len(pack())) + number_field(13, 2) +
            octets_field(14, plain_blake(pack()) + be32(len(pack()))) +
            octets_field(15, b"".join(plain_blake(one) + be32(len(one)) for one in FRAMES)))


def manifest_hash():
    return blake("swarmdns backup manifest v1", header())


def signature():
    return sign(b"swarmdns backup signature v1\0" + manifest_hash(), NODE)


def manifest():
    return b"swarmdns-snap-v1" + be32(len(header())) + header() + signature() + b"".join(FRAMES)


def vectors():
    for name, root in (("epoch", EPOCH), ("day", DAY_KEY)):
        yield f"{name}.key", root
        yield f"{name}.commitment", commitment(root)
    for use in ("boundaries", "chunk id", "chunk", "manifest", "directory"):
        yield "derived." + use.replace(" ", "-"), derived(EPOCH, use)
    yield "operator.secret", OPERATORS[0]
    yield "operator.recipient", RECIPIENTS[0]
    yield "recipient.text", recipient_text(RECIPIENTS[0]).encode()
    yield "recipient.id", recipient_id(RECIPIENTS[0])
    yield "recovery.form", recovery_form(OPERATORS[0]).encode()
    yield "boundaries.cuts", b"".join(map(be32, cuts(EPOCH, STREAM)))
    yield "chunk.raw.id", RAW_ID
    yield "chunk.raw.sealed", RAW_SEALED
    yield "chunk.zstd.id", TEXT_ID
    yield "chunk.zstd.sealed", TEXT_SEALED
    yield "pack", pack()
    yield "pack.hash", plain_blake(pack())
    yield "envelope.epoch", envelope("", EPOCH)
    yield "envelope.day", envelope(DAY, DAY_KEY)
    yield "envelope.hash", blake("swarmdns backup envelope v1", envelope("", EPOCH))
    yield "part.hash", part_hash([(RAW_ID, 100)])
    yield "manifest.name", NAME.encode()
    yield "manifest.hash", manifest_hash()
    yield "manifest.signature", signature()
    yield "manifest", manifest()


def document():
    begin, end = "<!-- vectors: made by tests/fuzz/make_backup_seeds.py -->\n", "<!-- end of vectors -->\n"
    text = DOCUMENT.read_text()
    lines = "```\n"
    for name, value in vectors():
        lines += f"{name} hex {value.hex()}\n"
    return text[:text.index(begin)] + begin + "\n" + lines + "```\n\n" + text[text.index(end):]


# The first octet says what the rest is: see backup_fuzz.cc.
def seeds():
    yield "envelope_epoch", b"\0" + envelope("", EPOCH)
    yield "envelope_day", b"\0" + envelope(DAY, DAY_KEY)
    yield "envelope_cut", b"\0" + envelope("", EPOCH)[:-1]
    yield "manifest", b"\1" + manifest()
    yield "manifest_cut", b"\1" + manifest()[:-1]
    yield "header", b"\2" + header()
    yield "header_two_of_a_field", b"\2" + header() + number_field(13, 9000)
    yield "parts", b"\3" + parts_plain()
    yield "parts_cut", b"\3" + parts_plain()[:40]
    yield "chunks", b"\4" + chunks_plain()
    yield "chunks_outside", b"\4" + chunks_plain()[:36] + be32(0xFFFFFFFF) + chunks_plain()[40:]
    yield "pack", b"\5" + pack()
    yield "pack_cut", b"\5" + pack()[:-1]
    yield "directory", b"\6" + entries()
    yield "directory_gap", b"\6" + entries()[:40] + be32(49) + entries()[44:]
    yield "chunk_raw", b"\7" + be32(100) + chunk_inner(0, RAW)
    yield "chunk_zstd", b"\7" + be32(200) + chunk_inner(1, zstd_of_one_octet(0x61, 200))
    yield "chunk_zstd_more", b"\7" + be32(100) + chunk_inner(1, zstd_of_one_octet(0x61, 200))
    yield "chunk_not_padded", b"\7" + be32(100) + chunk_inner(0, RAW) + b"\1"
    yield "recipient", b"\x08" + recipient_text(RECIPIENTS[0]).encode()
    yield "recovery", b"\x08" + recovery_form(OPERATORS[0]).encode()
    yield "operator_key", b"\x08" + (f"swarmdns operator key v1\nrecipient {recipient_text(RECIPIENTS[0])}\nargon2id 1 8192 " +
                                     filled(16, 1).hex() + "\nsealed " + filled(72, 1).hex() + "\n").encode()
    yield "name", b"\x08" + NAME.encode()


def main():
    files = {SEEDS / name: octets for name, octets in seeds()}
    files[DOCUMENT] = document().encode()
    if sys.argv[1:] == ["--check"]:
        wrong = [path for path, contents in files.items() if not path.exists() or path.read_bytes() != contents]
        strangers = [path for path in SEEDS.iterdir() if path not in files]
        for path in wrong + strangers:
            print(f"{path} is not what {pathlib.Path(__file__).name} writes")
        return 1 if wrong or strangers else 0
    for path, contents in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)
    return 0


if __name__ == "__main__":
    sys.exit(main())
