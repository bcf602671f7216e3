#include "proto/dns/edns_write.h"

#include <gtest/gtest.h>

#include "proto/dns/cookie.h"
#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

using test::hex;
using test::Octets;

Octets copy(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

TEST(OptWriter, BareRecord) {
  Octets room(11);
  const OptWriter opt(room,
                      {.payload_size = 1232, .rcode = Rcode::BadCookie, .version = 0, .dnssec_ok = true});
  EXPECT_TRUE(opt.ok());
  EXPECT_EQ(copy(opt.finish()), hex("00 0029 04d0 01 00 8000 0000"));
}

TEST(OptWriter, WithoutRoomThereIsNothing) {
  Octets room(10, std::byte{0xaa});
  OptWriter opt(room, {});
  EXPECT_FALSE(opt.ok());
  EXPECT_TRUE(opt.finish().empty());
  EXPECT_FALSE(opt.nsid("x"));
  EXPECT_FALSE(opt.pad_to_block(0, 128));
  EXPECT_EQ(room, Octets(10, std::byte{0xaa}));
}

TEST(OptWriter, OptionsByTheirRfcs) {
  Octets room(512);
  OptWriter opt(room, {});
  const Octets client = hex("0102030405060708");
  const Octets server(16, std::byte{9});
  EXPECT_TRUE(opt.nsid("node-1"));
  EXPECT_TRUE(opt.cookie(client, server));
  EXPECT_TRUE(opt.extended_error(EdeCode::StaleAnswer, "old"));
  EXPECT_TRUE(opt.tcp_keepalive(100));
  EXPECT_TRUE(opt.padding(3));
  EXPECT_EQ(copy(opt.finish().subspan(9)), hex("003c 0003 0006 6e6f64652d31 000a 0018") + client + server +
                                               hex("000f 0005 0003 6f6c64 000b 0002 0064 000c 0003 000000"));
}

TEST(OptWriter, WhatItWritesCanBeRead) {
  Octets room(512);
  OptWriter opt(room, {.payload_size = 4096, .dnssec_ok = true});
  ClientSubnet subnet{.family = 2, .source_prefix = 57, .scope_prefix = 48, .address = {}};
  subnet.address.fill(std::byte{0xff});  // bits behind the prefix must not get out
  ASSERT_TRUE(opt.client_subnet(subnet));
  ASSERT_TRUE(opt.tcp_keepalive_request());
  ASSERT_TRUE(opt.cookie(hex("0102030405060708"), {}));
  const Octets message = Octets(12) + copy(opt.finish());
  const auto read = Opt::parse(message, 12);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->payload_size, 4096);
  EXPECT_TRUE(read->dnssec_ok);
  const auto back = parse_client_subnet(*read->find(OptionCode::ClientSubnet));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->source_prefix, 57);
  EXPECT_EQ(back->scope_prefix, 48);
  EXPECT_EQ(back->address[7], std::byte{0x80});
  EXPECT_EQ(back->address[8], std::byte{0});
  EXPECT_FALSE(parse_tcp_keepalive(*read->find(OptionCode::TcpKeepalive))->timeout);
  EXPECT_TRUE(parse_cookie(*read->find(OptionCode::Cookie))->server.empty());
}

TEST(OptWriter, AnOptionIsWrittenWholeOrNotAtAll) {
  for (std::size_t size = 11; size < 11 + 4 + 6; ++size) {
    Octets room(size);
    OptWriter opt(room, {});
    EXPECT_FALSE(opt.nsid("node-1")) << size;
    EXPECT_EQ(opt.size(), 11U);
    EXPECT_EQ(load_be16(room.data() + 9), 0);
  }
  Octets room(21);
  OptWriter opt(room, {});
  EXPECT_TRUE(opt.nsid("node-1"));
  EXPECT_FALSE(opt.tcp_keepalive_request());
  EXPECT_EQ(opt.size(), 21U);
}

TEST(OptWriter, RefusesValuesThatBreakTheFormat) {
  Octets room(512);
  OptWriter opt(room, {});
  EXPECT_FALSE(opt.cookie(Octets(7), {}));
  EXPECT_FALSE(opt.cookie(Octets(8), Octets(7)));
  EXPECT_FALSE(opt.cookie(Octets(8), Octets(33)));
  EXPECT_FALSE(opt.client_subnet({.family = 3}));
  EXPECT_FALSE(opt.client_subnet({.family = 1, .source_prefix = 33}));
  EXPECT_FALSE(opt.pad_to_block(0, 0));
  EXPECT_EQ(opt.size(), 11U);
}

TEST(OptWriter, PadsToABlock) {  // RFC 8467 4.1
  for (std::size_t before = 0; before < 300; ++before) {
    Octets room(1024);
    OptWriter opt(room, {});
    ASSERT_TRUE(opt.pad_to_block(before, 128));
    EXPECT_EQ((before + opt.size()) % 128, 0U) << before;
    EXPECT_LE(opt.size(), 11U + 4U + 127U);
  }
}

}  // namespace
}  // namespace swarmdns::dns
