// The way to the disk.
#include <algorithm>
#include <utility>

#include "dataplane/cache/dump.h"
#include "dataplane/cache/image.h"
#include "dataplane/cache/reader.h"
#include "dataplane/restart/snapshot.h"
#include "dataplane/sync/qsbr.h"

namespace swarmdns::restart {
namespace {

// What one bucket of the table may add to a frame.
constexpr std::size_t kBucketRoom = cache::kCells * (cache::Entry::kMaxSize + kRecordHead);
static_assert(kMomentBytes + kBucketRoom <= kMostPayload);
// Written in the mean, over the life of a disk: a large cache is written less often than `every_ms` says.
constexpr std::uint64_t kMeanBytesPerSecond = std::uint64_t{1} << 20;
constexpr int kTries = 3;  // when flushes come between
constexpr auto kLongestRest = std::chrono::milliseconds(200);

const std::string kGivenUp = "it was not ready when this process had to end";

}  // namespace

void Snapshot::write(const Settings& settings) {
  const auto begun = std::chrono::steady_clock::now();
  Totals totals;
  std::uint64_t bytes = 0;
  std::expected<bool, std::string> written = false;
  for (int tries = 0; tries < kTries && written && !*written; ++tries)
    written = write_one(settings, totals, bytes);
  const auto ended = std::chrono::steady_clock::now();
  not_before_ = ended + std::chrono::milliseconds(bytes * 1000 / kMeanBytesPerSecond);
  due_ = std::max(ended + std::chrono::milliseconds(settings.every_ms), not_before_);
  if (!written) {
    counters_.add(stats::Counter::SnapshotFailed);
    set_trouble(write_trouble_, "restart snapshot: " + written.error() + "; a former one stays as it is");
    return;
  }
  if (!*written) {
    due_ = not_before_;
    return;
  }
  counters_.add(stats::Counter::SnapshotWritten);
  set_trouble(write_trouble_, "");
  const std::lock_guard lock(mutex_);
  // What it could not read then is history.
  load_trouble_.clear();
  status_.written_wall_ms = options_.moment(clock_.milliseconds()).wall_ms;
  status_.written_entries = totals.own + totals.held;
  status_.written_bytes = bytes;
  status_.written_took_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(ended - begun).count());
}

std::expected<bool, std::string> Snapshot::write_one(const Settings& settings, Totals& totals,
                                                     std::uint64_t& bytes) {
  if (!find_key()) return std::unexpected(key_trouble_);
  std::uint64_t before = 0;
  {
    const std::lock_guard lock(publishing_);
    before = flushes_through_;
  }
  auto file = FrameWriter::create(path_, key_, options_.numbering);
  if (!file) return std::unexpected(file.error());
  const auto written = write_all(*file, settings);
  if (!written) return std::unexpected(written.error());
  if (auto done = file->finish(*written); !done) return std::unexpected(done.error());
  totals = *written;
  bytes = file->bytes();
  // What was flushed meanwhile may be in it.
  const std::lock_guard lock(publishing_);
  if (flushes_through_ != before) return false;
  if (auto done = file->publish(); !done) return std::unexpected(done.error());
  return true;
}

std::expected<Totals, std::string> Snapshot::write_all(FrameWriter& file, const Settings& settings) {
  Totals totals;
  if (held_) {
    const auto carried = carry_held(file, settings);
    if (!carried) return std::unexpected(carried.error());
    totals.held = *carried;
  }
  const cache::DumpScope scope(writer_);
  const cache::Table& table = writer_.cache().table();
  cache::Reader reader(table);
  cache::DumpCursor cursor;
  std::string own;
  std::string held;
  own.reserve(kMostPayload);
  held.reserve(kMostPayload);
  const auto full = [](const std::string& payload) { return payload.size() + kBucketRoom > kMostPayload; };
  auto worked_since = std::chrono::steady_clock::now();
  while (!cursor.done(table)) {
    cursor.next(table, 1, [&](const cache::Entry& entry) {
      if ((entry.flags & cache::Entry::kFailure) != 0) return;
      const cache::Origin origin = writer_.cache().origin(entry);
      const bool mine = origin.node == 0 && origin.sequence != 0;
      std::string& payload = mine ? own : held;
      if (payload.empty()) append_moment(payload, options_.moment(clock_.milliseconds()));
      append_record(payload, entry, origin);
      ++(mine ? totals.own : totals.held);
    });
    reader.quiescent();
    const bool last = cursor.done(table);
    for (const auto& [kind, payload] : {std::pair(FrameKind::Own, &own), std::pair(FrameKind::Held, &held)}) {
      if (payload->empty() || !(last || full(*payload))) continue;
      const sync::QsbrOffline offline;
      if (auto done = file.add(kind, *payload); !done) return std::unexpected(done.error());
      payload->clear();
      if (!pause(worked_since)) return std::unexpected(kGivenUp);
    }
  }
  return totals;
}

// Entries that nobody may answer from yet are in no table: they go from the former file into this one, but
// for those that were flushed or have expired since.
std::expected<std::uint64_t, std::string> Snapshot::carry_held(FrameWriter& file, const Settings& settings) {
  auto from = held_->again();
  if (!from) return std::unexpected(from.error());
  std::uint64_t carried = 0;
  std::string kept;
  auto worked_since = std::chrono::steady_clock::now();
  for (;;) {
    const auto frame = from->next();
    // Damaged from here on, which the load has said; what there is goes on.
    if (!frame || frame->kind == FrameKind::End) return carried;
    if (at_once(frame->kind, from->numbering())) continue;
    RecordCursor cursor(frame->payload);
    const auto then = cursor.moment();
    const Moment now = options_.moment(clock_.milliseconds());
    const auto elapsed = then ? elapsed_ms(*then, now) : std::unexpected(std::string());
    if (!elapsed) return carried;
    const LifeRules rules{then->clock_ms, *elapsed, now.clock_ms, settings.max_ttl_s, settings.stale_max_s};
    const FlushLog::View flushed = flushes_.view();
    kept.clear();
    append_moment(kept, *then);
    while (const auto record = cursor.next()) {
      const auto image =
          cache::EntryImage::restore(std::as_bytes(std::span(record->octets.data(), record->octets.size())),
                                     record->born, record->expires);
      // One of this node's numbers in another numbering is nobody's.
      const cache::Origin origin = record->origin.node == 0 ? cache::Origin{} : record->origin;
      if (!image || !lifetime(*record, rules) || flushed.dead(image->entry(), origin)) continue;
      append_record(kept, image->entry(), origin);
      ++carried;
    }
    if (kept.size() > kMomentBytes) {
      if (auto done = file.add(FrameKind::Held, kept); !done) return std::unexpected(done.error());
    }
    if (!pause(worked_since)) return std::unexpected(kGivenUp);
  }
}

bool Snapshot::pause(std::chrono::steady_clock::time_point& worked_since) {
  if (!stopping_ && options_.rest > 0) {
    const std::chrono::steady_clock::duration wanted =
        (std::chrono::steady_clock::now() - worked_since) * options_.rest;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::min<std::chrono::steady_clock::duration>(wanted, kLongestRest),
                   [this] { return stopping_.load(); });
  }
  worked_since = std::chrono::steady_clock::now();
  return !given_up_;
}

}  // namespace swarmdns::restart
