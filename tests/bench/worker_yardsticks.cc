#include "tests/bench/worker_yardsticks.h"

#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <sys/mman.h>
#include <urcu-qsbr.h>
#include <urcu/rculfhash.h>

#include <array>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "dataplane/eal/eal.h"

namespace swarmdns::bench {
namespace {

// Memory by the gibibyte, on huge pages where the kernel gives them, freed as a whole.
class Heap {
 public:
  ~Heap() {
    for (const auto& [at, size] : blocks_) munmap(at, size);
  }
  std::byte* take(std::size_t size) {
    size = (size + 7) & ~std::size_t{7};
    if (left_ < size) {
      constexpr std::size_t kBlock = std::size_t{256} << 20;
      void* block = mmap(nullptr, kBlock, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (block == MAP_FAILED) throw std::bad_alloc();
      madvise(block, kBlock, MADV_HUGEPAGE);
      blocks_.emplace_back(block, kBlock);
      at_ = static_cast<std::byte*>(block);
      left_ = kBlock;
    }
    std::byte* result = at_;
    at_ += size;
    left_ -= size;
    return result;
  }

 private:
  std::vector<std::pair<void*, std::size_t>> blocks_;
  std::byte* at_ = nullptr;
  std::size_t left_ = 0;
};

class CdsLfht : public Yardstick {
 public:
  explicit CdsLfht(std::uint64_t entries) {
    const std::uint64_t buckets = std::bit_ceil(entries);
    table_ = cds_lfht_new(buckets, buckets, 0, 0, nullptr);
    if (table_ == nullptr) throw std::bad_alloc();
  }
  ~CdsLfht() override {
    cds_lfht_iter at;
    cds_lfht_first(table_, &at);
    for (cds_lfht_node* node = cds_lfht_iter_get_node(&at); node != nullptr;
         node = cds_lfht_iter_get_node(&at)) {
      cds_lfht_next(table_, &at);
      cds_lfht_del(table_, node);
    }
    cds_lfht_destroy(table_, nullptr);
  }
  void add(std::uint64_t hash, const cache::Entry& entry) override {
    std::byte* memory = heap_.take(sizeof(cds_lfht_node) + entry.size());
    auto* node = new (memory) cds_lfht_node;
    cds_lfht_node_init(node);
    std::memcpy(memory + sizeof(cds_lfht_node), entry.bytes(), entry.size());
    cds_lfht_add(table_, hash, node);
  }
  [[nodiscard]] bool wants_hash() const override { return true; }
  void find(std::span<const std::uint64_t> hashes, std::span<const cache::Key> keys,
            std::span<const cache::Entry*> out) override {
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      cds_lfht_iter at;
      cds_lfht_lookup(table_, hashes[i], same, &keys[i], &at);
      cds_lfht_node* node = cds_lfht_iter_get_node(&at);
      out[i] = node == nullptr ? nullptr : entry_of(node);
      if (out[i] != nullptr) out[i]->touch();
    }
  }

 private:
  static const cache::Entry* entry_of(cds_lfht_node* node) {
    return reinterpret_cast<const cache::Entry*>(reinterpret_cast<std::byte*>(node) + sizeof(cds_lfht_node));
  }
  static int same(cds_lfht_node* node, const void* key) {
    return entry_of(node)->has_key(*static_cast<const cache::Key*>(key)) ? 1 : 0;
  }
  Heap heap_;
  cds_lfht* table_;
};

struct alignas(64) FixedKey {
  std::array<std::byte, 64> bytes;
  void set(const cache::Key& key) {
    bytes.fill(std::byte{0});
    const std::uint64_t word = key.word();
    std::memcpy(bytes.data(), &word, 8);
    std::memcpy(bytes.data() + 8, key.qname, key.qname_len);
  }
};

class RteHash : public Yardstick {
 public:
  explicit RteHash(rte_hash* table) : table_(table) {}
  ~RteHash() override { rte_hash_free(table_); }
  void add(std::uint64_t, const cache::Entry& entry) override {
    keys_[0].set(entry.key());
    if (rte_hash_add_key_data(table_, &keys_[0], const_cast<cache::Entry*>(&entry)) != 0)
      throw std::bad_alloc();
  }
  [[nodiscard]] bool wants_hash() const override { return false; }
  void find(std::span<const std::uint64_t>, std::span<const cache::Key> keys,
            std::span<const cache::Entry*> out) override {
    std::array<const void*, 64> pointers;
    std::array<void*, 64> data;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      keys_[i].set(keys[i]);
      pointers[i] = &keys_[i];
    }
    std::uint64_t hits = 0;
    rte_hash_lookup_bulk_data(table_, pointers.data(), static_cast<std::uint32_t>(keys.size()), &hits,
                              data.data());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      out[i] = (hits >> i & 1) != 0 ? static_cast<const cache::Entry*>(data[i]) : nullptr;
      if (out[i] == nullptr) continue;
      __builtin_prefetch(out[i]);
      __builtin_prefetch(out[i]->bytes() + 64);
    }
    for (const cache::Entry* entry : out) {
      if (entry != nullptr) entry->touch();
    }
  }

 private:
  rte_hash* table_;
  std::array<FixedKey, 64> keys_;
};

}  // namespace

void start_dpdk_memory(const std::string& bench, unsigned cpu, bool hugepages, std::uint64_t entries) {
  eal::EalOptions options;
  options.main_cpu = cpu;
  options.worker_cpus = {cpu};
  options.hugepages = hugepages;
  options.memory_mib = static_cast<std::uint32_t>(256 + entries * 160 / 1'000'000);
  options.file_prefix = "bench" + bench;
  auto eal = eal::Eal::start(options);
  if (!eal) {
    std::fprintf(stderr, "bench-%s: %s\n", bench.c_str(), eal.error().text().c_str());
    std::exit(1);
  }
  static const std::unique_ptr<eal::Eal> kept = std::move(*eal);
}

std::unique_ptr<Yardstick> make_cds_lfht(std::uint64_t entries) {
  return std::make_unique<CdsLfht>(entries);
}

std::unique_ptr<Yardstick> make_rte_hash(std::uint64_t entries) {
  rte_hash_parameters parameters{};
  parameters.name = "bench";
  parameters.entries = static_cast<std::uint32_t>(entries + entries / 4);
  parameters.key_len = sizeof(FixedKey);
  parameters.hash_func = rte_hash_crc;
  parameters.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF | RTE_HASH_EXTRA_FLAGS_EXT_TABLE;
  rte_hash* table = rte_hash_create(&parameters);
  if (table == nullptr) return nullptr;
  return std::make_unique<RteHash>(table);
}

}  // namespace swarmdns::bench
