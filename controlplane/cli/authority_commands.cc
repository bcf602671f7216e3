// What makes keys: init, recover, rotate-ca.
#include <optional>

#include "controlplane/cli/ask.h"
#include "controlplane/cli/committed_text.h"
#include "controlplane/cli/human.h"
#include "controlplane/cli/json.h"
#include "controlplane/cli/node_names.h"
#include "controlplane/cli/secret_file.h"
#include "controlplane/cli/swarm_commands.h"
#include "controlplane/cli/time_text.h"
#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

// A name as part of a file's name.
std::string file_word(const std::string& name) {
  std::string word;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    word += plain ? c : '_';
  }
  return word;
}

// "" without a file.
std::expected<std::string, std::string> passphrase_of(Context& context, const std::string& file) {
  if (file.empty()) return "";
  return read_secret(file, context.in);
}

// The only copy there is: when the file cannot take it, the terminal gets it. false: that happened.
bool keep_key(Context& context, SecretFile& file, const std::string& key) {
  const auto written = file.write(key);
  if (written) return true;
  context.err << "swarmctl: " << written.error()
              << "\nThis is the only copy of the root key. Put it into a file by hand, now:\n"
              << key;
  return false;
}

void print_key_advice(Context& context, const std::string& file, bool encrypted) {
  context.out << "  root key  " << file
              << (encrypted ? "  (encrypted with the passphrase)\n" : "  (not encrypted)\n") << "\n"
              << context.style.warn("Take the root key off this node now.")
              << " It is kept nowhere else. Whoever has it can let any machine into the\n"
                 "swarm; without it the swarm's CA cannot be renewed (swarmctl swarm rotate-ca). Copy it to "
                 "a safe place,\n"
                 "then: shred -u "
              << file << "\n\n";
}

// What is made with a key, without the key.
std::string made_json(v1::InitSwarmResponse made, const std::string& file, const std::string& more) {
  made.clear_root_key();
  std::string text = to_json(made);
  const size_t at = text.find("  \"root_key\": \"\"");
  text.replace(at, std::string("  \"root_key\": \"\"").size(),
               "  \"root_key_file\": " + json_string(file) + more);
  return text;
}

}  // namespace

int init_swarm(Context& context, const InitOptions& options) {
  const auto passphrase = passphrase_of(context, options.passphrase_file);
  if (!passphrase) return fail(context, kExitNotFound, passphrase.error());
  const std::string path =
      options.root_key.empty() ? file_word(options.name) + "-root.key" : options.root_key;
  auto file = SecretFile::create(path);
  if (!file) return fail(context, kExitRefused, "--root-key: " + file.error());
  v1::InitSwarmRequest request;
  *request.mutable_caller() = caller_of(context, options.reason);
  request.set_name(options.name);
  request.set_passphrase(*passphrase);
  const auto answer = context.swarm->init_swarm(request);
  if (!answer) return fail(context, answer.error());
  const bool kept = keep_key(context, *file, answer->root_key());
  if (context.json) {
    context.out << made_json(*answer, kept ? path : "", "");
    return kept ? kExitOk : kExitFailed;
  }
  context.out << "The swarm \"" << options.name << "\" is made; this node is its first member, number "
              << answer->node() << ".\n\n";
  if (kept) print_key_advice(context, path, !passphrase->empty());
  context.out << "Next, for each node that is to join, on this node:\n"
                 "  swarmctl swarm token --role primary      (and run on that node what it prints)\n"
                 "Three primaries go on when one of them is lost. swarmctl nodes shows who is there;\n"
                 "swarmctl ledger checkpoint --trust-file FILE writes what proofs are checked against.\n";
  return kept ? kExitOk : kExitFailed;
}

