// The tables the cache is measured against, behind the one step of the pipeline they replace: a burst of keys
// to entries.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "dataplane/cache/cache.h"
#include "dataplane/cache/reader.h"

namespace swarmdns::bench {

class Yardstick {
 public:
  virtual ~Yardstick() = default;
  // Before the first look-up. `entry` stays where it is.
  virtual void add(std::uint64_t hash, const cache::Entry& entry) = 0;
  // Whether find() is to be given our hash of each key; else the table makes its own.
  [[nodiscard]] virtual bool wants_hash() const = 0;
  // One per key, null where there is none. At most 64.
  virtual void find(std::span<const std::uint64_t> hashes, std::span<const cache::Key> keys,
                    std::span<const cache::Entry*> out) = 0;
};

// DPDK's memory, which rte_hash lives in: its keys, buckets and free list, for `entries`. Once a process, on
// the main thread; ends it with a message when DPDK does not start.
void start_dpdk_memory(const std::string& bench, unsigned cpu, bool hugepages, std::uint64_t entries);

// liburcu's lock-free RCU hash table under QSBR; the same keyed hash as ours; its nodes lie in the entries'
// own memory.
[[nodiscard]] std::unique_ptr<Yardstick> make_cds_lfht(std::uint64_t entries);
// DPDK's, lock-free for readers, bulk look-ups, CRC32 by instruction, keys of 64 octets. Null when the EAL's
// memory does not hold it.
[[nodiscard]] std::unique_ptr<Yardstick> make_rte_hash(std::uint64_t entries);

}  // namespace swarmdns::bench
