// What a new configuration changes, and when each change takes effect. Pure functions; any thread.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "swarmdns/v1/config.pb.h"

namespace swarmdns::config {

struct Change {
  std::string path;  // "cache.max_ttl_s", "ports[0].mtu"; "ports" when their number changes
  v1::Reload reload = v1::RESTART;
};

// Both messages of one type, defaults filled in. In the order of the schema.
std::vector<Change> diff(const google::protobuf::Message& from, const google::protobuf::Message& to);

// Paths of the changes that take effect by `reload`.
std::vector<std::string> paths_of(const std::vector<Change>& changes, v1::Reload reload);

// `in_force` with the LIVE fields of `wanted`: what a running data plane is to obey after Configure(wanted).
v1::DataplaneConfig with_live_changes(const v1::DataplaneConfig& in_force, const v1::DataplaneConfig& wanted);

}  // namespace swarmdns::config
