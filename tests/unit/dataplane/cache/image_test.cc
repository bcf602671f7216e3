#include "dataplane/cache/image.h"

#include <gtest/gtest.h>

#include <random>

#include "dataplane/net/checksum.h"
#include "tests/unit/dataplane/cache/helpers.h"

namespace swarmdns::cache {
namespace {

using testing::make_image;
using testing::TestKey;

std::vector<std::byte> octets(std::initializer_list<unsigned> list) {
  std::vector<std::byte> out;
  for (const unsigned v : list) out.push_back(static_cast<std::byte>(v));
  return out;
}

// An A record, owner by pointer to the question.
std::vector<std::byte> a_record(unsigned last, unsigned ttl = 60) {
  return octets({0xc0, 12, 0, 1, 0, 1, 0, 0, ttl >> 8, ttl & 255, 0, 4, 192, 0, 2, last});
}

struct Content {
  TestKey key{"www.example.com", 1};
  std::vector<std::byte> sections;
  EntryContent content;

  explicit Content(std::vector<std::byte> bytes, std::uint16_t answers) : sections(std::move(bytes)) {
    content.key = key.key;
    content.answers = answers;
    content.born = 100;
    content.expires = 160;
    content.sections = sections;
  }
  ImageFault fault() const {
    const auto image = EntryImage::build(content);
    EXPECT_FALSE(image);
    EXPECT_FALSE(to_text(image.error()).empty());
    return image ? ImageFault{} : image.error().fault;
  }
};

std::vector<std::byte> join(std::initializer_list<std::vector<std::byte>> parts) {
  std::vector<std::byte> out;
  for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

TEST(EntryImage, HoldsWhatItWasGiven) {
  Content c(join({a_record(1), a_record(2)}), 1);
  c.content.authorities = 1;
  c.content.flags = Entry::kAuthenticated;
  c.content.ede = 23;
  const auto image = EntryImage::build(c.content);
  ASSERT_TRUE(image) << to_text(image.error());
  const Entry& entry = image->entry();
  EXPECT_TRUE(entry.has_key(c.key.key));
  EXPECT_EQ(entry.answers, 1);
  EXPECT_EQ(entry.authorities, 1);
  EXPECT_EQ(entry.additionals, 0);
  EXPECT_EQ(entry.flags, Entry::kAuthenticated);
  EXPECT_EQ(entry.ede, 23);
  EXPECT_EQ(entry.born, 100U);
  EXPECT_EQ(entry.expires, 160U);
  ASSERT_EQ(entry.ttl_offsets().size(), 2U);
  EXPECT_EQ(entry.ttl_offsets()[0], 6);
  EXPECT_EQ(entry.ttl_offsets()[1], 22);
  EXPECT_TRUE(std::ranges::equal(entry.sections(), c.sections));
  EXPECT_EQ(entry.size(), 32U + 18 + 4 + 32);  // qname of 17 bytes and one of padding
}

TEST(EntryImage, SumIsThatOfTheSectionsWithTtlsZeroed) {
  // A TXT of odd length first, so that the second record's TTL stands at an odd offset.
  auto odd = octets({0xc0, 12, 0, 16, 0, 1, 0, 1, 2, 3, 0, 2, 1, 'x', 0xc0});
  odd.pop_back();
  auto odder = octets({0xc0, 12, 0, 16, 0, 1, 1, 2, 3, 4, 0, 3, 2, 'x', 'y'});
  Content c(join({odder, a_record(1, 777), odd}), 3);
  const auto image = EntryImage::build(c.content);
  ASSERT_TRUE(image) << to_text(image.error());
  auto zeroed = c.sections;
  for (const auto offset : image->entry().ttl_offsets())
    std::fill_n(zeroed.begin() + offset, 4, std::byte{0});
  EXPECT_EQ(image->entry().sections_sum, net::fold_sum(net::add_bytes(0, zeroed.data(), zeroed.size())));
}

TEST(EntryImage, TtlWithTheTopBitSetIsZero) {
  auto record = a_record(1);
  record[6] = std::byte{0x80};
  Content c(record, 1);
  const auto image = EntryImage::build(c.content);
  ASSERT_TRUE(image);
  for (std::size_t i = 6; i < 10; ++i) EXPECT_EQ(image->entry().sections()[i], std::byte{0});
}

TEST(EntryImage, AnswersWithoutRecordsAreFine) {
  Content c({}, 0);
  c.content.rcode = 3;
  const auto image = EntryImage::build(c.content);
  ASSERT_TRUE(image);
  EXPECT_EQ(image->size(), 32U + 18);
}

TEST(EntryImage, RefusesWhatCouldMisleadAReader) {
  const auto good = a_record(1);
  EXPECT_EQ(Content(good, 2).fault(), ImageFault::CountMismatch);
  EXPECT_EQ(Content(join({good, good}), 1).fault(), ImageFault::CountMismatch);
  EXPECT_EQ(Content({}, 1).fault(), ImageFault::CountMismatch);
  for (std::size_t cut = 1; cut < good.size(); ++cut) {
    Content c(std::vector<std::byte>(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(cut)), 1);
    const ImageFault fault = c.fault();
    EXPECT_TRUE(fault == ImageFault::RecordTruncated || fault == ImageFault::OwnerInvalid) << cut;
  }
  auto header = good;
  header[1] = std::byte{11};  // into the header
  EXPECT_EQ(Content(header, 1).fault(), ImageFault::OwnerInvalid);
  auto forward = good;
  forward[1] = std::byte{60};
  EXPECT_EQ(Content(forward, 1).fault(), ImageFault::OwnerInvalid);
  auto self = good;
  self[1] = std::byte{12 + 17 + 4};  // to itself
  EXPECT_EQ(Content(self, 1).fault(), ImageFault::OwnerInvalid);
  auto label = good;
  label[0] = std::byte{0x80};
  EXPECT_EQ(Content(label, 1).fault(), ImageFault::OwnerInvalid);
  auto opt = good;
  opt[3] = std::byte{41};
  EXPECT_EQ(Content(opt, 1).fault(), ImageFault::RecordForbidden);
  auto chaos = good;
  chaos[5] = std::byte{3};
  EXPECT_EQ(Content(chaos, 1).fault(), ImageFault::RecordForbidden);
  auto three = octets({0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 3, 192, 0, 2});
  EXPECT_EQ(Content(three, 1).fault(), ImageFault::RdataInvalid);
  // A CNAME whose target points forward.
  auto cname = octets({0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 2, 0xc0, 200});
  EXPECT_EQ(Content(cname, 1).fault(), ImageFault::RdataInvalid);
}

TEST(EntryImage, RefusesBadKeysAndTimes) {
  const auto with = [](auto change) {
    Content c(a_record(1), 1);
    change(c);
    return c.fault();
  };
  EXPECT_EQ(with([](Content& c) { c.content.key.qname_len -= 1; }), ImageFault::NameInvalid);
  EXPECT_EQ(with([](Content& c) { c.key.name[0] = std::byte{0xc0}; }), ImageFault::NameInvalid);
  EXPECT_EQ(with([](Content& c) { c.key.name[1] = std::byte{'W'}; }), ImageFault::NameNotFolded);
  EXPECT_EQ(with([](Content& c) { c.content.key.qtype = 255; }), ImageFault::TypeInvalid);
  EXPECT_EQ(with([](Content& c) { c.content.key.qtype = 0; }), ImageFault::TypeInvalid);
  EXPECT_EQ(with([](Content& c) { c.content.key.flags = 4; }), ImageFault::KeyFlagsInvalid);
  EXPECT_EQ(with([](Content& c) { c.content.rcode = 16; }), ImageFault::RcodeInvalid);
  EXPECT_EQ(with([](Content& c) { c.content.expires = 99; }), ImageFault::ExpiryInvalid);
  const std::vector<std::byte> huge(65'520);
  EXPECT_EQ(with([&huge](Content& c) { c.content.sections = huge; }), ImageFault::TooLarge);
}

TEST(EntryImage, RandomBytesAreRefusedOrHarmless) {
  std::mt19937_64 random(1);
  std::uint64_t accepted = 0;
  for (int n = 0; n < 50'000; ++n) {
    auto bytes = join({a_record(1), a_record(2), a_record(3)});
    for (int flips = 0; flips < 3; ++flips) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    Content c(std::move(bytes), 3);
    const auto image = EntryImage::build(c.content);
    if (!image) continue;
    ++accepted;
    for (const auto offset : image->entry().ttl_offsets())
      ASSERT_LE(offset + 6U, image->entry().sections_len);
  }
  EXPECT_GT(accepted, 100U);
}

TEST(EntryImage, RenderedPartsAreCheckedForBounds) {
  Content c(a_record(1), 1);
  const std::array<std::uint16_t, 1> right{6};
  const auto image = EntryImage::build_rendered(c.content, right, 0x1234);
  ASSERT_TRUE(image);
  EXPECT_EQ(image->entry().sections_sum, 0x1234);
  EXPECT_TRUE(std::ranges::equal(image->entry().sections(), c.sections));
  for (const std::uint16_t wrong : {0, 11, 14, 65'535}) {
    const auto refused = EntryImage::build_rendered(c.content, std::array{wrong}, 0);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, ImageFault::OffsetsInvalid);
  }
  EXPECT_FALSE(EntryImage::build_rendered(c.content, {}, 0));
}

TEST(EntryImage, IsSharedByReference) {
  EntryImage a = make_image("x.example");
  EntryImage b = a;
  EXPECT_EQ(a.get(), b.get());
  const EntryImage moved = std::move(a);
  EXPECT_EQ(a.get(), nullptr);  // NOLINT: moved-from is empty by contract
  EXPECT_EQ(moved.get(), b.get());
  b = EntryImage{};
  EXPECT_TRUE(testing::intact(moved.entry()));
  const EntryImage copy = EntryImage::copy_of(moved.entry());
  EXPECT_NE(copy.get(), moved.get());
  EXPECT_TRUE(same_content(copy.entry(), moved.entry()));
  EXPECT_EQ(copy.entry().expires, moved.entry().expires);
}

TEST(SameContent, IgnoresTtlsTimesAndOrder) {
  const auto build = [](std::vector<std::byte> bytes, std::uint16_t answers) {
    Content c(std::move(bytes), answers);
    auto image = EntryImage::build(c.content);
    EXPECT_TRUE(image);
    return *image;
  };
  const auto base = build(join({a_record(1), a_record(2), a_record(3)}), 3);
  EXPECT_TRUE(
      same_content(base.entry(), build(join({a_record(1, 9), a_record(2, 8), a_record(3, 7)}), 3).entry()));
  EXPECT_TRUE(same_content(base.entry(), build(join({a_record(3), a_record(1), a_record(2)}), 3).entry()));
  EXPECT_FALSE(same_content(base.entry(), build(join({a_record(3), a_record(1), a_record(4)}), 3).entry()));
  EXPECT_FALSE(same_content(base.entry(), build(join({a_record(1), a_record(2)}), 2).entry()));
  EXPECT_FALSE(same_content(base.entry(), build(join({a_record(1), a_record(1), a_record(2)}), 3).entry()));
}

}  // namespace
}  // namespace swarmdns::cache
