// Which negative answers get into segments: of each zone so many a second. The misses of a random-subdomain
// flood would fill every node's store and every link otherwise; positive answers are not held back. Its
// owner's thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "swarmdns/v1/dataplane.pb.h"

namespace swarmdns::controlplane {

// The zone whose SOA stands in a negative answer (RFC 2308 section 3), in wire format and lower case; without
// one the name's parent.
std::string zone_of_negative(const v1::CacheEntry& entry);

class FloodGuard {
 public:
  struct Limits {
    std::uint32_t per_zone_s = 50;
    // Zones that are told apart within a second; the names of all others count as one zone.
    std::size_t zones = 4096;
  };
  explicit FloodGuard(Limits limits) : limits_(limits) {}

  // Whether it may go in. `now_ms`: monotonic.
  bool admit(const v1::Mutation& mutation, std::uint64_t now_ms);
  std::uint64_t held_back() const { return held_back_; }

 private:
  const Limits limits_;
  std::uint64_t second_ = 0;
  std::unordered_map<std::string, std::uint32_t> admitted_;  // in this second, by zone
  std::uint64_t held_back_ = 0;
};

}  // namespace swarmdns::controlplane
