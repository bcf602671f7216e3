#include "proto/dns/text.h"

#include <gtest/gtest.h>

#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

using test::hex;
using test::Octets;

TEST(MessageText, AsDigPrintsIt) {
  const Octets wire = test::header(0x81a0, 1, 1, 1, 2) + test::question("Example.com.", Type::A) +
                      test::record(hex("c00c"), Type::A, 300, hex("c0000201")) +
                      test::record(hex("c00c"), Type::NS, 60, hex("02 6e73 c00c")) +
                      test::record(hex("c014"), Type::A, 60, hex("c0000202")) +
                      hex("00 0029 04d0 00 00 8000 0018"
                          "000a 0008 0102030405060708"
                          "000f 0008 0003") +
                      test::octets("was ok");
  const auto message = Message::parse(wire);
  ASSERT_TRUE(message) << to_text(message.error());
  EXPECT_EQ(message_to_text(*message),
            ";; opcode: QUERY, status: NOERROR, id: 4660\n"
            ";; flags: qr rd ra ad; QUERY: 1, ANSWER: 1, AUTHORITY: 1, ADDITIONAL: 2\n"
            "\n;; OPT PSEUDOSECTION:\n"
            "; EDNS: version: 0, flags: do; udp: 1232\n"
            "; COOKIE: 0102030405060708\n"
            "; EDE: 3 (Stale Answer): \"was ok\"\n"
            "\n;; QUESTION SECTION:\n"
            ";Example.com.\tIN\tA\n"
            "\n;; ANSWER SECTION:\n"
            "Example.com.\t300\tIN\tA\t192.0.2.1\n"
            "\n;; AUTHORITY SECTION:\n"
            "Example.com.\t60\tIN\tNS\tns.Example.com.\n"
            "\n;; ADDITIONAL SECTION:\n"
            "com.\t60\tIN\tA\t192.0.2.2\n");
}

TEST(MessageText, OptionsOfAllKinds) {
  const Octets wire = test::header(0x8000, 0, 0, 0, 1) + hex("00 0029 0200 01 01 0001 0024"
                                                             "0003 0002 6e31"
                                                             "000b 0002 0064"
                                                             "000b 0001 07"
                                                             "000c 0003 000000"
                                                             "fde9 0001 ff"
                                                             "000f 0003 270f 21");
  const auto message = Message::parse(wire);
  ASSERT_TRUE(message) << to_text(message.error());
  EXPECT_EQ(opt_to_text(*message->opt()),
            "; EDNS: version: 1, flags: z=1; udp: 512\n"
            "; NSID: 6E31 (\"n1\")\n"
            "; TCP-KEEPALIVE: 100 (100 ms)\n"
            "; TCP-KEEPALIVE: 07\n"
            "; PADDING: 3 octets\n"
            "; OPT=65001: FF\n"
            "; EDE: 9999: \"!\"");
}

TEST(RecordText, UnknownTypesAndBadOwners) {
  const Octets wire =
      test::header(0x8000, 0, 1, 0, 0) + hex("80 00") +
      test::record(hex("c00c"), static_cast<Type>(65280), 5, hex("ab"), static_cast<Class>(9));
  const auto record = RecordView::parse(wire, 14);
  ASSERT_TRUE(record);
  EXPECT_EQ(record_to_text(*record), "<bad name>\t5\tCLASS9\tTYPE65280\t\\# 1 AB");
}

}  // namespace
}  // namespace swarmdns::dns
