// Entries whose content can be checked by whoever finds them, for the tests of the cache.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/cache/cache.h"
#include "dataplane/cache/clock.h"
#include "dataplane/cache/image.h"
#include "dataplane/cache/reader.h"
#include "dataplane/stats/counters.h"

namespace swarmdns::cache::testing {

// "www.example.com" to wire format.
inline std::vector<std::byte> wire_name(std::string_view text) {
  std::vector<std::byte> out;
  while (!text.empty()) {
    const std::size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    out.push_back(static_cast<std::byte>(label.size()));
    for (const char c : label) out.push_back(static_cast<std::byte>(c));
    text = dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1);
  }
  out.push_back(std::byte{0});
  return out;
}

// "n17.example" and the like.
inline std::string numbered(std::string_view before, std::uint64_t number, std::string_view behind) {
  std::string out(before);
  out.append(std::to_string(number));
  out.append(behind);
  return out;
}

inline dns::Name dns_name(std::string_view text) {
  const auto wire = wire_name(text);
  return dns::Name(dns::NameView::trusted(wire));
}

struct TestKey {
  std::vector<std::byte> name;
  Key key;
  TestKey(std::string_view text, std::uint16_t qtype = 16, std::uint8_t flags = 0) : name(wire_name(text)) {
    key = {name.data(), static_cast<std::uint8_t>(name.size()), flags, 0, qtype};
  }
  TestKey(const TestKey&) = delete;
  TestKey& operator=(const TestKey&) = delete;
};

// One TXT record (owner: pointer to the question) of about `bytes` bytes, all of them `fill`.
inline std::vector<std::byte> txt_sections(std::size_t bytes, std::uint8_t fill, std::uint32_t ttl = 300) {
  std::vector<std::byte> rdata;
  for (std::size_t left = bytes < 13 ? 0 : bytes - 12; rdata.empty() || left > 0;) {
    const std::size_t n = left > 256 ? 255 : (left > 0 ? left - 1 : 0);
    rdata.push_back(static_cast<std::byte>(n));
    rdata.insert(rdata.end(), n, static_cast<std::byte>(fill));
    left = left > n + 1 ? left - n - 1 : 0;
  }
  std::vector<std::byte> out;
  const auto u8 = [&out](unsigned v) { out.push_back(static_cast<std::byte>(v & 255)); };
  for (const unsigned v : {0xc0U, 12U, 0U, 16U, 0U, 1U}) u8(v);
  for (const int shift : {24, 16, 8, 0}) u8(ttl >> shift);
  u8(static_cast<unsigned>(rdata.size() >> 8));
  u8(static_cast<unsigned>(rdata.size()));
  out.insert(out.end(), rdata.begin(), rdata.end());
  return out;
}

struct Spec {
  std::size_t bytes = 60;  // of the sections
  std::uint8_t fill = 7;
  Seconds born = Clock::kStart;
  Seconds ttl = 300;
  std::uint8_t flags = 0;
};

// A TXT answer, whose bytes all derive from `fill`, so that torn or reused memory shows.
inline EntryImage make_image(const Key& key, const Spec& spec = {}) {
  const auto sections = txt_sections(spec.bytes, spec.fill, spec.ttl);
  EntryContent content;
  content.key = key;
  content.flags = spec.flags;
  content.answers = 1;
  content.born = spec.born;
  content.expires = spec.born + spec.ttl;
  content.sections = sections;
  auto image = EntryImage::build(content);
  EXPECT_TRUE(image) << to_text(image.error());
  return image ? *image : EntryImage{};
}
inline EntryImage make_image(std::string_view name, const Spec& spec = {}) {
  const TestKey key(name);
  return make_image(key.key, spec);
}

// Every byte of the RDATA is the first one's, but for the length octets.
inline bool intact(const Entry& entry) {
  const auto sections = entry.sections();
  if (entry.answers != 1 || sections.size() < 13 || entry.ttl_offsets()[0] != 6) return false;
  std::size_t at = 12;
  const std::byte fill = sections.size() > 13 ? sections[13] : std::byte{0};
  while (at < sections.size()) {
    const std::size_t n = std::to_integer<std::size_t>(sections[at]);
    if (at + 1 + n > sections.size()) return false;
    for (std::size_t i = at + 1; i < at + 1 + n; ++i) {
      if (sections[i] != fill) return false;
    }
    at += 1 + n;
  }
  return at == sections.size();
}

// An engine without a writer thread: the test is the writer.
struct Engine {
  stats::Block counters;
  std::unique_ptr<Cache> cache;
  std::uint64_t now_ms = std::uint64_t{Clock::kStart} * 1000;

  explicit Engine(CacheOptions options = small()) {
    auto made = Cache::create(options, counters);
    EXPECT_TRUE(made) << made.error();
    cache = std::move(*made);
  }
  static CacheOptions small() {
    CacheOptions options;
    options.budget_bytes = 16U << 20;
    options.hugepages = false;
    options.hash_key = HashKey::from_seed(1);
    return options;
  }

  Outcome insert(const EntryImage& image, const InsertOptions& options = {}) {
    return cache->insert(image, now_ms, options);
  }
  // The same, waiting for grace periods where memory is short.
  Outcome insert_patiently(const EntryImage& image) {
    for (;;) {
      const Outcome outcome = insert(image);
      if (outcome != Outcome::NoRoom) return outcome;
      settle();
    }
  }
  void work() { cache->work(now_ms); }
  // All upkeep that is due, grace periods included.
  void settle() {
    do {
      while (cache->work(now_ms)) {
      }
      std::this_thread::yield();
    } while (!cache->grace_periods_over() || cache->flushing());
  }
  std::uint64_t count(stats::Counter counter) const { return counters.get(counter); }
};

}  // namespace swarmdns::cache::testing
