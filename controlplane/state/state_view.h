// The replicated state as apply() sees it: an ordered map of octet strings, with the changes of the block
// that is being applied on top. Reactor thread.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace swarmdns::controlplane {

// What is kept: the store, or a map in tests. Throws nothing; a store that cannot be read answers with an
// error sentence, and the block is not applied.
class StateSource {
 public:
  virtual ~StateSource() = default;
  virtual std::expected<std::optional<std::string>, std::string> get(std::string_view key) const = 0;
  // Keys that begin with `prefix`, ascending; `visit` returns false to end it.
  virtual std::expected<void, std::string> scan(
      std::string_view prefix,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const = 0;
};

class StateView {
 public:
  explicit StateView(const StateSource& below) : below_(below) {}

  std::optional<std::string> get(std::string_view key) const;
  void put(std::string key, std::string value);
  void erase(std::string key);
  // With this view's changes; what `visit` changes meanwhile may or may not be met.
  void scan(std::string_view prefix,
            const std::function<bool(std::string_view key, std::string_view value)>& visit) const;

  // Of a key that was changed: its value, or nothing when it was erased.
  using Changes = std::map<std::string, std::optional<std::string>, std::less<>>;
  const Changes& changes() const { return changes_; }

  // Changes made since savepoint() are taken back by rollback(), kept by forget().
  void savepoint();
  void rollback();
  void forget() { undo_.clear(); }

  // The first error of what lies below; nothing that was read after it is to be trusted.
  const std::string& failure() const { return failure_; }

 private:
  void remember(const std::string& key);

  struct Undo {
    bool changed = false;  // was in changes_ before
    std::optional<std::string> value;
  };

  const StateSource& below_;
  Changes changes_;
  std::map<std::string, Undo, std::less<>> undo_;
  bool in_savepoint_ = false;
  mutable std::string failure_;
};

}  // namespace swarmdns::controlplane
