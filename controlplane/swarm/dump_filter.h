// A dump of this node's own cache on its way back into it, without what fences have declared dead since. Its
// owner's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <sodium.h>

#include "controlplane/swarm/fences.h"
#include "swarmdns/v1/dataplane.pb.h"

namespace swarmdns::controlplane {

class DumpFilter {
 public:
  using Source = std::function<bool(v1::CacheSlice&)>;
  // `node`: this node's number, which the dump calls 0. Answers whose origin is not known are left out once
  // there was a fence.
  DumpFilter(std::uint64_t node, std::shared_ptr<const FenceFilter> filter, Source source);

  // The next slice for the data plane's Load, false at the end. The trailer is made anew, and only if that of
  // the source was right: else it stays as it is, and the data plane refuses it all.
  bool next(v1::CacheSlice& slice);
  std::uint64_t left_out() const { return left_out_; }

 private:
  static void digest(crypto_generichash_state& state, const std::string& slice);
  bool alive(const v1::CacheEntry& entry) const;

  const std::uint64_t node_;
  const std::shared_ptr<const FenceFilter> filter_;
  const Source source_;
  crypto_generichash_state before_;  // of the source's slices
  crypto_generichash_state after_;   // of those given on
  std::uint64_t entries_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace swarmdns::controlplane
