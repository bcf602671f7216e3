// A node founds a swarm, enters one, leaves it.

#include "controlplane/app/swarm_host.h"
#include "controlplane/app/wall_clock.h"
#include "controlplane/ledger/trust.h"
#include "controlplane/member/founding.h"
#include "controlplane/member/joining.h"
#include "controlplane/membership/directory.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kFoundingMs = 20'000;
constexpr std::uint64_t kCatchUpMs = 120'000;

std::unexpected<Refusal> failed(std::string why) {
  return std::unexpected(Refusal{Refusal::Kind::kFailed, std::move(why)});
}

}  // namespace

Outcome<v1::InitSwarmResponse> SwarmHost::init_swarm(const v1::InitSwarmRequest& request) {
  const std::unique_lock held(membership_);
  if (auto none = require_none(); !none) return std::unexpected(none.error());
  const v1::Config config = config_();
  const auto where = addresses(config);
  if (!where) return std::unexpected(where.error());
  const IdentityFiles files(config.node().state_dir());
  if (auto prepared = files.prepare(); !prepared) return failed(prepared.error());
  FoundingWish wish;
  wish.swarm_name = request.name();
  wish.node_name = config.node().name();
  wish.address = where->second;
  wish.region = config.node().region();
  wish.passphrase = request.passphrase();
  wish.settings = request.settings();
  wish.wall_ms = wall_ms();
  wish.principal = request.caller().principal();
  wish.reason = request.caller().reason();
  auto founded = found_swarm(files, wish);
  if (!founded) {
    (void)files.forget();
    return std::unexpected(Refusal{Refusal::Kind::kInvalid, founded.error()});
  }
  v1::InitSwarmResponse response;
  response.set_swarm_id(founded->identity.record.swarm_id());
  response.set_node(founded->identity.record.node());
  response.set_root_key(std::string(founded->root_key.view()));
  response.set_root_certificate(founded->root_certificate);
  if (auto opened = open(files, std::move(founded->identity)); !opened) {
    (void)files.forget();
    return failed(opened.error());
  }
  const bool begun = wait_until([this] { return member_->core().cosigner().height() > 0; }, kFoundingMs);
  if (!begun) {
    const std::string why =
        on_reactor<std::string>([this] { return member_->core().log().status().trouble; });
    member_.reset();
    (void)files.forget();
    return failed("the swarm's first block could not be written" + (why.empty() ? "" : ": " + why));
  }
  response.set_trust_file(on_reactor<std::string>([this] { return trust_file_text(); }));
  return response;
}

Outcome<void> SwarmHost::join_swarm(const v1::JoinSwarmRequest& request, const Take<v1::Progress>& take) {
  const std::unique_lock held(membership_);
  if (auto none = require_none(); !none) return none;
  const v1::Config config = config_();
  const auto where = addresses(config);
  if (!where) return std::unexpected(where.error());
  const auto say = [&](const std::string& text) {
    v1::Progress progress;
    progress.set_text(text);
    take(progress);
  };
  const IdentityFiles files(config.node().state_dir());
  if (auto prepared = files.prepare(); !prepared) return failed(prepared.error());
  auto identity = controlplane::join_swarm(
      files, {config.node().name(), where->second, request.address(), request.token()}, wall_ms(), say);
  if (!identity) {
    (void)files.forget();
    return failed(identity.error());
  }
  if (auto opened = open(files, std::move(*identity)); !opened) return failed(opened.error());
  say("fetching the ledger");
  const bool there = wait_until(
      [this] { return member(member_->core().chain().state(), member_->core().self()).has_value(); },
      kCatchUpMs);
  v1::Progress last;
  last.set_done(true);
  if (there) {
    last.set_text("the ledger is here up to block " + std::to_string(on_reactor<std::uint64_t>([this] {
                    return member_->core().chain().height();
                  })));
  } else {
    last.set_problem(
        "the ledger has not arrived within two minutes; it goes on in the background: swarmctl nodes");
  }
  take(last);
  return {};
}

Outcome<void> SwarmHost::leave_swarm(const v1::LeaveSwarmRequest& request, const Take<v1::Progress>& take) {
  const std::unique_lock held(membership_);
  if (auto is = require_member(); !is) return is;
  const auto say = [&](const std::string& text, bool done) {
    v1::Progress progress;
    progress.set_text(text);
    progress.set_done(done);
    take(progress);
  };
  const std::string behind = on_reactor<std::string>([this] { return member_->link().left_behind(); });
  if (!behind.empty()) {
    say(behind, false);
    say("nobody of the old incarnation is asked", false);
    return forget_membership(take);
  }
  const auto members = on_reactor<std::vector<v1::MemberRecord>>(
      [this] { return live_members(member_->core().chain().state()); });
  if (members.size() == 1) {
    return std::unexpected(
        Refusal{Refusal::Kind::kPrecondition,
                "this node is the last member: leaving would destroy the swarm's ledger; stop the "
                "control plane and move STATE_DIR/swarm away if that is what you want"});
  }
  if (on_reactor<bool>([this] { return member_->core().leads(); })) {
    say("handing the lead over", false);
    std::promise<std::expected<void, LogFault>> done;
    member_->reactor().post([&] {
      member_->core().log().transfer(0,
                                     [&](std::expected<void, LogFault> result) { done.set_value(result); });
    });
    if (const auto handed = done.get_future().get(); !handed)
      return failed(std::string("the lead could not be handed over: ") + to_text(handed.error()));
  }
  v1::Transaction transaction;
  transaction.mutable_member_removed()->set_id(member_->identity().record.node());
  transaction.mutable_member_removed()->set_left(true);
  say("telling the swarm", false);
  if (auto committed = commit(std::move(transaction), request.caller()); !committed)
    return std::unexpected(committed.error());
  return forget_membership(take);
}

Outcome<void> SwarmHost::forget_membership(const Take<v1::Progress>& take) {
  member_.reset();
  const IdentityFiles files(config_().node().state_dir());
  if (auto forgotten = files.forget(); !forgotten) return failed("left, but " + forgotten.error());
  // What the swarm had on top of the node's own file goes with it.
  for (const std::string& problem : port_.put_in_force({}))
    log_.warning("swarm: its configuration stays in force: " + problem);
  log_.info("swarm: left");
  v1::Progress progress;
  progress.set_text("left; the node goes on answering by itself");
  progress.set_done(true);
  take(progress);
  return {};
}

std::string SwarmHost::trust_file_text() {
  const Chain& chain = member_->core().chain();
  const auto voters = member_->core().cosigner().voters_at(chain.height());
  if (!voters) return "";
  Trust trust;
  trust.origin = checkpoint_origin(chain.swarm_id(), chain.incarnation());
  trust.sets.push_back({1, majority_of(voters->size()), *voters});
  return format_trust(trust);
}

}  // namespace swarmdns::controlplane
