#include "dataplane/cache/upstream_names.h"

#include <limits>

namespace swarmdns::cache {

UpstreamId UpstreamNames::id_of(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (const auto known = ids_.find(name); known != ids_.end()) return known->second;
  if (names_.size() == std::numeric_limits<UpstreamId>::max()) return 0;
  names_.emplace_back(name);
  const auto id = static_cast<UpstreamId>(names_.size());
  ids_.emplace(name, id);
  return id;
}

std::string UpstreamNames::name_of(UpstreamId id) const {
  const std::lock_guard lock(mutex_);
  return id == 0 || id > names_.size() ? std::string() : names_[id - 1U];
}

}  // namespace swarmdns::cache
