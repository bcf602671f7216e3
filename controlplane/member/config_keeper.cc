#include "controlplane/member/config_keeper.h"

#include <algorithm>

#include "controlplane/membership/directory.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kLookMs = 5000;
// What stood against it may have passed; each attempt may cost the node a restart of its resolver.
constexpr std::uint64_t kTryAgainMs = 30'000;
constexpr std::uint64_t kTryAgainMostMs = 600'000;
constexpr std::uint64_t kPatienceMs = 8000;
constexpr std::size_t kJudgedAtOnce = 4;
constexpr std::size_t kProblemMost = 4000;  // octets of an outcome

// What the ledger wants this node to have; nothing: it does not say yet.
std::optional<v1::KeptConfig> wanted_in(const StateView& state, NodeId self) {
  const auto own = member(state, self);
  if (!own || own->removed_height() != 0) return std::nullopt;
  v1::KeptConfig wanted;
  if (const auto record = read<v1::ConfigRecord>(state, keys::kConfig)) {
    wanted.set_height(record->height());
    wanted.set_document(record->document());
    wanted.set_name(own->name());
    wanted.set_region(own->region());
  }
  return wanted;
}

bool same(const v1::KeptConfig& one, const v1::KeptConfig& other) {
  return one.height() == other.height() && one.document() == other.document() && one.name() == other.name() &&
         one.region() == other.region();
}

std::string joined(const std::vector<std::string>& problems) {
  std::string text;
  for (const std::string& problem : problems) text += (text.empty() ? "" : "; ") + problem;
  if (text.size() <= kProblemMost) return text;
  std::size_t end = kProblemMost;  // not within a character
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + " ...";
}

}  // namespace

std::string missing_majority(const std::vector<ConfigVerdict>& verdicts, const std::vector<NodeId>& voters) {
  std::size_t accepting = 0;
  std::size_t silent = 0;
  for (const NodeId voter : voters) {
    const auto verdict = std::ranges::find(verdicts, voter, &ConfigVerdict::node);
    if (verdict == verdicts.end() || verdict->kind == ConfigVerdict::Kind::kSilent) {
      ++silent;
    } else if (verdict->kind == ConfigVerdict::Kind::kAccepts) {
      ++accepting;
    }
  }
  if (accepting > voters.size() / 2) return "";
  return std::to_string(voters.size() / 2 + 1) + " of the " + std::to_string(voters.size()) +
         " voters must accept it; " + std::to_string(accepting) + (accepting == 1 ? " does, " : " do, ") +
         std::to_string(silent) + (silent == 1 ? " is silent" : " are silent");
}

ConfigKeeper::ConfigKeeper(Reactor& reactor, PeerLink& link, MemberCore& core, ConfigPort& port,
                           std::function<void(const std::string&)> say)
    : reactor_(reactor),
      link_(link),
      core_(core),
      port_(port),
      say_(std::move(say)),
      timer_(reactor),
      again_(reactor) {}

void ConfigKeeper::start() {
  in_force_ = port_.in_force();
  look();
}

void ConfigKeeper::look() {
  timer_.start(kLookMs, [this] { look(); });
  if (busy_ || core_.chain().height() == 0) return;
  const auto wanted = wanted_in(core_.chain().state(), core_.self());
  if (!wanted) return;
  if (same(*wanted, in_force_)) {
    problem_.clear();
    return tell_outcome();
  }
  // Once, and then now and then.
  if (same(*wanted, refused_) && again_.running()) return tell_outcome();
  busy_ = true;
  auto problems = std::make_shared<std::vector<std::string>>();
  reactor_.offload([&port = port_, wanted = *wanted, problems] { *problems = port.put_in_force(wanted); },
                   [this, wanted = *wanted, problems, alive = std::weak_ptr<char>(alive_)] {
                     if (!alive.expired()) carried_out(wanted, *problems);
                   });
}

void ConfigKeeper::carried_out(const v1::KeptConfig& wanted, const std::vector<std::string>& problems) {
  busy_ = false;
  const std::string before = problem_;
  if (problems.empty()) {
    in_force_ = wanted;
    refused_.Clear();
    problem_.clear();
    say_(wanted.height() == 0
             ? "the node's own configuration is in force alone"
             : "the configuration of block " + std::to_string(wanted.height()) + " is in force");
  } else {
    pause_ms_ = same(wanted, refused_) ? std::min(2 * pause_ms_, kTryAgainMostMs) : kTryAgainMs;
    refused_ = wanted;
    problem_ = joined(problems);
    again_.start(pause_ms_, [this] { look(); });
    if (problem_ != before) {
      say_("the configuration of block " + std::to_string(wanted.height()) +
           " cannot be put in force, the last good one stays: " + problem_);
    }
  }
  look();  // it may have changed meanwhile
}

