#include "controlplane/config/yaml_writer.h"

#include <yaml-cpp/yaml.h>

#include "proto/config/schema.h"

namespace swarmdns::controlplane {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

namespace {

class Writer {
 public:
  explicit Writer(bool hide_secrets) : hide_secrets_(hide_secrets) {}

  std::string write(const v1::Config& config) {
    emit_message(config);
    return std::string(out_.c_str()) + "\n";
  }

 private:
  void emit_message(const Message& message) {
    const Reflection* reflection = message.GetReflection();
    out_ << YAML::BeginMap;
    for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor* field = message.GetDescriptor()->field(i);
      if (config::rule_of(field).internal()) continue;
      if (field->is_repeated()) {
        if (reflection->FieldSize(message, field) > 0) emit_list(message, field);
      } else if (reflection->HasField(message, field)) {
        out_ << YAML::Key << field->name() << YAML::Value;
        if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
          emit_message(reflection->GetMessage(message, field));
        } else {
          emit_scalar(message, field, -1);
        }
      }
    }
    out_ << YAML::EndMap;
  }

  void emit_list(const Message& message, const FieldDescriptor* field) {
    out_ << YAML::Key << field->name() << YAML::Value;
    const bool messages = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    const bool numbers = field->cpp_type() == FieldDescriptor::CPPTYPE_UINT32;
    if (numbers) out_ << YAML::Flow;
    out_ << YAML::BeginSeq;
    for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i) {
      if (messages) {
        emit_message(message.GetReflection()->GetRepeatedMessage(message, field, i));
      } else {
        emit_scalar(message, field, i);
      }
    }
    out_ << YAML::EndSeq;
  }

  // index < 0: the field is not repeated.
  void emit_scalar(const Message& message, const FieldDescriptor* field, int index) {
    const Reflection* reflection = message.GetReflection();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        out_ << (index < 0 ? reflection->GetBool(message, field)
                           : reflection->GetRepeatedBool(message, field, index));
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        out_ << (index < 0 ? reflection->GetUInt32(message, field)
                           : reflection->GetRepeatedUInt32(message, field, index));
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        out_ << (index < 0 ? reflection->GetUInt64(message, field)
                           : reflection->GetRepeatedUInt64(message, field, index));
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        out_ << config::word_of(index < 0 ? reflection->GetEnum(message, field)
                                          : reflection->GetRepeatedEnum(message, field, index));
        break;
      default: {
        const std::string text = index < 0 ? reflection->GetString(message, field)
                                           : reflection->GetRepeatedString(message, field, index);
        if (hide_secrets_ && config::rule_of(field).format() == v1::HEX_128) {
          out_ << "(hidden)";
        } else if (text.empty() || text == "true" || text == "false" || text == "null" || text == "~" ||
                   text.find_first_not_of("0123456789.") == std::string::npos) {
          out_ << YAML::DoubleQuoted << text;  // or it would read back as something else
        } else {
          out_ << text;
        }
      }
    }
  }

  bool hide_secrets_;
  YAML::Emitter out_;
};

}  // namespace

std::string to_yaml(const v1::Config& config, bool hide_secrets) {
  return Writer(hide_secrets).write(config);
}

}  // namespace swarmdns::controlplane
