// What the ledger knows of the caches: the history of a name, and going back to an earlier height.
#include <algorithm>
#include <chrono>
#include <thread>

#include "controlplane/app/swarm_host.h"
#include "controlplane/membership/directory.h"
#include "controlplane/state/keys.h"
#include "controlplane/swarm/fences.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint32_t kHistoryUsual = 100;
constexpr std::uint32_t kHistoryMost = 10'000;
constexpr std::uint64_t kBlocksAtOnce = 500;
constexpr auto kFencePatience = std::chrono::seconds(30);
constexpr auto kFenceLook = std::chrono::milliseconds(50);

std::unexpected<Refusal> refused(Refusal::Kind kind, std::string why) {
  return std::unexpected(Refusal{kind, std::move(why)});
}

}  // namespace

Outcome<v1::GetHistoryResponse> SwarmHost::history(const v1::GetHistoryRequest& request) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  const std::uint32_t limit =
      std::clamp<std::uint32_t>(request.limit() == 0 ? kHistoryUsual : request.limit(), 1, kHistoryMost);
  // The store may be asked on any thread.
  const auto found = member_->segments().history(as_octets(request.name()), request.qtype(), limit);
  if (!found) return refused(Refusal::Kind::kFailed, found.error());
  v1::GetHistoryResponse response;
  member_->run([&] {
    const StateView state = member_->core().chain().state();
    const auto own = member(state, member_->core().self());
    for (const v1::NameMutation& mutation : found->mutations()) {
      v1::MutationView& view = *response.add_mutations();
      view.set_node(mutation.node());
      const auto maker = member(state, mutation.node());
      view.set_node_name(maker ? maker->name() : std::to_string(mutation.node()));
      view.set_segment(mutation.segment());
      view.set_position(mutation.position());
      view.set_mutation(mutation.mutation());
      const auto head = read<v1::HeadRecord>(state, keys::of(keys::kHeads, mutation.node()));
      if (head && head->head().segment() >= mutation.segment()) view.set_ordered_height(head->height());
    }
    // Segments of other regions are not here.
    for (const v1::MemberRecord& record : live_members(state)) {
      if (own && record.region() != own->region()) response.add_silent(record.name());
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
        const auto record = store.block(at);
        const auto header =
            record && *record ? store.header(at) : std::unexpected(std::string("it is not there"));
        if (!header) {
          problem = "block " + std::to_string(at) + ": " + header.error();
          more = false;
          return;
        }
        std::uint64_t leaf = header->first_leaf;
        for (const v1::BundleRecord& bundle : (*record)->bundles()) {
          const std::uint64_t accepted = bundle.count() - static_cast<std::uint64_t>(bundle.refused_size());
          for (std::uint64_t k = 0; k < accepted; ++k, ++leaf) {
            if (!missing.contains(bundle.node())) continue;
            const auto body = store.leaf(leaf);
            v1::Transaction transaction;
            if (!body || !*body || !transaction.ParseFromString((*body)->transaction()) ||
                !transaction.has_segment_head())
              continue;
            auto& last = reached[bundle.node()];
            last = std::max(last, transaction.segment_head().last_mutation());
          }
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
  if (request.readmit()) {
    return refused(Refusal::Kind::kPrecondition,
                   "--readmit: this version of SwarmDNS cannot take answers back in from segments yet");
  }
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
