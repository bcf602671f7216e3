// Reads the rules that proto/swarmdns/v1/options.proto attaches to configuration fields.
// Pure functions over descriptors; any thread.
#pragma once

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "swarmdns/v1/options.pb.h"

namespace swarmdns::config {

const v1::FieldRule& rule_of(const google::protobuf::FieldDescriptor* field);

// Inclusive range of an integer field: its rule's, else its type's.
struct Range {
  uint64_t min = 0;
  uint64_t max = 0;
};
Range range_of(const google::protobuf::FieldDescriptor* field);

// The spelling of an enum value in YAML, and back (nullptr: no such word). The value 0 (UNSPECIFIED) has no
// word.
std::string word_of(const google::protobuf::EnumValueDescriptor* value);
const google::protobuf::EnumValueDescriptor* value_of_word(const google::protobuf::EnumDescriptor* type,
                                                           std::string_view word);
std::vector<std::string> words_of(const google::protobuf::EnumDescriptor* type);

// What one value of the field may be, as it stands in error messages: "a whole number from 16 to 32768
// (MiB)".
std::string allowed_text(const google::protobuf::FieldDescriptor* field);

// The default in words: its value, or the note on where it comes from; "" when the field is required or just
// empty.
std::string default_text(const google::protobuf::FieldDescriptor* field);

}  // namespace swarmdns::config
