#include "proto/dns/edns_write.h"

#include <algorithm>
#include <cstring>

namespace swarmdns::dns {
namespace {

constexpr std::size_t kMaxRdata = 65535;
constexpr std::size_t kRdlengthAt = 9;
constexpr std::size_t kOptionHeader = 4;

}  // namespace

OptWriter::OptWriter(MutableBytes out, const OptFields& fields)
    : out_(out.first(std::min(out.size(), kOptFixedSize + kMaxRdata))) {
  if (out_.size() < kOptFixedSize) return;
  std::byte* p = out_.data();
  store_u8(p, 0);  // the root
  store_be16(p + 1, to_u16(Type::OPT));
  store_be16(p + 3, fields.payload_size);
  store_u8(p + 5, static_cast<std::uint8_t>(to_u16(fields.rcode) >> 4));
  store_u8(p + 6, fields.version);
  store_be16(p + 7, fields.dnssec_ok ? 0x8000 : 0);
  store_be16(p + kRdlengthAt, 0);
  size_ = kOptFixedSize;
}

std::byte* OptWriter::begin_option(OptionCode code, std::size_t length) {
  const std::size_t room = out_.size() - size_;
  if (size_ == 0 || room < kOptionHeader || room - kOptionHeader < length) return nullptr;
  std::byte* p = out_.data() + size_;
  store_be16(p, static_cast<std::uint16_t>(code));
  store_be16(p + 2, static_cast<std::uint16_t>(length));
  size_ += kOptionHeader + length;
  store_be16(out_.data() + kRdlengthAt, static_cast<std::uint16_t>(size_ - kOptFixedSize));
  return p + kOptionHeader;
}

bool OptWriter::option(OptionCode code, Bytes data) {
  std::byte* p = begin_option(code, data.size());
  if (p == nullptr) return false;
  if (!data.empty()) std::memcpy(p, data.data(), data.size());
  return true;
}

bool OptWriter::nsid(std::string_view id) {
  return option(OptionCode::NSID, as_octets(id));
}

bool OptWriter::cookie(Bytes client, Bytes server) {
  if (client.size() != 8 || (!server.empty() && (server.size() < 8 || server.size() > 32))) return false;
  std::byte* p = begin_option(OptionCode::Cookie, client.size() + server.size());
  if (p == nullptr) return false;
  std::memcpy(p, client.data(), client.size());
  if (!server.empty()) std::memcpy(p + client.size(), server.data(), server.size());
  return true;
}

bool OptWriter::extended_error(EdeCode code, std::string_view text) {
  std::byte* p = begin_option(OptionCode::ExtendedError, 2 + text.size());
  if (p == nullptr) return false;
  store_be16(p, static_cast<std::uint16_t>(code));
  if (!text.empty()) std::memcpy(p + 2, text.data(), text.size());
  return true;
}

bool OptWriter::tcp_keepalive(std::uint16_t timeout) {
  std::byte* p = begin_option(OptionCode::TcpKeepalive, 2);
  if (p == nullptr) return false;
  store_be16(p, timeout);
  return true;
}

bool OptWriter::tcp_keepalive_request() {
  return option(OptionCode::TcpKeepalive, {});
}

bool OptWriter::client_subnet(const ClientSubnet& subnet) {
  if (subnet.family != 1 && subnet.family != 2) return false;
  const unsigned bits = subnet.family == 1 ? 32 : 128;
  if (subnet.source_prefix > bits || subnet.scope_prefix > bits) return false;
  const std::size_t octets = (subnet.source_prefix + 7U) / 8U;
  std::byte* p = begin_option(OptionCode::ClientSubnet, 4 + octets);
  if (p == nullptr) return false;
  store_be16(p, subnet.family);
  store_u8(p + 2, subnet.source_prefix);
  store_u8(p + 3, subnet.scope_prefix);
  if (octets == 0) return true;
  std::memcpy(p + 4, subnet.address.data(), octets);
  if (const unsigned used = subnet.source_prefix % 8U; used != 0) {
    p[3 + octets] &= static_cast<std::byte>(0xff00U >> used);  // nothing behind the prefix leaves this node
  }
  return true;
}

bool OptWriter::padding(std::size_t octets) {
  std::byte* p = begin_option(OptionCode::Padding, octets);
  if (p == nullptr) return false;
  std::memset(p, 0, octets);
  return true;
}

bool OptWriter::pad_to_block(std::size_t before, std::size_t block) {
  if (size_ == 0 || block == 0) return false;
  const std::size_t unpadded = before + size_ + kOptionHeader;
  return padding((block - unpadded % block) % block);
}

}  // namespace swarmdns::dns
