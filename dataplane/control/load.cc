#include "dataplane/control/load.h"

#include <atomic>
#include <string>

#include "dataplane/control/digest.h"
#include "dataplane/control/dump.h"
#include "dataplane/control/insert_tally.h"
#include "dataplane/control/spool.h"

namespace swarmdns::control {
namespace {

constexpr unsigned kInsertWindow = 4096;
constexpr std::uint64_t kSkewMs = 2000;

grpc::Status lost(std::string text) {
  return {grpc::StatusCode::DATA_LOSS, "the dump " + std::move(text) + "; nothing was loaded"};
}

grpc::Status other(std::string text) {
  return {grpc::StatusCode::FAILED_PRECONDITION, "the dump " + std::move(text) + "; nothing was loaded"};
}

grpc::Status check_header(const v1::DumpHeader& header) {
  if (header.magic() != kDumpMagic)
    return other("is not a SwarmDNS cache dump: it does not begin with its magic");
  if (header.format() != kDumpFormat) {
    return other("has format " + std::to_string(header.format()) + "; this version reads format " +
                 std::to_string(kDumpFormat));
  }
  if (header.wall_ms() > wall_milliseconds() + kSkewMs) {
    return other("was made " + std::to_string((header.wall_ms() - wall_milliseconds()) / 1000) +
                 " s in the future by this machine's clock, so that the time passed since is not known; set "
                 "the clock");
  }
  return grpc::Status::OK;
}

// First pass: header, entries, trailer in this order, kept in the spool; the digest must be that of the
// trailer.
grpc::Status receive(const std::function<bool(v1::CacheSlice&)>& next, Spool& spool, v1::DumpHeader& header) {
  PartsDigest digest;
  std::string serialised;
  v1::CacheSlice slice;
  std::uint64_t entries = 0;
  bool headed = false;
  while (next(slice)) {
    switch (slice.part_case()) {
      case v1::CacheSlice::kHeader:
        if (headed) return lost("has a second header");
        if (grpc::Status status = check_header(slice.header()); !status.ok()) return status;
        header = slice.header();
        headed = true;
        break;
      case v1::CacheSlice::kEntries:
        if (!headed) return other("does not begin with a header");
        entries += static_cast<std::uint64_t>(slice.entries().entries_size());
        break;
      case v1::CacheSlice::kTrailer:
        if (!headed) return other("does not begin with a header");
        if (slice.trailer().digest() != digest.finish())
          return lost("was altered: its digest is not that of its contents");
        if (slice.trailer().entries() != entries)
          return lost("was altered: its trailer counts other entries");
        if (next(slice)) return lost("goes on behind its trailer");
        return grpc::Status::OK;
      case v1::CacheSlice::PART_NOT_SET:
        return other("holds a part that this version does not know");
    }
    slice.SerializeToString(&serialised);
    digest.add(serialised);
    if (slice.has_entries()) {
      if (auto kept = spool.append(serialised); !kept) {
        return {grpc::StatusCode::RESOURCE_EXHAUSTED, "the dump " + kept.error() + "; nothing was loaded"};
      }
    }
  }
  return headed ? lost("is cut: it ends without its trailer") : lost("is empty");
}

struct Tally {
  std::atomic<std::uint64_t> loaded{0};
  std::atomic<std::uint64_t> expired{0};
  std::atomic<std::uint64_t> refused{0};
  void count(cache::Outcome outcome) {
    if (accepted(outcome) || outcome == cache::Outcome::NotLater || outcome == cache::Outcome::KeptLocal) {
      loaded.fetch_add(1, std::memory_order_relaxed);
    } else {
      (outcome == cache::Outcome::Expired ? expired : refused).fetch_add(1, std::memory_order_relaxed);
    }
  }
};

}  // namespace

grpc::Status load_cache(CacheCalls& calls, const v1::DataplaneConfig& config,
                        const std::function<bool(v1::CacheSlice&)>& next, v1::LoadResponse& response) {
  // A flush from now on holds for what is being loaded, too.
  const std::uint16_t epoch = calls.cache().epoch();
  const std::uint64_t limit = 2 * calls.cache().stats().budget_bytes + (std::uint64_t{64} << 20);
  auto spool = Spool::create(config.state_dir(), limit);
  if (!spool) return {grpc::StatusCode::UNAVAILABLE, spool.error()};
  v1::DumpHeader header;
  if (grpc::Status status = receive(next, *spool, header); !status.ok()) return status;

  const std::uint64_t wall = wall_milliseconds();
  const std::uint64_t elapsed_ms =
      wall > header.wall_ms() ? wall - header.wall_ms() : header.wall_ms() - wall;
  const std::uint64_t begun_ms = calls.clock().milliseconds();
  const bool own = header.numbering() != 0 && header.numbering() == calls.numbering();
  Tally tally;  // the writer thread adds to it until the last drain()
  unsigned under_way = 0;
  v1::CacheSlice slice;
  const auto replayed = spool->replay([&](const std::string& record) {
    if (!slice.ParseFromString(record)) return false;
    DecodeRules rules = calls.decode_rules();
    rules.elapsed_ms = elapsed_ms + (rules.now_ms - begun_ms);
    for (const v1::CacheEntry& entry : slice.entries().entries()) {
      auto image = from_message(entry, rules);
      const auto origin = origin_of(entry);
      if (!image || !origin) {
        const bool expired = !image && image.error().fault == DecodeFault::Expired;
        (expired ? tally.expired : tally.refused).fetch_add(1);
        continue;
      }
      cache::InsertOptions options;
      options.journal = false;  // it was there before, as far as anybody who follows the journal is concerned
      options.only_if_later = true;
      options.asked_epoch = epoch;
      if (own || origin->node != 0) options.origin = *origin;
      if (!calls.writer().insert(std::move(*image), options,
                                 [&tally](cache::Outcome outcome) { tally.count(outcome); })) {
        tally.refused.fetch_add(1);
      }
      if (++under_way % kInsertWindow == 0) calls.writer().drain();
    }
    return true;
  });
  calls.writer().drain();
  if (!replayed) return {grpc::StatusCode::INTERNAL, "the dump " + replayed.error()};
  response.set_loaded(tally.loaded);
  response.set_expired(tally.expired);
  response.set_refused(tally.refused);
  return grpc::Status::OK;
}

}  // namespace swarmdns::control
