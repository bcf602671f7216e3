// How the commands about the swarm are spelled.
#include "controlplane/cli/command_tree.h"
#include "controlplane/cli/member_address.h"
#include "controlplane/cli/swarm_commands.h"
#include "controlplane/cli/time_text.h"

namespace swarmdns::controlplane {
namespace {

constexpr uint64_t kMinTokenLifeMs = 60000;
constexpr uint64_t kMaxTokenLifeMs = 30ull * 86400000;

void add_passphrase(CLI::App& command, std::string& file, const std::string& help) {
  command.add_option("--passphrase-file", file, help + "; first line of a file, - = standard input")
      ->type_name("FILE");
}

void add_init(CLI::App& swarm, Choice& choice) {
  const auto o = std::make_shared<InitOptions>();
  CLI::App* init = leaf(
      swarm, choice, "init", "make a swarm, of this node alone for the moment",
      [o](Context& x) { return init_swarm(x, *o); },
      "swarmctl swarm init --name lab --root-key /media/stick/lab-root.key");
  init->add_option("--name", o->name, "what people call the swarm, 1 to 63 characters")
      ->required()
      ->check(CLI::Validator(
          [](std::string& text) {
            return text.empty() || text.size() > 63 ? "must have 1 to 63 characters" : "";
          },
          ""));
  init->add_option("--root-key", o->root_key,
                   "file for the root key (default: NAME-root.key); never overwritten")
      ->type_name("FILE");
  add_passphrase(*init, o->passphrase_file, "encrypts the root key");
  add_reason(*init, o->reason);
}

void add_token(CLI::App& swarm, Choice& choice) {
  const auto o = std::make_shared<TokenOptions>();
  const auto role = std::make_shared<std::string>();
  const auto ttl = std::make_shared<std::string>();
  CLI::App* token = leaf(
      swarm, choice, "token", "make a token with which one node may join, once",
      [o, role](Context& x) {
        o->backup = *role == "backup";
        return issue_token(x, *o);
      },
      "swarmctl swarm token --role primary --region east --ttl 1h");
  token->add_option("--role", *role, "primary: it votes; backup: it takes a lost voter's place")
      ->required()
      ->check(CLI::IsMember({"primary", "backup"}));
  token->add_option("--region", o->region, "region of the new node (default: this node's)");
  token->add_option("--ttl", *ttl, "how long the token is valid, 1m to 30d (default 1h)");
  add_reason(*token, o->reason);
  choice.checks.emplace_back([token, o, ttl]() -> std::string {
    if (!token->parsed() || ttl->empty()) return "";
    const auto ms = parse_duration(*ttl);
    if (!ms) return "--ttl: " + ms.error();
    if (*ms < kMinTokenLifeMs || *ms > kMaxTokenLifeMs) return "--ttl: must be 1m to 30d";
    o->ttl_ms = *ms;
    return "";
  });
}

void add_join(CLI::App& swarm, Choice& choice) {
  const auto o = std::make_shared<JoinOptions>();
  CLI::App* join = leaf(
      swarm, choice, "join", "join a swarm with a token of one of its members",
      [o](Context& x) { return join_swarm(x, *o); },
      "swarmctl swarm join 10.54.0.1:8453 --token-file /root/token");
  join->add_option("ADDRESS", o->address, "a member, HOST:PORT (port 8453 unless said)")->required();
  CLI::Option* token = join->add_option("--token", o->token, "what swarm token printed");
  CLI::Option* token_file =
      join->add_option("--token-file", o->token_file, "the same, first line of a file; - = standard input")
          ->type_name("FILE");
  token->excludes(token_file);
  add_reason(*join, o->reason);
  choice.checks.emplace_back([join, o]() -> std::string {
    if (!join->parsed()) return "";
    if (o->token.empty() && o->token_file.empty()) {
      return "swarm join needs --token T or --token-file F; a member gives one: swarmctl swarm token --role "
             "primary";
    }
    const auto address = member_address(o->address);
    if (!address) return address.error();
    o->address = *address;
    return "";
  });
}

void add_members(CLI::App& swarm, Choice& choice) {
  struct Options {
    std::string node, reason;
    bool force = false;
  };
  const auto o = std::make_shared<Options>();
  CLI::App* leave = leaf(
      swarm, choice, "leave", "take this node out of its swarm",
      [o](Context& x) { return leave_swarm(x, o->reason); },
      "swarmctl swarm leave --reason \"moves to another site\"");
  add_reason(*leave, o->reason);
  CLI::App* remove = leaf(
      swarm, choice, "remove", "put a node out of the swarm: lost, or not trusted any more",
      [o](Context& x) { return remove_member(x, o->node, o->force, o->reason); },
      "swarmctl swarm remove n3 --reason \"disk gone\"");
  remove->add_option("NODE", o->node, "name or number")->required();
  remove->add_flag("--force", o->force, "though no voter more may be lost after that");
  add_reason(*remove, o->reason);
  for (const bool backup : {false, true}) {
    CLI::App* role = leaf(
        swarm, choice, backup ? "demote" : "promote",
        backup ? "make a node a backup: it votes only in the place of a lost voter"
               : "make a node a primary: it votes, as far as max_voters allows",
        [o, backup](Context& x) { return set_role(x, o->node, backup, o->reason); },
        std::string("swarmctl swarm ") + (backup ? "demote" : "promote") + " n4");
    role->add_option("NODE", o->node, "name or number")->required();
    add_reason(*role, o->reason);
  }
  CLI::App* transfer = leaf(
      swarm, choice, "transfer-leader", "let another voter lead, before this one is stopped",
      [o](Context& x) { return transfer_leader(x, o->node, o->reason); },
      "swarmctl swarm transfer-leader n2");
  transfer->add_option("NODE", o->node, "name or number (default: whoever has most of the log)");
  add_reason(*transfer, o->reason);
}

void add_authority(CLI::App& swarm, Choice& choice) {
  const auto r = std::make_shared<RecoverOptions>();
  CLI::App* recover = leaf(
      swarm, choice, "recover", "go on from this node alone: a majority of voters is lost for good",
      [r](Context& x) { return recover_swarm(x, *r); },
      "swarmctl swarm recover --reason \"site west burned down\"");
  recover->add_option("--confirm", r->confirm, "the swarm's name, instead of typing it when asked");
  recover
      ->add_option("--root-key", r->root_key,
                   "file for the new root key (default: NAME-INCARNATION-root.key)")
      ->type_name("FILE");
  add_passphrase(*recover, r->passphrase_file, "encrypts the new root key");
  add_reason(*recover, r->reason);

  const auto o = std::make_shared<RotateOptions>();
  CLI::App* rotate = leaf(
      swarm, choice, "rotate-ca", "renew the key that signs the nodes' certificates",
      [o](Context& x) { return rotate_authority(x, *o); },
      "swarmctl swarm rotate-ca --root-key /media/stick/lab-root.key");
  rotate->add_option("--root-key", o->root_key, "FILE of the root key in force")
      ->type_name("FILE")
      ->required();
  rotate->add_flag("--new-root", o->new_root, "a new root as well: the old one was lost sight of");
  rotate
      ->add_option("--new-root-key", o->new_root_key,
                   "file for the new root key (default: that of --root-key, .new)")
      ->type_name("FILE");
  add_passphrase(*rotate, o->passphrase_file, "of the root key in force; encrypts the new one, too");
  add_reason(*rotate, o->reason);
}

void add_settings(CLI::App& swarm, Choice& choice) {
  struct Options {
    std::vector<std::string> changes;
    std::string reason;
  };
  const auto o = std::make_shared<Options>();
  CLI::App* settings = leaf(
      swarm, choice, "settings", "what the swarm has agreed on about itself; KEY=VALUE changes it",
      [o](Context& x) { return change_settings(x, o->changes, o->reason); },
      "swarmctl swarm settings max_voters=5 promote_after=30s");
  settings->add_option("KEY=VALUE", o->changes, "what to change; without, all are shown");
  add_reason(*settings, o->reason);
}

void add_view(CLI::App& parent, Choice& choice, const std::string& name, const std::string& help,
              int (*show)(Context&, bool), const std::string& example) {
  const auto confirmed = std::make_shared<bool>(false);
  CLI::App* view = leaf(
      parent, choice, name, help, [confirmed, show](Context& x) { return show(x, *confirmed); }, example);
  view->add_flag("--confirmed", *confirmed,
                 "ask a majority first: nothing older than the question is shown; an error without quorum");
}

}  // namespace

void add_swarm(CLI::App& app, Choice& choice) {
  CLI::App* swarm = group(app, "swarm", "make, join, mend a swarm of nodes");
  add_init(*swarm, choice);
  add_token(*swarm, choice);
  add_join(*swarm, choice);
  add_members(*swarm, choice);
  add_authority(*swarm, choice);
  add_view(*swarm, choice, "status", "quorum, leader, ledger, and what is wrong", show_swarm,
           "swarmctl swarm status");
  add_settings(*swarm, choice);
  add_view(app, choice, "nodes", "the nodes of the swarm: role, state, load, how far behind", show_nodes,
           "swarmctl nodes");
}

}  // namespace swarmdns::controlplane
