#include "tests/sim/sim_cache.h"

#include <algorithm>
#include <utility>

namespace swarmdns::sim {

namespace {

constexpr std::uint64_t kShortestUs = 100;
constexpr std::uint64_t kLongestUs = 15'000;
constexpr std::size_t kBatch = 64;
constexpr std::size_t kPiece = 10;

bool is_dead(const std::vector<DeadRange>& ranges, const v1::Origin& origin, bool by_node_alone) {
  return std::ranges::any_of(ranges, [&](const DeadRange& range) {
    return range.node == origin.node() &&
           (by_node_alone || (origin.sequence() >= range.first && origin.sequence() <= range.last));
  });
}

}  // namespace

std::string wire_name(const std::string& text) {
  std::string wire;
  std::size_t begun = 0;
  while (begun < text.size()) {
    const std::size_t dot = std::min(text.find('.', begun), text.size());
    wire += static_cast<char>(dot - begun);
    wire += text.substr(begun, dot - begun);
    begun = dot + 1;
  }
  return wire + '\0';
}

void SimDataplane::drop_dead() {
  std::erase_if(entries_, [now = world_.now_ms()](const auto& item) { return item.second.dies_ms <= now; });
}

void SimDataplane::resolve(const std::string& qname, std::uint64_t wall_ms, std::int64_t ttl_ms) {
  drop_dead();
  v1::Mutation mutation;
  mutation.set_sequence(next_++);
  mutation.set_kind(entries_.contains(qname) ? v1::MUTATION_REPLACE : v1::MUTATION_INSERT);
  mutation.set_wall_ms(wall_ms);
  v1::CacheEntry& entry = *mutation.mutable_entry();
  entry.mutable_key()->set_qname(qname);
  entry.mutable_key()->set_qtype(1);
  entry.set_remaining_ms(ttl_ms);
  entry.set_authenticated(true);
  entry.mutable_origin()->set_node(static_cast<std::uint32_t>(node_));
  entry.mutable_origin()->set_sequence(mutation.sequence());
  entries_[qname] = {entry, world_.now_ms() + static_cast<std::uint64_t>(ttl_ms)};
  journal_.push_back(std::move(mutation));
  if (news_) news_();
}

void SimDataplane::restart() {
  entries_.clear();
  journal_.clear();
  next_ += world_.between(1, 2000);
  ++journal_id_;
  epoch_ = 1;
  if (news_) news_();
}

SimCachePort::SimCachePort(SimWorld& world, SimReactor& reactor, SimDataplane& dataplane)
    : world_(world), reactor_(reactor), dataplane_(dataplane) {
  dataplane_.news_ = [this] { feed(); };
}

SimCachePort::~SimCachePort() {
  dataplane_.news_ = {};
}

void SimCachePort::later(std::function<void()> task) {
  reactor_.after(world_.between(kShortestUs, kLongestUs) / 1000, std::move(task));
}

void SimCachePort::follow_journal(std::uint64_t from, std::function<void(v1::JournalBatch)> take) {
  take_ = std::move(take);
  from_ = from == 0 ? dataplane_.next_ : from;
  told_journal_ = 0;
  wanted_ = true;
  feed();
}

void SimCachePort::journal_more() {
  wanted_ = true;
  feed();
}

void SimCachePort::feed() {
  if (!take_ || !wanted_ || feeding_) return;
  feeding_ = true;
  later([this] {
    feeding_ = false;
    if (!wanted_) return;
    v1::JournalBatch batch;
    batch.set_journal_id(dataplane_.journal_id_);
    for (const v1::Mutation& mutation : dataplane_.journal_) {
      if (mutation.sequence() < from_) continue;
      if (static_cast<std::size_t>(batch.mutations_size()) == kBatch) break;
      *batch.add_mutations() = mutation;
    }
    // Another journal is news by itself.
    if (batch.mutations().empty() && told_journal_ == dataplane_.journal_id_) return;
    told_journal_ = dataplane_.journal_id_;
    if (!batch.mutations().empty()) from_ = batch.mutations().rbegin()->sequence() + 1;
    batch.set_next(from_);
    wanted_ = false;
    take_(std::move(batch));
  });
}

void SimCachePort::insert(std::vector<v1::CacheEntry> entries, std::uint64_t transit_ms,
                          Done<Inserted> done) {
  later([this, entries = std::move(entries), transit_ms, done = std::move(done), epoch = dataplane_.epoch_,
         journal = dataplane_.journal_id_]() mutable {
    Inserted inserted;
    dataplane_.drop_dead();
    // A fence or another data plane came between: as if all were outdated.
    if ((epoch != dataplane_.epoch_ || journal != dataplane_.journal_id_)) {
      inserted.refused = entries.size();
      done(inserted);
      return;
    }
    for (v1::CacheEntry& entry : entries) {
      const std::int64_t left = entry.remaining_ms() - static_cast<std::int64_t>(transit_ms);
      const auto there = dataplane_.entries_.find(entry.key().qname());
      const std::uint64_t dies =
          world_.now_ms() + static_cast<std::uint64_t>(std::max<std::int64_t>(left, 0));
      if (left <= 0) {
        ++inserted.refused;
        continue;
      }
      if (there != dataplane_.entries_.end() &&
          (there->second.entry.origin().node() == dataplane_.node_ || there->second.dies_ms >= dies)) {
        ++inserted.kept_own;
        continue;
      }
      ++inserted.accepted;
      if (dataplane_.bugs.keeps_ad) entry.set_authenticated(true);
      if (dataplane_.watch_.taken) dataplane_.watch_.taken(entry);
      const std::string qname = entry.key().qname();
      dataplane_.entries_[qname] = {std::move(entry), dies};
    }
    done(inserted);
  });
}

void SimCachePort::fence(const std::vector<DeadRange>& ranges, Done<Fenced> done) {
  later([this, ranges, done = std::move(done)] {
    Fenced fenced;
    fenced.resolver_flushed = true;
    ++dataplane_.epoch_;
    if (!dataplane_.bugs.ignores_fences) {
      fenced.removed = std::erase_if(dataplane_.entries_, [&](const auto& item) {
        const bool dead = is_dead(ranges, item.second.entry.origin(), dataplane_.bugs.purges_too_much);
        if (dead && dataplane_.watch_.purged) dataplane_.watch_.purged(item.second.entry);
        return dead;
      });
    }
    // The answer comes a little later than the deed.
    later([fenced, done] { done(fenced); });
  });
}

void SimCachePort::dump(
    std::function<void(std::expected<v1::DumpEntries, std::string>, std::function<void()> next)> take) {
  struct Dump {
    std::vector<v1::CacheEntry> left;
    std::function<void(std::expected<v1::DumpEntries, std::string>, std::function<void()>)> take;
    std::function<void(std::shared_ptr<Dump>)> give;
  };
  dataplane_.drop_dead();
  auto dump = std::make_shared<Dump>();
  for (const auto& [name, item] : dataplane_.entries_) {
    v1::CacheEntry& entry = dump->left.emplace_back(item.entry);
    entry.set_remaining_ms(static_cast<std::int64_t>(item.dies_ms - world_.now_ms()));
  }
  dump->take = std::move(take);
  dump->give = [this](const std::shared_ptr<Dump>& self) {
    later([self] {
      v1::DumpEntries piece;
      while (!self->left.empty() && static_cast<std::size_t>(piece.entries_size()) < kPiece) {
        *piece.add_entries() = std::move(self->left.back());
        self->left.pop_back();
      }
      self->take(std::move(piece), [self] { self->give(self); });
    });
  };
  dump->give(dump);
}

// A data plane that dies takes its disk along.
void SimCachePort::restore(std::vector<std::string>, Done<std::uint64_t> done) {
  later([done = std::move(done)] { done(0); });
}

void SimCachePort::warming(std::uint64_t, Done<void> done) {
  later([done = std::move(done)] { done({}); });
}

void SimCachePort::warm(Done<void> done) {
  later([done = std::move(done)] { done({}); });
}

void SimCachePort::status(Done<v1::DataplaneStatus> done) {
  later([this, done = std::move(done)] {
    v1::DataplaneStatus status;
    status.mutable_cache()->set_journal_id(dataplane_.journal_id_);
    status.mutable_cache()->set_journal_next(dataplane_.next_);
    done(std::move(status));
  });
}

}  // namespace swarmdns::sim
