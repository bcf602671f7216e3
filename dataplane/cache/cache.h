// The cache: one table, entries in slabs, a fixed budget of memory, and the engine that changes them. One
// thread (the writer, writer.h) calls everything here that is not said to be for any thread; readers
// (reader.h) go on meanwhile.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/cache/arena.h"
#include "dataplane/cache/entry.h"
#include "dataplane/cache/eviction.h"
#include "dataplane/cache/image.h"
#include "dataplane/cache/journal.h"
#include "dataplane/cache/origin_set.h"
#include "dataplane/cache/reclaimer.h"
#include "dataplane/cache/slab.h"
#include "dataplane/cache/table.h"
#include "dataplane/cache/table_writer.h"
#include "dataplane/cache/wheel.h"
#include "dataplane/stats/counters.h"
#include "proto/dns/name.h"

namespace swarmdns::cache {

struct CacheOptions {
  std::uint64_t budget_bytes = 256ULL
                               << 20;  // everything: table, slabs, page records, journal; 4 MiB to 32 GiB
  bool hugepages = true;  // explicit 2 MiB pages where the system has them, else transparent ones
  std::uint32_t mean_entry_bytes = 128;  // what the table is sized by; 64-4096
  Journal::Limits journal;
  Seconds stale_max = 86'400;       // how long an expired answer is kept (RFC 8767)
  Seconds ttl_max = 604'800;        // bound on expires - born
  std::optional<HashKey> hash_key;  // random when absent
  std::vector<unsigned> cpus;       // where the reclaimer's thread runs; empty: as the creating thread
  // Blocks until readers hold nothing that was taken out before; liburcu's when absent.
  std::function<void()> wait_for_readers;
};

enum class Outcome : std::uint8_t {
  Inserted,
  Replaced,
  Refreshed,  // replaced by the same content, only younger
  NotLater,   // only_if_later, or of another node, and what is there lives as long
  KeptLocal,  // of another node, and this node has a fresh answer of its own
  NoRoom,     // no memory free at this moment; counted
  TooLarge,   // beyond Entry::kMaxSize; counted
  Outdated,   // asked for before the last flush, or a fence that is running declares its origin dead
  Expired,    // past expires + stale_max already
};

struct InsertOptions {
  Origin origin;               // node 0: of this node; its number is the journal's, if it is journaled
  bool journal = true;         // never for entries of other nodes
  bool only_if_later = false;  // keep what is there if it expires later
  std::optional<std::uint16_t> asked_epoch;  // Cache::epoch() when the question was sent
  UpstreamId upstream = 0;                   // of Journal::upstreams(); for the journal alone
};

struct FlushScope {
  // Origins: a fence. It is not in the journal; numbers this node gives from now on are not in it.
  enum class Kind : std::uint8_t { Name, Zone, All, Origins } kind = Kind::All;
  dns::Name name;           // Name, Zone
  std::uint16_t qtype = 0;  // Name: this type only; 0 = all
  OriginSet origins{};      // Origins
};

// Whether a flush takes that entry away. The scope's name is folded.
[[nodiscard]] bool in_scope(const Entry& entry, const Origin& origin, const FlushScope& scope);

struct FlushResult {
  std::uint64_t removed = 0;
  std::uint64_t looked_at = 0;
  std::uint16_t epoch = 0;  // raised before the first was looked at
};

struct CacheStats {
  std::uint64_t entries = 0;
  std::uint64_t budget_bytes = 0;
  std::uint64_t used_bytes = 0;   // table, page records, journal, and slab pages that hold entries
  std::uint64_t entry_bytes = 0;  // of the entries themselves
  std::uint64_t table_cells = 0;
  std::uint64_t pages = 0;
  std::uint64_t pages_free = 0;
  bool hugepages = false;
};

class Cache {
 public:
  using FlushDone = std::function<void(const FlushResult&)>;

  // The error names the option and what is allowed. `counters` belongs to the writer thread.
  [[nodiscard]] static std::expected<std::unique_ptr<Cache>, std::string> create(const CacheOptions& options,
                                                                                 stats::Block& counters);
  ~Cache();
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  // --- Any thread ---
  [[nodiscard]] const Table& table() const noexcept { return table_; }
  [[nodiscard]] Journal& journal() noexcept { return journal_; }
  [[nodiscard]] CacheStats stats() const noexcept;
  // Raised by every flush: an answer that was asked for before is then not admitted.
  [[nodiscard]] std::uint16_t epoch() const noexcept { return epoch_.load(std::memory_order_acquire); }
  // Of an entry found by a Reader, while it is valid.
  [[nodiscard]] Origin origin(const Entry& entry) const noexcept;

