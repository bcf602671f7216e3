// What the ledger knows of the caches: the history of a name, and going back to an earlier height.
#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <set>
#include <thread>
#include <tuple>

#include "controlplane/app/swarm_host.h"
#include "controlplane/ledger/block_leaves.h"
#include "controlplane/membership/directory.h"
#include "controlplane/state/keys.h"
#include "controlplane/swarm/fences.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint32_t kHistoryUsual = 100;
constexpr std::uint32_t kHistoryMost = 10'000;
constexpr std::uint64_t kBlocksAtOnce = 500;
constexpr std::uint64_t kNamePatienceMs = 2000;
constexpr auto kFencePatience = std::chrono::seconds(30);
constexpr auto kFenceLook = std::chrono::milliseconds(50);

std::unexpected<Refusal> refused(Refusal::Kind kind, std::string why) {
  return std::unexpected(Refusal{kind, std::move(why)});
}

}  // namespace

void SwarmHost::cache_loaded() {
  const Held held(membership_);
  if (member_) member_->run([this] { member_->caches().loaded(); });
}

// Of this node's store and of all others' at once; `silent`: who has not answered.
Outcome<SwarmHost::NameKnowledge> SwarmHost::ask_all(const v1::NameQuery& query) {
  std::promise<NameQueries::Answers> promise;
  std::vector<std::pair<NodeId, std::string>> others;
  member_->run([&] {
    std::vector<NodeId> whom;
    for (const v1::MemberRecord& record : live_members(member_->core().chain().state())) {
      if (record.id() == member_->core().self()) continue;
      others.emplace_back(record.id(), record.name());
      whom.push_back(record.id());
    }
    member_->caches().names().ask(query, whom, kNamePatienceMs, [&](NameQueries::Answers answers) {
      promise.set_value(std::move(answers));
    });
  });
  // The store may be read on any thread, meanwhile.
  auto own = answer_name(member_->segments(), query);
  const NameQueries::Answers answers = promise.get_future().get();
  if (!own) return refused(Refusal::Kind::kFailed, own.error());
  NameKnowledge knowledge;
  std::map<std::tuple<NodeId, std::uint64_t, std::uint32_t>, v1::NameMutation> all;
  const auto add = [&](const v1::NameAnswer& answer) {
    knowledge.more = knowledge.more || answer.more();
    for (const v1::NameMutation& each : answer.mutations())
      all.try_emplace({each.node(), each.segment(), each.position()}, each);
  };
  add(*own);
  for (const auto& [id, name] : others) {
    const auto answer = answers.find(id);
    answer == answers.end() ? knowledge.silent.push_back(name) : add(answer->second);
  }
  for (auto& [place, mutation] : all) knowledge.mutations.push_back(std::move(mutation));
  return knowledge;
}

v1::MutationView SwarmHost::mutation_view(const StateView& state, const v1::NameMutation& mutation) {
  v1::MutationView view;
  view.set_node(mutation.node());
  const auto maker = member(state, mutation.node());
  view.set_node_name(maker ? maker->name() : std::to_string(mutation.node()));
  view.set_segment(mutation.segment());
  view.set_position(mutation.position());
  view.set_mutation(mutation.mutation());
  const auto head = read<v1::HeadRecord>(state, keys::of(keys::kHeads, mutation.node()));
  if (head && head->head().segment() >= mutation.segment()) view.set_ordered_height(head->height());
  return view;
}

Outcome<v1::GetHistoryResponse> SwarmHost::history(const v1::GetHistoryRequest& request) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  const std::uint32_t limit =
      std::clamp<std::uint32_t>(request.limit() == 0 ? kHistoryUsual : request.limit(), 1, kHistoryMost);
  v1::NameQuery query;
  query.set_name(request.name());
  query.set_qtype(request.qtype());
  query.set_limit(limit);
  auto known = ask_all(query);
  if (!known) return std::unexpected(known.error());
  const auto time_of = [](const v1::NameMutation& each) {
    v1::Mutation mutation;
    mutation.ParseFromString(each.mutation());
    return mutation.wall_ms();
  };
  // Newest first; the same of those that have one time.
  std::ranges::reverse(known->mutations);
  std::ranges::stable_sort(known->mutations, std::greater<>(), time_of);
  if (known->mutations.size() > limit) known->mutations.resize(limit);
  v1::GetHistoryResponse response;
  for (const std::string& name : known->silent) response.add_silent(name);
  const std::string tag = as_string(member_->segments().tag(as_octets(request.name())));
  member_->run([&] {
    const StateView state = member_->core().chain().state();
    std::set<std::tuple<NodeId, std::uint64_t, std::uint32_t>> gone;
    state.scan(keys::kErasures, [&](std::string_view, std::string_view value) {
      v1::ErasureRecord record;
      if (!record.ParseFromString(std::string(value)) || record.erasure().name_tag() != tag) return true;
      for (const v1::MutationPlace& place : record.erasure().places()) {
        for (const std::uint32_t position : place.positions())
          gone.emplace(place.node(), place.segment(), position);
      }
      return true;
    });
    for (const v1::NameMutation& mutation : known->mutations) {
      // A node that has not carried the erasure out yet still tells it.
      if (!gone.contains({mutation.node(), mutation.segment(), mutation.position()}))
        *response.add_mutations() = mutation_view(state, mutation);
    }
    for (const auto& [node, segment, position] : gone) {
      if (response.mutations_size() >= static_cast<int>(limit)) break;
      v1::NameMutation erased;
      erased.set_node(node);
      erased.set_segment(segment);
      erased.set_position(position);
      *response.add_mutations() = mutation_view(state, erased);
    }
  });
  return response;
}

