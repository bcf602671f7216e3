// The ledger as a whole: what the log's snapshots say of it, and how that of another member takes its place.
#include "controlplane/member/core.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kHandOverMs = 1000;  // from one try to the next

}  // namespace

std::expected<std::string, std::string> MemberCore::manifest() {
  if (healer_->is_damaged()) return std::unexpected("the ledger is damaged");
  if (!chain_->tip()) return std::unexpected("there is no block yet");
  if (auto synced = parts_.store.sync(); !synced) return std::unexpected(synced.error());
  v1::Manifest manifest;
  manifest.set_swarm_id(as_string(chain_->swarm_id()));
  manifest.set_incarnation(chain_->incarnation());
  manifest.set_log_index(chain_->applied_index());
  manifest.set_height(chain_->height());
  manifest.set_block_hash(as_string(chain_->tip_hash()));
  manifest.set_state_root(as_string(chain_->tip()->state_root));
  return manifest.SerializeAsString();
}

// The state stays where it is: whoever wants it gets a copy made at that moment.
void MemberCore::manifest_kept(bool) {}

void MemberCore::install(NodeId from, std::string text,
                         std::function<void(std::expected<void, std::string>)> done) {
  v1::Manifest manifest;
  if (!manifest.ParseFromString(text)) {
    parts_.reactor.post([done = std::move(done)] { done(std::unexpected("the manifest cannot be read")); });
    return;
  }
  if (manifest.log_index() <= chain_->applied_index() && chain_->height() > 0) {
    // The log is about to begin behind it.
    parts_.reactor.post([done = std::move(done), synced = parts_.store.sync()] { done(synced); });
    return;
  }
  options_.say("fetching the ledger up to block " + std::to_string(manifest.height()) + " from node " +
               std::to_string(from));
  log_installs_ = true;
  healer_->interrupted();
  fetch_state(from, manifest, [this, done = std::move(done)](std::expected<void, std::string> fetched) {
    log_installs_ = false;
    done(std::move(fetched));
  });
}

void MemberCore::fetch_state(NodeId from, const v1::Manifest& manifest, StateInstaller::Done done) {
  parts_.installer.install(
      from, manifest, [this, done = std::move(done)](std::expected<void, std::string> fetched) {
        if (fetched) fetched = reopen();
        if (fetched) {
          healer_->healed();
          keep_peers();
          options_.say("the ledger is here up to block " + std::to_string(chain_->height()));
        } else {
          options_.say("the ledger could not be fetched: " + fetched.error());
        }
        follower_->reopened();
        done(std::move(fetched));
      });
}

void MemberCore::fetch_to_heal(NodeId from, std::uint64_t log_index, Healer::Fetched done) {
  if (log_installs_) {
    poster_.post([done = std::move(done)] { done(std::unexpected("the log is fetching one")); });
    return;
  }
  v1::Manifest wanted;
  wanted.set_swarm_id(as_string(chain_->swarm_id()));
  wanted.set_incarnation(chain_->incarnation());
  wanted.set_log_index(log_index);
  fetch_state(from, wanted, std::move(done));
}

// Found by whoever reads it, in any thread; acted on here.
void MemberCore::watch_damage() {
  if (const std::string what = parts_.store.damage(); !what.empty()) healer_->damaged(what);
  // Its log waits while a copy is on its way. It may be elected again.
  const std::uint64_t now = parts_.reactor.now_ms();
  if (!healer_->is_damaged() || !log_->is_leader() || now < hand_over_ms_) return;
  hand_over_ms_ = now + kHandOverMs;
  log_->transfer(0, [](const auto&) {});
}

void MemberCore::cancel_install() {
  log_installs_ = false;
  parts_.installer.cancel();
  if (follower_) follower_->reopened();
}

std::expected<void, std::string> MemberCore::restore(std::string_view text) {
  v1::Manifest manifest;
  if (!manifest.ParseFromString(std::string(text))) return std::unexpected("the manifest cannot be read");
  if (manifest.log_index() > chain_->applied_index()) {
    healer_->ends_before(manifest.log_index());
    return std::unexpected("the ledger's store stands at entry " + std::to_string(chain_->applied_index()) +
                           " of the log, whose snapshot is at " + std::to_string(manifest.log_index()) +
                           ": it is fetched from another member");
  }
  return {};
}

}  // namespace swarmdns::controlplane
