#include "proto/dns/svcb_text.h"

#include <arpa/inet.h>

#include <array>

#include "proto/dns/encode.h"
#include "proto/dns/reader.h"

namespace swarmdns::dns {
namespace {

// IANA "Service Parameter Keys (SvcParamKeys)".
constexpr std::array<std::string_view, 9> kKeys = {
    "mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp"};
constexpr std::uint16_t kMandatory = 0;
constexpr std::uint16_t kAlpn = 1;
constexpr std::uint16_t kNoDefaultAlpn = 2;
constexpr std::uint16_t kPort = 3;
constexpr std::uint16_t kIpv4Hint = 4;
constexpr std::uint16_t kEch = 5;
constexpr std::uint16_t kIpv6Hint = 6;
constexpr std::uint16_t kOhttp = 8;

using Text = std::optional<std::string>;

std::string key_to_text(std::uint16_t key) {
  return key < kKeys.size() ? std::string(kKeys[key]) : "key" + std::to_string(key);
}

Text mandatory_to_text(Bytes value) {
  if (value.empty() || value.size() % 2 != 0) return {};
  std::string out;
  for (std::size_t i = 0; i < value.size(); i += 2) {
    if (i != 0) out += ',';
    out += key_to_text(load_be16(value.data() + i));
  }
  return out;
}

// A comma or backslash inside an id is escaped for the list, and then all of it for the character-string
// (A.1).
Text alpn_to_text(Bytes value) {
  if (value.empty()) return {};
  Reader reader(value);
  std::string list;
  while (!reader.at_end()) {
    Bytes id;
    if (!reader.character_string(id) || id.empty()) return {};
    if (!list.empty()) list += ',';
    for (const char c : as_text(id)) {
      if (c == ',' || c == '\\') list += '\\';
      list += c;
    }
  }
  return to_quoted(as_octets(list));
}

Text addresses_to_text(Bytes value, int family, std::size_t size) {
  if (value.empty() || value.size() % size != 0) return {};
  std::string out;
  for (std::size_t i = 0; i < value.size(); i += size) {
    char text[INET6_ADDRSTRLEN];
    if (inet_ntop(family, value.data() + i, text, sizeof text) == nullptr) return {};
    if (i != 0) out += ',';
    out += text;
  }
  return out;
}

// The value behind "key=", an empty text when the key stands alone, nothing when the value is malformed.
Text value_to_text(std::uint16_t key, Bytes value) {
  switch (key) {
    case kMandatory:
      return mandatory_to_text(value);
    case kAlpn:
      return alpn_to_text(value);
    case kNoDefaultAlpn:
    case kOhttp:
      return value.empty() ? Text("") : Text();
    case kPort:
      return value.size() == 2 ? Text(std::to_string(load_be16(value.data()))) : Text();
    case kIpv4Hint:
      return addresses_to_text(value, AF_INET, 4);
    case kEch:
      return value.empty() ? Text() : Text(to_base64(value));
    case kIpv6Hint:
      return addresses_to_text(value, AF_INET6, 16);
    default:
      return value.empty() ? Text("") : Text(to_quoted(value));
  }
}

}  // namespace

std::optional<std::string> svc_params_to_text(Bytes params) {
  std::string out;
  Reader reader(params);
  int last = -1;
  while (!reader.at_end()) {
    std::uint16_t key = 0;
    std::uint16_t length = 0;
    Bytes value;
    if (!reader.u16(key) || !reader.u16(length) || !reader.bytes(length, value) || key <= last) return {};
    last = key;
    const Text text = value_to_text(key, value);
    if (!text) return {};
    out += ' ' + key_to_text(key);
    if (!text->empty()) out += '=' + *text;
  }
  return out;
}

}  // namespace swarmdns::dns
