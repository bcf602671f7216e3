// The commands about the swarm itself, apart from how they are spelled (swarm_tree.cc). Each returns an exit
// code and needs context.swarm.
#pragma once

#include <string>
#include <vector>

#include "controlplane/cli/context.h"

namespace swarmdns::controlplane {

struct InitOptions {
  std::string name;
  std::string root_key;         // file to write; "" = NAME-root.key here
  std::string passphrase_file;  // "" = the key is not encrypted
  std::string reason;
};
int init_swarm(Context& context, const InitOptions& options);

struct TokenOptions {
  bool backup = false;
  std::string region;
  uint64_t ttl_ms = 3600000;
  std::string reason;
};
int issue_token(Context& context, const TokenOptions& options);

struct JoinOptions {
  std::string address;  // HOST:PORT
  std::string token;
  std::string token_file;  // "-" = standard input
  std::string reason;
};
int join_swarm(Context& context, const JoinOptions& options);

int leave_swarm(Context& context, const std::string& reason);
int remove_member(Context& context, const std::string& node, bool force, const std::string& reason);
int set_role(Context& context, const std::string& node, bool backup, const std::string& reason);
int transfer_leader(Context& context, const std::string& node, const std::string& reason);

struct RecoverOptions {
  std::string confirm;   // the swarm's name; "" = ask
  std::string root_key;  // file to write; "" = NAME-INCARNATION-root.key here
  std::string passphrase_file;
  std::string reason;
};
int recover_swarm(Context& context, const RecoverOptions& options);

struct RotateOptions {
  std::string root_key;  // file with the root in force
  bool new_root = false;
  std::string new_root_key;  // file to write; "" = root_key with ".new"
  std::string passphrase_file;
  std::string reason;
};
int rotate_authority(Context& context, const RotateOptions& options);

// `confirmed`: a majority is asked first, so that what is shown is not older than the question.
int show_swarm(Context& context, bool confirmed);
int show_nodes(Context& context, bool confirmed);
int change_settings(Context& context, const std::vector<std::string>& changes, const std::string& reason);

// The swarm's part of `status`; nothing when the node is in none.
void print_swarm_part(Context& context, const v1::SwarmView& view);

}  // namespace swarmdns::controlplane
