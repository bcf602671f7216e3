#include "controlplane/swarm/segment_writer.h"

#include <algorithm>
#include <utility>

namespace swarmdns::controlplane {
namespace {

constexpr std::size_t kDraftsAtOnce = 8;
constexpr std::uint64_t kAgainMs = 1000;

constexpr char kRestarted[] = "the data plane was restarted";
constexpr char kOverflow[] = "the journal of the data plane overflowed";
constexpr char kFlood[] = "negative answers of a flood";

}  // namespace

SegmentWriter::SegmentWriter(Reactor& reactor, CachePort& cache, SegmentStore& store, Options options,
                             Events events)
    : reactor_(reactor),
      cache_(cache),
      store_(store),
      options_(std::make_shared<Options>(std::move(options))),
      events_(std::move(events)),
      flood_(options_->flood),
      cut_timer_(reactor),
      head_timer_(reactor),
      again_(reactor) {}

void SegmentWriter::start(const v1::SegmentHead& ordered) {
  struct Opened {
    SegmentStore::Head head;
    std::map<std::uint64_t, Sums> reached;
    std::string problem;
  };
  const auto opened_store = std::make_shared<Opened>();
  reactor_.offload(
      [&store = store_, node = options_->node, opened_store, ordered] {
        auto head = store.head(node);
        if (!head) {
          opened_store->problem = head.error();
          return;
        }
        opened_store->head = std::move(*head);
        Sums sums;
        for (std::uint64_t number = ordered.segment() + 1; number <= opened_store->head.number; ++number) {
          const auto segment = store.header(node, number);
          v1::SegmentHeader header;
          if (!segment || !*segment || !header.ParseFromString((*segment)->header())) continue;
          sums.mutations += header.count();
          sums.lost += lost_mutations(header);
          opened_store->reached[number] = sums;
        }
      },
      [this, opened_store, ordered, alive = std::weak_ptr(alive_)] {
        if (!alive.expired())
          opened(std::move(opened_store->head), std::move(opened_store->reached), ordered,
                 opened_store->problem);
      });
}

void SegmentWriter::opened(SegmentStore::Head head, std::map<std::uint64_t, Sums> reached,
                           const v1::SegmentHead& ordered, const std::string& problem) {
  if (!problem.empty()) {
    trouble_ = problem;
    again_.start(kAgainMs, [this, ordered] { start(ordered); });
    return;
  }
  trouble_.clear();
  // Another one may have been ordered while the store was being read.
  const v1::SegmentHead meanwhile = std::exchange(ordered_, ordered);
  reached_ = std::move(reached);
  told_ = {};
  head_ = std::move(head);
  if (head_.number < ordered.segment()) {
    head_.number = ordered.segment();
    head_.hash = array_from<sizeof(Hash)>(ordered.hash()).value_or(Hash{});
    head_.header.Clear();
    head_.header.set_last_mutation(ordered.last_mutation());
  }
  this->ordered(meanwhile);
  if (head_.number != 0) next_ = head_.header.last_mutation() + 1;
  journal_id_ = head_.header.journal_id();
  // Fences that were told while the store was being read come on top.
  epochs_.try_emplace(0, head_.header.fence_epoch());
  stats_.head = head_.number;
  cache_.follow_journal(next_, [this, alive = std::weak_ptr(alive_)](v1::JournalBatch batch) {
    if (!alive.expired()) take(std::move(batch));
  });
  head_timer_.start(options_->head_ms, [this] { offer_head(); });
}

void SegmentWriter::carried_out(std::uint64_t epoch, std::uint64_t next_mutation) {
  std::uint64_t& at = epochs_[next_mutation];
  at = std::max(at, epoch);
}

std::uint64_t SegmentWriter::epoch_at(std::uint64_t number) {
  // A fence that is carried out again for another data plane may come with a higher number: the first counts.
  std::uint64_t epoch = 0;
  for (const auto& [from, known] : epochs_) {
    if (from > number) break;
    epoch = std::max(epoch, known);
  }
  return epoch;
}

void SegmentWriter::take(v1::JournalBatch batch) {
  if (batch.journal_id() != journal_id_) {
    const bool first = journal_id_ == 0;
    journal_id_ = batch.journal_id();
    cut();
    if (!first && events_.dataplane_started) events_.dataplane_started();
  }
  for (v1::Mutation& mutation : *batch.mutable_mutations()) take_one(std::move(mutation), batch.journal_id());
  more_wanted_ = true;
  want_more();
}

void SegmentWriter::take_one(v1::Mutation mutation, std::uint64_t journal_id) {
  const bool gap = mutation.kind() == v1::MUTATION_GAP;
  const std::uint64_t number = gap ? mutation.gap_last() : mutation.sequence();
  if (number == 0 || number > kMostMutation) return;
  if (next_ == 0) next_ = gap ? std::max<std::uint64_t>(mutation.gap_first(), 1) : number;
  if (number < next_) {
    // Numbers that were seen before: told twice, or a data plane whose numbers began anew.
    if (number + 1 < next_ && !gap && head_.header.journal_id() != journal_id && trouble_.empty())
      trouble_ = "the data plane counts its mutations from " + std::to_string(number) + " again; " +
                 std::to_string(next_ - 1) +
                 " was reached before: they are not recorded until they are beyond it";
    return;
  }
  const char* const reason =
      journal_id == head_.header.journal_id() || head_.number == 0 ? kOverflow : kRestarted;
  if (gap) return take_gap(number, reason, journal_id, mutation.wall_ms());
  if (number > next_) take_gap(number - 1, reason, journal_id, mutation.wall_ms());

  Draft& draft = draft_for(number, journal_id, mutation.wall_ms());
  draft.header.set_last_mutation(number);
  next_ = number + 1;
  if (!flood_.admit(mutation, reactor_.now_ms())) {
    draft.header.set_gap_reason(kFlood);
    return;
  }
  const std::size_t bytes = mutation.ByteSizeLong();
  draft.header.set_first_ms(std::min(draft.header.first_ms(), mutation.wall_ms()));
  draft.header.set_last_ms(std::max(draft.header.last_ms(), mutation.wall_ms()));
  draft.bytes += bytes;
  pending_ += bytes;
  draft.mutations.push_back(std::move(mutation));
  if (draft.mutations.size() >= kSegmentMutations || draft.bytes >= kSegmentBytes) cut();
}

void SegmentWriter::take_gap(std::uint64_t last, const char* reason, std::uint64_t journal_id,
                             std::uint64_t at_ms) {
  cut();
  Draft& draft = draft_for(next_, journal_id, at_ms);
  draft.header.set_last_mutation(last);
  draft.header.set_gap_reason(reason);
  next_ = last + 1;
  cut();
}

SegmentWriter::Draft& SegmentWriter::draft_for(std::uint64_t number, std::uint64_t journal_id,
                                               std::uint64_t at_ms) {
  const std::uint64_t epoch = epoch_at(number);
  if (open_ && open_->header.fence_epoch() != epoch) cut();
  if (!open_) {
    open_.emplace();
    open_->header.set_node(options_->node);
    open_->header.set_journal_id(journal_id);
    open_->header.set_first_mutation(number);
    open_->header.set_first_ms(at_ms);
    open_->header.set_last_ms(at_ms);
    open_->header.set_fence_epoch(epoch);
    cut_timer_.start(options_->cut_ms, [this] { cut(); });
  }
  return *open_;
}

void SegmentWriter::cut() {
  cut_timer_.stop();
  if (!open_) return;
  drafts_.push_back(std::move(*open_));
  open_.reset();
  write();
}

void SegmentWriter::write() {
  if (writing_ || drafts_.empty() || again_.running()) return;
  writing_ = true;
  const auto taken = std::make_shared<std::vector<Draft>>();
  while (!drafts_.empty() && taken->size() < kDraftsAtOnce) {
    taken->push_back(std::move(drafts_.front()));
    drafts_.pop_front();
  }
  std::vector<SaltSeed> seeds(taken->size());
  for (SaltSeed& seed : seeds) reactor_.random(seed);
  const auto built = std::make_shared<Built>();
  reactor_.offload([&store = store_, options = options_, taken, built, head = head_,
                    seeds = std::move(seeds)] { *built = build(*taken, head, seeds, *options, store); },
                   [this, taken, built, alive = std::weak_ptr(alive_)] {
                     if (!alive.expired()) written(std::move(*taken), std::move(*built));
                   });
}

SegmentWriter::Built SegmentWriter::build(std::vector<Draft>& drafts, SegmentStore::Head head,
                                          std::vector<SaltSeed> seeds, const Options& options,
                                          SegmentStore& store) {
  Built built;
  std::vector<std::shared_ptr<v1::SegmentBody>> bodies;
  std::vector<v1::SegmentHeader> headers;
  std::vector<SegmentStore::Item> items;
  headers.reserve(drafts.size());
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    Draft& draft = drafts[i];
    draft.header.set_number(head.number + 1);
    draft.header.set_previous(std::string(as_text(head.hash)));
    std::vector<std::string> mutations(draft.mutations.size());
    for (std::size_t m = 0; m < mutations.size(); ++m) draft.mutations[m].SerializeToString(&mutations[m]);
    const auto body = std::make_shared<v1::SegmentBody>(
        build_segment(draft.header, std::move(mutations), seeds[i], options.key));
    head.number = draft.header.number();
    head.hash = segment_hash(as_octets(body->segment().header()));
    head.header.ParseFromString(body->segment().header());
    headers.push_back(head.header);
    bodies.push_back(body);
    items.push_back({body.get(), &headers.back(), &draft.mutations});
    built.bytes += draft.bytes;
  }
  // Synced: a number that peers have seen must not be given to another segment after a power cut.
  if (auto kept = store.put(items, true); !kept) {
    built.problem = std::move(kept.error());
    return built;
  }
  built.head = std::move(head);
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    if (options.private_zones) {
      const auto kept_back = private_mutations(drafts[i].mutations, *options.private_zones);
      forget_mutations(*bodies[i], kept_back);
    }
    built.cut.push_back({std::move(headers[i]), std::move(bodies[i])});
  }
  return built;
}

