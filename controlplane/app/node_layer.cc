// The swarm's layer of the node's configuration: judged and put in force as the node's own file is, but for
// one thing. Nobody looks on, so a resolver that does not come up with it takes it back.
#include "controlplane/app/node.h"
#include "controlplane/resolver/health_query.h"
#include "controlplane/supervise/log_file.h"

namespace swarmdns::controlplane {
namespace {

constexpr auto kResolverPatience = std::chrono::seconds(10);

std::vector<std::string> sentences(const v1::ConfigReport& report) {
  std::vector<std::string> all;
  for (const v1::ConfigProblemReport& problem : report.problems()) {
    all.push_back(to_string(
        ConfigProblem{problem.file(), static_cast<int>(problem.line()), problem.path(), problem.text()}));
  }
  return all;
}

}  // namespace

std::vector<std::string> Node::judge(const v1::KeptConfig& config, const std::string& file) {
  v1::ConfigReport report;
  judge_layer(config, file, report);
  return sentences(report);
}

std::vector<std::string> Node::put_in_force(const v1::KeptConfig& config) {
  const std::lock_guard apply_lock(apply_mutex_);
  v1::ConfigReport report;
  const v1::Config before = filled();
  const auto candidate = judge_layer(config, layer_name(config), report);
  if (!candidate) return sentences(report);
  const v1::KeptConfig last_good = in_force();
  if (auto kept = carry_out(*candidate, before, report); !kept)
    return {layer_name(config) + ": cannot be kept, so nothing was applied: " + kept.error()};
  if (report.resolver_restarted_size() == 0) return {};
  const std::string trouble = resolver_trouble();
  if (trouble.empty()) return {};

  v1::ConfigReport back;
  if (const auto good = judge_layer(last_good, layer_name(last_good), back)) {
    if (auto kept = carry_out(*good, candidate->filled, back); !kept) log_.warning(kept.error());
  }
  return {layer_name(config) + ": resolver: " + trouble};
}

std::expected<void, std::string> Node::carry_out(const Candidate& candidate, const v1::Config& before,
                                                 v1::ConfigReport& report) {
  // Kept first: what is in force must be what the next start finds.
  if (auto kept = keep_layer(before.node().state_dir(), candidate.layer); !kept) return kept;
  swap_in(candidate);
  apply_to_processes(before, candidate, report);
  for (const std::string& note : report.notes()) log_.info("configuration: " + note);
  return {};
}

// Why the resolver that was just restarted is of no use; "" = it answers, or takes its time.
std::string Node::resolver_trouble() {
  const v1::ResolverConfig resolver = filled().resolver();
  if (resolver.mode() != v1::UNBOUND) return "";
  const auto deadline = Clock::now() + kResolverPatience;
  resolver_->wait_for(ChildState::kRunning, kResolverPatience);
  while (Clock::now() < deadline) {
    if (dns_answers(resolver.address(), static_cast<uint16_t>(resolver.port()), kHealthName, 500)) return "";
    const ChildStatus status = resolver_->status();
    if (status.state == ChildState::kBackingOff) {
      const std::string tail = log_tail(resolver_paths_.log_file, 1);
      return "does not stay up with it (" + status.last_end + ")" + (tail.empty() ? "" : ": " + tail);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return "";
}

v1::KeptConfig Node::in_force() const {
  const std::lock_guard lock(mutex_);
  return layer_;
}

}  // namespace swarmdns::controlplane
