#include "controlplane/member/recovery.h"

#include <filesystem>
#include <map>

#include "controlplane/certs/private_file.h"
#include "controlplane/ledger/self_check.h"
#include "controlplane/membership/directory.h"
#include "controlplane/state/apply.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {
namespace {

namespace fs = std::filesystem;

// Less than what one entry of the log takes.
constexpr std::size_t kCarriedMost = std::size_t{3} << 19;
constexpr std::string_view kRootKey = "/root.key";

std::string place_of(std::uint32_t incarnation) {
  return "incarnation-" + std::to_string(incarnation);
}

}  // namespace

std::expected<RecoveryPlan, std::string> plan_recovery(const Chain& chain, const std::string& checkpoint,
                                                       NodeId self) {
  const auto& tip = chain.tip();
  const StateView state = chain.state();
  const auto swarm = read<v1::SwarmRecord>(state, keys::kSwarm);
  const auto own = member(state, self);
  if (!tip || !swarm || !own)
    return std::unexpected("this node has nothing of the swarm's ledger; recover on one that has");
  RecoveryPlan plan;
  v1::Genesis& genesis = plan.genesis;
  genesis.set_previous_swarm_id(swarm->swarm_id());
  genesis.set_previous_incarnation(swarm->incarnation());
  genesis.set_previous_checkpoint(checkpoint);
  genesis.set_previous_height(tip->height);
  genesis.set_previous_block(as_string(chain.tip_hash()));
  genesis.set_carried_state(as_string(tip->state_root));
  std::map<std::string, std::string> carried;
  for (const std::string_view prefix :
       {keys::kSwarm, keys::kConfig, keys::kMembers, keys::kTokens, keys::kRequests, keys::kRequestTimes,
        keys::kFences, keys::kErasures}) {
    const bool whole = prefix == keys::kSwarm || prefix == keys::kConfig;
    state.scan(prefix, [&](std::string_view key, std::string_view value) {
      if (!whole || key == prefix) carried.emplace(key, value);
      return true;
    });
  }
  if (const std::string& failure = state.failure(); !failure.empty()) return std::unexpected(failure);
  for (auto& [key, value] : carried) {
    v1::CarriedValue& each = *genesis.add_carried();
    each.set_key(key);
    each.set_value(std::move(value));
  }
  if (const std::size_t size = genesis.ByteSizeLong(); size > kCarriedMost) {
    return std::unexpected("what would be taken over has " + std::to_string(size) + " octets, more than " +
                           std::to_string(kCarriedMost) +
                           "; request ids go by themselves after a day: try again then");
  }
  plan.founder = swarm->next_member();
  plan.region = own->region();
  plan.settings = read<v1::SwarmSettings>(state, keys::kSettings).value_or(with_defaults({}));
  for (const v1::MemberRecord& record : live_members(state)) {
    if (record.id() != self) plan.left_behind.push_back(record.name());
  }
  return plan;
}

std::expected<Founded, std::string> recover_swarm(const IdentityFiles& files, const v1::NodeIdentity& before,
                                                  const RecoveryPlan& plan, FoundingWish wish) {
  Beginning beginning;
  beginning.swarm_id = before.swarm_id();
  beginning.incarnation = before.incarnation() + 1;
  beginning.founder = plan.founder;
  beginning.name_key = before.name_key();
  beginning.place = place_of(beginning.incarnation);
  beginning.genesis = plan.genesis;
  wish.swarm_name = before.swarm_name();
  auto made = make_founded(wish, std::move(beginning));
  if (!made) return made;
  const std::string directory = files.place_directory(made->identity.record.place());
  std::error_code error;
  fs::remove_all(directory, error);  // of an attempt that came to nothing
  if (!error) fs::create_directories(directory, error);
  if (error) return std::unexpected("cannot make " + directory + ": " + error.message());
  fs::permissions(directory, fs::perms::owner_all, error);
  if (error) return std::unexpected("cannot set the mode of " + directory + ": " + error.message());
  if (auto laid = lay_out(files, made->identity); !laid) return std::unexpected(laid.error());
  if (auto kept = write_private_file(directory + std::string(kRootKey), made->root_key); !kept)
    return std::unexpected(kept.error());
  if (auto kept = files.keep_aside(before); !kept) return std::unexpected(kept.error());
  if (auto kept = files.keep(made->identity.record); !kept) return std::unexpected(kept.error());
  return made;
}

std::expected<void, std::string> undo_recovery(const IdentityFiles& files, const v1::NodeIdentity& before) {
  if (auto kept = files.keep(before); !kept) return kept;
  std::error_code ignored;
  fs::remove_all(files.place_directory(place_of(before.incarnation() + 1)), ignored);
  return {};
}

void handed_over(const IdentityFiles& files, const v1::NodeIdentity& record) {
  std::error_code ignored;
  if (!record.place().empty())
    fs::remove(files.place_directory(record.place()) + std::string(kRootKey), ignored);
}

std::optional<std::string> root_key_left(const IdentityFiles& files, const v1::NodeIdentity& record) {
  if (record.place().empty()) return std::nullopt;
  const std::string path = files.place_directory(record.place()) + std::string(kRootKey);
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  return path;
}

std::optional<std::string> kept_ledger(const IdentityFiles& files, std::uint32_t incarnation) {
  const auto record = files.kept_aside(incarnation);
  if (!record || !*record) return std::nullopt;
  std::string path = files.ledger_directory((*record)->place());
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  return path;
}

std::string check_kept(const LedgerStore& store,
                       const std::function<void(std::uint64_t done, std::uint64_t of)>& progress) {
  SelfCheck check;
  check.progress = progress;
  const std::vector<VerifierKey> voters = voters_in(StateView(store));
  check.trusted = [&](const CheckpointNote& note) -> std::expected<void, std::string> {
    if (voters.empty()) return std::unexpected("its state names no voters");
    const auto cosigned = check_cosigned(note.note, voters, majority_of(voters.size()));
    if (!cosigned) return std::unexpected(cosigned.error());
    return {};
  };
  return check_store(store, check).finding;
}

std::string check_seam(const LedgerStore& store, const v1::Genesis& genesis) {
  const auto header = store.header(genesis.previous_height());
  if (!header) return "the seam: " + header.error();
  const std::string block = "the seam: block " + std::to_string(genesis.previous_height());
  if (as_string(block_hash(*header)) != genesis.previous_block())
    return block + " is not the one that the next incarnation goes on from";
  if (as_string(header->state_root) != genesis.carried_state())
    return block + " has another state than the one that was taken over";
  if (const auto tip = store.tip(); tip && tip->height == genesis.previous_height()) {
    for (const v1::CarriedValue& each : genesis.carried()) {
      const auto value = store.get(each.key());
      if (!value) return "the seam: " + value.error();
      if (!*value || **value != each.value())
        return "the seam: a value that was taken over is not that of the state";
    }
  }
  if (genesis.previous_checkpoint().empty()) return "";
  const auto note = parse_checkpoint_note(genesis.previous_checkpoint());
  if (!note) return "the seam: its checkpoint cannot be read: " + note.error();
  const auto at = store.header(note->checkpoint.height);
  if (!at) return "the seam: " + at.error();
  return checkpoint_of(*at) == note->checkpoint ? "" : "the seam: its checkpoint is of another chain";
}

}  // namespace swarmdns::controlplane
