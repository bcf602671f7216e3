// One entry of the question section (RFC 1035 4.1.2). No allocation, no copy of the name.
#pragma once

#include <cstddef>

#include "proto/dns/name.h"
#include "proto/dns/types.h"

namespace swarmdns::dns {

// A question whose name is not compressed, which is always so for the first one of a message: there is
// nothing before it that a pointer could name.
struct Question {
  NameView name;  // points into the message, case as sent
  Type type{};
  Class klass{};

  // Octets on the wire.
  std::size_t size() const { return name.size() + 4; }
};

// Equal as the DNS sees it (names ignoring case).
inline bool operator==(const Question& a, const Question& b) {
  return a.type == b.type && a.klass == b.klass && a.name == b.name;
}

// The question at `offset` of `message` (kHeaderSize for the first).
// Errors: Truncated, BadLabelType, CompressionForbidden, NameTooLong.
inline Expected<Question> parse_question(Bytes message, std::size_t offset) {
  auto name = view_name(message, offset);
  if (!name) return fail(name.error());
  const std::size_t end = offset + name->size();
  if (message.size() - end < 4) return fail(Error::Truncated);
  const std::byte* tail = message.data() + end;
  return Question{*name, static_cast<Type>(load_be16(tail)), static_cast<Class>(load_be16(tail + 2))};
}

}  // namespace swarmdns::dns
