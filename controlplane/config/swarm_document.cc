#include "controlplane/config/swarm_document.h"

#include "controlplane/config/message_reader.h"
#include "controlplane/config/suggest.h"
#include "proto/config/check.h"
#include "proto/config/formats.h"

namespace swarmdns::controlplane {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

namespace {

struct Banned {
  const char* path;
  bool in_nodes_too;
  const char* reason;
};

constexpr Banned kBanned[] = {
    {"node.name", true, "is what the node is found by; it stands in the node's own file"},
    {"node.region", true,
     "decides which part of this document is the node's; it stands in the node's own file"},
    {"node.state_dir", true, "is where the node keeps the ledger; it stands in the node's own file"},
    {"node.run_dir", true, "cannot change while the node runs; it stands in the node's own file"},
    {"swarm", true, "is how a node reaches the swarm at all; it stands in the node's own file"},
    {"dataplane.guard.cookies.secrets", true,
     "are secrets, and the ledger forgets nothing; they stand in each node's own file"},
    {"dataplane.ports", false, "are of one machine; put them under nodes: NAME:, or in the node's own file"},
    {"dataplane.eal", false,
     "is about the CPUs and memory of one machine; put it under nodes: NAME:, or in the node's own file"},
};

// Lists written as [] below `node`, which is a message of `type`.
void find_emptied(const YAML::Node& node, const Descriptor* type, const std::string& path,
                  std::vector<std::string>& emptied) {
  if (!node.IsMap()) return;
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) continue;
    const FieldDescriptor* field = type->FindFieldByName(entry.first.Scalar());
    if (field == nullptr) continue;
    const std::string key_path = path.empty() ? field->name() : path + "." + field->name();
    if (field->is_repeated()) {
      if (entry.second.IsSequence() && entry.second.size() == 0) emptied.push_back(key_path);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      find_emptied(entry.second, field->message_type(), key_path, emptied);
    }
  }
}

void complain_banned(MessageReader& reader, const std::string& path, bool of_node) {
  for (const Banned& banned : kBanned) {
    if (of_node && !banned.in_nodes_too) continue;
    const std::string at = path + "." + banned.path;
    const auto line = reader.lines().find(at);
    if (line != reader.lines().end()) reader.complain(at, line->second, banned.reason);
  }
}

void read_layer(MessageReader& reader, const YAML::Node& node, const std::string& path, bool of_node,
                ConfigLayer& layer) {
  reader.read(node, layer.config, path);
  find_emptied(node, v1::Config::descriptor(), "", layer.emptied);
  complain_banned(reader, path, of_node);
  std::vector<config::Problem> problems;
  config::check_fields(layer.config, path, problems);
  for (config::Problem& problem : problems) {
    // A layer need not say everything; but what it says, and each element of its lists, is whole.
    const bool in_list = problem.path.find('[', path.size()) != std::string::npos;
    if (!in_list && !reader.lines().contains(problem.path)) continue;
    reader.add_checked(problem.path, std::move(problem.text));
  }
}

// regions: and nodes:.
void read_layers(MessageReader& reader, const YAML::Node& node, const std::string& path, bool of_nodes,
                 std::map<std::string, ConfigLayer>& layers) {
  if (node.IsNull()) return;
  if (!node.IsMap()) {
    reader.complain(
        path, line_of_node(node),
        std::string("is ") + kind_of(node) + "; a mapping is needed, its keys the names of " + path);
    return;
  }
  const v1::Format format = of_nodes ? v1::HOST_LABEL : v1::TEXT;
  reader.each_key(
      node, path,
      [&](const std::string& key, const std::string& key_path, int line, const YAML::Node& value) {
        if (const auto problem = config::format_problem(format, key)) {
          reader.complain(key_path, line, "\"" + key + "\" " + *problem);
        }
        read_layer(reader, value, key_path, of_nodes, layers[key]);
      });
}

void complain_unknown(MessageReader& reader, const std::string& key, int line) {
  const std::vector<std::string> known = {"all", "regions", "nodes"};
  if (v1::Config::descriptor()->FindFieldByName(key) != nullptr) {
    reader.complain(key, line,
                    "stands above the nodes it is for: put it below all:, regions: REGION: or nodes: NAME:");
    return;
  }
  const std::string guess = nearest(key, known);
  reader.complain(key, line,
                  guess.empty() ? "unknown key; known here: all, regions, nodes"
                                : "unknown key; did you mean \"" + guess + "\"?");
}

void clear_lists_that(Message& to, const Message& from) {
  const Reflection* reflection = from.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(from, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->is_repeated()) {
      to.GetReflection()->ClearField(&to, field);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      clear_lists_that(*to.GetReflection()->MutableMessage(&to, field), reflection->GetMessage(from, field));
    }
  }
}

void empty_list(Message& message, const std::string& path) {
  const size_t dot = path.find('.');
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(path.substr(0, dot));
  if (dot == std::string::npos) {
    message.GetReflection()->ClearField(&message, field);
  } else {
    empty_list(*message.GetReflection()->MutableMessage(&message, field), path.substr(dot + 1));
  }
}

void put_on_top(v1::Config& config, const ConfigLayer& layer) {
  for (const std::string& path : layer.emptied) empty_list(config, path);
  clear_lists_that(config, layer.config);
  config.MergeFrom(layer.config);
}

}  // namespace

bool is_swarm_document(const std::string& yaml) {
  const auto document = one_document(yaml, "");
  if (!document || !document->IsMap()) return false;
  for (const auto& entry : *document) {
    if (!entry.first.IsScalar()) continue;
    const std::string& key = entry.first.Scalar();
    if (key == "all" || key == "regions" || key == "nodes") return true;
  }
  return false;
}

std::expected<SwarmDocument, std::vector<ConfigProblem>> parse_swarm_document(const std::string& yaml,
                                                                              const std::string& file) {
  const auto root = one_document(yaml, file);
  if (!root) return std::unexpected(root.error());
  SwarmDocument document;
  MessageReader reader(file);
  if (!root->IsMap()) {
    reader.complain("", line_of_node(*root),
                    std::string("is ") + kind_of(*root) +
                        "; a mapping with some of these keys is needed: all, "
                        "regions, nodes");
    return std::unexpected(reader.sorted_problems());
  }
  reader.each_key(*root, "",
                  [&](const std::string& key, const std::string& path, int line, const YAML::Node& value) {
                    if (key == "all") {
                      read_layer(reader, value, path, false, document.all);
                    } else if (key == "regions" || key == "nodes") {
                      read_layers(reader, value, path, key == "nodes",
                                  key == "nodes" ? document.nodes : document.regions);
                    } else {
                      complain_unknown(reader, key, line);
                    }
                  });
  auto problems = reader.sorted_problems();
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return document;
}

v1::Config effective_config(const v1::Config& local, const SwarmDocument& document, const std::string& region,
                            const std::string& name) {
  v1::Config config = local;
  put_on_top(config, document.all);
  if (const auto at = document.regions.find(region); at != document.regions.end())
    put_on_top(config, at->second);
  if (const auto at = document.nodes.find(name); at != document.nodes.end()) put_on_top(config, at->second);
  return config;
}

}  // namespace swarmdns::controlplane
