#include "tests/bench/running_swarm.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <thread>

#include "controlplane/certs/certificate.h"
#include "controlplane/certs/join_token.h"
#include "controlplane/member/founding.h"
#include "controlplane/member/joining.h"

namespace swarmdns::bench {
namespace {

namespace cp = controlplane;

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "running swarm: %s\n", why.c_str());
  std::_Exit(1);  // other threads are at work: nothing can be wound up
}

std::uint64_t wall_ms() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

void wait_for(const char* what, const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) fail(std::string("waited in vain for ") + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

std::string address_of(std::uint16_t first_port, unsigned index) {
  return "127.0.0.1:" + std::to_string(first_port + index);
}

// No swarm configuration is ordered here.
class NoConfig final : public cp::ConfigPort {
 public:
  std::vector<std::string> judge(const v1::KeptConfig&, const std::string&) override { return {}; }
  std::vector<std::string> put_in_force(const v1::KeptConfig&) override { return {}; }
  v1::KeptConfig in_force() const override { return {}; }
};

std::unique_ptr<cp::Member> start(const cp::IdentityFiles& files, cp::Identity identity,
                                  const std::string& address) {
  static NoConfig no_config;
  cp::Member::Options options;
  options.config = &no_config;
  options.listen = address;
  options.describe = [] { return v1::NodeReport(); };
  options.say = [](const std::string&) {};
  options.dataplane_socket = files.directory() + "/no-dataplane.sock";
  auto member = cp::Member::start(files, std::move(identity), std::move(options));
  if (!member) fail(member.error());
  return std::move(*member);
}

}  // namespace

RunningSwarm::RunningSwarm(std::string directory, unsigned nodes, std::uint16_t first_port)
    : directory_(std::move(directory)), first_port_(first_port) {
  const cp::IdentityFiles files(directory_ + "/n1");
  if (auto prepared = files.prepare(); !prepared) fail(prepared.error());
  cp::FoundingWish wish;
  wish.swarm_name = "bench";
  wish.node_name = "n1";
  wish.address = address_of(first_port_, 0);
  wish.region = "here";
  wish.wall_ms = wall_ms();
  auto founded = cp::found_swarm(files, wish);
  if (!founded) fail(founded.error());
  const auto root = cp::read_certificates(founded->root_certificate);
  if (!root) fail(root.error());
  swarm_id_ = founded->identity.record.swarm_id();
  root_fingerprint_ = root->front().fingerprint;
  members_.push_back(start(files, std::move(founded->identity), wish.address));
  leader();
  while (size() < nodes) add();
  wait_for("votes of all", [&] {
    std::size_t voters = 0;
    members_.front()->run([&] {
      for (const cp::LogMember& each : members_.front()->core().log().status().members)
        voters += each.role == cp::LogRole::kVoter;
    });
    return voters == nodes;
  });
}

RunningSwarm::~RunningSwarm() = default;

void RunningSwarm::add() {
  const cp::JoinToken token = cp::make_join_token(swarm_id_, root_fingerprint_);
  v1::Transaction transaction;
  transaction.mutable_token_issued()->set_token_hash(cp::join_token_hash(token));
  transaction.mutable_token_issued()->set_region("here");
  transaction.mutable_token_issued()->set_expires_ms(wall_ms() + 3'600'000);
  if (const auto refused = order(std::move(transaction)); !refused.empty()) fail(refused);
  const std::string name = "n" + std::to_string(size() + 1);
  const cp::IdentityFiles files(directory_ + "/" + name);
  if (auto prepared = files.prepare(); !prepared) fail(prepared.error());
  const std::string address = address_of(first_port_, size());
  auto identity =
      cp::join_swarm(files, {name, address, address_of(first_port_, 0), cp::join_token_text(token)},
                     wall_ms(), [](const std::string&) {});
  if (!identity) fail(identity.error());
  members_.push_back(start(files, std::move(*identity), address));
}

std::string RunningSwarm::order(v1::Transaction transaction) {
  std::promise<std::string> verdict;
  cp::Member& first = *members_.front();
  first.reactor().post([&] {
    first.core().submitter().submit(std::move(transaction), [&](const auto& outcome) {
      verdict.set_value(outcome ? "" : outcome.error().text);
    });
  });
  return verdict.get_future().get();
}

unsigned RunningSwarm::leader() {
  unsigned found = 0;
  wait_for("a leader", [&] {
    for (found = 0; found < size(); ++found) {
      bool leads = false;
      members_[found]->run([&] { leads = members_[found]->core().leads(); });
      if (leads) return true;
    }
    return false;
  });
  return found;
}

}  // namespace swarmdns::bench
