#include "dataplane/cache/hash.h"

#include <gtest/gtest.h>

#include <cmath>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "dataplane/cache/table.h"
#include "dataplane/simd/chunks.h"
#include "tests/unit/dataplane/cache/helpers.h"

namespace swarmdns::cache {
namespace {

using testing::numbered;
using testing::TestKey;

// CRC-32C with its key as the start value, which is how tables with "a seeded CRC" do it.
std::uint64_t seeded_crc(std::uint32_t seed, const Key& key) {
  std::uint32_t crc = ~seed;
  for (std::size_t i = 0; i < key.qname_len; ++i) {
    crc ^= std::to_integer<std::uint32_t>(key.qname[i]);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f6'3b78U : 0U);
  }
  return crc;
}

// Names of an attacker, all of one length.
std::string attack(std::uint64_t number) {
  return numbered("host-", 1'000'000 + number, ".attacker.example");
}

// The attacker finds names that `first` puts in one place, by trying some; how many such pairs there are, and
// how many of them `second` puts in one place again.
struct Collisions {
  std::size_t found = 0;
  std::size_t again = 0;
};
template <class First, class Second>
Collisions collide(std::uint64_t names, First&& first, Second&& second) {
  std::unordered_map<std::uint64_t, std::uint64_t> place;
  place.reserve(names);
  Collisions collisions;
  for (std::uint64_t i = 0; i < names; ++i) {
    const TestKey key(attack(i));
    const auto [at, fresh] = place.try_emplace(first(key.key), i);
    if (fresh) continue;
    ++collisions.found;
    const TestKey other(attack(at->second));
    collisions.again += second(key.key) == second(other.key) ? 1U : 0U;
  }
  return collisions;
}

TEST(Hash, NamesThatCollideInATableDoNotInOneWithAnotherKey) {
  auto options = testing::Engine::small();
  options.hash_key = HashKey::from_seed(11);
  const testing::Engine known(options);
  options.hash_key = HashKey::from_seed(12);
  const testing::Engine other(options);
  // Bucket and tag: between names that have both in common a lookup has to compare the names themselves.
  const auto place_in = [](const testing::Engine& engine) {
    return [&table = engine.cache->table()](const Key& key) {
      const std::uint64_t hash = table.hash(key);
      return std::uint64_t{table.first_index(hash)} << 16 | Table::tag(hash);
    };
  };
  ASSERT_GT(known.cache->table().bucket_count(), 8192U);  // so that these are 29 bits and more
  const Collisions collisions = collide(500'000, place_in(known), place_in(other));
  // 500,000^2 / 2 pairs, of which one in 8 * 10^8 collides: some 150. That one of them should collide again
  // by chance is as likely as one in five million.
  EXPECT_GT(collisions.found, 75U);
  EXPECT_EQ(collisions.again, 0U);
}

TEST(Hash, WhichNoCrcWouldPass) {
  // For a CRC the start value is no key: what collides under one collides under all.
  const auto with = [](std::uint32_t seed) {
    return [seed](const Key& key) { return seeded_crc(seed, key) & 0xff'ffff; };
  };
  const Collisions collisions = collide(60'000, with(11), with(12));
  EXPECT_GT(collisions.found, 40U);
  EXPECT_EQ(collisions.again, collisions.found);
}

TEST(Hash, DifferencesOfTwoHashesDependOnTheKey) {
  // As for any linear function: h(x) ^ h(y) of a CRC is the same under all keys.
  const TestKey x("aaaaaaaa.example");
  const TestKey y("aaaaaaab.example");
  std::unordered_set<std::uint64_t> differences;
  std::unordered_set<std::uint64_t> low_differences;
  std::unordered_set<std::uint64_t> crc_differences;
  for (std::uint32_t seed = 0; seed < 1000; ++seed) {
    const HashKey key = HashKey::from_seed(seed);
    const std::uint64_t difference = key.hash(x.key) ^ key.hash(y.key);
    differences.insert(difference);
    low_differences.insert(difference & 0xffff'ffff);
    crc_differences.insert(seeded_crc(seed, x.key) ^ seeded_crc(seed, y.key));
  }
  EXPECT_EQ(differences.size(), 1000U);
  EXPECT_GE(low_differences.size(), 999U);
  EXPECT_EQ(crc_differences.size(), 1U);
}

TEST(Hash, EveryLengthAndEveryByteCounts) {
  const HashKey key = HashKey::from_seed(3);
  std::vector<std::byte> bytes(255, std::byte{0});
  std::unordered_set<std::uint64_t> seen;
  std::size_t inputs = 0;
  for (std::size_t length = 1; length <= 255; ++length) {
    Key k{bytes.data(), static_cast<std::uint8_t>(length), 0, 0, 1};
    seen.insert(key.hash(k));
    ++inputs;
    for (std::size_t i = 0; i < length; ++i) {
      bytes[i] = std::byte{1};
      seen.insert(key.hash(k));
      ++inputs;
      bytes[i] = std::byte{0};
    }
  }
  EXPECT_EQ(seen.size(), inputs);
}

TEST(Hash, EveryFieldOfTheKeyCounts) {
  const HashKey key = HashKey::from_seed(3);
  std::unordered_set<std::uint64_t> seen;
  TestKey k("www.example.com");
  for (const int qtype : {1, 2, 28, 256}) {
    for (const int flags : {0, 1, 2, 3}) {
      for (const int view : {0, 1, 255}) {
        k.key.qtype = static_cast<std::uint16_t>(qtype);
        k.key.flags = static_cast<std::uint8_t>(flags);
        k.key.view = static_cast<std::uint8_t>(view);
        seen.insert(key.hash(k.key));
      }
    }
  }
  EXPECT_EQ(seen.size(), 48U);
}

TEST(Hash, ReadsNothingBeyondTheName) {
  const HashKey key = HashKey::from_seed(3);
  for (std::size_t length = 1; length <= 255; ++length) {
    // A heap block of exactly this size, so that a sanitizer sees any byte too many; and other bytes behind.
    std::vector<std::byte> exact(length, std::byte{7});
    std::vector<std::byte> padded(length + 16, std::byte{0xee});
    std::copy(exact.begin(), exact.end(), padded.begin());
    const Key a{exact.data(), static_cast<std::uint8_t>(length), 0, 0, 1};
    const Key b{padded.data(), static_cast<std::uint8_t>(length), 0, 0, 1};
    EXPECT_EQ(key.hash(a), key.hash(b)) << length;
  }
}

TEST(Hash, OfAFoldedNameIsThatOfTheKey) {
  const HashKey hash_key = HashKey::from_seed(5);
  for (std::size_t length = 1; length <= 255; ++length) {
    const std::vector<std::byte> name(length, std::byte{'x'});
    std::array<std::byte, simd::kFoldedRoom> folded;
    folded.fill(std::byte{0xee});
    static_cast<void>(simd::fold_name(folded.data(), name.data(), length, length));
    Key key{name.data(), static_cast<std::uint8_t>(length), 1, 0, 28};
    const std::uint64_t expected = hash_key.hash(key);
    key.qname = folded.data();
    ASSERT_EQ(hash_key.hash_padded(key), expected) << length;
  }
}

TEST(Hash, SpreadsOverBucketsEvenly) {
  const HashKey key = HashKey::from_seed(5);
  constexpr std::size_t kBuckets = 1024;
  constexpr std::size_t kNames = 102'400;
  for (const bool low : {false, true}) {
    std::vector<unsigned> load(kBuckets);
    for (std::size_t i = 0; i < kNames; ++i) {
      const TestKey k(numbered("n", i, ".example.com"));
      const std::uint64_t hash = key.hash(k.key);
      ++load[low ? hash % kBuckets : hash >> 54];
    }
    double chi = 0;
    for (const unsigned n : load) chi += (n - 100.0) * (n - 100.0) / 100.0;
    EXPECT_LT(chi, 1023 + 6 * std::sqrt(2 * 1023.0));
    // No bound from below: numbered names may well be spread more evenly than chance would.
  }
}

TEST(Hash, RandomKeysDiffer) {
  const TestKey k("www.example.com");
  EXPECT_NE(HashKey::random().hash(k.key), HashKey::random().hash(k.key));
}

}  // namespace
}  // namespace swarmdns::cache