  // --- Writer thread ---
  Outcome insert(const EntryImage& image, std::uint64_t now_ms, const InsertOptions& options = {});
  // For bursts: brings the lines an insert will need into the processor's cache.
  void prefetch(const EntryImage& image) const noexcept;
  // True: it was there.
  bool remove(const Key& key, std::uint64_t now_ms);
  // Removes everything in scope that is there now, over the next calls of work(); `done` is then called on
  // this thread. Flushes run one after another. Entries inserted meanwhile stay. Until a fence is through,
  // what comes with an origin that it declares dead is refused; its epoch is that of this call, however long
  // flushes before it take.
  void flush(const FlushScope& scope, std::uint64_t now_ms, FlushDone done);

  [[nodiscard]] bool flushing() const noexcept { return !flushes_.empty(); }

  // A round of upkeep, bounded: slots whose grace period is over, expiry, running flushes, pages on the move.
  // True: there is more to do at once.
  bool work(std::uint64_t now_ms);

  // While a dump runs, entries are not moved within the table: every key that is there all the while is met
  // exactly once by Dump (dump.h).
  void begin_dump() noexcept { ++dumps_; }
  void end_dump() noexcept { --dumps_; }

  void set_stale_max(Seconds stale_max) noexcept {
    stale_max_ = stale_max;
  }  // for entries inserted from then on

  // For measurements and tests.
  [[nodiscard]] const Arena& arena() const noexcept { return arena_; }
  [[nodiscard]] const TableWriter& table_writer() const noexcept { return writer_; }
  [[nodiscard]] bool grace_periods_over() const noexcept { return reclaimer_.empty(); }

 private:
  // Places among the retired that evictions leave to the insert they are made for.
  static constexpr std::size_t kRetireMargin = 2;

  struct Layout;
  Cache(const CacheOptions& options, Arena arena, const Layout& layout, stats::Block& counters);

  struct Flush {
    FlushScope scope;
    FlushDone done;
    bool started = false;
    std::uint32_t bucket = 0;
    FlushResult result{};
  };

  Outcome admit(const EntryImage& image, std::uint64_t now_ms, const InsertOptions& options);
  [[nodiscard]] Origin origin_of(Ref ref) const noexcept { return slab_.origin(slab_.place(ref)); }

  // room.cc: where memory for inserts comes from.
  Ref allocate(SizeClass c);
  void keep_reserve(SizeClass c);
  void review(SizeClass c);
  // Pages are few, or cells of the table are: then every insert sees to it that something goes.
  [[nodiscard]] bool scarce() const noexcept {
    return slab_.pool() + slab_.leaving() <= low_pages_ || table_full();
  }
  [[nodiscard]] bool table_full() const noexcept {
    return entries_.load(std::memory_order_relaxed) >= entries_most_;
  }
  [[nodiscard]] std::optional<SizeClass> donor(double at_least) noexcept;
  bool move_page_from(SizeClass c);
  bool relocate(const SlotPlace& from);
  bool empty_leaving(unsigned budget);

  // upkeep.cc: expiry and flushes.
  bool expire(Seconds now);
  bool expire_page(PageIndex index, Seconds now, unsigned& budget);
  bool run_flush(std::uint64_t now_ms);
  void start_flush(Flush& flush, std::uint64_t now_ms);
  std::uint16_t raise_epoch() noexcept;
  // A fence that has not come to its end declares the origin dead.
  [[nodiscard]] bool fenced_off(const Origin& origin) const noexcept;

  // Takes a live entry out of the table.
  void take_out(Ref ref, stats::Counter why);
  // The slot of an entry that is in the table no more.
  void retire(Ref ref) noexcept;
  void journal_remove(const Entry& entry, std::uint64_t now_ms);

  // Order matters: what comes first is destroyed last.
  stats::Block& counters_;
  const CacheOptions options_;
  Arena arena_;
  Table table_;
  TableWriter writer_;
  Slab slab_;
  Wheel wheel_;
  Eviction eviction_;
  Journal journal_;
  Reclaimer reclaimer_;

  const std::size_t low_pages_;       // the pool is kept above this by moving pages
  const std::uint64_t entries_most_;  // what the table takes without displacing
  Seconds stale_max_;
  std::atomic<std::uint16_t> epoch_{1};
  unsigned dumps_ = 0;
  std::deque<Flush> flushes_;
  std::deque<PageIndex> leaving_;     // pages that still hold live entries
  std::uint64_t recent_inserts_ = 0;  // since ClassState::recent was last halved
  PageIndex expiring_ = kNoPage;      // a page whose expiry was cut short by the budget
  std::atomic<std::uint64_t> entries_{0};
  std::atomic<std::uint64_t> entry_bytes_{0};
};

}  // namespace swarmdns::cache
