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

// The bits that decide where a key lies in a table of 2^16 buckets, and its tag's low half: 24 bits.
std::uint32_t placement(std::uint64_t hash) {
  return static_cast<std::uint32_t>(hash >> 48) << 8 | static_cast<std::uint32_t>(hash & 0xff);
}

TEST(Hash, NamesThatCollideUnderOneKeyDoNotUnderAnother) {
  const HashKey a = HashKey::from_seed(11);
  const HashKey b = HashKey::from_seed(12);
  constexpr std::uint64_t kNames = 60'000;
  std::unordered_map<std::uint32_t, std::uint64_t> first;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> colliding;
  for (std::uint64_t i = 0; i < kNames; ++i) {
    const TestKey key(numbered("host-", i, ".attacker.example"));
    const auto [at, fresh] = first.try_emplace(placement(a.hash(key.key)), i);
    if (!fresh) colliding.emplace_back(at->second, i);
  }
  // About kNames^2 / 2^25 = 107 pairs; a few of them would still collide under b by chance once in a hundred
  // runs.
  ASSERT_GT(colliding.size(), 40U);
  std::size_t again = 0;
  for (const auto& [x, y] : colliding) {
    const TestKey left(numbered("host-", x, ".attacker.example"));
    const TestKey right(numbered("host-", y, ".attacker.example"));
    again += placement(b.hash(left.key)) == placement(b.hash(right.key)) ? 1U : 0U;
  }
  EXPECT_LE(again, 1U);
}

TEST(Hash, DifferencesOfTwoHashesDependOnTheKey) {
  // What fails for every CRC and every fixed function with a mere seed: h(x) ^ h(y) is the same under all
  // seeds.
  const TestKey x("aaaaaaaa.example");
  const TestKey y("aaaaaaab.example");
  std::unordered_set<std::uint64_t> differences;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const HashKey key = HashKey::from_seed(seed);
    differences.insert(key.hash(x.key) ^ key.hash(y.key));
  }
  EXPECT_EQ(differences.size(), 1000U);
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
