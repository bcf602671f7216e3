// Bundles are taken once: a window over the numbers of each node.
#include "controlplane/state/handlers.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kWindow = 1024;
constexpr std::size_t kWindowBytes = kWindow / 8;

bool bit(const std::string& seen, std::uint64_t i) {
  return (static_cast<unsigned char>(seen[i / 8]) >> (i % 8) & 1) != 0;
}
void set_bit(std::string& seen, std::uint64_t i) {
  seen[i / 8] = static_cast<char>(static_cast<unsigned char>(seen[i / 8]) | 1U << (i % 8));
}

// Every number's place moves up by `by`, and `highest` itself takes place by-1.
std::string moved(const std::string& seen, std::uint64_t by) {
  std::string next(kWindowBytes, '\0');
  if (by - 1 < kWindow) set_bit(next, by - 1);
  for (std::uint64_t i = 0; i + by < kWindow; ++i) {
    if (bit(seen, i)) set_bit(next, i + by);
  }
  return next;
}

}  // namespace

std::expected<void, std::string> admit_bundle(StateView& state, std::uint64_t node, std::uint64_t number) {
  const std::string key = keys::of(keys::kBundles, node);
  v1::BundleWindow window = read<v1::BundleWindow>(state, key).value_or(v1::BundleWindow());
  if (window.seen().size() != kWindowBytes) window.set_seen(std::string(kWindowBytes, '\0'));
  if (number == 0) return handlers::refused("bundle: number 0");
  if (number > window.highest()) {
    window.set_seen(window.highest() == 0 ? std::string(kWindowBytes, '\0')
                                          : moved(window.seen(), number - window.highest()));
    window.set_highest(number);
  } else {
    if (number == window.highest()) return handlers::refused("bundle: taken already");
    const std::uint64_t place = window.highest() - 1 - number;
    if (place >= kWindow)
      return handlers::refused("bundle: its number is older than what is remembered of its node");
    if (bit(window.seen(), place)) return handlers::refused("bundle: taken already");
    set_bit(*window.mutable_seen(), place);
  }
  write(state, key, window);
  return {};
}

}  // namespace swarmdns::controlplane
