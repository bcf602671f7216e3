#include "controlplane/swarm/share_rules.h"

#include "proto/dns/name_text.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint32_t kNoError = 0;
constexpr std::uint32_t kNxDomain = 3;

constexpr const char* kPrivateZones[] = {
    "10.in-addr.arpa.",
    "168.192.in-addr.arpa.",
    "127.in-addr.arpa.",
    "254.169.in-addr.arpa.",
    "0.in-addr.arpa.",
    "2.0.192.in-addr.arpa.",
    "d.f.ip6.arpa.",
    "8.e.f.ip6.arpa.",
    "9.e.f.ip6.arpa.",
    "a.e.f.ip6.arpa.",
    "b.e.f.ip6.arpa.",
    "c.f.ip6.arpa.",
    "local.",
    "home.arpa.",
    "internal.",
    "localhost.",
    "test.",
    "onion.",
};

std::string_view last_label(std::string_view name) {
  std::string_view label;
  while (!name.empty() && name[0] != 0) {
    const auto length = static_cast<unsigned char>(name[0]);
    if (length >= name.size()) return {};
    label = name.substr(0, length + 1U);
    name.remove_prefix(length + 1U);
  }
  return label;
}

}  // namespace

PrivateZones::PrivateZones(std::span<const std::string> more) {
  for (const char* text : kPrivateZones) {
    const auto name = dns::name_from_text(text);
    if (name) add(std::string(dns::as_text(name->wire())));
  }
  for (int second = 16; second < 32; ++second) {
    const auto name = dns::name_from_text(std::to_string(second) + ".172.in-addr.arpa.");
    if (name) add(std::string(dns::as_text(name->wire())));
  }
  for (const std::string& zone : more) add(zone);
}

void PrivateZones::add(std::string zone) {
  last_labels_.emplace(last_label(zone));
  zones_.insert(std::move(zone));
}

bool PrivateZones::holds(std::string_view qname) const {
  // The root, if somebody wants nothing shared at all, has no last label.
  const bool everything = last_labels_.contains(std::string());
  if (!everything && !last_labels_.contains(std::string(last_label(qname)))) return false;
  while (!qname.empty()) {
    if (zones_.contains(std::string(qname))) return true;
    const auto length = static_cast<unsigned char>(qname[0]);
    if (length == 0 || length >= qname.size()) return false;
    qname.remove_prefix(length + 1U);
  }
  return false;
}

bool may_share(const v1::CacheEntry& entry, const PrivateZones& zones) {
  if (entry.rcode() != kNoError && entry.rcode() != kNxDomain) return false;
  if (entry.remaining_ms() <= 0 || entry.key().view() != 0 || entry.key().qname().empty()) return false;
  if (entry.origin().node() == 0 || entry.origin().sequence() == 0) return false;
  return !zones.holds(entry.key().qname());
}

std::vector<std::uint32_t> private_mutations(std::span<const v1::Mutation> mutations,
                                             const PrivateZones& zones) {
  std::vector<std::uint32_t> positions;
  for (std::uint32_t i = 0; i < mutations.size(); ++i) {
    const v1::Mutation& mutation = mutations[i];
    if (zones.holds(mutation.entry().key().qname()) || zones.holds(mutation.zone())) positions.push_back(i);
  }
  return positions;
}

std::vector<v1::CacheEntry> shared_entries(std::vector<v1::Mutation> mutations, std::uint64_t node,
                                           const PrivateZones& zones) {
  std::vector<v1::CacheEntry> entries;
  entries.reserve(mutations.size());
  for (v1::Mutation& mutation : mutations) {
    if (mutation.kind() != v1::MUTATION_INSERT && mutation.kind() != v1::MUTATION_REPLACE) continue;
    v1::CacheEntry& entry = *mutation.mutable_entry();
    // Whose it is, its segment says, and by that it can be fenced.
    entry.mutable_origin()->set_node(static_cast<std::uint32_t>(node));
    entry.mutable_origin()->set_sequence(mutation.sequence());
    entry.set_authenticated(false);
    if (may_share(entry, zones)) entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace swarmdns::controlplane
