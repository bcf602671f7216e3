// A mapping of YAML -> a message of the configuration, guided by the schema alone. For the readers of whole
// documents (yaml_reader, swarm_document); one thread.
#pragma once

#include <google/protobuf/message.h>
#include <yaml-cpp/yaml.h>

#include <expected>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "controlplane/config/problem.h"

namespace swarmdns::controlplane {

// The one document of a text. Errors: no YAML, nothing in it, more than one document.
std::expected<YAML::Node, std::vector<ConfigProblem>> one_document(const std::string& yaml,
                                                                   const std::string& file);

// From 1; 0 = the parser does not say.
int line_of_node(const YAML::Node& node);

// "a list", "a mapping", "a single value", "empty"
const char* kind_of(const YAML::Node& node);

class MessageReader {
 public:
  explicit MessageReader(std::string file) : file_(std::move(file)) {}

  // Everything that is wrong is noted; what is right is put into `message`. `path`: of the mapping, "" = the
  // root.
  void read(const YAML::Node& node, google::protobuf::Message& message, const std::string& path);

  void complain(const std::string& path, int line, std::string text);
  // What a check found in the message afterwards; its line is looked up. What was already complained about
  // while reading is not complained about again as missing or out of range.
  void add_checked(const std::string& path, std::string text);

  const std::map<std::string, int>& lines() const { return lines_; }
  // Problems by line, and within a line as they were found.
  std::vector<ConfigProblem> sorted_problems() const;

  // Keys of a mapping, those that come twice or are no words complained about. `take`: key, its path, its
  // line, value.
  template <typename TakeKey>
  void each_key(const YAML::Node& node, const std::string& path, const TakeKey& take) {
    std::map<std::string, int> seen;
    for (const auto& entry : node) {
      const int line = line_of_node(entry.first);
      if (!entry.first.IsScalar()) {
        complain(path, line, "has a key that is not a word");
        continue;
      }
      const std::string key = entry.first.Scalar();
      const std::string key_path = path.empty() ? key : path + "." + key;
      if (const auto [at, fresh] = seen.emplace(key, line); !fresh) {
        complain(key_path, line,
                 "stands here a second time; the first is in line " + std::to_string(at->second));
        continue;
      }
      lines_[key_path] = line;
      take(key, key_path, line, entry.second);
    }
  }

 private:
  bool is_reported(const std::string& path) const;
  void complain_unknown(const std::string& key, const std::string& path, int line,
                        const google::protobuf::Descriptor* type);
  void read_field(const YAML::Node& node, google::protobuf::Message& message,
                  const google::protobuf::FieldDescriptor* field, const std::string& path, int line);
  void read_list(const YAML::Node& node, google::protobuf::Message& message,
                 const google::protobuf::FieldDescriptor* field, const std::string& path, int line);
  void read_scalar(const YAML::Node& node, google::protobuf::Message& message,
                   const google::protobuf::FieldDescriptor* field, const std::string& path, int line,
                   bool add);

  std::string file_;
  std::map<std::string, int> lines_;
  std::vector<ConfigProblem> problems_;
  std::set<std::string> reported_;
};

}  // namespace swarmdns::controlplane
