#include "controlplane/cli/json.h"

#include <cstdio>

#include "proto/config/schema.h"

namespace swarmdns::controlplane {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

namespace {

class Writer {
 public:
  void message(const Message& message, int depth) {
    const Reflection* reflection = message.GetReflection();
    out_ += "{";
    bool first = true;
    for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor* field = message.GetDescriptor()->field(i);
      const bool nested = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
      // What can be absent and is, is left out; a plain 0 is said.
      if (!field->is_repeated() && (nested || field->has_presence()) && !reflection->HasField(message, field))
        continue;
      out_ += first ? "\n" : ",\n";
      first = false;
      indent(depth + 1);
      out_ += json_string(field->name()) + ": ";
      if (field->is_repeated()) {
        list(message, field, depth + 1);
      } else if (nested) {
        this->message(reflection->GetMessage(message, field), depth + 1);
      } else {
        scalar(message, field, -1);
      }
    }
    if (!first) {
      out_ += "\n";
      indent(depth);
    }
    out_ += "}";
  }

  std::string take() { return std::move(out_) + "\n"; }

 private:
  void indent(int depth) { out_.append(static_cast<size_t>(depth) * 2, ' '); }

  void list(const Message& message, const FieldDescriptor* field, int depth) {
    const int size = message.GetReflection()->FieldSize(message, field);
    const bool nested = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    out_ += "[";
    for (int i = 0; i < size; ++i) {
      if (i > 0) out_ += nested ? "," : ", ";
      if (nested) {
        out_ += "\n";
        indent(depth + 1);
        this->message(message.GetReflection()->GetRepeatedMessage(message, field, i), depth + 1);
      } else {
        scalar(message, field, i);
      }
    }
    if (nested && size > 0) {
      out_ += "\n";
      indent(depth);
    }
    out_ += "]";
  }

  void scalar(const Message& message, const FieldDescriptor* field, int index) {
    const Reflection* r = message.GetReflection();
    const bool one = index < 0;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        out_ +=
            (one ? r->GetBool(message, field) : r->GetRepeatedBool(message, field, index)) ? "true" : "false";
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        out_ +=
            std::to_string(one ? r->GetUInt32(message, field) : r->GetRepeatedUInt32(message, field, index));
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        out_ +=
            std::to_string(one ? r->GetUInt64(message, field) : r->GetRepeatedUInt64(message, field, index));
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        out_ +=
            std::to_string(one ? r->GetInt32(message, field) : r->GetRepeatedInt32(message, field, index));
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        out_ +=
            std::to_string(one ? r->GetInt64(message, field) : r->GetRepeatedInt64(message, field, index));
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        out_ += json_string(
            config::word_of(one ? r->GetEnum(message, field) : r->GetRepeatedEnum(message, field, index)));
        break;
      case FieldDescriptor::CPPTYPE_STRING: {
        const std::string text =
            one ? r->GetString(message, field) : r->GetRepeatedString(message, field, index);
        out_ += json_string(field->type() == FieldDescriptor::TYPE_BYTES ? hexadecimal(text) : text);
        break;
      }
      default:
        out_ += "null";
    }
  }

  std::string out_;
};

}  // namespace

std::string hexadecimal(const std::string& bytes) {
  std::string text;
  char pair[3];
  for (const char byte : bytes) {
    snprintf(pair, sizeof(pair), "%02x", static_cast<unsigned char>(byte));
    text += pair;
  }
  return text;
}

std::string json_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          char escape[8];
          snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned char>(c));
          out += escape;
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

std::string to_json(const Message& message) {
  Writer writer;
  writer.message(message, 0);
  return writer.take();
}

}  // namespace swarmdns::controlplane
