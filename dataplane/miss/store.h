// What the miss engine needs of the cache: to look an entry up, to hand one in, and to know of flushes.
#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/cache/entry.h"
#include "dataplane/cache/image.h"
#include "dataplane/cache/key.h"
#include "dataplane/cache/upstream_names.h"

namespace swarmdns::miss {

class Store {
 public:
  virtual ~Store() = default;
  [[nodiscard]] virtual std::uint64_t hash(const cache::Key& key) const noexcept = 0;
  // Valid until quiescent() or offline().
  [[nodiscard]] virtual const cache::Entry* find(const cache::Key& key) const noexcept = 0;
  // A number for an upstream: "ADDRESS@PORT".
  [[nodiscard]] virtual cache::UpstreamId upstream_id(std::string_view name) = 0;
  // Hands it to the cache's writer, which drops it (and counts it) when it is behind, and refuses it when a
  // flush has come since the epoch in which the question was asked. `upstream`: who said so; 0: nobody.
  virtual void submit(const cache::EntryImage& image, std::uint16_t asked_epoch,
                      cache::UpstreamId upstream) = 0;
  // Raised by every flush.
  [[nodiscard]] virtual std::uint16_t epoch() const noexcept = 0;
  virtual void quiescent() noexcept = 0;
  virtual void offline() noexcept = 0;
  virtual void online() noexcept = 0;
};

}  // namespace swarmdns::miss
