#include "proto/config/formats.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "proto/dns/name_text.h"

namespace swarmdns::config {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_printable(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
}

template <typename Predicate>
bool all(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

std::optional<unsigned> parse_number(std::string_view text, unsigned max) {
  if (text.empty() || text.size() > 5 || !all(text, is_digit)) return std::nullopt;
  unsigned value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  if (value > max) return std::nullopt;
  return value;
}

bool is_host_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         all(text, [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
}

bool is_user_name(std::string_view text) {
  return !text.empty() && text.size() <= 32 && (is_lower(text.front()) || text.front() == '_') &&
         all(text, [](char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '-'; });
}

bool is_interface_name(std::string_view text) {
  return !text.empty() && text.size() <= 15 && text != "." && text != ".." &&
         all(text, [](char c) { return is_printable(c) && c != ' ' && c != '/' && c != ':'; });
}

// A DPDK vdev: a driver's name with a number, then ",key=value" parts that are the driver's own business.
bool is_vdev(std::string_view text) {
  const std::string_view name = text.substr(0, text.find(','));
  const bool driver = name.starts_with("net_") || name.starts_with("eth_") || name.starts_with("virtio_user");
  return driver && text.size() <= 255 &&
         all(name, [](char c) { return is_lower(c) || is_digit(c) || c == '_'; }) &&
         all(text, [](char c) { return is_printable(c) && c != ' '; });
}

// RFC 1123 2.1: labels of letters, digits and hyphens; the last is not a number, or it would be a bad
// address.
bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  for (;;) {
    const size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-' ||
        !all(label, [](char c) { return is_lower(c) || is_upper(c) || is_digit(c) || c == '-'; })) {
      return false;
    }
    if (dot == std::string_view::npos) return !all(label, is_digit);
    text.remove_prefix(dot + 1);
  }
}

bool is_host_port(std::string_view text) {
  const size_t at = text.find('@');
  if (at != std::string_view::npos) {
    const auto port = parse_number(text.substr(at + 1), 65535);
    if (!port || *port == 0) return false;
  }
  const std::string_view host = text.substr(0, at);
  return parse_address(host).has_value() || is_host_name(host);
}

bool is_route(std::string_view text) {
  const size_t via = text.find(" via ");
  if (via == std::string_view::npos) return false;
  const auto prefix = parse_prefix(text.substr(0, via));
  const auto gateway = parse_address(text.substr(via + 5));
  return prefix && gateway && prefix->address.family == gateway->family;
}

bool is_date_time(std::string_view text) {
  if (text.size() != 14 || !all(text, is_digit)) return false;
  const auto part = [&](size_t at) { return *parse_number(text.substr(at, 2), 99); };
  return part(4) >= 1 && part(4) <= 12 && part(6) >= 1 && part(6) <= 31 && part(8) <= 23 && part(10) <= 59 &&
         part(12) <= 60;
}

std::optional<std::string> prefix_problem(std::string_view text) {
  const auto prefix = parse_prefix(text);
  if (!prefix) {
    if (const auto address = parse_address(text)) {
      return "has no length; write " + std::string(text) + (address->family == AF_INET ? "/32" : "/128");
    }
    return "is not " + std::string(format_text(v1::IP_PREFIX));
  }
  const Prefix network = network_of(*prefix);
  if (network.address.bytes != prefix->address.bytes) {
    return "has bits set behind its length; write " + to_text(network);
  }
  return std::nullopt;
}

bool matches(v1::Format format, std::string_view text) {
  switch (format) {
    case v1::TEXT:
      return text.size() <= 255 && all(text, is_printable);
    case v1::HOST_LABEL:
      return is_host_label(text);
    case v1::ABSOLUTE_PATH:
      return !text.empty() && text.front() == '/' && text.size() <= 4096 && all(text, is_printable);
    case v1::RUN_PATH:
      return !text.empty() && text.front() == '/' && text.size() <= 80 && all(text, is_printable);
    case v1::USER_NAME:
      return is_user_name(text);
    case v1::IP_ADDRESS:
      return parse_address(text).has_value();
    case v1::IPV4_ADDRESS: {
      const auto address = parse_address(text);
      return address && address->family == AF_INET;
    }
    case v1::IPV6_ADDRESS: {
      const auto address = parse_address(text);
      return address && address->family == AF_INET6;
    }
    case v1::IP_INTERFACE:
      return parse_prefix(text).has_value();
    case v1::ADDRESS_PORT:
      return parse_endpoint(text, 53).has_value();
    case v1::ROUTE:
      return is_route(text);
    case v1::DEVICE:
      return is_pci_address(text) || is_vdev(text);
    case v1::INTERFACE_NAME:
      return is_interface_name(text);
    case v1::HEX_128:
      return text.size() == 32 && all(text, is_hex);
    case v1::DATE_TIME:
      return is_date_time(text);
    case v1::FILE_PREFIX:
      return !text.empty() && text.size() <= 64 && text != "." && text != ".." && all(text, [](char c) {
        return is_lower(c) || is_upper(c) || is_digit(c) || c == '_' || c == '.' || c == '-';
      });
    case v1::LINE:
    case v1::ARGUMENT:
      return !text.empty() && text.size() <= 1024 &&
             all(text, [](char c) { return is_printable(c) || c == '\t'; });
    case v1::HOST_PORT:
      return is_host_port(text);
    case v1::DOMAIN_NAME:
      return dns::name_from_text(text).has_value();
    default:
      return true;
  }
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  const std::string copy(text);
  if (copy.size() != std::strlen(copy.c_str())) return std::nullopt;
  Address address;
  if (inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1) {
    address.family = AF_INET;
    return address;
  }
  if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) {
    address.family = AF_INET6;
    return address;
  }
  return std::nullopt;
}

