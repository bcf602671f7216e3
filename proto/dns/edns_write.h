// Writes an OPT record with its options straight into the caller's octets (a frame's tail, or a small array).
// No allocation. Either an option is written whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proto/dns/edns.h"

namespace swarmdns::dns {

struct OptFields {
  std::uint16_t payload_size = kDefaultUdpPayload;
  Rcode rcode = Rcode::NoError;  // the whole rcode; its upper eight bits go into OPT
  std::uint8_t version = 0;
  bool dnssec_ok = false;
};

class OptWriter {
 public:
  // Starts an OPT record at the front of `out`. When there is no room for its 11 octets nothing is written,
  // and finish() is empty.
  OptWriter(MutableBytes out, const OptFields& fields);

  // Each returns false, and changes nothing, when there is no room or the value breaks the option's format.
  [[nodiscard]] bool option(OptionCode code, Bytes data);
  [[nodiscard]] bool nsid(std::string_view id);
  [[nodiscard]] bool cookie(Bytes client, Bytes server);  // 8 octets; empty or 8–32 octets
  [[nodiscard]] bool extended_error(EdeCode code, std::string_view text = {});
  [[nodiscard]] bool tcp_keepalive(std::uint16_t timeout);  // units of 100 ms
  [[nodiscard]] bool tcp_keepalive_request();               // empty, as clients send it
  [[nodiscard]] bool client_subnet(const ClientSubnet& subnet);
  [[nodiscard]] bool padding(std::size_t octets);  // `octets` zeros, plus 4 for the option's header
  // Pads so that `before` + this record is a multiple of `block` (RFC 8467 4.1: 128 queries, 468 replies).
  // Call last.
  [[nodiscard]] bool pad_to_block(std::size_t before, std::size_t block);

  bool ok() const { return size_ != 0; }
  std::size_t size() const { return size_; }  // octets so far; 0 when there was no room for the record
  // The finished record, in the caller's memory.
  Bytes finish() const { return out_.first(size_); }

 private:
  std::byte* begin_option(OptionCode code, std::size_t length);

  MutableBytes out_;
  std::size_t size_ = 0;
};

}  // namespace swarmdns::dns
