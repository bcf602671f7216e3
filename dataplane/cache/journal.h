// What changed in the cache, in order, for those who follow it: admitted, changed and removed answers and
// flushes of this node. Refreshes that change nothing, expiries and evictions are no changes.
//
// A ring bounded in records and in bytes. Each record has a number, rising by one; the first is 1 or what
// start_at() says. When the oldest are overwritten, a reader that still wanted them is told of a gap, by
// numbers, and resynchronises by a dump.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <stop_token>
#include <vector>

#include "dataplane/cache/image.h"
#include "dataplane/cache/upstream_names.h"

namespace swarmdns::cache {

enum class MutationKind : std::uint8_t { Insert, Replace, Remove, FlushZone, FlushAll, Gap };

struct Mutation {
  std::uint64_t sequence = 0;  // at least 1; for a gap, its first number
  MutationKind kind = MutationKind::Insert;
  std::uint64_t gap_last = 0;  // Gap: numbers sequence..gap_last are lost
  std::uint64_t clock_ms = 0;  // Clock::milliseconds() when it happened
  EntryImage image;            // Insert, Replace
  // Remove: the entry's key. FlushZone: the zone. Wire format, uncompressed, lower case.
  std::vector<std::byte> name;
  std::uint16_t qtype = 0;
  std::uint8_t key_flags = 0;
  std::uint8_t view = 0;
  UpstreamId upstream = 0;  // Insert, Replace: which one said so
};

class Journal {
 public:
  struct Limits {
    std::size_t records = 65'536;
    std::size_t bytes = 8U << 20;  // of the images kept alive and the records themselves
  };
  explicit Journal(Limits limits);

  // The number of the first mutation, 1 to 2^48 - 1. Before the first append, and before other threads know
  // the journal.
  void start_at(std::uint64_t number);

  // --- Writer thread ---

  // Numbers the mutation and keeps it; returns its number. Never waits: while a reader copies, records queue
  // up aside.
  std::uint64_t append(Mutation&& mutation);
  // Shows readers what queued up; called by the writer at every round.
  void settle();
  // As next(), with what queued up aside. Also when the writer has ended.
  [[nodiscard]] std::uint64_t given() const noexcept { return next_number_; }

  // --- Any thread ---

  struct Batch {
    std::vector<Mutation> mutations;  // a gap comes first and alone counts as a record
    std::uint64_t next = 0;           // ask from here the next time
  };
  // Mutations from number `from` on (0: from the oldest kept), at most `max_records` and about `max_bytes`.
  // Waits for the first one up to `timeout` or until `stop` is requested; then the batch is empty. Not for
  // RCU-online threads.
  [[nodiscard]] Batch read(std::uint64_t from, std::size_t max_records, std::size_t max_bytes,
                           std::chrono::milliseconds timeout, std::stop_token stop = {});

  [[nodiscard]] std::uint64_t first() const;    // oldest kept; equals next() when empty
  [[nodiscard]] std::uint64_t next() const;     // number the next mutation will have
  [[nodiscard]] std::uint64_t dropped() const;  // records overwritten so far
  [[nodiscard]] UpstreamNames& upstreams() noexcept { return upstreams_; }

 private:
  void store_locked(Mutation&& mutation);

  const Limits limits_;
  UpstreamNames upstreams_;
  std::uint64_t next_number_ = 1;  // the writer's own
  std::vector<Mutation> aside_;    // the writer's own: appended while a reader held the lock

  mutable std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<Mutation> records_;
  std::size_t bytes_ = 0;
  std::uint64_t first_ = 1;
  std::uint64_t dropped_ = 0;
  unsigned waiting_ = 0;
};

}  // namespace swarmdns::cache
