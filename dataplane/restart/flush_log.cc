#include "dataplane/restart/flush_log.h"

#include <algorithm>
#include <utility>

namespace swarmdns::restart {

bool FlushLog::View::dead(const cache::Entry& entry, const cache::Origin& origin) const {
  return all_ || std::ranges::any_of(
                     *scopes_, [&](const auto& scope) { return cache::in_scope(entry, origin, *scope); });
}

void FlushLog::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
}

void FlushLog::close() {
  const std::lock_guard lock(mutex_);
  open_ = false;
  all_ = false;
  ranges_ = 0;
  scopes_ = std::make_shared<const Scopes>();
}

void FlushLog::note(const cache::FlushScope& scope) {
  const std::lock_guard lock(mutex_);
  if (!open_ || all_) return;
  ranges_ += scope.origins.ranges();
  if (scope.kind == cache::FlushScope::Kind::All || scopes_->size() >= kMostFlushes ||
      ranges_ > kMostRanges) {
    all_ = true;
    scopes_ = std::make_shared<const Scopes>();
    return;
  }
  auto scopes = std::make_shared<Scopes>(*scopes_);
  scopes->push_back(std::make_shared<const cache::FlushScope>(scope));
  scopes_ = std::move(scopes);
}

void FlushLog::through() const {
  if (through_) through_();
}

FlushLog::View FlushLog::view() const {
  const std::lock_guard lock(mutex_);
  View view;
  view.all_ = all_;
  view.scopes_ = scopes_;
  return view;
}

}  // namespace swarmdns::restart
