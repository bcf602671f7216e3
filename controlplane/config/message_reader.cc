#include "controlplane/config/message_reader.h"

#include <algorithm>
#include <charconv>

#include "controlplane/config/suggest.h"
#include "controlplane/config/yaml_reader.h"
#include "proto/config/schema.h"

namespace swarmdns::controlplane {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

namespace {

std::string quoted(std::string text) {
  if (text.size() > 80) text = text.substr(0, 77) + "...";
  std::replace(text.begin(), text.end(), '\n', ' ');
  return "\"" + text + "\"";
}

// Keys an operator may write in a message.
std::vector<std::string> keys_of(const Descriptor* type) {
  std::vector<std::string> keys;
  for (int i = 0; i < type->field_count(); ++i) {
    if (!config::rule_of(type->field(i)).internal()) keys.push_back(type->field(i)->name());
  }
  return keys;
}

std::string list_of(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string wrong_value(const std::string& text, const FieldDescriptor* field, const std::string& allowed) {
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    const std::string guess = nearest(text, config::words_of(field->enum_type()));
    if (!guess.empty())
      return quoted(text) + " is unknown: must be " + allowed + "; did you mean " + quoted(guess) + "?";
    return quoted(text) + " is unknown: must be " + allowed;
  }
  const bool number = !text.empty() && text.find_first_not_of("-0123456789") == std::string::npos;
  if (number && field->cpp_type() != FieldDescriptor::CPPTYPE_BOOL) {
    return text + " is out of range: must be " + allowed;
  }
  return quoted(text) + " must be " + allowed;
}

// false: the text is not of the field's type. Ranges and formats are judged afterwards, by config::check.
bool store(Message& message, const FieldDescriptor* field, const std::string& text, bool add) {
  const Reflection* reflection = message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "true" && text != "false") return false;
      add ? reflection->AddBool(&message, field, text == "true")
          : reflection->SetBool(&message, field, text == "true");
      return true;
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64: {
      uint64_t value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc() || end != text.data() + text.size()) return false;
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_UINT64) {
        add ? reflection->AddUInt64(&message, field, value) : reflection->SetUInt64(&message, field, value);
        return true;
      }
      if (value > UINT32_MAX) return false;
      const auto narrow = static_cast<uint32_t>(value);
      add ? reflection->AddUInt32(&message, field, narrow) : reflection->SetUInt32(&message, field, narrow);
      return true;
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* value = config::value_of_word(field->enum_type(), text);
      if (value == nullptr) return false;
      add ? reflection->AddEnum(&message, field, value) : reflection->SetEnum(&message, field, value);
      return true;
    }
    case FieldDescriptor::CPPTYPE_STRING:
      add ? reflection->AddString(&message, field, text) : reflection->SetString(&message, field, text);
      return true;
    default:
      return false;
  }
}

std::unexpected<std::vector<ConfigProblem>> one(const std::string& file, int line, std::string text) {
  return std::unexpected(std::vector<ConfigProblem>{{file, line, "", std::move(text)}});
}

}  // namespace

std::expected<YAML::Node, std::vector<ConfigProblem>> one_document(const std::string& yaml,
                                                                   const std::string& file) {
  std::vector<YAML::Node> documents;
  try {
    documents = YAML::LoadAll(yaml);
  } catch (const YAML::Exception& error) {
    return one(file, error.mark.is_null() ? 0 : error.mark.line + 1, "is not YAML: " + error.msg);
  }
  if (documents.empty() || documents.front().IsNull()) {
    return one(file, 0, "is empty; see docs/examples/node.yaml for the least that is needed");
  }
  if (documents.size() > 1) {
    return one(file, documents[1].Mark().line + 1, "holds a second document; one is allowed");
  }
  return documents.front();
}

int line_of_node(const YAML::Node& node) {
  return node.Mark().line < 0 ? 0 : node.Mark().line + 1;
}

const char* kind_of(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Map:
      return "a mapping";
    case YAML::NodeType::Scalar:
      return "a single value";
    default:
      return "empty";
  }
}

void MessageReader::complain(const std::string& path, int line, std::string text) {
  problems_.push_back({file_, line, path, std::move(text)});
  reported_.insert(path);
}

