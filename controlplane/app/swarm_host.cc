#include "controlplane/app/swarm_host.h"

#include <rocksdb/env.h>
#include <sys/statvfs.h>

#include <chrono>
#include <filesystem>
#include <future>

#include "controlplane/ledger/octets.h"
#include "controlplane/member/damaged_ledger.h"
#include "controlplane/membership/directory.h"
#include "controlplane/resolver/unbound_conf.h"
#include "controlplane/resolver/unbound_control.h"
#include "proto/dns/name_text.h"

namespace swarmdns::controlplane {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(1000);
constexpr std::uint64_t kLowDiskBytes = std::uint64_t{64} << 20;  // eight segments of the log
constexpr auto kLookInterval = std::chrono::milliseconds(20);

// "10.54.0.1@8453" as configured to "10.54.0.1:8453" as dialled; IPv6 in brackets.
std::string dial_address(const std::string& configured, const std::string& default_port) {
  const std::size_t at = configured.find('@');
  const std::string host = configured.substr(0, at);
  const std::string port = at == std::string::npos ? default_port : configured.substr(at + 1);
  return host.contains(':') ? "[" + host + "]:" + port : host + ":" + port;
}

// Said before anything fails: log, ledger and segments stop being written when it is full.
std::string low_disk(const std::string& state_dir) {
  struct statvfs disk {};
  if (::statvfs(state_dir.c_str(), &disk) != 0) return "";
  const std::uint64_t free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  if (free_bytes >= kLowDiskBytes) return "";
  return "the disk of " + state_dir + " has " + std::to_string(free_bytes >> 20) +
         " MiB left: make room, or this node takes no part in changes any more";
}

// Damaged ledgers of all incarnations: whoever has looked at them removes them.
std::vector<std::string> kept_for_a_look(const std::string& state_dir) {
  std::vector<std::string> told;
  const IdentityFiles files(state_dir);
  std::vector<std::string> ledgers = {files.ledger_directory()};
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(files.directory(), ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("incarnation-")) ledgers.push_back(files.ledger_directory(name));
  }
  for (const std::string& ledger : ledgers) {
    for (const DamagedLedger& kept : damaged_ledgers(*rocksdb::Env::Default(), ledger)) {
      told.push_back("a damaged ledger was replaced and is kept as " + kept.path + " (" + kept.what +
                     "): look at the disk and the memory of this machine, then remove that directory");
    }
  }
  return told;
}

}  // namespace

SwarmHost::SwarmHost(std::function<v1::Config()> config, ConfigPort& port, LifePort& life, Log& log)
    : config_(std::move(config)), port_(port), life_(life), log_(log) {}

SwarmHost::~SwarmHost() {
  stop();
}

void SwarmHost::start() {
  poller_ = std::jthread([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      poll_dataplane();
      tell_life();
      std::unique_lock lock(poll_mutex_);
      poll_wake_.wait_for(lock, stop, kPollInterval, [] { return false; });
    }
  });
  const std::unique_lock held(membership_);
  open_own();
}

void SwarmHost::open_own() {
  const IdentityFiles files(config_().node().state_dir());
  auto identity = files.load();
  if (!identity) {
    trouble_ = identity.error();
    log_.warning("swarm: " + trouble_);
    return;
  }
  if (!*identity) return;
  if (auto opened = open(files, std::move(**identity)); !opened) {
    trouble_ = opened.error();
    log_.warning("swarm: " + trouble_);
  }
}

void SwarmHost::stop() {
  poller_ = {};
  const std::unique_lock held(membership_);
  member_.reset();
}

std::expected<void, std::string> SwarmHost::open(const IdentityFiles& files, Identity identity) {
  const v1::Config config = config_();
  const auto where = addresses(config);
  if (!where) return std::unexpected(where.error().text);
  Member::Options options;
  options.listen = where->first;
  options.profile = config.swarm().profile() == v1::SWARM_WAN ? LogProfile::kWan : LogProfile::kLan;
  options.describe = [this] { return describe(); };
  options.say = [this](const std::string& text) { log_.info("swarm: " + text); };
  options.dataplane_socket = config.node().run_dir() + "/dataplane.sock";
  if (config.resolver().mode() == v1::UNBOUND) {
    options.flush_resolver = [socket = resolver_paths(config.node()).control_socket] {
      return unbound_command(socket, "flush_zone .");
    };
  }
  for (const std::string& zone : config.swarm().private_zones()) {
    if (const auto name = dns::name_from_text(zone))
      options.private_zones.push_back(as_string(name->folded().wire()));
  }
  options.share_bytes_per_second = std::uint64_t{config.swarm().share_budget_kib()} << 10;
  options.config = &port_;
  const std::string name = identity.record.swarm_name();
  const std::uint64_t id = identity.record.node();
  auto member = Member::start(files, std::move(identity), std::move(options));
  if (!member) return std::unexpected(member.error());
  member_ = std::move(*member);
  trouble_.clear();
  log_.info("swarm: node " + std::to_string(id) + " of " + name + ", listening on " + where->first);
  return {};
}

