#include "controlplane/swarm/flood_guard.h"

#include "proto/dns/record.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::size_t kTypeAndClass = 4;

std::string parent_of(const std::string& qname) {
  const auto length = static_cast<unsigned char>(qname.empty() ? 0 : qname[0]);
  if (length == 0 || length + 1U >= qname.size()) return qname;
  return qname.substr(length + 1U);
}

}  // namespace

std::string zone_of_negative(const v1::CacheEntry& entry) {
  const std::string& qname = entry.key().qname();
  // Pointers in `sections` count from the start of a message with this question.
  std::string message(kHeader, '\0');
  message += qname;
  message.append(kTypeAndClass, '\0');
  std::size_t at = message.size();
  message += entry.sections();
  const dns::Bytes octets = dns::as_octets(message);
  for (std::uint32_t left = entry.answers() + entry.authorities(); left > 0; --left) {
    const auto record = dns::RecordView::parse(octets, at);
    if (!record) break;
    if (record->type() == dns::Type::SOA) {
      const auto owner = record->owner();
      if (!owner) break;
      return std::string(dns::as_text(owner->folded().wire()));
    }
    at = record->end();
  }
  return parent_of(qname);
}

bool FloodGuard::admit(const v1::Mutation& mutation, std::uint64_t now_ms) {
  if (!mutation.entry().negative() ||
      (mutation.kind() != v1::MUTATION_INSERT && mutation.kind() != v1::MUTATION_REPLACE))
    return true;
  if (const std::uint64_t second = now_ms / 1000; second != second_) {
    second_ = second;
    admitted_.clear();
  }
  std::string zone = zone_of_negative(mutation.entry());
  // No zone has an empty name: those for which there is no room meet there.
  if (admitted_.size() >= limits_.zones && !admitted_.contains(zone)) zone.clear();
  std::uint32_t& admitted = admitted_[std::move(zone)];
  if (admitted >= limits_.per_zone_s) {
    ++held_back_;
    return false;
  }
  ++admitted;
  return true;
}

}  // namespace swarmdns::controlplane
