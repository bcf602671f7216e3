#include "controlplane/member/state_check.h"

#include <algorithm>
#include <vector>

#include "controlplane/chain/chain.h"
#include "controlplane/ledger/checkpoint.h"
#include "controlplane/ledger/store.h"
#include "controlplane/membership/directory.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {
namespace {

std::expected<void, std::string> check_checkpoint(const LedgerStore& store, const Chain& chain,
                                                  const std::vector<VerifierKey>& known) {
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
  // Who votes there is what the copy itself says: one whom this node knows must be among them.
  const auto is_known = [&](const VerifierKey& voter) {
    return std::ranges::find(*cosigned, voter.name) != cosigned->end() &&
           std::ranges::find(known, voter.key, &VerifierKey::key) != known.end();
  };
  if (!known.empty() && std::ranges::none_of(voters, is_known)) {
    return std::unexpected(
        "none of the voters that this node knows has cosigned its checkpoint; if all of them were replaced "
        "while it was "
        "away, it joins anew: swarmctl swarm remove on another node, then an empty STATE_DIR/swarm and a new "
        "token");
  }
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
  if (!store) return std::unexpected(store.error().text);
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
  return check_checkpoint(**store, **chain, own.voters);
}

}  // namespace swarmdns::controlplane
