#include "proto/config/schema.h"

#include <algorithm>
#include <cctype>
#include <limits>

#include "proto/config/formats.h"

namespace swarmdns::config {

using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;

const v1::FieldRule& rule_of(const FieldDescriptor* field) {
  return field->options().GetExtension(v1::rule);
}

Range range_of(const FieldDescriptor* field) {
  Range range;
  range.max = field->cpp_type() == FieldDescriptor::CPPTYPE_UINT64 ? std::numeric_limits<uint64_t>::max()
                                                                   : std::numeric_limits<uint32_t>::max();
  const v1::FieldRule& rule = rule_of(field);
  if (rule.has_min()) range.min = rule.min();
  if (rule.has_max()) range.max = rule.max();
  return range;
}

std::string word_of(const EnumValueDescriptor* value) {
  std::string word = value->options().GetExtension(v1::word);
  if (!word.empty()) return word;
  word = value->name();
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word;
}

const EnumValueDescriptor* value_of_word(const EnumDescriptor* type, std::string_view word) {
  for (int i = 0; i < type->value_count(); ++i) {
    const EnumValueDescriptor* value = type->value(i);
    if (value->number() != 0 && word_of(value) == word) return value;
  }
  return nullptr;
}

std::vector<std::string> words_of(const EnumDescriptor* type) {
  std::vector<std::string> words;
  for (int i = 0; i < type->value_count(); ++i) {
    if (type->value(i)->number() != 0) words.push_back(word_of(type->value(i)));
  }
  return words;
}

std::string allowed_text(const FieldDescriptor* field) {
  const v1::FieldRule& rule = rule_of(field);
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64: {
      const Range range = range_of(field);
      std::string text =
          "a whole number from " + std::to_string(range.min) + " to " + std::to_string(range.max);
      if (!rule.unit().empty()) text += " (" + rule.unit() + ")";
      return text;
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      std::string text = "one of:";
      for (const std::string& word : words_of(field->enum_type())) {
        text += (text.back() == ':' ? " " : ", ") + word;
      }
      return text;
    }
    case FieldDescriptor::CPPTYPE_STRING:
      return std::string(format_text(rule.format()));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return "a mapping of keys to values";
    default:
      return "a value of type " + std::string(field->cpp_type_name());
  }
}

std::string default_text(const FieldDescriptor* field) {
  const v1::FieldRule& rule = rule_of(field);
  if (!rule.default_note().empty()) return rule.default_note();
  if (!rule.has_default_()) return "";
  return field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && rule.default_().empty() ? "\"\""
                                                                                         : rule.default_();
}

}  // namespace swarmdns::config
