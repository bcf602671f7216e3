#include "dataplane/control/dump.h"

#include <time.h>

#include "dataplane/cache/dump.h"
#include "dataplane/cache/reader.h"
#include "dataplane/control/digest.h"
#include "dataplane/sync/qsbr.h"

namespace swarmdns::control {
namespace {

// Copied out while entries are valid; what is sent is sent between two steps. Small, so that a slice is
// rarely overdrawn.
constexpr std::uint32_t kBucketsPerStep = 8;
constexpr std::size_t kStepRoom = std::size_t{64} << 10;  // a step of ordinary entries is far smaller
constexpr std::size_t kFraming = 16;                      // tags and lengths around an entry, at most

class Sender {
 public:
  explicit Sender(const std::function<bool(const v1::CacheSlice&)>& send) : send_(send) {}

  bool digested(const v1::CacheSlice& slice) {
    slice.SerializeToString(&serialised_);
    digest_.add(serialised_);
    return send_(slice);
  }
  // All of `slice`, cut into several where its entries are larger than one may be. Keeps its memory.
  bool entries(v1::CacheSlice& slice) {
    auto& all = *slice.mutable_entries()->mutable_entries();
    total_ += static_cast<std::uint64_t>(all.size());
    while (!all.empty() && slice.ByteSizeLong() > kMaxSliceBytes) {
      v1::CacheSlice part;
      auto& some = *part.mutable_entries()->mutable_entries();
      std::size_t bytes = 0;
      int count = 0;
      for (; count < all.size(); ++count) {
        bytes += all[count].ByteSizeLong() + kFraming;
        if (bytes + kFraming > kMaxSliceBytes) break;
        some.Add()->Swap(&all[count]);
      }
      all.DeleteSubrange(0, count);
      if (!digested(part)) return false;
    }
    const bool listening = all.empty() || digested(slice);
    all.Clear();
    return listening;
  }
  bool trailer() {
    v1::CacheSlice slice;
    slice.mutable_trailer()->set_entries(total_);
    slice.mutable_trailer()->set_digest(digest_.finish());
    return send_(slice);
  }

 private:
  const std::function<bool(const v1::CacheSlice&)>& send_;
  PartsDigest digest_;
  std::string serialised_;
  std::uint64_t total_ = 0;
};

const grpc::Status kGone(grpc::StatusCode::CANCELLED, "the dump was given up by its reader");

}  // namespace

std::uint64_t wall_milliseconds() noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

grpc::Status dump_cache(CacheCalls& calls, const std::string& node,
                        const std::function<bool(const v1::CacheSlice&)>& send) {
  Sender sender(send);
  v1::CacheSlice slice;
  v1::DumpHeader& header = *slice.mutable_header();
  header.set_magic(kDumpMagic);
  header.set_format(kDumpFormat);
  header.set_wall_ms(wall_milliseconds());
  header.set_node(node);
  header.set_journal_id(calls.journal_id());
  header.set_numbering(calls.numbering());
  header.set_journal_next(calls.cache().journal().next());
  const cache::DumpScope scope(calls.writer());
  if (!sender.digested(slice)) return kGone;

  const cache::Table& table = calls.cache().table();
  cache::Reader reader(table);
  cache::DumpCursor cursor;
  // Its messages are used again and again: a dump allocates little.
  v1::DumpEntries& entries = *slice.mutable_entries();
  std::size_t bytes = 0;
  while (!cursor.done(table)) {
    const std::uint64_t now_ms = calls.clock().milliseconds();
    cursor.next(table, kBucketsPerStep, [&](const cache::Entry& entry) {
      if ((entry.flags & cache::Entry::kFailure) != 0) return;
      v1::CacheEntry& out = *entries.add_entries();
      to_message(entry, now_ms, out);
      const cache::Origin origin = calls.cache().origin(entry);
      out.mutable_origin()->set_node(origin.node);
      out.mutable_origin()->set_sequence(origin.sequence);
      bytes += out.ByteSizeLong() + kFraming;
    });
    reader.quiescent();
    if (bytes + kStepRoom < kMaxSliceBytes && !cursor.done(table)) continue;
    const sync::QsbrOffline offline;
    if (!sender.entries(slice)) return kGone;
    bytes = 0;
  }
  const sync::QsbrOffline offline;
  return sender.trailer() ? grpc::Status::OK : kGone;
}

}  // namespace swarmdns::control
