// A transaction of the ledger in words, as a sentence whose subject is who made it. Pure.
#pragma once

#include <string>

#include "controlplane/cli/node_names.h"
#include "swarmdns/v1/swarm.pb.h"

namespace swarmdns::controlplane {

// "alice@n1", or the node that made it by itself.
std::string who_of(const v1::TransactionView& view, const NodeNames& names);

// "added n2 (10.54.0.2:8453, region east)"
std::string what_of(const v1::TransactionView& view, const NodeNames& names);

// "alice@n1 added n2 (10.54.0.2:8453, region east) - second site"
std::string sentence_of(const v1::TransactionView& view, const NodeNames& names);

// "max_voters=5 sharing=swarm": what is set, as `swarm settings` takes it.
std::string settings_text(const v1::SwarmSettings& settings);

}  // namespace swarmdns::controlplane
