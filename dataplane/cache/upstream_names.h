// Names of the upstreams that answers came from, by small numbers: the journal keeps a number, and whoever
// reads it the name, also when the configuration names others by then. Numbers are never given twice. Any
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace swarmdns::cache {

using UpstreamId = std::uint16_t;  // 0: no upstream

class UpstreamNames {
 public:
  // The same name has the same number. 0 when 65,535 others have one already.
  [[nodiscard]] UpstreamId id_of(std::string_view name);
  // "" for 0 and numbers never given.
  [[nodiscard]] std::string name_of(UpstreamId id) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, UpstreamId, std::less<>> ids_;
  std::vector<std::string> names_;  // of 1, 2, ...
};

}  // namespace swarmdns::cache
