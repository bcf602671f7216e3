#include "dataplane/control/dump.h"

#include <time.h>

#include "dataplane/cache/dump.h"
#include "dataplane/cache/reader.h"
#include "dataplane/control/digest.h"

namespace swarmdns::control {
namespace {

// At most 640 entries a step: they fit into a slice unless they are large, and then the slice is cut in the
// middle.
constexpr std::uint32_t kBucketsPerStep = 64;

// No entry moves within the table as long as one of these lives.
class DumpScope {
 public:
  explicit DumpScope(cache::Writer& writer) : writer_(writer) { writer_.begin_dump(); }
  ~DumpScope() { writer_.end_dump(); }
  DumpScope(const DumpScope&) = delete;
  DumpScope& operator=(const DumpScope&) = delete;

 private:
  cache::Writer& writer_;
};

class Sender {
 public:
  explicit Sender(const std::function<bool(const v1::CacheSlice&)>& send) : send_(send) {}

  bool digested(const v1::CacheSlice& slice) {
    slice.SerializeToString(&serialised_);
    digest_.add(serialised_);
    return send_(slice);
  }
  bool trailer(std::uint64_t entries) {
    v1::CacheSlice slice;
    slice.mutable_trailer()->set_entries(entries);
    slice.mutable_trailer()->set_digest(digest_.finish());
    return send_(slice);
  }

 private:
  const std::function<bool(const v1::CacheSlice&)>& send_;
  PartsDigest digest_;
  std::string serialised_;
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
  header.set_journal_next(calls.cache().journal().next());
  const DumpScope scope(calls.writer());
  if (!sender.digested(slice)) return kGone;

  const cache::Table& table = calls.cache().table();
  cache::Reader reader(table);
  cache::DumpCursor cursor;
  std::uint64_t total = 0;
  std::size_t bytes = 0;
  v1::DumpEntries* entries = slice.mutable_entries();
  bool listening = true;
  const auto flush = [&] {
    if (!entries->entries().empty()) {
      total += static_cast<std::uint64_t>(entries->entries_size());
      reader.offline();
      listening = sender.digested(slice);
      reader.online();
    }
    entries->Clear();
    bytes = 0;
  };
  // A bucket's entries may be larger than a slice; they are copied out while they are valid, and sent after.
  std::vector<v1::CacheEntry> copied;
  while (listening && !cursor.done(table)) {
    const std::uint64_t now_ms = calls.clock().milliseconds();
    copied.clear();
    cursor.next(table, kBucketsPerStep, [&](const cache::Entry& entry) {
      if ((entry.flags & cache::Entry::kFailure) != 0) return;
      v1::CacheEntry& out = copied.emplace_back();
      to_message(entry, now_ms, out);
      const cache::Origin origin = calls.cache().origin(entry);
      out.mutable_origin()->set_node(origin.node);
      out.mutable_origin()->set_sequence(origin.sequence);
    });
    reader.quiescent();
    for (v1::CacheEntry& entry : copied) {
      constexpr std::size_t kFraming = 16;  // tags and lengths around an entry
      const std::size_t size = entry.ByteSizeLong() + kFraming;
      if (bytes + size > kMaxSliceBytes) flush();
      if (!listening) break;
      bytes += size;
      *entries->add_entries() = std::move(entry);
    }
  }
  if (listening) flush();
  reader.offline();
  if (!listening || !sender.trailer(total)) return kGone;
  return grpc::Status::OK;
}

}  // namespace swarmdns::control
