// The keys of the replicated state. Numbers in keys are big-endian, so that they come in order; values are
// messages of proto/swarmdns/v1/state.proto and ledger.proto. docs/formats/ledger.md lists them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/state/state_view.h"

namespace swarmdns::controlplane::keys {

inline std::string big_endian(std::uint64_t number) {
  std::string text(8, '\0');
  for (int i = 7; i >= 0; --i, number >>= 8) text[static_cast<std::size_t>(i)] = static_cast<char>(number);
  return text;
}

// Of a key that ends with a number.
inline std::uint64_t number_at_end(std::string_view key) {
  std::uint64_t number = 0;
  if (key.size() < 8) return 0;
  for (const char c : key.substr(key.size() - 8)) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

inline constexpr std::string_view kSwarm = "swarm";                // SwarmRecord
inline constexpr std::string_view kSettings = "settings";          // SwarmSettings
inline constexpr std::string_view kCertificates = "certificates";  // CertificateRotation
inline constexpr std::string_view kConfig = "config";              // ConfigRecord
inline constexpr std::string_view kLogMembers = "log_members";     // LogMembers
inline constexpr std::string_view kMembers = "member/";            // id: MemberRecord
inline constexpr std::string_view kTokens = "token/";              // hash: TokenRecord
inline constexpr std::string_view kBundles = "bundles/";           // id: BundleWindow
inline constexpr std::string_view kRequests = "request/";          // request id: RequestRecord
inline constexpr std::string_view kRequestTimes = "request_at/";   // block time, request id: empty
inline constexpr std::string_view kOutcomes = "outcome/";          // id: ConfigOutcome
inline constexpr std::string_view kHeads = "head/";                // id: HeadRecord
inline constexpr std::string_view kFences = "fence/";              // epoch: FenceRecord
inline constexpr std::string_view kFenceDone = "fenced/";          // epoch, id: FenceDone
inline constexpr std::string_view kErasures = "erasure/";          // height: ErasureRecord

inline std::string of(std::string_view prefix, std::uint64_t number) {
  return std::string(prefix) + big_endian(number);
}
inline std::string of(std::string_view prefix, std::uint64_t first, std::uint64_t second) {
  return std::string(prefix) + big_endian(first) + big_endian(second);
}
inline std::string of(std::string_view prefix, std::string_view name) {
  return std::string(prefix) + std::string(name);
}

}  // namespace swarmdns::controlplane::keys

namespace swarmdns::controlplane {

// A value as its message; nothing when it is not there.
template <typename Message>
std::optional<Message> read(const StateView& view, std::string_view key) {
  const auto value = view.get(key);
  Message message;
  if (!value || !message.ParseFromString(*value)) return std::nullopt;
  return message;
}

template <typename Message>
void write(StateView& view, std::string key, const Message& message) {
  view.put(std::move(key), message.SerializeAsString());
}

}  // namespace swarmdns::controlplane
