// The way back into the cache.
#include <algorithm>
#include <utility>

#include "dataplane/cache/image.h"
#include "dataplane/restart/snapshot.h"

namespace swarmdns::restart {
namespace {

constexpr std::size_t kBatch = 256;

std::uint64_t since_ms(std::chrono::steady_clock::time_point begun) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun)
          .count());
}

// Whether a name in wire format, lower case, is one of the zones or below one.
bool below(std::string_view name, const std::unordered_set<std::string>& zones) {
  if (zones.empty()) return false;
  while (!name.empty()) {
    if (zones.contains(std::string(name))) return true;
    name.remove_prefix(std::min(name.size(), std::size_t{1} + static_cast<unsigned char>(name.front())));
  }
  return false;
}

}  // namespace

// Entries on their way to the writer: one batch is filled while the one before is inserted.
class Snapshot::Inserts {
 public:
  Inserts(cache::Writer& writer, const FlushLog& flushes) : writer_(writer), flushes_(flushes) {
    for (Bank& bank : banks_) bank.items.reserve(kBatch);
  }
  ~Inserts() { finish(); }
  Inserts(const Inserts&) = delete;
  Inserts& operator=(const Inserts&) = delete;

  void add(cache::EntryImage image, const cache::Origin& origin) {
    cache::Writer::Batched& item = banks_[filling_].items.emplace_back();
    item.image = std::move(image);
    item.options.origin = origin;
    item.options.journal = false;  // no news: it was there before, for whoever follows the journal
    item.options.only_if_later = true;
    if (banks_[filling_].items.size() < kBatch) return;
    command(banks_[filling_]);
    filling_ ^= 1;
    settle(banks_[filling_]);
  }
  void finish() {
    settle(banks_[filling_ ^ 1]);
    command(banks_[filling_]);
    settle(banks_[filling_]);
  }

  Loaded tally;

 private:
  struct Bank {
    std::vector<cache::Writer::Batched> items;
    std::future<void> done;
  };

  void command(Bank& bank) {
    // In this order: see flush_log.h.
    const std::uint16_t epoch = writer_.epoch();
    const FlushLog::View flushed = flushes_.view();
    tally.left_out += std::erase_if(bank.items, [&](cache::Writer::Batched& item) {
      item.options.asked_epoch = epoch;
      return flushed.dead(item.image.entry(), item.options.origin);
    });
    if (!bank.items.empty()) bank.done = writer_.insert_all(bank.items);
  }
  void settle(Bank& bank) {
    while (bank.done.valid()) {
      bank.done.get();
      // A flush came between: once more, and this time it is known.
      std::erase_if(bank.items, [this](const cache::Writer::Batched& item) { return count(item.outcome); });
      if (!bank.items.empty()) command(bank);
    }
    bank.items.clear();
  }
  bool count(cache::Outcome outcome) {
    switch (outcome) {
      case cache::Outcome::Outdated:
        return false;
      case cache::Outcome::Expired:
        ++tally.expired;
        break;
      case cache::Outcome::NoRoom:
      case cache::Outcome::TooLarge:
        ++tally.refused;
        break;
      default:
        ++tally.entries;
    }
    return true;
  }

  cache::Writer& writer_;
  const FlushLog& flushes_;
  Bank banks_[2];
  std::size_t filling_ = 0;
};

bool Snapshot::at_once(FrameKind kind, std::uint64_t numbering) const noexcept {
  return !options_.member || (kind == FrameKind::Own && numbering == options_.numbering);
}

void Snapshot::load(const Settings& settings) {
  const auto begun = std::chrono::steady_clock::now();
  const auto unusable = [this](const std::string& why, const char* result) {
    set_trouble(load_trouble_, path_ + " " + why + "; " + result + ", and the next snapshot takes its place");
  };
  constexpr char kPart[] = "what was read before that is in the cache";
  auto file = FrameReader::open(path_, key_);
  if (!file) return unusable(file.error(), "the cache starts empty");
  if (!*file) return;
  FrameReader& reader = **file;
  Inserts inserts(writer_, flushes_);
  std::uint64_t held = 0;
  std::uint64_t made_wall_ms = 0;
  while (!stopping_) {
    const auto frame = reader.next();
    if (!frame) {
      unusable(frame.error(), kPart);
      break;
    }
    if (frame->kind == FrameKind::End) break;
    if (const auto moment = RecordCursor(frame->payload).moment()) made_wall_ms = moment->wall_ms;
    if (at_once(frame->kind, reader.numbering())) {
      if (auto taken = take_frame(frame->payload, reader.numbering(), settings, nullptr, inserts); !taken) {
        unusable(taken.error(), kPart);
        break;
      }
      continue;
    }
    RecordCursor cursor(frame->payload);
    (void)cursor.moment();
    while (cursor.next()) ++held;
  }
  inserts.finish();
  if (held > 0) {
    if (auto again = reader.again()) held_.emplace(std::move(*again));
  }
  counters_.add(stats::Counter::SnapshotRestored, inserts.tally.entries);
  counters_.add(stats::Counter::SnapshotExpired, inserts.tally.expired);
  counters_.add(stats::Counter::SnapshotRefused, inserts.tally.refused);
  const std::uint64_t took_ms = since_ms(begun);
  {
    const std::lock_guard lock(mutex_);
    status_.loaded_wall_ms = made_wall_ms;
    status_.load_took_ms = took_ms;
    status_.loaded = inserts.tally;
    status_.held = held_ ? held : 0;
  }
  if (options_.say) {
    options_.say("cache restored",
                 std::to_string(inserts.tally.entries) + " answers in " + std::to_string(took_ms) + " ms, " +
                     std::to_string(inserts.tally.expired) + " expired, " + std::to_string(held) +
                     " held until fences are known",
                 "");
  }
}

