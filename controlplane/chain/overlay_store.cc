#include "controlplane/chain/overlay_store.h"

#include "controlplane/chain/draft.h"

namespace swarmdns::controlplane {

std::expected<std::optional<std::string>, std::string> OverlayStore::get(std::string_view key) const {
  auto value = state_.get(key);
  if (const std::string& failure = state_.failure(); !failure.empty()) return std::unexpected(failure);
  return value;
}

std::expected<void, std::string> OverlayStore::scan(
    std::string_view prefix, const std::function<bool(std::string_view, std::string_view)>& visit) const {
  state_.scan(prefix, visit);
  if (const std::string& failure = state_.failure(); !failure.empty()) return std::unexpected(failure);
  return {};
}

std::expected<void, std::string> OverlayStore::scan_bucket(std::uint16_t bucket, const Row& row) const {
  return ViewBuckets(below_, state_).scan_bucket(bucket, row);
}

std::expected<Tile, std::string> OverlayStore::tile(TileId id) const {
  if (const auto at = tiles_.find(id); at != tiles_.end()) return at->second;
  return below_.tile(id);
}

std::expected<void, std::string> OverlayStore::write(const BlockWrite& block) {
  applied_ = block.log_index;
  if (!block.header) return {};
  tip_ = block.header;
  for (const auto& [id, tile] : block.tiles) tiles_[id] = tile;
  for (const auto& [key, value] : block.state) value ? state_.put(key, *value) : state_.erase(key);
  return {};
}

}  // namespace swarmdns::controlplane