std::string to_text(const Address& address) {
  char buffer[INET6_ADDRSTRLEN] = {};
  if (inet_ntop(address.family, address.bytes.data(), buffer, sizeof(buffer)) == nullptr) return "";
  return buffer;
}

bool is_loopback(const Address& address) {
  if (address.family == AF_INET) return address.bytes[0] == 127;
  std::array<uint8_t, 16> one{};
  one[15] = 1;
  return address.bytes == one;
}

std::optional<Prefix> parse_prefix(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  const auto length = parse_number(text.substr(slash + 1), address->family == AF_INET ? 32 : 128);
  if (!length) return std::nullopt;
  return Prefix{*address, *length};
}

Prefix network_of(Prefix prefix) {
  for (unsigned bit = prefix.length; bit < 128; ++bit) {
    prefix.address.bytes[bit / 8] =
        static_cast<uint8_t>(prefix.address.bytes[bit / 8] & ~(0x80u >> (bit % 8)));
  }
  return prefix;
}

std::string to_text(const Prefix& prefix) {
  return to_text(prefix.address) + "/" + std::to_string(prefix.length);
}

std::optional<Endpoint> parse_endpoint(std::string_view text, uint16_t default_port) {
  const size_t at = text.find('@');
  const auto address = parse_address(text.substr(0, at));
  if (!address) return std::nullopt;
  if (at == std::string_view::npos) return Endpoint{*address, default_port};
  const auto port = parse_number(text.substr(at + 1), 65535);
  if (!port || *port == 0) return std::nullopt;
  return Endpoint{*address, static_cast<uint16_t>(*port)};
}

bool is_pci_address(std::string_view text) {
  return text.size() == 12 && text[4] == ':' && text[7] == ':' && text[10] == '.' &&
         all(text.substr(0, 4), is_hex) && all(text.substr(5, 2), is_hex) && all(text.substr(8, 2), is_hex) &&
         text[11] >= '0' && text[11] <= '7';
}

std::string_view format_text(v1::Format format) {
  switch (format) {
    case v1::TEXT:
      return "printable text of at most 255 bytes";
    case v1::HOST_LABEL:
      return "a host label: 1 to 63 of a-z, 0-9 and -, with no - at either end";
    case v1::ABSOLUTE_PATH:
      return "an absolute path";
    case v1::RUN_PATH:
      return "an absolute path of at most 80 bytes";
    case v1::USER_NAME:
      return "a user name: 1 to 32 of a-z, 0-9, _ and -, starting with a letter or _";
    case v1::IP_ADDRESS:
      return "an IPv4 or IPv6 address";
    case v1::IPV4_ADDRESS:
      return "an IPv4 address";
    case v1::IPV6_ADDRESS:
      return "an IPv6 address";
    case v1::IP_PREFIX:
      return "an IP prefix such as 192.0.2.0/24 or 2001:db8::/32";
    case v1::IP_INTERFACE:
      return "an address with prefix length such as 192.0.2.1/24 or 2001:db8::1/64";
    case v1::ADDRESS_PORT:
      return "an address, or an address and port such as 192.0.2.1@53";
    case v1::ROUTE:
      return "a route such as \"0.0.0.0/0 via 192.0.2.254\", both of one family";
    case v1::DEVICE:
      return "a PCI address such as 0000:01:00.0 or a DPDK vdev such as net_af_xdp0,iface=eth1";
    case v1::INTERFACE_NAME:
      return "an interface name: 1 to 15 bytes without space, / or :";
    case v1::HEX_128:
      return "32 hexadecimal digits (128 bits)";
    case v1::DATE_TIME:
      return "a time as YYYYMMDDHHMMSS";
    case v1::FILE_PREFIX:
      return "1 to 64 of A-Z, a-z, 0-9, _, . and -";
    case v1::LINE:
      return "one line of 1 to 1024 bytes";
    case v1::ARGUMENT:
      return "one argument of 1 to 1024 bytes without line break";
    case v1::HOST_PORT:
      return "a host name or address, or one with its port such as ns1.example.net@8453";
    case v1::DOMAIN_NAME:
      return "a domain name such as corp.example";
    default:
      return "text";
  }
}

std::optional<std::string> format_problem(v1::Format format, std::string_view text) {
  if (format == v1::IP_PREFIX) return prefix_problem(text);
  if (matches(format, text)) return std::nullopt;
  if (format == v1::IP_INTERFACE && parse_address(text)) {
    return "has no prefix length; write for example " + std::string(text) +
           (parse_address(text)->family == AF_INET ? "/24" : "/64");
  }
  return "is not " + std::string(format_text(format));
}

}  // namespace swarmdns::config
