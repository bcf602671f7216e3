#include "dataplane/volley/sources.h"

#include <algorithm>

#include "dataplane/stats/tsc_clock.h"
#include "dataplane/volley/random.h"

namespace swarmdns::volley {
namespace {

using stats::Wide;

net::Address plus(const net::Address& base, Wide host) noexcept {
  net::Address out = base;
  for (std::size_t i = out.bytes.size(); i-- > 0 && host != 0; host >>= 8) {
    out.bytes[i] = static_cast<std::uint8_t>(out.bytes[i] | static_cast<std::uint8_t>(host));
  }
  return out;
}

// The hosts of a prefix that may be clients: `count` from `first` on. A /0 is cut to half, which is enough.
struct Hosts {
  Wide first = 0;
  Wide count = 0;
};

Hosts hosts_of(const net::Prefix& prefix) noexcept {
  const unsigned bits = std::min(128U - prefix.length, 127U);
  const Wide all = Wide{1} << bits;
  if (bits < 2) return {0, all};
  return prefix.is_v4() ? Hosts{1, all - 2} : Hosts{1, all - 1};
}

}  // namespace

std::expected<Sources, std::string> Sources::make(std::span<const net::Prefix> prefixes, std::uint32_t most,
                                                  std::span<const net::Address> taken, std::uint64_t seed) {
  Sources sources;
  sources.prefixes_.assign(prefixes.begin(), prefixes.end());
  sources.taken_.assign(taken.begin(), taken.end());
  Random random(mix64(seed ^ 0x736f75726365));
  for (const net::Prefix& prefix : prefixes) {
    const Hosts hosts = hosts_of(prefix);
    const Wide clients = std::min<Wide>(hosts.count, std::max<std::uint32_t>(most, 1));
    const Wide stride = hosts.count / clients;
    auto& list = prefix.is_v4() ? sources.v4_ : sources.v6_;
    const std::size_t before = list.size();
    for (Wide i = 0; i < clients; ++i) {
      const Wide host = hosts.first + i * stride + (stride > 1 ? random.u64() % stride : 0);
      const net::Address address = plus(prefix.address, host);
      if (std::ranges::find(taken, address) == taken.end()) list.push_back(address);
    }
    if (list.size() == before) {
      return std::unexpected(
          prefix.to_text() +
          " has no address left for a client: the only one is the server's or the gateway's");
    }
  }
  return sources;
}

bool Sources::owns(const net::Address& address) const noexcept {
  if (std::ranges::find(taken_, address) != taken_.end()) return false;
  return std::ranges::any_of(prefixes_, [&](const net::Prefix& prefix) { return prefix.contains(address); });
}

}  // namespace swarmdns::volley
