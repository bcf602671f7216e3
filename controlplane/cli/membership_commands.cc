// Who is in the swarm: token, join, leave, remove, roles.
#include "controlplane/cli/ask.h"
#include "controlplane/cli/committed_text.h"
#include "controlplane/cli/json.h"
#include "controlplane/cli/node_names.h"
#include "controlplane/cli/secret_file.h"
#include "controlplane/cli/swarm_commands.h"
#include "controlplane/cli/time_text.h"

namespace swarmdns::controlplane {
namespace {

// Prints the steps of something long; as JSON only its end.
class Steps {
 public:
  explicit Steps(Context& context) : context_(context) {}

  bool take(const v1::Progress& progress) {
    last_ = progress;
    if (!context_.json && progress.problem().empty() && !progress.text().empty()) {
      context_.out << "  " << printable(progress.text()) << "\n" << std::flush;
    }
    return true;
  }

  // Exit code; the reason of a failure has been said.
  int end(const Outcome<void>& outcome, const std::string& what) {
    if (!outcome) return fail(context_, outcome.error());
    if (context_.json) context_.out << to_json(last_);
    if (!last_.problem().empty()) return fail(context_, kExitFailed, what + " failed: " + last_.problem());
    if (!last_.done()) {
      return fail(
          context_, kExitFailed,
          what +
              " broke off without a word; whether it was done is not known: look at swarmctl swarm status");
    }
    return kExitOk;
  }

 private:
  Context& context_;
  v1::Progress last_;
};

}  // namespace

int issue_token(Context& context, const TokenOptions& options) {
  v1::IssueTokenRequest request;
  *request.mutable_caller() = caller_of(context, options.reason);
  request.set_backup(options.backup);
  request.set_region(options.region);
  request.set_ttl_s(options.ttl_ms / 1000);
  const auto answer = context.swarm->issue_token(request);
  if (!answer) return fail(context, answer.error());
  if (context.json) {
    context.out << to_json(*answer);
    return kExitOk;
  }
  context.out << "A token for one " << (options.backup ? "backup" : "primary") << " node in "
              << (options.region.empty() ? "this node's region" : "region " + options.region)
              << ", valid until " << time_text(answer->expires_ms())
              << ". On that node, once its configuration has swarm.listen:\n\n"
              << "  swarmctl swarm join " << answer->address() << " --token " << answer->token() << "\n\n"
              << "The token is a secret until then. --token-file FILE, or - for the standard input, keeps it "
                 "out of the "
                 "list of processes.\n";
  return kExitOk;
}

int join_swarm(Context& context, const JoinOptions& options) {
  v1::JoinSwarmRequest request;
  *request.mutable_caller() = caller_of(context, options.reason);
  request.set_address(options.address);
  request.set_token(options.token);
  if (!options.token_file.empty()) {
    const auto token = read_secret(options.token_file, context.in);
    if (!token) return fail(context, kExitNotFound, token.error());
    request.set_token(*token);
  }
  if (!context.json) context.out << "Joining through " << options.address << "\n" << std::flush;
  Steps steps(context);
  const auto outcome =
      context.swarm->join_swarm(request, [&](const v1::Progress& progress) { return steps.take(progress); });
  const int code = steps.end(outcome, "joining");
  if (code == kExitOk && !context.json) {
    context.out << context.style.good("Joined.") << " swarmctl nodes shows the swarm.\n";
  }
  return code;
}

int leave_swarm(Context& context, const std::string& reason) {
  v1::LeaveSwarmRequest request;
  *request.mutable_caller() = caller_of(context, reason);
  Steps steps(context);
  const auto outcome =
      context.swarm->leave_swarm(request, [&](const v1::Progress& progress) { return steps.take(progress); });
  const int code = steps.end(outcome, "leaving");
  if (code == kExitOk && !context.json) {
    context.out << context.style.good("Left.")
                << " The node answers DNS on by itself, with its own configuration file.\n"
                   "To come back it joins as a new member: swarmctl swarm token on one of the others.\n";
  }
  return code;
}

int remove_member(Context& context, const std::string& node, bool force, const std::string& reason) {
  v1::RemoveMemberRequest request;
  *request.mutable_caller() = caller_of(context, reason);
  request.set_node(node);
  request.set_force(force);
  const auto answer = context.swarm->remove_member(request);
  if (!answer) return fail(context, answer.error());
  const int code = print_committed(context, node + " is no member any more", *answer);
  if (!context.json) {
    context.out
        << "The others have ended its connections and refuse it. It answers DNS on by itself until it is\n"
           "stopped; to come back it joins anew, with a token.\n";
  }
  return code;
}

int set_role(Context& context, const std::string& node, bool backup, const std::string& reason) {
  v1::SetRoleRequest request;
  *request.mutable_caller() = caller_of(context, reason);
  request.set_node(node);
  request.set_backup(backup);
  const auto answer = context.swarm->set_role(request);
  if (!answer) return fail(context, answer.error());
  return print_committed(context,
                         node + (backup ? " is a backup now, it votes only in the place of a lost voter"
                                        : " is a primary now, it votes as far as max_voters allows"),
                         *answer);
}

int transfer_leader(Context& context, const std::string& node, const std::string& reason) {
  v1::TransferLeaderRequest request;
  *request.mutable_caller() = caller_of(context, reason);
  request.set_node(node);
  const auto answer = context.swarm->transfer_leader(request);
  if (!answer) return fail(context, answer.error());
  if (context.json) {
    context.out << to_json(*answer);
  } else {
    context.out << answer->leader() << " leads now\n";
  }
  return kExitOk;
}

}  // namespace swarmdns::controlplane
