// Query frames, put together from parts made at start: the headers of each family, the question as it stands
// in the list, the OPT record of each kind. What differs from query to query is patched in, and the checksums
// follow from the sums of the parts; no octet is summed twice, except that random letter case wants a new sum
// of the question. Immutable after the start; no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "dataplane/net/address.h"
#include "dataplane/net/frame.h"
#include "dataplane/volley/outstanding.h"
#include "dataplane/volley/query_list.h"
#include "dataplane/volley/sources.h"
#include "proto/dns/cookie.h"

namespace swarmdns::volley {

// Query::options. DO and a cookie need EDNS.
inline constexpr std::uint8_t kEdns = 1;
inline constexpr std::uint8_t kDnssecOk = 2;
inline constexpr std::uint8_t kCookie = 4;
inline constexpr std::size_t kOptionKinds = 8;

struct FrameOptions {
  net::MacAddress own_mac{};
  std::optional<std::uint16_t> vlan;  // 802.1Q, 1-4094
  std::optional<net::Address> target_v4;
  std::optional<net::Address> target_v6;
  std::uint16_t target_port = 53;
  std::uint16_t payload_size = 1232;  // of EDNS
  bool recursion_desired = true;
  bool checking_disabled = false;
  bool random_case = false;  // "0x20": letters' case from Query::case_seed
  std::uint64_t seed = 1;
};

class QueryFrames {
 public:
  // Room that suffices for any frame written here.
  static constexpr std::size_t kMaxFrame = net::kMaxHeaders + 12 + kMaxQuestionSize + 11 + 12;

  // Both must outlive this.
  QueryFrames(const FrameOptions& options, const QueryList& questions, const Sources& sources);

  // The server's MAC, when it is known.
  void set_peer(bool v6, const net::MacAddress& mac) noexcept;

  // Writes the whole frame and returns its length.
  std::size_t write(const Query& query, Outstanding::Flow flow, std::byte* frame) const noexcept;

  // Octets of the DNS message.
  [[nodiscard]] std::size_t message_size(const Query& query) const noexcept {
    return kDnsHeader + questions_.question(query.question).size() + tails_[query.options].size;
  }
  // Whether `question` (as many octets as the list's) is what was asked, case included.
  [[nodiscard]] bool same_question(const Query& query, const std::byte* question) const noexcept;

  // The cookie of a client (RFC 7873 4.1: another one for each client address).
  [[nodiscard]] dns::ClientCookie cookie(const Query& query) const noexcept;

 private:
  static constexpr std::size_t kDnsHeader = 12;
  struct Head {
    std::array<std::byte, net::kMaxHeaders + kDnsHeader> octets{};
    std::uint8_t size = 0;      // the DNS header included
    std::uint8_t l3 = 0;        // offset of the IP header
    std::uint64_t ip_sum = 0;   // IPv4: of the header without length, checksum and source
    std::uint64_t udp_sum = 0;  // of what is the same for every query
  };
  struct Tail {
    std::array<std::byte, 23> octets{};  // OPT, with room for a cookie of zeros
    std::uint8_t size = 0;
    std::uint16_t sum = 0;
  };
  void build_head(bool v6);
  void build_tail(std::uint8_t options);

  FrameOptions options_;
  const QueryList& questions_;
  const Sources& sources_;
  std::array<Head, 2> heads_;
  std::array<Tail, kOptionKinds> tails_;
};

}  // namespace swarmdns::volley
