#include "controlplane/swarm/readmission.h"

#include <algorithm>
#include <set>
#include <utility>

namespace swarmdns::controlplane {
namespace {

bool below(std::string_view name, std::string_view zone) {
  for (;;) {
    if (name == zone) return true;
    if (name.empty() || name[0] == 0) return false;
    name.remove_prefix(std::min<std::size_t>(static_cast<unsigned char>(name[0]) + 1U, name.size()));
  }
}

// Keys and zones that mutations have changed.
class Changed {
 public:
  void add(const v1::Mutation& mutation) {
    switch (mutation.kind()) {
      case v1::MUTATION_INSERT:
      case v1::MUTATION_REPLACE:
      case v1::MUTATION_REMOVE:
        keys_.insert(mutation.entry().key().SerializeAsString());
        break;
      case v1::MUTATION_FLUSH_ZONE:
        zones_.insert(mutation.zone());
        break;
      case v1::MUTATION_FLUSH_ALL:
        all_ = true;
        break;
      default:
        break;
    }
  }
  bool has(const v1::Mutation& mutation) const {
    if (all_ || keys_.contains(mutation.entry().key().SerializeAsString())) return true;
    return std::ranges::any_of(
        zones_, [&](const std::string& zone) { return below(mutation.entry().key().qname(), zone); });
  }
  bool all() const { return all_; }
  bool empty() const { return !all_ && keys_.empty() && zones_.empty(); }

 private:
  std::set<std::string> keys_;
  std::set<std::string> zones_;
  bool all_ = false;
};

struct Read {
  v1::SegmentHeader header;
  std::vector<v1::Mutation> mutations;
};

// nullopt: not here.
std::expected<std::optional<Read>, std::string> read_segment(const SegmentStore& store, NodeId node,
                                                             std::uint64_t number) {
  const auto body = store.get(node, number);
  if (!body) return std::unexpected(body.error());
  Read read;
  if (!*body || !read.header.ParseFromString((*body)->segment().header())) return std::nullopt;
  auto mutations = read_mutations(**body, read.header);
  if (!mutations) return std::unexpected(mutations.error());
  read.mutations = std::move(*mutations);
  return read;
}

}  // namespace

std::expected<std::vector<Readmissible>, std::string> readmissible(const SegmentStore& store, NodeId node,
                                                                   std::uint64_t reached,
                                                                   const FenceFilter& filter,
                                                                   std::uint64_t since_ms, std::size_t most) {
  std::vector<Readmissible> found;
  const auto newest = store.head(node);
  if (!newest) return std::unexpected(newest.error());
  Changed since;
  Changed before;  // what is newer already, going back from `reached`
  for (std::uint64_t number = newest->number; number > 0 && found.size() < most; --number) {
    const auto read = read_segment(store, node, number);
    if (!read) return std::unexpected(read.error());
    if (!*read) continue;  // a hole in the chain, or expired
    const v1::SegmentHeader& header = (*read)->header;
    if (header.last_mutation() <= reached && (since.empty() || before.all() || header.last_ms() < since_ms))
      break;
    for (auto at = (*read)->mutations.rbegin(); at != (*read)->mutations.rend() && found.size() < most;
         ++at) {
      if (at->kind() == v1::MUTATION_KIND_UNSPECIFIED) continue;  // taken out
      if (at->sequence() > reached) {
        since.add(*at);
        continue;
      }
      const bool learned = at->kind() == v1::MUTATION_INSERT || at->kind() == v1::MUTATION_REPLACE;
      if (learned && !before.has(*at) && since.has(*at) && filter.alive(node, at->sequence())) {
        Readmissible& one = found.emplace_back();
        one.made_ms = at->wall_ms();
        one.entry = at->entry();
        one.entry.mutable_origin()->set_node(static_cast<std::uint32_t>(node));
        one.entry.mutable_origin()->set_sequence(at->sequence());
        one.entry.set_authenticated(false);
      }
      before.add(*at);
    }
    const auto oldest = store.oldest(node);
    if (!oldest) return std::unexpected(oldest.error());
    if (number <= *oldest) break;
  }
  return found;
}

Readmission::Readmission(Reactor& reactor, CachePort& cache, const SegmentStore& store,
                         const SharePeers& peers, Options options)
    : reactor_(reactor), cache_(cache), store_(store), peers_(peers), options_(std::move(options)) {}

void Readmission::begin(const v1::Fence& fence, const FenceFilter& filter,
                        std::function<void(std::uint64_t)> done) {
  const auto run = std::make_shared<Run>();
  run->filter = std::make_shared<FenceFilter>(filter);
  run->done = std::move(done);
  for (const v1::MutationRange& range : fence.dead()) {
    // An open range begins where the height has cut the chain.
    const NodeId node = range.node();
    if (range.last() == 0 && (node == options_.self || peers_.in_scope(node)))
      run->reached.emplace_back(node, range.first() - 1);
  }
  read_next(run);
}

void Readmission::read_next(const std::shared_ptr<Run>& run) {
  if (run->reached.empty()) return run->done(run->taken);
  const auto [node, reached] = run->reached.back();
  run->reached.pop_back();
  run->node = node;
  run->next = 0;
  const std::uint64_t now = reactor_.wall_ms();
  reactor_.offload(
      [&store = store_, run, reached, since = now - std::min(now, options_.life_ms), most = options_.most] {
        auto found = readmissible(store, run->node, reached, *run->filter, since, most);
        // A chain that cannot be read gives nothing back: its names are asked for anew.
        run->entries = found ? std::move(*found) : std::vector<Readmissible>();
      },
      [this, run, alive = std::weak_ptr(alive_)] {
        if (!alive.expired()) insert_next(run);
      });
}

void Readmission::insert_next(const std::shared_ptr<Run>& run) {
  std::vector<v1::CacheEntry> entries;
  while (run->next < run->entries.size() && entries.size() < options_.at_once) {
    Readmissible& one = run->entries[run->next++];
    const std::uint64_t wall = reactor_.wall_ms();
    std::optional<std::uint64_t> age;
    if (run->node != options_.self) {
      age = peers_.age_ms(run->node, reactor_.now_ms(), wall, one.made_ms);
      if (!may_share(one.entry, *options_.private_zones)) continue;
    } else if (wall >= one.made_ms) {
      age = wall - one.made_ms;
    }
    // Whose age nobody can tell does not come back.
    if (!age || one.entry.remaining_ms() <= static_cast<std::int64_t>(*age)) continue;
    one.entry.set_remaining_ms(one.entry.remaining_ms() - static_cast<std::int64_t>(*age));
    one.entry.set_age_s(one.entry.age_s() + static_cast<std::uint32_t>((*age + 999) / 1000));
    entries.push_back(std::move(one.entry));
  }
  if (entries.empty()) return read_next(run);
  cache_.insert(
      std::move(entries), 0,
      [this, run, alive = std::weak_ptr(alive_)](std::expected<CachePort::Inserted, std::string> in) {
        if (alive.expired()) return;
        if (in) run->taken += in->accepted;
        insert_next(run);
      });
}

}  // namespace swarmdns::controlplane