void SegmentWriter::written(std::vector<Draft> drafts, Built built) {
  writing_ = false;
  if (!built.problem.empty()) {
    trouble_ = built.problem;
    for (auto draft = drafts.rbegin(); draft != drafts.rend(); ++draft) drafts_.push_front(std::move(*draft));
    again_.start(kAgainMs, [this] { write(); });
    return;
  }
  trouble_.clear();
  head_ = std::move(built.head);
  pending_ -= built.bytes;
  stats_.bytes += built.bytes;
  stats_.head = head_.number;
  Sums newest = reached_.empty() ? told_ : reached_.rbegin()->second;
  for (CutSegment& segment : built.cut) {
    const std::uint64_t lost = lost_mutations(segment.header);
    ++stats_.segments;
    stats_.mutations += segment.header.count();
    stats_.lost += lost;
    Sums& sums = reached_[segment.header.number()];
    sums = newest;
    sums.mutations += segment.header.count();
    sums.lost += lost;
    newest = sums;
    if (events_.cut) events_.cut(std::move(segment));
  }
  // What is behind is not asked for any more.
  const auto behind = epochs_.upper_bound(head_.header.last_mutation());
  if (behind != epochs_.begin()) {
    const std::uint64_t epoch = epoch_at(head_.header.last_mutation());
    epochs_.erase(epochs_.begin(), behind);
    epochs_[0] = epoch;
  }
  write();
  want_more();
}