int recover_swarm(Context& context, const RecoverOptions& options) {
  const auto view = context.swarm->swarm(v1::GetSwarmRequest());
  if (!view) return fail(context, view.error());
  if (!view->member()) {
    return fail(context, kExitRefused,
                "this node is in no swarm, there is nothing to recover; swarm init makes one");
  }
  std::string others;
  for (const v1::SwarmNode& node : view->nodes()) {
    if (node.id() != view->self()) others += (others.empty() ? "" : ", ") + printable(node.name());
  }
  const std::string next = std::to_string(view->incarnation() + 1);
  context.err << context.style.bad("RECOVERING THE SWARM \"" + printable(view->name()) +
                                   "\" FROM THIS NODE ALONE")
              << "\n\n"
                 "Only when a majority of its voters is lost for good: machines that never come back. If "
                 "they are just\n"
                 "away, wait, or mend the network: DNS is answered all the while, only changes wait.\n\n"
              << "  stays    the ledger up to block " << with_commas(view->height()) << " ("
              << time_text(view->block_time_ms()) << "), as this node has it\n"
              << "  lost     whatever the others committed after that\n"
              << "  refused  " << (others.empty() ? "nobody: no other member is known" : others) << "\n"
              << (others.empty()
                      ? ""
                      : "           for good: when they come back they are turned away, loudly, and each has "
                        "to join anew\n")
              << "  new      incarnation " << next
              << ", a new CA with a new root key, new keys of this node\n\n";
  std::string confirm = options.confirm;
  if (confirm.empty()) {
    if (!context.can_ask) {
      return fail(context, kExitUsage,
                  "there is nobody to ask; give --confirm " + printable(view->name()) +
                      " where that is meant. Nothing was changed");
    }
    confirm = answer_to(context, "Type the swarm's name to go on: ");
  }
  if (confirm != view->name()) {
    return fail(context, kExitRefused,
                "the swarm's name is \"" + printable(view->name()) + "\", not \"" + printable(confirm) +
                    "\"; nothing was changed");
  }
  const auto passphrase = passphrase_of(context, options.passphrase_file);
  if (!passphrase) return fail(context, kExitNotFound, passphrase.error());
  const std::string path =
      options.root_key.empty() ? file_word(view->name()) + "-" + next + "-root.key" : options.root_key;
  auto file = SecretFile::create(path);
  if (!file) return fail(context, kExitRefused, "--root-key: " + file.error());
  v1::RecoverSwarmRequest request;
  *request.mutable_caller() = caller_of(context, options.reason);
  request.set_confirm(confirm);
  request.set_passphrase(*passphrase);
  const auto answer = context.swarm->recover_swarm(request);
  if (!answer) return fail(context, answer.error());
  const bool kept = keep_key(context, *file, answer->made().root_key());
  std::string left_behind;
  for (const std::string& name : answer->left_behind()) {
    left_behind += (left_behind.empty() ? "" : ", ") + printable(name);
  }
  if (context.json) {
    std::string names;
    for (const std::string& name : answer->left_behind())
      names += (names.empty() ? "" : ", ") + json_string(name);
    context.out << made_json(answer->made(), kept ? path : "",
                             ",\n  \"incarnation\": " + std::to_string(answer->incarnation()) +
                                 ",\n  \"left_behind\": [" + names + "]");
    return kept ? kExitOk : kExitFailed;
  }
  context.out << "The swarm \"" << printable(view->name()) << "\" goes on as incarnation "
              << answer->incarnation() << "; this node is its only member.\n"
              << "Refused from now on: " << (left_behind.empty() ? "nobody" : left_behind) << ".\n\n";
  if (kept) print_key_advice(context, path, !passphrase->empty());
  context.out << "Next, for each node that is to be in it again, on this node:\n"
                 "  swarmctl swarm token --role primary      (and run on that node what it prints)\n"
                 "A node that was in the old incarnation first leaves that: swarmctl swarm leave.\n";
  return kept ? kExitOk : kExitFailed;
}

int rotate_authority(Context& context, const RotateOptions& options) {
  v1::RotateAuthorityRequest request;
  *request.mutable_caller() = caller_of(context, options.reason);
  request.set_new_root(options.new_root);
  const auto passphrase = passphrase_of(context, options.passphrase_file);
  if (!passphrase) return fail(context, kExitNotFound, passphrase.error());
  request.set_passphrase(*passphrase);
  auto key = config::read_file(options.root_key, 65536);
  if (!key) return fail(context, kExitNotFound, "--root-key: " + key.error());
  request.set_root_key(*key);
  const std::string path = options.new_root_key.empty() ? options.root_key + ".new" : options.new_root_key;
  std::optional<SecretFile> file;
  if (options.new_root) {
    auto made = SecretFile::create(path);
    if (!made) return fail(context, kExitRefused, "--new-root-key: " + made.error());
    file.emplace(std::move(*made));
  }
  const auto answer = context.swarm->rotate_authority(request);
  if (!answer) return fail(context, answer.error());
  const bool kept = !file || keep_key(context, *file, answer->root_key());
  if (context.json) {
    v1::RotateAuthorityResponse shown = *answer;
    shown.clear_root_key();
    std::string text = to_json(shown);
    const std::string empty = "\"root_key\": \"\"";
    text.replace(text.find(empty), empty.size(),
                 "\"root_key_file\": " + json_string(file && kept ? path : ""));
    context.out << text;
    return kept ? kExitOk : kExitFailed;
  }
  print_committed(
      context,
      options.new_root ? "A new root and a new issuing key are in force" : "A new issuing key is in force",
      answer->committed());
  context.out << "Every node renews its certificate by itself; no connection is dropped.\n";
  if (file && kept) {
    context.out << "\n";
    print_key_advice(context, path, !passphrase->empty());
    context.out << "Keep the old root key until swarmctl nodes shows no node that was away meanwhile.\n";
  }
  return kept ? kExitOk : kExitFailed;
}

}  // namespace swarmdns::controlplane
