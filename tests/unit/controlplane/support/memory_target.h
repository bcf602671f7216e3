// A target in memory that fails when it is told to.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/targets/target.h"

namespace swarmdns::controlplane {

class MemoryTarget : public Target {
 public:
  explicit MemoryTarget(std::string description = "memory") : description_(std::move(description)) {}

  // Asked before each call: "put", "get", "head", "list", "remove"; its error is the call's.
  std::function<TargetResult<void>(std::string_view call, const std::string& name)> fault;
  std::map<std::string, std::vector<std::byte>> objects;
  std::uint64_t puts = 0;
  std::uint64_t octets_got = 0;

  const std::string& description() const override { return description_; }

  TargetResult<void> put(const std::string& name, std::span<const std::byte> octets,
                         const PutOptions& options = {}) override {
    if (auto done = asked("put", name); !done) return done;
    ++puts;
    const auto [at, fresh] = objects.try_emplace(name, octets.begin(), octets.end());
    if (fresh || std::ranges::equal(at->second, octets)) return {};
    if (!options.replace) return failure(TargetError::Kind::kExists, name + " is there with other octets");
    at->second.assign(octets.begin(), octets.end());
    return {};
  }

  TargetResult<std::vector<std::byte>> get(const std::string& name, std::uint64_t offset,
                                           std::uint64_t bytes) override {
    if (auto done = asked("get", name); !done) return std::unexpected(done.error());
    const auto found = objects.find(name);
    if (found == objects.end()) return failure(TargetError::Kind::kNotFound, "there is no " + name);
    const auto& octets = found->second;
    if (offset > octets.size() || bytes > octets.size() - offset)
      return failure(TargetError::Kind::kBroken, name + " ends too early");
    octets_got += bytes;
    const auto begin = octets.begin() + static_cast<std::ptrdiff_t>(offset);
    return std::vector<std::byte>(begin, begin + static_cast<std::ptrdiff_t>(bytes));
  }

  TargetResult<ObjectInfo> head(const std::string& name) override {
    if (auto done = asked("head", name); !done) return std::unexpected(done.error());
    const auto found = objects.find(name);
    if (found == objects.end()) return failure(TargetError::Kind::kNotFound, "there is no " + name);
    return ObjectInfo{.name = name, .bytes = found->second.size()};
  }

  TargetResult<void> list(const std::string& prefix,
                          const std::function<bool(const ObjectInfo&)>& each) override {
    if (auto done = asked("list", prefix); !done) return done;
    for (const auto& [name, octets] : objects)
      if (name.starts_with(prefix) && !each({.name = name, .bytes = octets.size()})) break;
    return {};
  }

  TargetResult<void> remove(const std::string& name) override {
    if (auto done = asked("remove", name); !done) return done;
    objects.erase(name);
    return {};
  }

  TargetResult<std::uint64_t> sweep(std::int64_t) override { return 0; }

  // Names with that prefix.
  std::vector<std::string> names(const std::string& prefix) const {
    std::vector<std::string> all;
    for (const auto& [name, octets] : objects)
      if (name.starts_with(prefix)) all.push_back(name);
    return all;
  }

  static std::unexpected<TargetError> failure(TargetError::Kind kind, std::string what) {
    return std::unexpected(TargetError{kind, std::move(what)});
  }

 private:
  TargetResult<void> asked(std::string_view call, const std::string& name) const {
    return fault ? fault(call, name) : TargetResult<void>();
  }

  std::string description_;
};

// Opened once; until then whoever comes waits.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

}  // namespace swarmdns::controlplane
