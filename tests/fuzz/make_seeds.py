#!/usr/bin/env python3
"""Writes the seeds of the DNS fuzz targets: seeds/dns_message_fuzz, seeds/dns_name_fuzz, seeds/edns_fuzz.

The seeds are committed; the same script always gives the same octets. `--check` writes nothing and fails when a
committed seed differs. Seeds of other targets are left alone.
"""

import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent

A, NS, CNAME, SOA, PTR, HINFO, MX, TXT, AAAA = 1, 2, 5, 6, 12, 13, 15, 16, 28
SRV, NAPTR, DNAME, OPT, DS, RRSIG, NSEC, DNSKEY, NSEC3 = 33, 35, 39, 41, 43, 46, 47, 48, 50
HTTPS, ANY, CAA = 65, 255, 257
IN, CH, NONE = 1, 3, 254


def name(text):
    """An uncompressed name; "." is the root."""
    labels = [label.encode() for label in text.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def pointer(offset, front=b""):
    return front + struct.pack("!H", 0xC000 | offset)


def label(text):
    return bytes([len(text)]) + text.encode()


def header(flags=0x8180, qd=1, an=0, ns=0, ar=0, ident=0x1234):
    return struct.pack("!6H", ident, flags, qd, an, ns, ar)


def question(qname, qtype, qclass=IN):
    return name(qname) + struct.pack("!HH", qtype, qclass)


def record(owner, rtype, rdata, ttl=300, rclass=IN):
    return owner + struct.pack("!HHIH", rtype, rclass, ttl, len(rdata)) + rdata


def option(code, data=b""):
    return struct.pack("!HH", code, len(data)) + data


def opt(options=b"", payload=1232, ttl=0):
    return record(b"\0", OPT, options, ttl, payload)


COOKIE = bytes.fromhex("2464c4abcf10c957010000005cf79f111f8130c3eee29480")  # RFC 9018 A.1
Q = pointer(12)  # the name of the question


def messages():
    yield "query_plain", header(0x0100) + question("www.Example.com.", A)
    yield "query_edns_do", header(0x0120, ar=1) + question("example.com.", DNSKEY) + opt(ttl=0x8000)
    yield "query_cookie", header(0x0100, ar=1) + question("example.com.", A) + opt(option(10, COOKIE))
    yield "query_root", header(0x0100) + question(".", NS)
    yield "query_chaos", header(0x0100) + question("version.bind.", TXT, CH)
    yield "query_two_questions", header(0x0100, qd=2) + question("a.", A) + question("b.", A)
    yield "query_longest_name", header(0x0100) + question(".".join(["x" * 63] * 3 + ["y" * 61]), A)
    yield "header_only", header(qd=0)
    yield "reply_cname_a", (header(an=2) + question("www.example.com.", A)
                            + record(Q, CNAME, pointer(16, label("a"))) + record(pointer(45), A, bytes([192, 0, 2, 1])))
    soa = pointer(12, label("ns")) + pointer(12, label("root")) + struct.pack("!5I", 1, 3600, 600, 86400, 60)
    yield "reply_nxdomain", header(0x8183, ns=1) + question("example.com.", A) + record(Q, SOA, soa)
    yield "reply_referral", (header(0x8000, ns=2, ar=2) + question("example.com.", A)
                             + record(Q, NS, pointer(12, label("a"))) + record(Q, NS, pointer(12, label("b")))
                             + record(pointer(41), A, bytes([192, 0, 2, 1])) + opt())
    rrsig = struct.pack("!HBBIIIH", A, 13, 2, 300, 0x6568A000, 0x65600000, 12345) + name("example.com.") + b"s" * 64
    yield "reply_signed", (header(0x81A0, an=2, ar=1) + question("example.com.", A)
                           + record(Q, A, bytes([192, 0, 2, 1])) + record(Q, RRSIG, rrsig) + opt(ttl=0x8000))
    yield "reply_denial", (header(0x8183, ns=2) + question("x.example.com.", A)
                           + record(Q, NSEC, name("z.example.com.") + bytes.fromhex("000662018008"
                                                                                    "0003"))
                           + record(Q, NSEC3, bytes.fromhex("0100000004aabbccdd14") + b"h" * 20 + bytes.fromhex("000140")))
    yield "reply_mail_services", (header(an=4) + question("example.com.", MX)
                                  + record(Q, MX, struct.pack("!H", 10) + pointer(12, label("mx")))
                                  + record(Q, SRV, struct.pack("!3H", 1, 2, 443) + Q)
                                  + record(Q, NAPTR, struct.pack("!HH", 1, 2) + label("u") + label("E2U") + b"\0" + Q)
                                  + record(Q, DNAME, name("example.net.")))
    svcb = (struct.pack("!H", 1) + b"\0" + struct.pack("!HH", 1, 6) + label("h2") + label("h3")
            + struct.pack("!HHH", 3, 2, 8443) + struct.pack("!HH", 4, 4) + bytes([192, 0, 2, 1])
            + struct.pack("!HH", 667, 2) + b"\xd2\\")
    yield "reply_texts", (header(an=5) + question("example.com.", ANY) + record(Q, TXT, label('v=spf1 "-all"') + b"\0")
                          + record(Q, CAA, b"\0" + label("issue") + b"ca.example") + record(Q, HTTPS, svcb)
                          + record(Q, HINFO, label("RFC8482") + b"\0") + record(Q, 65280, b"\0\x01opaque"))
    yield "reply_ede", (header(0x8182, ar=1) + question("bogus.example.", A)
                        + opt(option(15, struct.pack("!H", 6) + b"signature expired") + option(3, b"node-1")))
    yield "reply_badvers", header(0x8000, ar=1) + question("example.com.", A) + opt(ttl=0x01000000)
    yield "update_empty_rdata", (header(0x2800, qd=1, an=1, ns=1) + question("example.com.", SOA)
                                 + record(Q, A, b"", 0, ANY) + record(Q, NS, b"", 0, NONE))
    yield "bad_pointer_loop", header(an=1) + question("a.", A) + record(pointer(19), A, bytes(4))
    yield "bad_forward_pointer", header(an=1) + question("a.", A) + record(pointer(200), A, bytes(4))
    yield "bad_label_type", header(an=1) + question("a.", A) + record(b"\x80a\0", A, bytes(4))
    yield "bad_two_opts", header(ar=2) + question("a.", A) + opt() + opt()
    yield "bad_trailing", header() + question("a.", A) + b"\xff"
    yield "bad_counts", header(an=0xFFFF, ar=0xFFFF) + question("a.", A)
    yield "bad_rdlength", header(an=1) + question("a.", A) + record(Q, A, bytes(4))[:-3]
    chain = b"".join(pointer(offset) + struct.pack("!HHIH", A, IN, 0, 4) + bytes(4)
                     for offset in [12] + list(range(19, 19 + 16 * 9, 16)))
    yield "pointer_chain", header(an=10) + question("a.", A) + chain


def names():
    yield "text_plain", b"www.example.com."
    yield "text_root", b"."
    yield "text_escapes", rb"a\.b\\c.\000\255\032x.\@.example"
    yield "text_longest", b".".join([b"x" * 63] * 3 + [b"y" * 61])
    yield "text_too_long", b".".join([b"x" * 63] * 4)
    yield "text_label_of_64", b"x" * 64 + b".example."
    yield "text_bad_escape", rb"a.\256."
    yield "text_empty_label", b"a..b"
    yield "wire_plain", name("WWW.Example.com.")
    yield "wire_any_octets", b"\x05.\\\0\xff@\x01*\0"
    yield "wire_127_labels", b"\x01a" * 127 + b"\0"
    yield "wire_128_labels", b"\x01a" * 128 + b"\0"
    yield "wire_cut", b"\x07exampl"
    yield "message_compressed", bytes(12) + name("example.com.") + pointer(12, label("www")) + pointer(25)
    yield "message_loop", bytes(12) + pointer(14) + pointer(12)
    yield "message_self", bytes(12) + pointer(12)
    yield "message_into_header", bytes(12) + pointer(0)
    yield "message_label_types", bytes(12) + b"\x41\0\x81\0"
    yield "message_chain", bytes(12) + b"\0" + b"".join(pointer(o) for o in [12] + list(range(13, 30, 2)))


def edns():
    yield "bare", opt()
    yield "do_badvers", opt(ttl=0x01018000)
    yield "cookie_client", opt(option(10, COOKIE[:8]))
    yield "cookie_both", opt(option(10, COOKIE))
    yield "cookie_bad_length", opt(option(10, COOKIE[:12]))
    yield "ecs_v4", opt(option(8, bytes.fromhex("00011800c00002")))
    yield "ecs_v6", opt(option(8, bytes.fromhex("0002393020010db812345680")))
    yield "ecs_bits_behind", opt(option(8, bytes.fromhex("00011900c0000281")))
    yield "many", opt(option(3, b"node") + option(11, b"\0\x64") + option(15, b"\0\x03old\0") + option(12, bytes(9))
                      + option(65001, b"local") + option(10, COOKIE[:8]) + option(11))
    yield "option_overrun", opt(struct.pack("!HH", 10, 200) + b"short")
    yield "option_cut", opt(b"\0\x0a\0")
    yield "owner_not_root", record(name("a."), OPT, b"")
    yield "not_opt", record(b"\0", A, bytes(4))
    yield "contents_cookie", COOKIE
    yield "contents_ecs", bytes.fromhex("00011800c00002")
    yield "contents_ede", b"\0\x12prohibited"
    yield "contents_keepalive", b"\x01\x2c"


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit("usage: make_seeds.py [--check]")
    bad = 0
    for target, seeds in (("dns_message_fuzz", messages()), ("dns_name_fuzz", names()), ("edns_fuzz", edns())):
        folder = HERE / "seeds" / target
        folder.mkdir(parents=True, exist_ok=True)
        for seed, data in seeds:
            file = folder / seed
            if not check:
                file.write_bytes(data)
            elif not file.is_file() or file.read_bytes() != data:
                print(f"{file} is not what this script makes: run {__file__}")
                bad += 1
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
