#include "controlplane/certs/node_name.h"

#include <charconv>

namespace swarmdns::controlplane {
namespace {

constexpr std::string_view kScheme = "swarmdns://";
constexpr std::string_view kDigits = "0123456789abcdef";

template <typename Number>
bool parse_number(std::string_view text, Number& number) {
  if (text.empty() || text.front() == '0') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// What stands before `separator`; both are taken off `text`.
std::optional<std::string_view> take(std::string_view& text, std::string_view separator) {
  const std::size_t at = text.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at + separator.size());
  return part;
}

}  // namespace

std::string hex_text(std::string_view octets) {
  std::string text;
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    text += kDigits[octet >> 4];
    text += kDigits[octet & 15];
  }
  return text;
}

std::string node_uri(const NodeName& name) {
  return std::string(kScheme) + hex_text(name.swarm_id) + "/" + std::to_string(name.incarnation) + "/node/" +
         std::to_string(name.node);
}

std::optional<NodeName> parse_node_uri(std::string_view uri) {
  if (!uri.starts_with(kScheme)) return std::nullopt;
  uri.remove_prefix(kScheme.size());
  const auto swarm = take(uri, "/");
  const auto incarnation = take(uri, "/node/");
  NodeName name;
  if (!swarm || swarm->size() != 2 * kSwarmIdSize || !incarnation) return std::nullopt;
  for (std::size_t i = 0; i < swarm->size(); i += 2) {
    const std::size_t high = kDigits.find((*swarm)[i]);
    const std::size_t low = kDigits.find((*swarm)[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    name.swarm_id += static_cast<char>(high << 4 | low);
  }
  if (!parse_number(*incarnation, name.incarnation) || !parse_number(uri, name.node)) return std::nullopt;
  return name;
}

}  // namespace swarmdns::controlplane