// The ledger is told when what it knows of this node is not what is.
void ConfigKeeper::tell_outcome() {
  const v1::KeptConfig& about = problem_.empty() ? in_force_ : refused_;
  if (telling_ || about.height() == 0) return;
  const auto known = read<v1::ConfigOutcome>(core_.chain().state(), keys::of(keys::kOutcomes, core_.self()));
  if (known && known->height() == about.height() && known->degraded() == !problem_.empty() &&
      known->problem() == problem_)
    return;
  telling_ = true;
  v1::Transaction transaction;
  v1::ConfigOutcome& outcome = *transaction.mutable_config_outcome();
  outcome.set_height(about.height());
  outcome.set_degraded(!problem_.empty());
  outcome.set_problem(problem_);
  core_.submitter().submit(std::move(transaction), [this, alive = std::weak_ptr<char>(alive_)](const auto&) {
    if (!alive.expired()) telling_ = false;
  });
}

void ConfigKeeper::describe(v1::NodeReport& report) const {
  report.set_config_height(in_force_.height());
  report.set_config_problem(problem_);
}

void ConfigKeeper::judge(v1::KeptConfig config, const std::string& file,
                         std::function<void(std::vector<std::string>)> done) {
  ++judging_;
  auto problems = std::make_shared<std::vector<std::string>>();
  reactor_.offload(
      [&port = port_, config = std::move(config), file, problems] { *problems = port.judge(config, file); },
      [this, problems, done = std::move(done), alive = std::weak_ptr<char>(alive_)] {
        if (alive.expired()) return;
        --judging_;
        done(std::move(*problems));
      });
}

void ConfigKeeper::answer(NodeId to, std::uint64_t request, const v1::ConfigCheckRequest& question) {
  // No word is better than a wrong one: a node whose ledger does not know it yet, or that is asked too much.
  auto config = wanted_in(core_.chain().state(), core_.self());
  if (!config || judging_ >= kJudgedAtOnce) return;
  const auto own = member(core_.chain().state(), core_.self());
  config->set_name(own->name());
  config->set_region(own->region());
  config->set_document(question.document());
  judge(std::move(*config), question.file(), [this, to, request](const std::vector<std::string>& problems) {
    v1::PeerMessage message;
    message.set_request(request);
    message.mutable_config_check_response()->set_accepted(problems.empty());
    for (const std::string& problem : problems)
      message.mutable_config_check_response()->add_problems(problem);
    link_.send(to, Channel::kBulk, std::move(message));
  });
}

bool ConfigKeeper::receive(NodeId from, const v1::PeerMessage& message) {
  if (message.has_config_check_request()) {
    answer(from, message.request(), message.config_check_request());
    return true;
  }
  if (!message.has_config_check_response()) return false;
  const v1::ConfigCheckResponse& response = message.config_check_response();
  settle(message.request(), from, response.accepted(),
         {response.problems().begin(), response.problems().end()});
  return true;
}

void ConfigKeeper::check(const std::string& document, const std::string& file, Checked done) {
  const std::uint64_t number = ++last_number_;
  Check& check = checks_[number];
  check.done = std::move(done);
  check.patience = std::make_unique<Timer>(reactor_);
  check.patience->start(kPatienceMs, [this, number] { finish(number); });
  for (const v1::MemberRecord& record : live_members(core_.chain().state())) {
    const NodeId id = record.id();
    check.verdicts[id].node = id;
    if (id == core_.self()) {
      v1::KeptConfig own;
      own.set_height(in_force_.height());
      own.set_document(document);
      own.set_name(record.name());
      own.set_region(record.region());
      check.awaited.insert(id);
      judge(std::move(own), file, [this, number, id](std::vector<std::string> problems) {
        const bool accepted = problems.empty();
        settle(number, id, accepted, std::move(problems));
      });
      continue;
    }
    v1::PeerMessage message;
    message.set_request(number);
    message.mutable_config_check_request()->set_document(document);
    message.mutable_config_check_request()->set_file(file);
    // Who cannot be reached is silent at once.
    if (link_.connected(id) && link_.send(id, Channel::kBulk, std::move(message))) check.awaited.insert(id);
  }
  if (check.awaited.empty()) check.patience->start(0, [this, number] { finish(number); });
}

void ConfigKeeper::settle(std::uint64_t number, NodeId node, bool accepted,
                          std::vector<std::string> problems) {
  const auto at = checks_.find(number);
  if (at == checks_.end() || at->second.awaited.erase(node) == 0) return;
  ConfigVerdict& verdict = at->second.verdicts[node];
  verdict.kind = accepted ? ConfigVerdict::Kind::kAccepts : ConfigVerdict::Kind::kRefuses;
  verdict.problems = std::move(problems);
  if (at->second.awaited.empty()) at->second.patience->start(0, [this, number] { finish(number); });
}

void ConfigKeeper::finish(std::uint64_t number) {
  auto taken = checks_.extract(number);
  std::vector<ConfigVerdict> verdicts;
  for (auto& [id, verdict] : taken.mapped().verdicts) verdicts.push_back(std::move(verdict));
  taken.mapped().done(std::move(verdicts));
}

}  // namespace swarmdns::controlplane