std::expected<void, std::string> Snapshot::take_frame(std::string_view payload, std::uint64_t numbering,
                                                      const Settings& settings, const Zones* zones,
                                                      Inserts& inserts) {
  RecordCursor cursor(payload);
  const auto then = cursor.moment();
  if (!then) return std::unexpected("holds a frame without a time");
  const Moment now = options_.moment(clock_.milliseconds());
  const auto elapsed = elapsed_ms(*then, now);
  if (!elapsed) return std::unexpected(elapsed.error());
  const LifeRules rules{then->clock_ms, *elapsed, now.clock_ms, settings.max_ttl_s, settings.stale_max_s};
  const bool own_numbers = numbering == options_.numbering;
  Loaded& tally = inserts.tally;
  while (const auto record = cursor.next()) {
    cache::Origin origin = record->origin;
    const bool others = origin.node != 0;
    if (others && !options_.member) {  // of a swarm that this node has left
      ++tally.left_out;
      continue;
    }
    if (!others && !own_numbers) origin = {};
    const auto life = lifetime(*record, rules);
    if (!life) {
      ++tally.expired;
      continue;
    }
    auto image = cache::EntryImage::restore(
        std::as_bytes(std::span(record->octets.data(), record->octets.size())), life->born, life->expires);
    constexpr std::uint8_t kNotShared = cache::Entry::kAuthenticated;
    if (!image || (image->entry().flags & cache::Entry::kFailure) != 0 ||
        (others &&
         (origin.sequence == 0 || image->entry().view != 0 || (image->entry().flags & kNotShared) != 0))) {
      ++tally.refused;
      continue;
    }
    const cache::Entry& entry = image->entry();
    if (others && zones != nullptr &&
        below({reinterpret_cast<const char*>(entry.qname_data()), entry.qname_len}, *zones)) {
      ++tally.left_out;
      continue;
    }
    inserts.add(std::move(*image), origin);
  }
  if (cursor.malformed()) ++tally.refused;
  return {};
}

std::expected<Snapshot::Loaded, std::string> Snapshot::restore_held(const Wanted& wanted) {
  Status before;
  {
    const std::lock_guard lock(mutex_);
    before = status_;
  }
  if (!held_) return before.loaded;
  const Zones zones(wanted.private_zones.begin(), wanted.private_zones.end());
  const Settings settings = options_.settings();
  Inserts inserts(writer_, flushes_);
  std::string problem;
  while (!stopping_) {
    const auto frame = held_->next();
    if (!frame) {
      problem = frame.error();
      break;
    }
    if (frame->kind == FrameKind::End) break;
    if (at_once(frame->kind, held_->numbering())) continue;
    if (auto taken = take_frame(frame->payload, held_->numbering(), settings, &zones, inserts); !taken) {
      problem = taken.error();
      break;
    }
  }
  inserts.finish();
  held_.reset();
  flushes_.close();
  const Loaded& more = inserts.tally;
  counters_.add(stats::Counter::SnapshotRestored, more.entries);
  counters_.add(stats::Counter::SnapshotExpired, more.expired);
  counters_.add(stats::Counter::SnapshotRefused, more.refused);
  Loaded all = before.loaded;
  all.entries += more.entries;
  all.expired += more.expired;
  all.left_out += more.left_out;
  all.refused += more.refused;
  {
    const std::lock_guard lock(mutex_);
    status_.loaded = all;
    status_.held = 0;
  }
  if (options_.say) {
    options_.say("held answers restored",
                 std::to_string(more.entries) + " answers, " + std::to_string(more.left_out) +
                     " flushed or fenced off meanwhile, " + std::to_string(more.expired) + " expired",
                 "");
  }
  if (!problem.empty()) set_trouble(load_trouble_, path_ + " " + problem);
  return all;
}

}  // namespace swarmdns::restart
