// Checks a configuration against the rules of its schema and against relations between fields.
// Pure functions; any thread. Nothing is looked up on the machine: whether a file or a user exists is not
// asked here.
#pragma once

#include <google/protobuf/message.h>

#include <optional>
#include <string>
#include <vector>

#include "swarmdns/v1/config.pb.h"

namespace swarmdns::config {

struct Problem {
  std::string path;  // "dataplane.ports[0].mtu"; from the root of the message that was checked
  std::string text;  // what is wrong and what is allowed; no line break
};

// One value of a field (element `index` of a repeated one): range, format, known enum number.
std::optional<std::string> value_problem(const google::protobuf::Message& message,
                                         const google::protobuf::FieldDescriptor* field, int index = -1);

// Every field below `message`: value_problem, required fields, counts and uniqueness of lists. Paths start
// with `prefix`.
void check_fields(const google::protobuf::Message& message, const std::string& prefix,
                  std::vector<Problem>& problems);

// What fields ask of each other, defaults counted as set. Call with defaults filled in (defaults.h).
void check_relations(const v1::DataplaneConfig& config, const std::string& prefix,
                     std::vector<Problem>& problems);
void check_relations(const v1::ResolverConfig& config, const std::string& prefix,
                     std::vector<Problem>& problems);
void check_relations(const v1::NodeConfig& config, const std::string& prefix, std::vector<Problem>& problems);
void check_relations(const v1::SwarmConfig& config, const std::string& prefix,
                     std::vector<Problem>& problems);

// All of the above, on a copy with defaults filled in. Empty: the configuration is good.
std::vector<Problem> check(const v1::DataplaneConfig& config);
std::vector<Problem> check(const v1::Config& config);

}  // namespace swarmdns::config
