#include "dataplane/cache/cache.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "dataplane/cache/clock.h"
#include "dataplane/sync/qsbr.h"

namespace swarmdns::cache {

namespace {

constexpr std::uint64_t kLeastBudget = 4ULL << 20;
constexpr std::uint64_t kMostBudget = 32ULL << 30;  // what 32-bit references in units of 8 bytes reach
// Of the table, when slabs are full of entries of the mean size.
constexpr double kLoadFactor = 0.88;
constexpr double kSlackPerSlot = 4;  // octets an entry leaves of its slot, in the mean

// Slots that can wait for a grace period: 100 ms at a million inserts a second in a large cache, less in a
// small one.
std::size_t reclaim_capacity(std::uint64_t budget) {
  return std::clamp<std::size_t>(budget / 8192, 1024, 262'144);
}

}  // namespace

// How the arena is divided: buckets from its start, pages at its end, page records before them.
struct Cache::Layout {
  HashKey key;
  std::uint32_t buckets = 0;
  std::size_t page_records_at = 0;
  std::size_t pages_at = 0;
  std::size_t pages = 0;
  std::size_t reclaim = 0;
};

std::expected<std::unique_ptr<Cache>, std::string> Cache::create(const CacheOptions& given,
                                                                 stats::Block& counters) {
  CacheOptions options = given;
  if (options.budget_bytes < kLeastBudget || options.budget_bytes > kMostBudget) {
    return std::unexpected("cache budget: " + std::to_string(options.budget_bytes) +
                           " bytes; allowed are 4 MiB to 32 GiB");
  }
  if (options.mean_entry_bytes < 64 || options.mean_entry_bytes > 4096) {
    return std::unexpected("cache mean entry size: " + std::to_string(options.mean_entry_bytes) +
                           " bytes; allowed are 64 to 4096");
  }
  options.journal.bytes = std::min<std::size_t>(options.journal.bytes, options.budget_bytes / 64);

  Layout layout;
  layout.key = options.hash_key ? *options.hash_key : HashKey::random();
  layout.reclaim = reclaim_capacity(options.budget_bytes);
  // Besides the arena: the journal, the reclaimer, this object, and per page its place in pool and class.
  const std::size_t aside = options.journal.bytes + Reclaimer::memory(layout.reclaim) + sizeof(Cache) +
                            options.budget_bytes / kPageSize * 2 * sizeof(PageIndex);
  auto arena = Arena::map(options.budget_bytes - aside, options.hugepages);
  if (!arena) return std::unexpected(arena.error());

  const double per_entry =
      options.mean_entry_bytes + kSlackPerSlot + kSlotRecord + 64 / (kCells * kLoadFactor);
  const double entries = static_cast<double>(arena->size()) / per_entry;
  layout.buckets = std::max(2U, static_cast<std::uint32_t>(entries / (kCells * kLoadFactor)));
  layout.page_records_at = std::size_t{layout.buckets} * sizeof(Bucket);
  layout.pages = (arena->size() - layout.page_records_at) / (kPageSize + sizeof(Page));
  layout.pages_at = arena->size() - layout.pages * kPageSize;
  return std::unique_ptr<Cache>(new Cache(options, std::move(*arena), layout, counters));
}

Cache::Cache(const CacheOptions& options, Arena arena, const Layout& layout, stats::Block& counters)
    : counters_(counters),
      options_(options),
      arena_(std::move(arena)),
      table_(new (arena_.data()) Bucket[layout.buckets]{}, layout.buckets, arena_.data(), layout.key),
      writer_(table_),
      slab_(arena_.data(), arena_.data() + layout.pages_at,
            {new (arena_.data() + layout.page_records_at) Page[layout.pages], layout.pages}),
      wheel_(slab_.pages(), Clock::kStart),
      eviction_(slab_),
      journal_(options.journal),
      reclaimer_(layout.reclaim, options.wait_for_readers ? options.wait_for_readers : sync::wait_for_readers,
                 options.cpus),
      low_pages_(std::clamp<std::size_t>(layout.pages / 128, 2, 64)),
      entries_most_(table_.cell_count() * 91 / 100),
      stale_max_(options.stale_max) {}

Cache::~Cache() = default;

CacheStats Cache::stats() const noexcept {
  CacheStats out;
  out.entries = entries_.load(std::memory_order_relaxed);
  out.entry_bytes = entry_bytes_.load(std::memory_order_relaxed);
  out.budget_bytes = options_.budget_bytes;
  out.pages = slab_.page_count();
  out.pages_free = slab_.pool_any_thread();
  out.used_bytes = options_.budget_bytes - out.pages_free * kPageSize;
  out.table_cells = table_.cell_count();
  out.hugepages = arena_.explicit_hugepages();
  return out;
}

Origin Cache::origin(const Entry& entry) const noexcept {
  return origin_of(table_.ref(&entry));
}

void Cache::prefetch(const EntryImage& image) const noexcept {
  const Entry& entry = image.entry();
  const std::uint64_t hash = table_.hash(entry.key());
  __builtin_prefetch(&table_.bucket(table_.first_index(hash)), 1);
}

Outcome Cache::insert(const EntryImage& image, std::uint64_t now_ms, const InsertOptions& options) {
  const Outcome outcome = admit(image, now_ms, options);
  if (options.origin.node == 0) return outcome;
  switch (outcome) {
    case Outcome::Inserted:
    case Outcome::Replaced:
    case Outcome::Refreshed:
      counters_.add(stats::Counter::CacheRemoteAccepted);
      break;
    case Outcome::NotLater:
    case Outcome::KeptLocal:
      counters_.add(stats::Counter::CacheRemoteKept);
      break;
    case Outcome::NoRoom:
    case Outcome::TooLarge:
    case Outcome::Outdated:
    case Outcome::Expired:
      counters_.add(stats::Counter::CacheRemoteRefused);
      break;
  }
  return outcome;
}

Outcome Cache::admit(const EntryImage& image, std::uint64_t now_ms, const InsertOptions& options) {
  const Entry& fresh = image.entry();
  const std::size_t size = fresh.size();
  if (size > Entry::kMaxSize) {
    counters_.add(stats::Counter::CacheTooLarge);
    return Outcome::TooLarge;
  }
  const std::uint16_t epoch = epoch_.load(std::memory_order_relaxed);
  if (options.asked_epoch && *options.asked_epoch != epoch) return Outcome::Outdated;
  const bool remote = options.origin.node != 0;
  const bool to_journal = options.journal && !remote;
  if (!to_journal && fenced_off(options.origin)) return Outcome::Outdated;

  const auto now = static_cast<Seconds>(now_ms / 1000);
  const Seconds lifetime = std::min(fresh.expires - std::min(fresh.born, fresh.expires), options_.ttl_max);
  const Seconds expires = fresh.born + lifetime;
  const bool failure = (fresh.flags & Entry::kFailure) != 0;
  const Seconds deadline = failure ? expires : expires + std::min(stale_max_, kNever - 1 - expires);
  if (deadline <= now) return Outcome::Expired;

  const Key key = fresh.key();
  const std::uint64_t hash = table_.hash(key);
  if (options.only_if_later || remote) {
    if (const TableWriter::Cell there = writer_.find(hash, key)) {
      const Entry& entry = *table_.entry(there.ref());
      if (remote && entry.expires > now && origin_of(there.ref()).node == 0) return Outcome::KeptLocal;
      if (entry.expires >= expires) return Outcome::NotLater;
    }
  }

  const Ref ref = reclaimer_.room() > kRetireMargin ? allocate(slab_.classes().of(size)) : 0;
  if (ref == 0) {
    counters_.add(stats::Counter::CacheInsertDropped);
    return Outcome::NoRoom;
  }
  // Only now: making room may have taken out what was found before.
  const TableWriter::Cell cell = writer_.find(hash, key);
  const Ref old_ref = cell ? cell.ref() : 0;
  const Entry* old = cell ? table_.entry(old_ref) : nullptr;
  const bool same = old != nullptr && same_content(*old, fresh);

  Entry* entry = slab_.entry(ref);
  std::memcpy(static_cast<void*>(entry), &fresh, size);
  entry->expires = expires;
  entry->epoch = epoch;
  // Who was asked for before its refresh is asked for.
  entry->touched.store(old != nullptr ? old->touched.load(std::memory_order_relaxed) : std::uint8_t{0},
                       std::memory_order_relaxed);
  entry->prefetch_asked.store(0, std::memory_order_relaxed);

  Origin origin = options.origin;
  const Origin before = same ? origin_of(old_ref) : Origin{};
  if (!remote && before.node == 0 && before.sequence != 0 && !fenced_off(before)) {
    origin = before;  // it says the same since then
  } else if (to_journal) {
    // Also when the same was another node's word so far: from now on it is this node's.
    Mutation mutation;
    mutation.kind = old != nullptr ? MutationKind::Replace : MutationKind::Insert;
    mutation.clock_ms = now_ms;
    mutation.image = image;
    mutation.upstream = options.upstream;
    origin.sequence = journal_.append(std::move(mutation));
  }
  const SlotPlace at = slab_.place(ref);
  slab_.set_origin(at, origin);
  slab_.set_live(at, 0);
  slab_.deadlines(at.page)[at.slot] = deadline;
  wheel_.schedule(at.page, deadline);

  if (old != nullptr) {
    writer_.replace(cell, ref);
    counters_.add(stats::Counter::CacheReplaces);
    entry_bytes_.store(entry_bytes_.load(std::memory_order_relaxed) - old->size(), std::memory_order_relaxed);
    retire(old_ref);
  } else {
    const bool may_move = dumps_ == 0 && flushes_.empty();
    if (const Ref out = writer_.insert(hash, ref, may_move); out != 0) {
      counters_.add(stats::Counter::CacheEvictions);
      entry_bytes_.store(entry_bytes_.load(std::memory_order_relaxed) - table_.entry(out)->size(),
                         std::memory_order_relaxed);
      retire(out);
    } else {
      entries_.store(entries_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    counters_.add(stats::Counter::CacheInserts);
  }
  entry_bytes_.store(entry_bytes_.load(std::memory_order_relaxed) + size, std::memory_order_relaxed);

  if (!flushes_.empty() && flushes_.front().started) {
    const TableWriter::Cell now_at = writer_.find(hash, ref);
    if (static_cast<std::uint32_t>(now_at.bucket - &table_.bucket(0)) >= flushes_.front().bucket) {
      slab_.flags(at.page)[at.slot] |= kSlotFresh;
    }
  }
  if (old == nullptr) return Outcome::Inserted;
  return same ? Outcome::Refreshed : Outcome::Replaced;
}

bool Cache::remove(const Key& key, std::uint64_t now_ms) {
  const TableWriter::Cell cell = writer_.find(table_.hash(key), key);
  if (!cell || reclaimer_.room() == 0) return false;
  journal_remove(*table_.entry(cell.ref()), now_ms);
  take_out(cell.ref(), stats::Counter::CacheFlushed);
  return true;
}

bool Cache::work(std::uint64_t now_ms) {
  bool more = reclaimer_.collect(4096, [this](Ref ref) { slab_.give_back(ref, true); });
  more = expire(static_cast<Seconds>(now_ms / 1000)) || more;
  more = run_flush(now_ms) || more;
  more = empty_leaving(256) || more;
  journal_.settle();
  return more;
}

void Cache::take_out(Ref ref, stats::Counter why) {
  const Entry& entry = *table_.entry(ref);
  const std::uint64_t hash = table_.hash(entry.key());
  const TableWriter::Cell cell = writer_.find(hash, ref);
  writer_.remove(cell, hash);
  entries_.store(entries_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  entry_bytes_.store(entry_bytes_.load(std::memory_order_relaxed) - entry.size(), std::memory_order_relaxed);
  counters_.add(why);
  retire(ref);
}

void Cache::retire(Ref ref) noexcept {
  slab_.set_retiring(slab_.place(ref));
  reclaimer_.retire(ref);
}

void Cache::journal_remove(const Entry& entry, std::uint64_t now_ms) {
  Mutation mutation;
  mutation.kind = MutationKind::Remove;
  mutation.clock_ms = now_ms;
  mutation.name.assign(entry.qname().begin(), entry.qname().end());
  mutation.qtype = entry.qtype;
  mutation.key_flags = entry.key_flags;
  mutation.view = entry.view;
  (void)journal_.append(std::move(mutation));
}

}  // namespace swarmdns::cache
