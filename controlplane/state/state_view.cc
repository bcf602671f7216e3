#include "controlplane/state/state_view.h"

#include <vector>

namespace swarmdns::controlplane {

std::optional<std::string> StateView::get(std::string_view key) const {
  if (const auto changed = changes_.find(key); changed != changes_.end()) return changed->second;
  auto value = below_.get(key);
  if (!value) {
    if (failure_.empty()) failure_ = value.error();
    return std::nullopt;
  }
  return std::move(*value);
}

void StateView::remember(const std::string& key) {
  if (!in_savepoint_ || undo_.contains(key)) return;
  const auto changed = changes_.find(key);
  undo_[key] = changed == changes_.end() ? Undo{} : Undo{true, changed->second};
}

void StateView::put(std::string key, std::string value) {
  remember(key);
  changes_[std::move(key)] = std::move(value);
}

void StateView::erase(std::string key) {
  remember(key);
  changes_[std::move(key)] = std::nullopt;
}

void StateView::savepoint() {
  undo_.clear();
  in_savepoint_ = true;
}

void StateView::rollback() {
  for (auto& [key, undo] : undo_) {
    if (undo.changed) {
      changes_[key] = std::move(undo.value);
    } else {
      changes_.erase(key);
    }
  }
  undo_.clear();
  in_savepoint_ = false;
}

void StateView::scan(std::string_view prefix,
                     const std::function<bool(std::string_view key, std::string_view value)>& visit) const {
  // Both are ordered: a merge, in which what was changed hides what lies below.
  auto changed = changes_.lower_bound(prefix);
  const auto is_ours = [&] { return changed != changes_.end() && changed->first.starts_with(prefix); };
  bool ended = false;
  const auto show_changed = [&] {
    if (changed->second && !visit(changed->first, *changed->second)) ended = true;
    ++changed;
  };
  const auto scanned = below_.scan(prefix, [&](std::string_view key, std::string_view value) {
    while (!ended && is_ours() && changed->first < key) show_changed();
    if (ended) return false;
    if (is_ours() && changed->first == key) {
      show_changed();
    } else if (!visit(key, value)) {
      ended = true;
    }
    return !ended;
  });
  if (!scanned && failure_.empty()) failure_ = scanned.error();
  while (!ended && is_ours()) show_changed();
}

}  // namespace swarmdns::controlplane
