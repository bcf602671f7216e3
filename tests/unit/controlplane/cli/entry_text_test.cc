#include "controlplane/cli/entry_text.h"

#include <gtest/gtest.h>

namespace swarmdns::controlplane {
namespace {

const std::string kOwner("\xc0\x0c", 2);  // the question's name

std::string record(const std::string& owner, uint16_t type, uint32_t ttl, const std::string& rdata) {
  std::string wire = owner;
  const auto u16 = [&](uint32_t v) { wire += {static_cast<char>(v >> 8), static_cast<char>(v)}; };
  u16(type);
  u16(1);
  u16(ttl >> 16);
  u16(ttl & 0xffff);
  u16(static_cast<uint32_t>(rdata.size()));
  return wire + rdata;
}

v1::CacheEntry entry_of_www() {
  v1::CacheEntry entry;
  entry.mutable_key()->set_qname(std::string("\3www\7example\0", 13));
  entry.mutable_key()->set_qtype(1);
  entry.set_sections(record(kOwner, 1, 300, {"\xc0\x00\x02\x01", 4}));
  entry.set_answers(1);
  entry.set_age_s(100);
  return entry;
}

TEST(EntryText, ShowsRecordsWithTheTtlOfNow) {
  const EntryText text = entry_text(entry_of_www());
  EXPECT_EQ(text.error, "");
  EXPECT_EQ(text.name, "www.example.");
  EXPECT_EQ(text.type, "A");
  EXPECT_EQ(text.rcode, "NOERROR");
  ASSERT_EQ(text.records.size(), 1u);
  EXPECT_EQ(text.records[0].section, "answer");
  EXPECT_EQ(text.records[0].name, "www.example.");
  EXPECT_EQ(text.records[0].ttl, 200u);
  EXPECT_EQ(text.records[0].rdata, "192.0.2.1");
}

TEST(EntryText, ATtlThatHasRunOutIsZero) {
  auto entry = entry_of_www();
  entry.set_age_s(301);
  EXPECT_EQ(entry_text(entry).records.at(0).ttl, 0u);
}

TEST(EntryText, KeepsTheSectionsApart) {
  auto entry = entry_of_www();
  // NS of example. (a pointer into the question) and an address in the additional section.
  const std::string example("\xc0\x10", 2);
  *entry.mutable_sections() += record(example, 2, 60, {"\3www\xc0\x10", 6});
  *entry.mutable_sections() += record(kOwner, 28, 60, std::string(15, '\0') + "\1");
  entry.set_authorities(1);
  entry.set_additionals(1);
  entry.set_age_s(0);
  const EntryText text = entry_text(entry);
  ASSERT_EQ(text.records.size(), 3u) << text.error;
  EXPECT_EQ(text.records[1].section, "authority");
  EXPECT_EQ(text.records[1].name, "example.");
  EXPECT_EQ(text.records[1].rdata, "www.example.");
  EXPECT_EQ(text.records[2].section, "additional");
  EXPECT_EQ(text.records[2].rdata, "::1");
}

TEST(EntryText, SaysSoWhenSectionsCannotBeRead) {
  auto entry = entry_of_www();
  entry.mutable_sections()->pop_back();
  const EntryText text = entry_text(entry);
  EXPECT_NE(text.error, "");
  EXPECT_TRUE(text.records.empty());
  EXPECT_EQ(text.name, "www.example.");
}

TEST(EntryText, NamesAnOddRcodeAndType) {
  auto entry = entry_of_www();
  entry.set_rcode(3);
  entry.mutable_key()->set_qtype(65280);
  entry.clear_sections();
  entry.set_answers(0);
  const EntryText text = entry_text(entry);
  EXPECT_EQ(text.rcode, "NXDOMAIN");
  EXPECT_EQ(text.type, "TYPE65280");
}

TEST(NameToWire, FoldsAndChecks) {
  std::string error;
  EXPECT_EQ(name_to_wire("WWW.Example", error), std::string("\3www\7example\0", 13));
  EXPECT_EQ(name_to_wire(".", error), std::string("\0", 1));
  EXPECT_EQ(error, "");
  EXPECT_EQ(name_to_wire("a..b", error), "");
  EXPECT_NE(error, "");
  EXPECT_EQ(name_to_wire(std::string(64, 'a'), error), "");
}

}  // namespace
}  // namespace swarmdns::controlplane
