// Messages as JSON for scripts: keys as in the schema, numbers as numbers (64 bits too), enums in the words
// of YAML, every field present, bytes in hexadecimal.
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace swarmdns::controlplane {

// Indented by two blanks, line ended.
std::string to_json(const google::protobuf::Message& message);

// "00ff", two digits a byte.
std::string hexadecimal(const std::string& bytes);

// "text" with quotes and escapes.
std::string json_string(const std::string& text);

}  // namespace swarmdns::controlplane
