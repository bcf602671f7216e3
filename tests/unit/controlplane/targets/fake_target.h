// A target that fails as it is told, and counts what it is asked.
#pragma once

#include <deque>
#include <functional>

#include "controlplane/targets/target.h"

namespace swarmdns::controlplane {

class FakeTarget final : public Target {
 public:
  using Kind = TargetError::Kind;

  std::deque<Kind> failures;  // of the calls to come; then they succeed
  std::function<void()> called;
  int calls = 0;
  std::vector<std::string> names;        // what list() gives
  std::size_t names_before_failure = 0;  // so many of them come before list() fails

  const std::string& description() const override { return description_; }
  TargetResult<void> put(const std::string& name, std::span<const std::byte>, const PutOptions&) override {
    return done("put " + name);
  }
  TargetResult<std::vector<std::byte>> get(const std::string& name, std::uint64_t,
                                           std::uint64_t bytes) override {
    if (auto result = done("get " + name); !result) return std::unexpected(result.error());
    return std::vector<std::byte>(bytes);
  }
  TargetResult<ObjectInfo> head(const std::string& name) override {
    if (auto result = done("head " + name); !result) return std::unexpected(result.error());
    return ObjectInfo{name, 1, 0};
  }
  TargetResult<void> list(const std::string&, const std::function<bool(const ObjectInfo&)>& each) override {
    const auto result = done("list");
    for (std::size_t i = 0; i < (result ? names.size() : names_before_failure); ++i) {
      if (!each({names[i], 1, 0})) return {};
    }
    return result;
  }
  TargetResult<void> remove(const std::string& name) override { return done("remove " + name); }
  TargetResult<std::uint64_t> sweep(std::int64_t) override {
    if (auto result = done("sweep"); !result) return std::unexpected(result.error());
    return 7;
  }

 private:
  TargetResult<void> done(const std::string& doing) {
    ++calls;
    if (called) called();
    if (failures.empty()) return {};
    const Kind kind = failures.front();
    failures.pop_front();
    return std::unexpected(TargetError{kind, "fake: cannot " + doing});
  }

  const std::string description_ = "fake";
};

}  // namespace swarmdns::controlplane
