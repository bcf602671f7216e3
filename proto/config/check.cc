#include "proto/config/check.h"

#include <set>

#include "proto/config/defaults.h"
#include "proto/config/formats.h"
#include "proto/config/schema.h"

namespace swarmdns::config {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

namespace {

std::string join(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

std::optional<std::string> range_problem(const FieldDescriptor* field, uint64_t value) {
  const Range range = range_of(field);
  if (value >= range.min && value <= range.max) return std::nullopt;
  return std::to_string(value) + " is out of range: must be " + allowed_text(field);
}

void check_list(const Message& message, const FieldDescriptor* field, const std::string& path,
                std::vector<Problem>& problems) {
  const v1::FieldRule& rule = rule_of(field);
  const auto size = static_cast<uint32_t>(message.GetReflection()->FieldSize(message, field));
  if (rule.required() && size == 0) {
    problems.push_back({path, "is required: a list, each element " + allowed_text(field)});
    return;
  }
  if (rule.has_min_items() && size < rule.min_items()) {
    problems.push_back({path, "needs at least " + std::to_string(rule.min_items()) +
                                  (rule.min_items() == 1 ? " element" : " elements")});
  }
  if (rule.has_max_items() && size > rule.max_items()) {
    problems.push_back({path, "has " + std::to_string(size) + " elements; at most " +
                                  std::to_string(rule.max_items()) + " are allowed"});
  }
}

void check_unique(const Message& message, const FieldDescriptor* field, const std::string& path,
                  std::vector<Problem>& problems) {
  const Reflection* reflection = message.GetReflection();
  std::set<std::string> seen;
  for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
    const std::string value = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING
                                  ? reflection->GetRepeatedString(message, field, i)
                                  : std::to_string(reflection->GetRepeatedUInt32(message, field, i));
    if (!seen.insert(value).second) {
      problems.push_back({path + "[" + std::to_string(i) + "]", value + " stands in the list twice"});
    }
  }
}

void check_repeated(const Message& message, const FieldDescriptor* field, const std::string& path,
                    std::vector<Problem>& problems) {
  check_list(message, field, path, problems);
  const Reflection* reflection = message.GetReflection();
  for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
    const std::string element = path + "[" + std::to_string(i) + "]";
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      check_fields(reflection->GetRepeatedMessage(message, field, i), element, problems);
    } else if (auto problem = value_problem(message, field, i)) {
      problems.push_back({element, std::move(*problem)});
    }
  }
  if (rule_of(field).unique()) check_unique(message, field, path, problems);
}

}  // namespace

std::optional<std::string> value_problem(const Message& message, const FieldDescriptor* field, int index) {
  const Reflection* reflection = message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_UINT32:
      return range_problem(field, index < 0 ? reflection->GetUInt32(message, field)
                                            : reflection->GetRepeatedUInt32(message, field, index));
    case FieldDescriptor::CPPTYPE_UINT64:
      return range_problem(field, index < 0 ? reflection->GetUInt64(message, field)
                                            : reflection->GetRepeatedUInt64(message, field, index));
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number = index < 0 ? reflection->GetEnumValue(message, field)
                                   : reflection->GetRepeatedEnumValue(message, field, index);
      const auto* value = field->enum_type()->FindValueByNumber(number);
      if (number == 0 || value == nullptr) {
        return "unknown value " + std::to_string(number) + ": must be " + allowed_text(field);
      }
      return std::nullopt;
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      const std::string& text = index < 0
                                    ? reflection->GetStringReference(message, field, &scratch)
                                    : reflection->GetRepeatedStringReference(message, field, index, &scratch);
      if (auto problem = format_problem(rule_of(field).format(), text)) return "\"" + text + "\" " + *problem;
      return std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

void check_fields(const Message& message, const std::string& prefix, std::vector<Problem>& problems) {
  const Reflection* reflection = message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    const std::string path = join(prefix, field->name());
    if (field->is_repeated()) {
      check_repeated(message, field, path, problems);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      check_fields(reflection->GetMessage(message, field), path, problems);
    } else if (!reflection->HasField(message, field)) {
      if (rule_of(field).required()) problems.push_back({path, "is required: " + allowed_text(field)});
    } else if (auto problem = value_problem(message, field)) {
      problems.push_back({path, std::move(*problem)});
    }
  }
}

std::vector<Problem> check(const v1::DataplaneConfig& config) {
  std::vector<Problem> problems;
  check_fields(config, "", problems);
  v1::DataplaneConfig filled = config;
  fill_defaults(filled);
  check_relations(filled, "", problems);
  return problems;
}

std::vector<Problem> check(const v1::Config& config) {
  std::vector<Problem> problems;
  check_fields(config, "", problems);
  v1::Config filled = config;
  fill_defaults(filled);
  check_relations(filled.dataplane(), "dataplane", problems);
  check_relations(filled.resolver(), "resolver", problems);
  check_relations(filled.node(), "node", problems);
  check_relations(filled.swarm(), "swarm", problems);
  if (filled.resolver().mode() == v1::NONE && config.dataplane().upstream().servers().empty()) {
    problems.push_back(
        {"dataplane.upstream.servers",
         "is required with resolver.mode: none; name the resolvers to ask, such as 192.0.2.53@53"});
  }
  return problems;
}

}  // namespace swarmdns::config
