#include "controlplane/member/state_check.h"

#include <vector>

#include "controlplane/chain/chain.h"
#include "controlplane/ledger/checkpoint.h"
#include "controlplane/ledger/store.h"
#include "controlplane/membership/directory.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {
namespace {

// The keys of the members that vote by the copy's own state.
std::vector<VerifierKey> voters_in(const StateView& state) {
  std::vector<VerifierKey> voters;
  const auto log = read<v1::LogMembers>(state, keys::kLogMembers);
  if (!log) return voters;
  for (const std::uint64_t id : log->voters()) {
    const auto record = member(state, id);
    const auto key = record ? array_from<std::tuple_size_v<PublicKey>>(record->ledger_key()) : std::nullopt;
    if (key) voters.push_back({record->name(), *key});
  }
  return voters;
}

std::expected<void, std::string> check_checkpoint(const LedgerStore& store, const Chain& chain) {
  const auto text = store.checkpoint(chain.height());
  if (!text) return std::unexpected(text.error());
  if (!*text) return std::unexpected("it holds no checkpoint");
  const auto note = parse_checkpoint_note(**text);
  if (!note) return std::unexpected("its checkpoint cannot be read: " + note.error());
  const auto header = store.header(note->checkpoint.height);
  if (!header) return std::unexpected(header.error());
  if (checkpoint_of(*header) != note->checkpoint)
    return std::unexpected("its checkpoint is of another chain");
  const std::vector<VerifierKey> voters = voters_in(chain.state());
  if (voters.empty()) return std::unexpected("it names no voters");
  const auto cosigned = check_cosigned(note->note, voters, majority_of(voters.size()));
  if (!cosigned) return std::unexpected("its checkpoint: " + cosigned.error());
  return {};
}

}  // namespace

std::expected<void, std::string> check_copy(const std::string& folder, const v1::Manifest& wanted,
                                            const OwnView& own, rocksdb::Env* env) {
  StoreOptions options;
  options.env = env;
  options.path = folder;
  options.create = false;
  auto store = LedgerStore::open(options);
  if (!store) return std::unexpected(store.error());
  const auto chain = Chain::open(**store);
  if (!chain) return std::unexpected(chain.error());
  if ((*chain)->height() == 0 || (*chain)->swarm_id() != own.swarm ||
      (*chain)->incarnation() != own.incarnation)
    return std::unexpected("the copy is of another swarm");
  if ((*chain)->applied_index() < wanted.log_index())
    return std::unexpected("the copy is older than it was to be");
  if (own.height > (*chain)->height())
    return std::unexpected("the copy is older than this node's own ledger");
  // What this node had is still there, unless it has been pruned meanwhile.
  if (own.height >= (*store)->lowest_height() && own.height > 0) {
    const auto header = (*store)->header(own.height);
    if (!header) return std::unexpected(header.error());
    if (block_hash(*header) != own.block)
      return std::unexpected("the copy has another block " + std::to_string(own.height) +
                             " than this node: the chain has been forked");
  }
  return check_checkpoint(**store, **chain);
}

}  // namespace swarmdns::controlplane