bool MessageReader::is_reported(const std::string& path) const {
  for (const std::string& known : reported_) {
    if (path == known || known.empty()) return true;
    if (path.starts_with(known) && (path[known.size()] == '.' || path[known.size()] == '[')) return true;
    // An element of a list that could not be read: the list is not empty.
    if (known.starts_with(path) && known[path.size()] == '[') return true;
  }
  return false;
}

int line_of(const std::map<std::string, int>& lines, std::string path) {
  for (;;) {
    if (const auto at = lines.find(path); at != lines.end()) return at->second;
    const size_t cut = path.find_last_of(".[");
    if (cut == std::string::npos) return 0;
    path.resize(cut);
  }
}

void MessageReader::add_checked(const std::string& path, std::string text) {
  if (!is_reported(path)) problems_.push_back({file_, line_of(lines_, path), path, std::move(text)});
}

std::vector<ConfigProblem> MessageReader::sorted_problems() const {
  std::vector<ConfigProblem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const ConfigProblem& a, const ConfigProblem& b) { return a.line < b.line; });
  return sorted;
}

void MessageReader::read(const YAML::Node& node, Message& message, const std::string& path) {
  if (node.IsNull()) return;  // "cache:" with nothing below: all defaults
  if (!node.IsMap()) {
    complain(path, line_of_node(node),
             std::string("is ") + kind_of(node) + "; a mapping with some of these keys is needed: " +
                 list_of(keys_of(message.GetDescriptor())));
    return;
  }
  each_key(node, path,
           [&](const std::string& key, const std::string& key_path, int line, const YAML::Node& value) {
             const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(key);
             if (field == nullptr) {
               complain_unknown(key, key_path, line, message.GetDescriptor());
             } else if (config::rule_of(field).internal()) {
               complain(key_path, line, "is filled in by the control plane; set it under node: instead");
             } else {
               read_field(value, message, field, key_path, line);
             }
           });
}

void MessageReader::complain_unknown(const std::string& key, const std::string& path, int line,
                                     const Descriptor* type) {
  if (key == "<<") {
    complain(path, line,
             "merge keys are not supported; repeat the values, or use an alias for a whole value");
    return;
  }
  const auto keys = keys_of(type);
  const std::string guess = nearest(key, keys);
  complain(path, line,
           guess.empty() ? "unknown key; known here: " + list_of(keys)
                         : "unknown key; did you mean " + quoted(guess) + "?");
}

void MessageReader::read_field(const YAML::Node& node, Message& message, const FieldDescriptor* field,
                               const std::string& path, int line) {
  const Reflection* reflection = message.GetReflection();
  if (field->is_repeated()) {
    read_list(node, message, field, path, line);
  } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    read(node, *reflection->MutableMessage(&message, field), path);
  } else {
    read_scalar(node, message, field, path, line, false);
  }
}

void MessageReader::read_list(const YAML::Node& node, Message& message, const FieldDescriptor* field,
                              const std::string& path, int line) {
  if (!node.IsSequence()) {
    complain(path, line,
             std::string("is ") + kind_of(node) + "; a list is needed ([] for none), each element " +
                 config::allowed_text(field));
    return;
  }
  for (size_t i = 0; i < node.size(); ++i) {
    const std::string element = path + "[" + std::to_string(i) + "]";
    const int element_line = line_of_node(node[i]) > 0 ? line_of_node(node[i]) : line;
    lines_[element] = element_line;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      read(node[i], *message.GetReflection()->AddMessage(&message, field), element);
    } else {
      read_scalar(node[i], message, field, element, element_line, true);
    }
  }
}

void MessageReader::read_scalar(const YAML::Node& node, Message& message, const FieldDescriptor* field,
                                const std::string& path, int line, bool add) {
  const std::string allowed = config::allowed_text(field);
  if (node.IsNull()) {
    complain(path, line, "has no value: give " + allowed + ", or leave the key out");
    return;
  }
  if (!node.IsScalar()) {
    complain(path, line, std::string("is ") + kind_of(node) + ": must be " + allowed);
    return;
  }
  if (!store(message, field, node.Scalar(), add)) {
    complain(path, line, wrong_value(node.Scalar(), field, allowed));
  }
}

}  // namespace swarmdns::controlplane