// How far each node's chain had come at that height: the newest SegmentHead of each at or below it.
Outcome<std::vector<ReachedThen>> SwarmHost::reached_at(std::uint64_t height) {
  std::map<NodeId, std::uint64_t> reached;
  std::set<NodeId> missing;
  member_->run([&] {
    const StateView state = member_->core().chain().state();
    state.scan(keys::kHeads, [&](std::string_view key, std::string_view) {
      missing.insert(keys::number_at_end(key));
      return true;
    });
  });
  std::string problem;
  std::uint64_t at = height;
  for (bool more = true; more && !missing.empty();) {
    member_->run([&] {
      const LedgerStore& store = member_->store();
      for (std::uint64_t i = 0; i < kBlocksAtOnce && !missing.empty(); ++i, --at) {
        if (at == 0 || at < store.lowest_height()) {
          more = false;
          return;
        }
        const auto read = each_leaf(store, at, [&](const BlockLeaf& leaf) {
          if (!missing.contains(leaf.node) || !leaf.transaction.has_segment_head()) return true;
          auto& last = reached[leaf.node];
          last = std::max(last, leaf.transaction.segment_head().last_mutation());
          return true;
        });
        if (!read) {
          problem = read.error();
          more = false;
          return;
        }
        for (const auto& [node, last] : reached) missing.erase(node);
      }
    });
  }
  if (!problem.empty()) return refused(Refusal::Kind::kFailed, problem);
  std::vector<ReachedThen> all;
  for (const auto& [node, last] : reached) all.push_back({node, last});
  for (const NodeId node : missing) all.push_back({node, 0});  // had ordered nothing by then
  return all;
}

Outcome<void> SwarmHost::rollback_cache(const v1::RollbackCacheRequest& request,
                                        const Take<v1::RollbackProgress>& take) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return is;
  std::uint64_t height = request.to_height();
  std::uint64_t newest = 0;
  std::string problem;
  member_->run([&] {
    newest = member_->core().chain().height();
    if (height != 0) return;
    const auto at = member_->store().height_at(request.to_ms());
    if (!at) {
      problem = at.error();
    } else if (*at) {
      height = **at;
    }
  });
  if (!problem.empty()) return refused(Refusal::Kind::kFailed, problem);
  if (height == 0) return refused(Refusal::Kind::kNotFound, "--to: no block is as old as that");
  if (height >= newest) {
    return refused(Refusal::Kind::kInvalid, "--to: block " + std::to_string(height) +
                                                " is not in the past; the newest is " +
                                                std::to_string(newest));
  }
  const auto reached = reached_at(height);
  if (!reached) return std::unexpected(reached.error());
  const std::vector<v1::MutationRange> dead = dead_ranges(*reached, {});
  v1::RollbackProgress shown;
  for (const v1::MutationRange& range : dead) *shown.add_dead() = range;
  member_->run([&] {
    const StateView state = member_->core().chain().state();
    for (const v1::MutationRange& range : dead) {
      const auto head = read<v1::HeadRecord>(state, keys::of(keys::kHeads, range.node()));
      const std::uint64_t last = head ? head->head().last_mutation() : 0;
      if (last >= range.first()) shown.set_mutations(shown.mutations() + last - range.first() + 1);
    }
  });
  if (dead.empty()) return refused(Refusal::Kind::kInvalid, "--to: no cache has changed since then");
  if (request.dry_run()) {
    shown.set_done(true);
    take(shown);
    return {};
  }
  v1::Transaction transaction;
  transaction.mutable_fence()->set_to_height(height);
  transaction.mutable_fence()->set_to_ms(request.to_ms());
  transaction.mutable_fence()->set_readmit(request.readmit());
  for (const v1::MutationRange& range : dead) *transaction.mutable_fence()->add_dead() = range;
  const auto committed = commit(std::move(transaction), request.caller());
  if (!committed) return std::unexpected(committed.error());
  *shown.mutable_committed() = *committed;
  take(shown);
  follow_fence(std::move(shown), take);
  return {};
}

// Acknowledgements as they come, until all have answered or patience is over; who is silent then does it when
// it is back.
void SwarmHost::follow_fence(v1::RollbackProgress progress, const Take<v1::RollbackProgress>& take) {
  const auto began = std::chrono::steady_clock::now();
  std::set<NodeId> told;
  for (;;) {
    const int known = progress.nodes_size();
    bool complete = true;
    const auto after = std::chrono::steady_clock::now() - began;
    const bool last = after >= kFencePatience;
    member_->run([&] {
      const StateView state = member_->core().chain().state();
      std::uint64_t epoch = 0;
      state.scan(keys::kFences, [&](std::string_view key, std::string_view value) {
        v1::FenceRecord record;
        if (record.ParseFromString(std::string(value)) && record.height() == progress.committed().height())
          epoch = keys::number_at_end(key);
        return true;
      });
      for (const v1::MemberRecord& record : live_members(state)) {
        const auto receipt = read<v1::FenceDone>(state, keys::of(keys::kFenceDone, epoch, record.id()));
        if (!receipt) complete = false;
        if ((!receipt && !last) || !told.insert(record.id()).second) continue;
        v1::NodeFence& node = *progress.add_nodes();
        node.set_node(record.name());
        if (!receipt) continue;
        node.set_acknowledged(true);
        node.set_removed(receipt->removed());
        node.set_readmitted(receipt->readmitted());
        node.set_resolver_flushed(receipt->resolver_flushed());
        node.set_problem(receipt->problem());
        node.set_after_ms(
            static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(after).count()));
      }
    });
    progress.set_done(complete || last);
    if (progress.nodes_size() > known || progress.done()) {
      if (!take(progress)) return;
    }
    if (progress.done()) return;
    std::this_thread::sleep_for(kFenceLook);
  }
}

}  // namespace swarmdns::controlplane
