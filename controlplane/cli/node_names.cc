#include "controlplane/cli/node_names.h"

#include <algorithm>

namespace swarmdns::controlplane {

void NodeNames::learn(uint64_t id, const std::string& name) {
  if (id != 0 && !name.empty()) names_.emplace(id, printable(name));
}

void NodeNames::learn(const v1::SwarmView& view) {
  for (const v1::SwarmNode& node : view.nodes()) learn(node.id(), node.name());
}

void NodeNames::learn(const v1::BlockView& block) {
  for (const v1::TransactionView& view : block.transactions()) {
    learn(view.node(), view.node_name());
    const v1::Transaction& transaction = view.transaction();
    if (transaction.has_member_added()) {
      learn(transaction.member_added().id(), transaction.member_added().name());
    } else if (transaction.has_genesis()) {
      learn(transaction.genesis().first().id(), transaction.genesis().first().name());
    }
  }
}

std::string NodeNames::of(uint64_t id) const {
  if (id == 0) return "no node";
  const auto at = names_.find(id);
  return at != names_.end() ? at->second : "node " + std::to_string(id);
}

std::string printable(const std::string& text) {
  std::string shown = text;
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
      '?');
  return shown;
}

}  // namespace swarmdns::controlplane
