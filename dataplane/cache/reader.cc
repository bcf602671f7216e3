#include "dataplane/cache/reader.h"

namespace swarmdns::cache {

const Entry* Reader::find_beside(std::uint64_t hash, const Key& key) const noexcept {
  return table_.find(hash, key);
}

}  // namespace swarmdns::cache