Outcome<std::pair<std::string, std::string>> SwarmHost::addresses(const v1::Config& config) const {
  if (config.swarm().listen().empty()) {
    return std::unexpected(
        Refusal{Refusal::Kind::kPrecondition,
                "swarm.listen is not set: say in the node's file on which address the other nodes "
                "reach it, and start the control plane again"});
  }
  const std::string listen = dial_address(config.swarm().listen(), "8453");
  const std::string& advertise = config.swarm().advertise();
  return std::pair(listen, advertise.empty() ? listen : dial_address(advertise, "8453"));
}

Outcome<void> SwarmHost::require_member() const {
  if (member_) return {};
  if (!trouble_.empty()) {
    return std::unexpected(
        Refusal{Refusal::Kind::kPrecondition, "this node's membership cannot be opened: " + trouble_});
  }
  return std::unexpected(
      Refusal{Refusal::Kind::kPrecondition,
              "this node is in no swarm; swarmctl swarm init makes one, swarmctl swarm join enters one"});
}

Outcome<void> SwarmHost::require_none() const {
  if (!member_ && trouble_.empty()) return {};
  return std::unexpected(Refusal{Refusal::Kind::kPrecondition,
                                 member_ ? "this node is a member of swarm " +
                                               member_->identity().record.swarm_name() +
                                               " already; swarmctl swarm leave takes it out"
                                         : "this node's membership cannot be opened: " + trouble_});
}

bool SwarmHost::wait_until(const std::function<bool()>& holds, std::uint64_t patience_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
  for (;;) {
    if (on_reactor<bool>(holds)) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kLookInterval);
  }
}

void SwarmHost::poll_dataplane() {
  const v1::Config config = config_();
  v1::NodeReport report;
  report.set_phase(to_text(life_.phase()));
  report.set_name(config.node().name());
  report.set_region(config.node().region());
  report.set_version(SWARMDNS_VERSION);
  report.set_cores(static_cast<std::uint32_t>(config.dataplane().eal().worker_cpus_size()));
  report.set_ports(static_cast<std::uint32_t>(config.dataplane().ports_size()));
  DataplaneLink link(config.node().run_dir() + "/dataplane.sock");
  if (const auto status = link.status()) {
    report.set_cache_budget_bytes(status->cache().budget_bytes());
    report.set_cache_used_bytes(status->cache().used_bytes());
    report.set_cache_entries(status->cache().entries());
    std::uint32_t busy = 0;
    for (const v1::WorkerStatus& worker : status->workers()) busy += worker.busy_permille();
    if (status->workers_size() > 0)
      report.set_busy_permille(busy / static_cast<std::uint32_t>(status->workers_size()));
  } else {
    report.add_troubles("the data plane does not answer");
  }
  for (const std::string& kept : kept_for_a_look(config.node().state_dir())) report.add_troubles(kept);
  if (const std::string low = low_disk(config.node().state_dir()); !low.empty()) report.add_troubles(low);
  const std::scoped_lock lock(report_mutex_);
  report_ = std::move(report);
}

// While a membership is being made or ended there is no ledger yet, or none any more.
void SwarmHost::tell_life() {
  LifePort::Membership now;
  if (const Held held(membership_, std::try_to_lock); !held) {
    now.in_swarm = true;
  } else if (member_) {
    now.in_swarm = true;
    now.has_ledger = on_reactor<bool>(
        [this] { return member(member_->core().chain().state(), member_->core().self()).has_value(); });
  } else {
    now.trouble = trouble_;
  }
  life_.membership(now);
}

v1::NodeReport SwarmHost::describe() const {
  const std::scoped_lock lock(report_mutex_);
  return report_;
}

Outcome<v1::Committed> SwarmHost::commit(v1::Transaction transaction, const v1::Caller& caller) {
  transaction.set_principal(caller.principal());
  transaction.set_reason(caller.reason());
  transaction.set_request_id(caller.request_id());
  std::promise<std::expected<Receipt, SubmitError>> verdict;
  member_->reactor().post([&] {
    member_->core().submitter().submit(std::move(transaction), [&](std::expected<Receipt, SubmitError> done) {
      verdict.set_value(std::move(done));
    });
  });
  const auto done = verdict.get_future().get();
  if (!done) {
    const auto kind = done.error().kind == SubmitError::Kind::kRefused ? Refusal::Kind::kInvalid
                                                                       : Refusal::Kind::kUnavailable;
    return std::unexpected(Refusal{kind, done.error().text});
  }
  v1::Committed committed;
  committed.set_height(done->height);
  committed.set_leaf(done->leaf);
  committed.set_time_ms(done->time_ms);
  return committed;
}

Outcome<v1::MemberRecord> SwarmHost::member_named(const std::string& who) {
  std::expected<v1::MemberRecord, std::string> found;
  member_->run([&] { found = find_member(member_->core().chain().state(), who); });
  if (!found) return std::unexpected(Refusal{Refusal::Kind::kNotFound, found.error()});
  return *found;
}

}  // namespace swarmdns::controlplane
