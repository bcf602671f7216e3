// The layers of a node's configuration: its own file, and on top the parts of the swarm's document that are
// for this node. What of the swarm's is in force is kept in STATE_DIR/swarm/config.json, so that a start
// needs no quorum. Blocking file I/O; any thread.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "controlplane/app/config_store.h"
#include "swarmdns/v1/identity.pb.h"

namespace swarmdns::controlplane {

// As written, defaults not filled in, checked against the schema: what is in force with `layer` on top of
// `own`. A layer without a document changes nothing. `file`: the document's name for messages.
std::expected<v1::Config, std::vector<ConfigProblem>> with_layer(const v1::Config& own,
                                                                 const v1::KeptConfig& layer,
                                                                 const std::string& file);

// "the swarm's configuration of block 40": as messages name a layer.
std::string layer_name(const v1::KeptConfig& layer);

// Height 0: nothing is kept. Error: what is there cannot be read.
std::expected<v1::KeptConfig, std::string> load_layer(const std::string& state_dir);
// One of height 0 takes away what is kept.
std::expected<void, std::string> keep_layer(const std::string& state_dir, const v1::KeptConfig& layer);

// What a control plane begins with: the node's own configuration, with the layer that was in force on top.
// Where that is not good any more (the file was changed, the machine is another), the node's own alone.
struct LayeredStart {
  v1::Config config;  // as written
  v1::KeptConfig layer;
  std::string problem;  // why the layer that is kept was left out; "" = it was not
};
LayeredStart layered_start(const ConfigStore::Start& start);

}  // namespace swarmdns::controlplane
