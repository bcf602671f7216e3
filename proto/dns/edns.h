// EDNS(0) (RFC 6891): the OPT record, its options, and parsers for the options we know. All views, no
// allocation. Writing is in edns_write.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>

#include "proto/dns/header.h"
#include "proto/dns/record.h"

namespace swarmdns::dns {

inline constexpr std::uint16_t kMinUdpPayload = 512;  // smaller values mean 512 (RFC 6891 6.2.3)
inline constexpr std::uint16_t kDefaultUdpPayload =
    1232;                                         // no fragments on any IPv6 path (DNS flag day 2020)
inline constexpr std::size_t kOptFixedSize = 11;  // root owner, type, class, TTL, RDLENGTH

enum class OptionCode : std::uint16_t {
  LLQ = 1,
  UL = 2,
  NSID = 3,
  DAU = 5,
  DHU = 6,
  N3U = 7,
  ClientSubnet = 8,
  Expire = 9,
  Cookie = 10,
  TcpKeepalive = 11,
  Padding = 12,
  Chain = 13,
  KeyTag = 14,
  ExtendedError = 15,
  ReportChannel = 18,
  ZoneVersion = 19,
};

// RFC 8914 4 and the IANA registry.
enum class EdeCode : std::uint16_t {
  Other = 0,
  UnsupportedDnskeyAlgorithm = 1,
  UnsupportedDsDigestType = 2,
  StaleAnswer = 3,
  ForgedAnswer = 4,
  DnssecIndeterminate = 5,
  DnssecBogus = 6,
  SignatureExpired = 7,
  SignatureNotYetValid = 8,
  DnskeyMissing = 9,
  RrsigsMissing = 10,
  NoZoneKeyBitSet = 11,
  NsecMissing = 12,
  CachedError = 13,
  NotReady = 14,
  Blocked = 15,
  Censored = 16,
  Filtered = 17,
  Prohibited = 18,
  StaleNXDomainAnswer = 19,
  NotAuthoritative = 20,
  NotSupported = 21,
  NoReachableAuthority = 22,
  NetworkError = 23,
  InvalidData = 24,
  SignatureExpiredBeforeValid = 25,
  TooEarly = 26,
  UnsupportedNsec3Iterations = 27,
  UnableToConformToPolicy = 28,
  Synthesized = 29,
  InvalidQueryType = 30,
};
// The registry's words ("DNSSEC Bogus"), or an empty view.
std::string_view mnemonic(EdeCode code);
std::string_view mnemonic(OptionCode code);

struct Option {
  OptionCode code{};
  Bytes data;
};

// Walks options that Opt::parse has checked.
class OptionIterator {
 public:
  using value_type = Option;
  using difference_type = std::ptrdiff_t;
  using iterator_concept = std::forward_iterator_tag;

  OptionIterator() = default;
  explicit OptionIterator(Bytes rest) : rest_(rest) {}
  Option operator*() const {
    return {static_cast<OptionCode>(load_be16(rest_.data())), rest_.subspan(4, load_be16(rest_.data() + 2))};
  }
  OptionIterator& operator++() {
    rest_ = rest_.subspan(4U + load_be16(rest_.data() + 2));
    return *this;
  }
  OptionIterator operator++(int) {
    OptionIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const OptionIterator& other) const {
    return rest_.data() == other.rest_.data() && rest_.size() == other.rest_.size();
  }
  bool operator==(std::default_sentinel_t) const { return rest_.empty(); }

 private:
  Bytes rest_;
};

class OptionRange {
 public:
  OptionRange() = default;
  explicit OptionRange(Bytes checked) : checked_(checked) {}
  OptionIterator begin() const { return OptionIterator(checked_); }
  std::default_sentinel_t end() const { return {}; }
  Bytes wire() const { return checked_; }
  bool empty() const { return checked_.empty(); }

 private:
  Bytes checked_;
};

// An OPT record taken apart.
struct Opt {
  std::uint16_t payload_size = 0;   // as sent; see udp_payload()
  std::uint8_t extended_rcode = 0;  // upper eight bits of the rcode
  std::uint8_t version = 0;         // other than 0: answer BADVERS
  bool dnssec_ok = false;           // DO (RFC 3225)
  std::uint16_t z = 0;              // the 15 bits beside DO
  OptionRange options;              // every option lies inside RDATA

  // From a record of type OPT. Errors: BadOpt (owner not the root, or no OPT), BadOption (runs past RDATA).
  static Expected<Opt> parse(const RecordView& record);
  // From the OPT at `offset` of a message. Errors: as above, and Truncated.
  static Expected<Opt> parse(Bytes message, std::size_t offset);

  // What the sender takes over UDP: at least 512.
  std::uint16_t udp_payload() const { return payload_size < kMinUdpPayload ? kMinUdpPayload : payload_size; }
  // The whole 12-bit rcode.
  Rcode rcode(Flags flags) const {
    return static_cast<Rcode>((unsigned{extended_rcode} << 4) | to_u16(flags.rcode()));
  }
  // The first option with that code.
  std::optional<Bytes> find(OptionCode code) const;
};

// COOKIE (RFC 7873 4): 8 octets of the client, then nothing or 8–32 octets of a server.
struct CookieOption {
  Bytes client;  // 8 octets
  Bytes server;  // empty, or 8–32 octets
};
Expected<CookieOption> parse_cookie(Bytes data);  // BadOption: RFC 7873 5.2.2 wants FORMERR

// CLIENT-SUBNET (RFC 7871 6).
struct ClientSubnet {
  std::uint16_t family = 0;  // 1 IPv4, 2 IPv6
  std::uint8_t source_prefix = 0;
  std::uint8_t scope_prefix = 0;
  std::array<std::byte, 16> address{};  // padded with zeros
};
// BadOption: family unknown, prefix longer than the address, wrong number of octets, bits set behind the
// prefix.
Expected<ClientSubnet> parse_client_subnet(Bytes data);

// EXTENDED-DNS-ERROR (RFC 8914 2).
struct ExtendedError {
  EdeCode code{};
  std::string_view text;  // UTF-8 as sent, not checked, may be empty; a final NUL is cut off
};
Expected<ExtendedError> parse_extended_error(Bytes data);

// edns-tcp-keepalive (RFC 7828 3.1): nothing (from clients), or a timeout in units of 100 ms.
struct TcpKeepalive {
  std::optional<std::uint16_t> timeout;
};
Expected<TcpKeepalive> parse_tcp_keepalive(Bytes data);

}  // namespace swarmdns::dns
