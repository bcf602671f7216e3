// The configuration that the whole swarm agrees on: one YAML document of partial configurations.
//
//   all:                      every node
//     dataplane: {cache: {max_ttl_s: 3600}}
//   regions:
//     east: {resolver: {forwarders: [192.0.2.53]}}
//   nodes:
//     n3: {dataplane: {cache: {memory_mib: 1024}}}
//
// In force on a node is its own file, then all, its region, itself on top: a scalar replaces a scalar, a list
// the whole list, [] empties it. Pure functions; any thread.
#pragma once

#include <expected>
#include <map>
#include <string>
#include <vector>

#include "controlplane/config/problem.h"
#include "swarmdns/v1/config.pb.h"

namespace swarmdns::controlplane {

// A partial configuration.
struct ConfigLayer {
  v1::Config config;
  std::vector<std::string> emptied;  // lists written as []: "dataplane.guard.acl.deny"
};

struct SwarmDocument {
  ConfigLayer all;
  std::map<std::string, ConfigLayer> regions;
  std::map<std::string, ConfigLayer> nodes;  // by name
};

// true: the text is meant for a swarm (a key all:, regions: or nodes:), not for one node.
bool is_swarm_document(const std::string& yaml);

// Ranges, formats, unknown keys, what does not belong here: everything at once, in the order of the lines.
// What fields ask of each other is judged on each node, of its effective configuration. `file` is only a name
// for messages.
std::expected<SwarmDocument, std::vector<ConfigProblem>> parse_swarm_document(const std::string& yaml,
                                                                              const std::string& file);

// `local`: as written in the node's file, defaults not filled in; `region`, `name`: of the node.
v1::Config effective_config(const v1::Config& local, const SwarmDocument& document, const std::string& region,
                            const std::string& name);

}  // namespace swarmdns::controlplane
