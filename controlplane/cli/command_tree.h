// How commands are spelled: what the files that add commands to the tree (cli.cc, swarm_tree.cc,
// ledger_tree.cc) share.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/cli/context.h"

namespace swarmdns::controlplane {

// What was typed. Options and arguments live in structures of the commands' own, which the functions hold.
struct Choice {
  std::string socket;
  std::string output = "table";
  std::function<int(Context&)> command;              // through the node
  bool local_too = false;                            // works without a control plane as well
  bool offline = false;                              // and does not ask for one
  std::function<int(std::ostream&)> plain;           // needs no node at all
  std::vector<std::function<std::string()>> checks;  // what is wrong beyond the parser's reach; "" = nothing
};

// A command, chosen when it is typed. `example`: after "Example:" in its help, "" = none.
CLI::App* leaf(CLI::App& parent, Choice& choice, const std::string& name, const std::string& help,
               std::function<int(Context&)> command, const std::string& example = "");

// A word that commands follow.
CLI::App* group(CLI::App& parent, const std::string& name, const std::string& help);

// --reason TEXT, on everything that changes something.
void add_reason(CLI::App& command, std::string& reason);

void add_swarm(CLI::App& app, Choice& choice);
void add_ledger(CLI::App& app, Choice& choice);

}  // namespace swarmdns::controlplane
