#include "proto/dns/name_text.h"

#include <arpa/inet.h>

#include <array>
#include <optional>

#include "proto/dns/encode.h"

namespace swarmdns::dns {
namespace {

constexpr std::string_view kEscaped = ".\\\"();@$";

void append_label(std::string& out, Bytes label) {
  for (const std::byte octet : label) {
    const char c = std::to_integer<char>(octet);
    if (c < 0x21 || c > 0x7e) {
      append_ddd(out, octet);
      continue;
    }
    if (kEscaped.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The octet that the escape at the front of `text` (which starts behind the backslash) stands for, and cuts
// it off.
std::optional<std::byte> take_escape(std::string_view& text) {
  if (text.empty()) return {};
  if (!is_digit(text[0])) {
    const auto octet = static_cast<std::byte>(text[0]);
    text.remove_prefix(1);
    return octet;
  }
  if (text.size() < 3 || !is_digit(text[1]) || !is_digit(text[2])) return {};
  const int value = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
  if (value > 255) return {};
  text.remove_prefix(3);
  return static_cast<std::byte>(value);
}

}  // namespace

std::string to_text(NameView name) {
  if (name.is_root()) return ".";
  std::string out;
  out.reserve(name.size() + 4);
  for (const Bytes label : name.labels()) {
    append_label(out, label);
    out += '.';
  }
  return out;
}

std::string label_to_text(Bytes label) {
  std::string out;
  append_label(out, label);
  return out;
}

Expected<Name> name_from_text(std::string_view text) {
  if (text.empty()) return fail(Error::EmptyLabel);
  if (text == ".") return Name();

  std::array<std::byte, kMaxNameSize> wire;
  std::size_t label_at = 0;  // where the length octet of the label being read stands
  std::size_t at = 1;
  while (!text.empty()) {
    const char c = text[0];
    text.remove_prefix(1);
    if (c == '.') {
      if (at == label_at + 1) return fail(Error::EmptyLabel);
      store_u8(&wire[label_at], static_cast<std::uint8_t>(at - label_at - 1));
      label_at = at++;
      if (at > kMaxNameSize) return fail(Error::NameTooLong);
      continue;
    }
    auto octet = static_cast<std::byte>(c);
    if (c == '\\') {
      const auto escaped = take_escape(text);
      if (!escaped) return fail(Error::BadEscape);
      octet = *escaped;
    }
    if (at - label_at > kMaxLabelSize) return fail(Error::LabelTooLong);
    // One octet must be left for the root label.
    if (at + 1 >= kMaxNameSize) return fail(Error::NameTooLong);
    wire[at++] = octet;
  }
  if (at != label_at + 1) {  // no final dot
    store_u8(&wire[label_at], static_cast<std::uint8_t>(at - label_at - 1));
    label_at = at++;
  }
  store_u8(&wire[label_at], 0);
  return Name(NameView::trusted({wire.data(), at}));
}

Name reverse_name(std::span<const std::byte, 4> ipv4) {
  std::string text;
  for (std::size_t i = ipv4.size(); i-- > 0;) text += std::to_string(load_u8(&ipv4[i])) + '.';
  // Always a name: four labels of up to three digits.
  return name_from_text(text + "in-addr.arpa.").value_or(Name());
}

Name reverse_name(std::span<const std::byte, 16> ipv6) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = ipv6.size(); i-- > 0;) {
    text += {kDigits[load_u8(&ipv6[i]) & 15U], '.', kDigits[load_u8(&ipv6[i]) >> 4], '.'};
  }
  return name_from_text(text + "ip6.arpa.").value_or(Name());
}

Expected<Name> reverse_name_from_text(std::string_view address) {
  const std::string text(address);
  std::array<std::byte, 16> octets;
  if (inet_pton(AF_INET, text.c_str(), octets.data()) == 1) {
    return reverse_name(std::span<const std::byte, 4>(octets.data(), 4));
  }
  if (inet_pton(AF_INET6, text.c_str(), octets.data()) == 1) return reverse_name(octets);
  return fail(Error::BadAddress);
}

}  // namespace swarmdns::dns
