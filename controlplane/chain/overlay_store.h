// What would be in a store if some blocks were applied: changes in memory over a store that is only read. For
// judging blocks before they are taken. Reactor thread.
#pragma once

#include <map>
#include <string>

#include "controlplane/chain/chain_store.h"

namespace swarmdns::controlplane {

class OverlayStore final : public ChainStore {
 public:
  explicit OverlayStore(const ChainStore& below)
      : below_(below), applied_(below.applied_index()), tip_(below.tip()), state_(below) {}

  std::expected<std::optional<std::string>, std::string> get(std::string_view key) const override;
  std::expected<void, std::string> scan(
      std::string_view prefix,
      const std::function<bool(std::string_view, std::string_view)>& visit) const override;
  std::expected<void, std::string> scan_bucket(std::uint16_t bucket, const Row& row) const override;
  std::expected<Tile, std::string> tile(TileId id) const override;
  std::uint64_t applied_index() const override { return applied_; }
  std::optional<BlockHeader> tip() const override { return tip_; }
  std::expected<void, std::string> write(const BlockWrite& block) override;
  std::expected<void, std::string> sync() override { return {}; }
  std::expected<std::optional<v1::BlockRecord>, std::string> block(std::uint64_t height) const override {
    return below_.block(height);
  }
  std::expected<std::optional<v1::Leaf>, std::string> leaf(std::uint64_t index) const override {
    return below_.leaf(index);
  }
  std::expected<void, std::string> put_checkpoint(std::uint64_t, const std::string&) override { return {}; }
  std::expected<std::optional<std::string>, std::string> checkpoint(std::uint64_t height) const override {
    return below_.checkpoint(height);
  }

 private:
  const ChainStore& below_;
  std::uint64_t applied_;
  std::optional<BlockHeader> tip_;
  StateView state_;
  std::map<TileId, Tile> tiles_;
};

}  // namespace swarmdns::controlplane
