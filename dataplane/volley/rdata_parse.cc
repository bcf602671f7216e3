#include "dataplane/volley/rdata_parse.h"

#include <charconv>
#include <cstdint>

#include "dataplane/net/address.h"
#include "proto/dns/name_text.h"

namespace swarmdns::volley {
namespace {

using Wire = std::vector<std::byte>;
using Words = std::span<const std::string_view>;
using Failure = std::unexpected<std::string>;

Failure wrong(std::string_view word, std::string_view what) {
  return Failure("\"" + std::string(word) + "\" is no " + std::string(what));
}

void put_number(Wire& out, std::uint64_t value, unsigned octets) {
  while (octets-- > 0) out.push_back(static_cast<std::byte>(value >> (8 * octets)));
}

std::expected<std::uint64_t, std::string> number(std::string_view word, std::uint64_t most, int base = 10) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
  if (error != std::errc() || end != word.data() + word.size() || value > most)
    return wrong(word, "number from 0 to " + std::to_string(most));
  return value;
}

// One field after another; the first fault stays.
class Fields {
 public:
  explicit Fields(Words words) : words_(words) {}

  void integer(unsigned octets) {
    const auto word = next("number");
    if (!fault_.empty()) return;
    if (const auto value = number(word, (std::uint64_t{1} << (8 * octets)) - 1); value) {
      put_number(wire_, *value, octets);
    } else {
      fault_ = value.error();
    }
  }
  void name() {
    const auto word = next("name");
    if (!fault_.empty()) return;
    if (const auto name = dns::name_from_text(word); name) {
      wire_.insert(wire_.end(), name->wire().begin(), name->wire().end());
    } else {
      fault_ = wrong(word, "name").error();
    }
  }
  void address(bool v6) {
    const std::string what = v6 ? "IPv6 address" : "IPv4 address";
    const auto word = next(what);
    if (!fault_.empty()) return;
    const auto address = net::Address::parse(word);
    if (!address || address->is_v4() == v6) {
      fault_ = wrong(word, what).error();
      return;
    }
    for (const std::uint8_t octet : address->octets()) wire_.push_back(std::byte{octet});
  }
  // A <character-string>, quoted or not; `length`: with its length octet.
  void string(bool length) {
    const auto word = next("text");
    if (!fault_.empty()) return;
    const std::size_t at = wire_.size();
    if (length) wire_.push_back({});
    const bool quoted = word.size() >= 2 && word.front() == '"' && word.back() == '"';
    std::string_view rest = quoted ? word.substr(1, word.size() - 2) : word;
    while (!rest.empty()) {
      if (rest[0] != '\\') {
        wire_.push_back(static_cast<std::byte>(rest[0]));
        rest.remove_prefix(1);
      } else if (rest.size() >= 4 && rest[1] >= '0' && rest[1] <= '9') {
        const auto octet = number(rest.substr(1, 3), 255);
        if (!octet) {
          fault_ = octet.error();
          return;
        }
        wire_.push_back(static_cast<std::byte>(*octet));
        rest.remove_prefix(4);
      } else if (rest.size() >= 2) {
        wire_.push_back(static_cast<std::byte>(rest[1]));
        rest.remove_prefix(2);
      } else {
        fault_ = wrong(word, "text: it ends with a backslash").error();
        return;
      }
    }
    if (!length) return;
    const std::size_t size = wire_.size() - at - 1;
    if (size > 255) fault_ = "a string of " + std::to_string(size) + " octets, 255 at most";
    wire_[at] = static_cast<std::byte>(size);
  }
  void strings() {
    do string(true);
    while (fault_.empty() && !words_.empty());
  }

  std::expected<Wire, std::string> finish() {
    if (fault_.empty() && !words_.empty())
      fault_ = "\"" + std::string(words_[0]) + "\" is one field too many";
    if (!fault_.empty()) return Failure(fault_);
    return std::move(wire_);
  }

 private:
  std::string_view next(std::string_view what) {
    if (!fault_.empty()) return {};
    if (words_.empty()) {
      fault_ = "a " + std::string(what) + " is missing";
      return {};
    }
    const std::string_view word = words_[0];
    words_ = words_.subspan(1);
    return word;
  }

  Words words_;
  Wire wire_;
  std::string fault_;
};

// \# LENGTH HEX...
std::expected<Wire, std::string> generic(Words words) {
  if (words.size() < 2) return Failure("behind \\# come a length and hexadecimal digits");
  const auto length = number(words[1], 65535);
  if (!length) return Failure(length.error());
  std::string digits;
  for (const std::string_view word : words.subspan(2)) digits += word;
  if (digits.size() != 2 * *length)
    return Failure(std::to_string(*length) + " octets are announced, " + std::to_string(digits.size()) +
                   " hexadecimal digits follow");
  Wire out;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const auto octet = number(std::string_view(digits).substr(i, 2), 255, 16);
    if (!octet) return wrong(std::string_view(digits).substr(i, 2), "pair of hexadecimal digits");
    out.push_back(static_cast<std::byte>(*octet));
  }
  return out;
}

}  // namespace

std::expected<std::vector<std::byte>, std::string> parse_rdata(dns::Type type, Words words) {
  if (!words.empty() && words[0] == "\\#") return generic(words);
  Fields fields(words);
  switch (type) {
    case dns::Type::A:
    case dns::Type::AAAA:
      fields.address(type == dns::Type::AAAA);
      break;
    case dns::Type::NS:
    case dns::Type::CNAME:
    case dns::Type::PTR:
    case dns::Type::DNAME:
      fields.name();
      break;
    case dns::Type::MX:
      fields.integer(2);
      fields.name();
      break;
    case dns::Type::SRV:
      for (int i = 0; i < 3; ++i) fields.integer(2);
      fields.name();
      break;
    case dns::Type::TXT:
    case dns::Type::SPF:
      fields.strings();
      break;
    case dns::Type::SOA:
      fields.name();
      fields.name();
      for (int i = 0; i < 5; ++i) fields.integer(4);
      break;
    case dns::Type::CAA:
      fields.integer(1);
      fields.string(true);
      fields.string(false);
      break;
    default:
      return Failure("the records of type " + dns::to_text(type) +
                     " are written as \\# LENGTH HEX (RFC 3597)");
  }
  return fields.finish();
}

}  // namespace swarmdns::volley
