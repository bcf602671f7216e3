// Blocks, checkpoints, proofs, and the check of what this node's store holds.
#include <algorithm>
#include <filesystem>

#include "controlplane/app/swarm_host.h"
#include "controlplane/ledger/block_leaves.h"
#include "controlplane/ledger/prove.h"
#include "controlplane/ledger/self_check.h"
#include "controlplane/membership/directory.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint32_t kBlocksUsual = 20;
constexpr std::uint32_t kBlocksMost = 1000;
// Of blocks looked at for one answer, those that are folded away included.
constexpr std::uint64_t kLookedAtMost = 100'000;

bool only_heads(const v1::BlockView& block) {
  return block.transactions_size() > 0 &&
         std::ranges::all_of(block.transactions(), [](const v1::TransactionView& view) {
           return view.transaction().has_segment_head();
         });
}

std::unexpected<Refusal> failed(std::string why) {
  return std::unexpected(Refusal{Refusal::Kind::kFailed, std::move(why)});
}

}  // namespace

Outcome<v1::BlockView> SwarmHost::view_of(std::uint64_t height, bool with_transactions) {
  const LedgerStore& store = member_->store();
  const auto record = store.block(height);
  if (!record) return failed(record.error());
  if (!*record) {
    return std::unexpected(Refusal{Refusal::Kind::kNotFound,
                                   height < store.lowest_height()
                                       ? "block " + std::to_string(height) +
                                             " was pruned; the lowest kept is " +
                                             std::to_string(store.lowest_height())
                                       : "there is no block " + std::to_string(height) + "; the newest is " +
                                             std::to_string(member_->core().chain().height())});
  }
  const auto header = decode_block_header(as_octets((*record)->header()));
  if (!header) return failed("block " + std::to_string(height) + ": " + header.error());
  v1::BlockView view;
  view.set_height(height);
  view.set_hash(as_string(block_hash(*header)));
  view.set_previous(as_string(header->previous));
  view.set_time_ms(header->time_ms);
  view.set_tree_size(header->tree_size);
  view.set_tree_root(as_string(header->tree_root));
  view.set_state_root(as_string(header->state_root));
  view.set_transaction_count(header->leaf_count);
  view.set_checkpointed(height <= member_->core().cosigner().height());
  if (!with_transactions) return view;

  const StateView state = member_->core().chain().state();
  const auto name_of = [&](NodeId node) {
    const auto maker = member(state, node);
    return maker ? maker->name() : std::to_string(node);
  };
  for (const v1::BundleRecord& bundle : (*record)->bundles()) {
    for (const std::string& refusal : bundle.refusals())
      view.add_refusals(name_of(bundle.node()) + ": " + refusal);
  }
  const auto read = each_leaf(store, height, [&](const BlockLeaf& leaf) {
    v1::TransactionView& transaction = *view.add_transactions();
    transaction.set_leaf(leaf.index);
    transaction.set_node(leaf.node);
    transaction.set_node_name(name_of(leaf.node));
    transaction.set_erased(leaf.erased);
    if (!leaf.erased) *transaction.mutable_transaction() = leaf.transaction;
    return true;
  });
  if (!read) return failed(read.error());
  return view;
}

Outcome<v1::ListBlocksResponse> SwarmHost::blocks(const v1::ListBlocksRequest& request) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  const std::uint32_t limit =
      std::clamp<std::uint32_t>(request.limit() == 0 ? kBlocksUsual : request.limit(), 1, kBlocksMost);
  v1::ListBlocksResponse response;
  std::optional<Refusal> problem;
  // One handler a block: the reactor has other things to do meanwhile.
  std::uint64_t height = request.from_height();
  std::uint64_t lowest = 1;
  member_->run([&] {
    const std::uint64_t newest = member_->core().chain().height();
    height = height == 0 ? newest : std::min(height, newest);
    lowest = member_->store().lowest_height();
  });
  std::uint64_t looked_at = 0;
  std::uint32_t shown = 0;
  for (; height >= lowest && height > 0 && shown < limit && looked_at < kLookedAtMost;
       --height, ++looked_at) {
    member_->run([&] {
      auto view = view_of(height, true);
      if (!view) {
        problem = view.error();
        return;
      }
      if (!request.heads_too() && only_heads(*view)) {
        // Folded by the reader: heights and counts are enough.
        view->clear_refusals();
      } else {
        ++shown;
      }
      *response.add_blocks() = std::move(*view);
    });
    if (problem) return std::unexpected(*problem);
  }
  return response;
}

