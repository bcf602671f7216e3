#include "dataplane/miss/quota.h"

#include <sodium.h>

#include <algorithm>
#include <bit>
#include <string_view>

namespace swarmdns::miss {

Quota::Quota(std::size_t max_units)
    : nodes_(max_units), buckets_(std::bit_ceil(std::max<std::size_t>(max_units, 16)), kNone) {}

bool Quota::take(std::uint64_t key, std::uint32_t limit) {
  std::uint32_t& head = buckets_[bucket(key)];
  for (std::uint32_t i = head; i != kNone; i = nodes_[i].next) {
    Node& node = nodes_[i];
    if (node.key != key) continue;
    if (node.count >= limit) return false;
    ++node.count;
    return true;
  }
  if (limit == 0) return false;
  const std::uint32_t made = nodes_.take();
  if (made == kNone) return false;
  nodes_[made] = {key, 1, head};
  head = made;
  return true;
}

void Quota::give(std::uint64_t key) noexcept {
  std::uint32_t* link = &buckets_[bucket(key)];
  while (*link != kNone) {
    Node& node = nodes_[*link];
    if (node.key == key) {
      if (--node.count == 0) {
        const std::uint32_t gone = *link;
        *link = node.next;
        nodes_.give(gone);
      }
      return;
    }
    link = &node.next;
  }
}

std::uint32_t Quota::held(std::uint64_t key) const noexcept {
  for (std::uint32_t i = buckets_[bucket(key)]; i != kNone; i = nodes_[i].next) {
    if (nodes_[i].key == key) return nodes_[i].count;
  }
  return 0;
}

QuotaKeys::QuotaKeys() {
  static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8);
  randombytes_buf(secret_.data(), secret_.size());
}

namespace {
std::uint64_t keyed(const std::array<unsigned char, 16>& secret, const void* data,
                    std::size_t size) noexcept {
  std::uint64_t out = 0;
  crypto_shorthash(reinterpret_cast<unsigned char*>(&out), static_cast<const unsigned char*>(data), size,
                   secret.data());
  return out;
}
}  // namespace

std::uint64_t QuotaKeys::block(const net::Address& client, std::size_t octets) const noexcept {
  return keyed(secret_, client.bytes.data(), octets);
}

std::uint64_t QuotaKeys::prefix(const net::Address& client) const noexcept {
  // /24 within the IPv4-mapped form are the first 15 octets, /56 the first 7.
  return block(client, client.is_v4() ? 15 : 7);
}

std::uint64_t QuotaKeys::zone(dns::NameView name) const noexcept {
  const dns::NameView zone = registered_name(name);
  return keyed(secret_, zone.data(), zone.size());
}

dns::NameView registered_name(dns::NameView name) noexcept {
  const std::size_t labels = name.label_count();
  if (labels <= 2) return name;
  const dns::NameView two = name.suffix(2);
  auto it = two.labels().begin();
  const std::string_view second = dns::as_text(*it);
  const std::string_view top = dns::as_text(*++it);
  if (top == "arpa") return name.suffix(second == "ip6" ? 2 + 8 : 2 + 2);
  static constexpr std::string_view kPublic[] = {"ac",  "co", "com", "edu", "gob", "gov", "go",
                                                 "mil", "ne", "net", "nom", "or",  "org", "sch"};
  if (top.size() == 2 && std::find(std::begin(kPublic), std::end(kPublic), second) != std::end(kPublic)) {
    return name.suffix(3);
  }
  return two;
}

}  // namespace swarmdns::miss