void SegmentWriter::want_more() {
  if (!more_wanted_ || pending_ >= options_->pending_bytes) return;
  more_wanted_ = false;
  cache_.journal_more();
}

void SegmentWriter::ordered(const v1::SegmentHead& head) {
  if (head.segment() <= ordered_.segment()) return;
  ordered_ = head;
  const auto behind = reached_.upper_bound(head.segment());
  if (behind != reached_.begin()) told_ = std::prev(behind)->second;
  reached_.erase(reached_.begin(), behind);
}

void SegmentWriter::offer_head() {
  head_timer_.start(options_->head_ms, [this] { offer_head(); });
  if (offering_ || head_.number <= ordered_.segment() || !events_.propose) return;
  v1::SegmentHead head;
  head.set_node(options_->node);
  head.set_segment(head_.number);
  head.set_hash(std::string(as_text(head_.hash)));
  head.set_last_mutation(head_.header.last_mutation());
  const Sums newest = reached_.empty() ? told_ : reached_.rbegin()->second;
  head.set_mutations(newest.mutations - told_.mutations);
  head.set_lost(newest.lost - told_.lost);
  head.set_first_mutation(head.last_mutation() + 1 - head.mutations() - head.lost());
  offering_ = true;
  events_.propose(std::move(head), [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) offering_ = false;
  });
}

SegmentWriter::Stats SegmentWriter::stats() const {
  Stats stats = stats_;
  stats.held_back = flood_.held_back();
  stats.pending = pending_;
  return stats;
}

}  // namespace swarmdns::controlplane
