#include "tests/bench/cache_fixture.h"

#include <array>
#include <cstdio>
#include <cstdlib>

#include "dataplane/sync/affinity.h"

namespace swarmdns::bench {

using stats::read_tsc;

void fail(const std::string& why) {
  std::fprintf(stderr, "bench-cache: %s\n", why.c_str());
  std::exit(1);
}

void pin(unsigned cpu) {
  const unsigned cpus[] = {cpu};
  if (auto pinned = sync::set_affinity(cpus); !pinned) fail(pinned.error());
}

Filled::Filled(const CacheBenchOptions& options, std::uint64_t names, std::uint64_t budget)
    : mix_(options.seed) {
  cache::CacheOptions cache_options;
  cache_options.budget_bytes = budget;
  cache_options.mean_entry_bytes = mean_entry();
  cache_options.hugepages = options.hugepages;
  cache_options.cpus = {options.writer_cpu};
  auto made = cache::Cache::create(cache_options, counters_);
  if (!made) fail(made.error());
  cache_ = std::move(*made);
  for (std::uint64_t i = 0; i < names; ++i) insert(i);
}

std::uint32_t Filled::mean_entry() const {
  constexpr std::uint64_t kSample = 10'000;
  std::size_t sum = 0;
  for (std::uint64_t i = 0; i < kSample; ++i) sum += mix_.answer(i, clock_.seconds()).size();
  return static_cast<std::uint32_t>(sum / kSample);
}

cache::Outcome Filled::insert(std::uint64_t index) {
  const auto outcome =
      cache_->insert(mix_.answer(index, clock_.seconds()), clock_.milliseconds(), kNoJournal);
  if (index % 64 == 0) cache_->work(clock_.milliseconds());
  return outcome;
}

std::uint64_t Filled::fill(std::uint64_t next) {
  constexpr std::uint64_t kSurely = 10'000;
  while (evictions() < kSurely) insert(next++);
  return next;
}

void Keys::draw(const Mix& mix, std::uint64_t names, std::mt19937_64& random) {
  for (std::size_t i = 0; i < kKeys; ++i) {
    const std::uint64_t index = random() % names;
    names_[i] = mix.name(index);
    keys_[i] = {names_[i].wire.data(), names_[i].length, mix.key_flags(index), 0, mix.qtype(index)};
  }
}

void Ours::find(std::span<const std::uint64_t> hashes, std::span<const cache::Key> keys,
                std::span<const cache::Entry*> out) {
  for (const std::uint64_t hash : hashes) reader_.prefetch_bucket(hash);
  reader_.candidates(hashes, out);
  for (std::size_t i = 0; i < keys.size(); ++i) out[i] = reader_.confirm(hashes[i], keys[i], out[i]);
}

Pass pass(Yardstick& table, cache::Reader& reader, const Keys& keys, std::vector<std::uint32_t>* bursts) {
  std::array<std::uint64_t, kBurst> hashes{};
  std::array<const cache::Entry*, kBurst> found{};
  Pass result;
  unsigned touched = 0;
  const std::uint64_t start = read_tsc();
  std::uint64_t burst_start = start;
  for (std::size_t first = 0; first < kKeys; first += kBurst) {
    const auto burst = keys.burst(first);
    if (table.wants_hash()) {
      for (std::size_t i = 0; i < kBurst; ++i) hashes[i] = reader.hash_padded(burst[i]);
    }
    table.find(hashes, burst, found);
    for (const cache::Entry* entry : found) {
      if (entry == nullptr) continue;
      ++result.found;
      const std::size_t size = entry->size();
      for (std::size_t at = 0; at < size; at += 64) touched += std::to_integer<unsigned>(entry->bytes()[at]);
    }
    reader.quiescent();
    if (bursts != nullptr) {
      const std::uint64_t now = read_tsc();
      bursts->push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(now - burst_start, 0xffff'ffff)));
      burst_start = now;
    }
  }
  result.ticks = read_tsc() - start;
  asm volatile("" : : "r"(touched) : "memory");
  return result;
}

}  // namespace swarmdns::bench
