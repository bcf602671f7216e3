// What was flushed and fenced off since this data plane started, for entries that come into the cache only
// now though they are older: those of the restart snapshot. Any thread.
//
// Order is what it is about: a flush is noted before it is commanded, so that whoever reads the cache's epoch
// first, then this log, and inserts with that epoch, either knows of the flush or is refused by the epoch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "dataplane/cache/cache.h"

namespace swarmdns::restart {

class FlushLog {
 public:
  static constexpr std::size_t kMostFlushes = 1024;
  static constexpr std::size_t kMostRanges = 1 << 20;  // of all fences

  using Scopes = std::vector<std::shared_ptr<const cache::FlushScope>>;
  class View {
   public:
    // A flush since then took such an entry away; or there were more than this log holds.
    [[nodiscard]] bool dead(const cache::Entry& entry, const cache::Origin& origin) const;
    [[nodiscard]] bool all_dead() const noexcept { return all_; }

   private:
    friend class FlushLog;
    bool all_ = false;
    std::shared_ptr<const Scopes> scopes_;
  };

  // From now on it takes notes; before, and after close(), it does not.
  void open();
  void close();
  void note(const cache::FlushScope& scope);
  // A flush is through, and whoever asked for it is about to be told.
  void through() const;
  // Called then. Set before the first flush can come.
  void on_through(std::function<void()> listener) { through_ = std::move(listener); }
  [[nodiscard]] View view() const;

 private:
  std::function<void()> through_;
  mutable std::mutex mutex_;
  bool open_ = false;
  bool all_ = false;
  std::size_t ranges_ = 0;
  std::shared_ptr<const Scopes> scopes_ = std::make_shared<const Scopes>();
};

}  // namespace swarmdns::restart