Outcome<v1::BlockView> SwarmHost::block(const v1::ShowBlockRequest& request) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  Outcome<v1::BlockView> view;
  member_->run([&] { view = view_of(request.height(), true); });
  return view;
}

Outcome<v1::GetCheckpointResponse> SwarmHost::checkpoint(const v1::GetCheckpointRequest&) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  v1::GetCheckpointResponse response;
  member_->run([&] {
    response.set_note(member_->core().cosigner().note());
    response.set_height(member_->core().cosigner().height());
    response.set_trust_file(trust_file_text());
  });
  if (response.note().empty()) {
    return std::unexpected(Refusal{Refusal::Kind::kUnavailable,
                                   "no checkpoint has been cosigned yet; it takes a majority of the voters"});
  }
  return response;
}

Outcome<v1::ProveResponse> SwarmHost::prove(const v1::ProveRequest& request) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  std::expected<Proof, std::string> proof = std::unexpected("");
  switch (request.what_case()) {
    case v1::ProveRequest::kLeaf:
      member_->run([&] { proof = prove_inclusion(member_->store(), request.leaf()); });
      break;
    case v1::ProveRequest::kFromSize:
      member_->run([&] { proof = prove_consistency(member_->store(), request.from_size()); });
      break;
    case v1::ProveRequest::kMutation:
      return prove_of_mutation(request.mutation());
    case v1::ProveRequest::WHAT_NOT_SET:
      return std::unexpected(Refusal{Refusal::Kind::kInvalid,
                                     "what is to be proved? a leaf, a mutation, or consistency from a size"});
  }
  if (!proof) return std::unexpected(Refusal{Refusal::Kind::kPrecondition, proof.error()});
  v1::ProveResponse response;
  response.set_file(format_proof(*proof));
  return response;
}

// On a copy: the store itself goes on being written.
Outcome<void> SwarmHost::verify_store(const v1::VerifyStoreRequest& request,
                                      const Take<v1::VerifyProgress>& take) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return is;
  if (request.incarnation() != 0 && request.incarnation() != member_->identity().record.incarnation())
    return verify_kept(request.incarnation(), take);
  const IdentityFiles files(config_().node().state_dir());
  const std::string copy = files.directory() + "/verifying";
  std::error_code ignored;
  std::filesystem::remove_all(copy, ignored);
  if (auto copied = member_->store().copy_to(copy); !copied) return failed(copied.error());
  StoreOptions options;
  options.path = copy;
  options.create = false;
  auto store = LedgerStore::open(options);
  if (!store) return failed(store.error().text);
  SelfCheck check;
  check.trusted = [this](const CheckpointNote& note) -> std::expected<void, std::string> {
    std::optional<std::vector<VerifierKey>> voters;
    member_->run([&] { voters = member_->core().cosigner().voters_at(note.checkpoint.height); });
    // Too long ago for this run of the control plane to know: today's voters.
    if (!voters)
      member_->run([&] { voters = member_->core().cosigner().voters_at(member_->core().chain().height()); });
    if (!voters) return std::unexpected("the voters of its height are not known");
    const auto cosigned = check_cosigned(note.note, *voters, majority_of(voters->size()));
    if (!cosigned) return std::unexpected(cosigned.error());
    return {};
  };
  check.progress = [&](std::uint64_t done, std::uint64_t of) {
    v1::VerifyProgress progress;
    progress.set_height(done);
    progress.set_of(of);
    take(progress);
  };
  const SelfCheckResult result = check_store(**store, check);
  v1::VerifyProgress last;
  last.set_height(result.blocks);
  last.set_of(result.blocks);
  last.set_done(true);
  last.set_finding(result.finding);
  // The member stops vouching for it and has it fetched anew.
  if (result.damaged) member_->store().note_damage(result.finding);
  store->reset();
  std::filesystem::remove_all(copy, ignored);
  take(last);
  return {};
}

}  // namespace swarmdns::controlplane
