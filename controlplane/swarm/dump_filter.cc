#include "controlplane/swarm/dump_filter.h"

#include <array>

namespace swarmdns::controlplane {
namespace {

constexpr std::size_t kDigest = 32;

std::string finish(crypto_generichash_state state) {
  std::string out(kDigest, '\0');
  crypto_generichash_final(&state, reinterpret_cast<unsigned char*>(out.data()), out.size());
  return out;
}

}  // namespace

DumpFilter::DumpFilter(std::uint64_t node, std::shared_ptr<const FenceFilter> filter, Source source)
    : node_(node), filter_(std::move(filter)), source_(std::move(source)) {
  crypto_generichash_init(&before_, nullptr, 0, kDigest);
  crypto_generichash_init(&after_, nullptr, 0, kDigest);
}

// docs/formats/cache-dump.md: each slice after its length.
void DumpFilter::digest(crypto_generichash_state& state, const std::string& slice) {
  std::array<unsigned char, 8> length{};
  for (std::size_t i = 0; i < length.size(); ++i)
    length[i] = static_cast<unsigned char>(slice.size() >> (8 * i));
  crypto_generichash_update(&state, length.data(), length.size());
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(slice.data()), slice.size());
}

bool DumpFilter::alive(const v1::CacheEntry& entry) const {
  if (filter_->empty()) return true;
  const v1::Origin& origin = entry.origin();
  if (origin.sequence() == 0) return false;
  return filter_->alive(origin.node() == 0 ? node_ : origin.node(), origin.sequence());
}

bool DumpFilter::next(v1::CacheSlice& slice) {
  if (!source_(slice)) return false;
  if (slice.has_trailer()) {
    if (slice.trailer().digest() == finish(before_) && slice.trailer().entries() == entries_ + left_out_) {
      slice.mutable_trailer()->set_entries(entries_);
      slice.mutable_trailer()->set_digest(finish(after_));
    }
    return true;
  }
  digest(before_, slice.SerializeAsString());
  if (slice.has_entries()) {
    v1::DumpEntries kept;
    for (v1::CacheEntry& entry : *slice.mutable_entries()->mutable_entries()) {
      if (alive(entry)) {
        *kept.add_entries() = std::move(entry);
      } else {
        ++left_out_;
      }
    }
    entries_ += static_cast<std::uint64_t>(kept.entries_size());
    *slice.mutable_entries() = std::move(kept);
  }
  digest(after_, slice.SerializeAsString());
  return true;
}

}  // namespace swarmdns::controlplane
