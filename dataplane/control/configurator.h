// The configuration in force and how it is changed while the data plane runs: everything is checked and built
// first, stored, and only then swapped, so that a refusal leaves all as it was.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "dataplane/guard/cookies.h"
#include "dataplane/guard/rate_limit.h"
#include "dataplane/miss/options.h"
#include "dataplane/net/address.h"
#include "dataplane/stream/options.h"
#include "dataplane/worker/policy.h"
#include "swarmdns/v1/config.pb.h"

namespace swarmdns::control {

// All that a live change replaces, built and ready.
struct LiveParts {
  std::unique_ptr<worker::Policy> policy;
  std::shared_ptr<const miss::Options> miss;
  std::shared_ptr<const stream::Options> stream;
  std::uint32_t stale_max_s = 0;  // for the cache's writer
};

// Puts new parts in force. Supplied by the wiring; cannot fail. Called by one control thread at a time;
// returns when no thread can still see the old ones.
class LiveTarget {
 public:
  virtual ~LiveTarget() = default;
  virtual void swap(LiveParts parts) = 0;
};

// `config` with its defaults, if it may be used at all; else every problem, a line each: "FIELD: what, and
// the mend".
[[nodiscard]] std::expected<v1::DataplaneConfig, std::string> checked(v1::DataplaneConfig config);

// Any slow thread, several at a time.
class Configurator {
 public:
  struct Outcome {
    std::vector<std::string> applied;           // field paths now in force
    std::vector<std::string> restart_required;  // field paths stored for the next start
  };

  // `in_force`: as it came out of checked(). Makes the rate limiter's table and the cookie secrets. `now`:
  // Unix seconds.
  [[nodiscard]] static std::expected<std::unique_ptr<Configurator>, std::string> create(
      v1::DataplaneConfig in_force, std::vector<net::MacAddress> macs, std::int64_t now);

  // The parts to start with. Once, before attach().
  [[nodiscard]] std::expected<LiveParts, std::string> first_parts();
  // From now on changes go there; stores the configuration in force as the last applied one. The target must
  // outlive the last call of configure() and roll_secrets().
  [[nodiscard]] std::expected<void, std::string> attach(LiveTarget& target);

  // The error lists every problem; nothing has changed then.
  [[nodiscard]] std::expected<Outcome, std::string> configure(const v1::DataplaneConfig& wanted,
                                                              bool check_only);

  // Makes a new cookie secret when it is time. Call it about every hour.
  [[nodiscard]] std::expected<void, std::string> roll_secrets(std::int64_t now);

  [[nodiscard]] v1::DataplaneConfig in_force() const;
  [[nodiscard]] std::vector<std::string> restart_required() const;

 private:
  Configurator() = default;
  [[nodiscard]] std::expected<LiveParts, std::string> build(
      const v1::DataplaneConfig& config, const std::vector<guard::CookieSecret>& secrets) const;

  mutable std::mutex mutex_;
  LiveTarget* target_ = nullptr;
  v1::DataplaneConfig in_force_;
  v1::DataplaneConfig stored_;  // in_force_ and what waits for a restart
  std::string state_dir_;       // where this process keeps its files, whatever the next one will do
  std::vector<net::MacAddress> macs_;
  std::vector<guard::CookieSecret> secrets_;
  std::shared_ptr<guard::RateLimiter> limiter_;
};

[[nodiscard]] std::string last_applied_path(const std::string& state_dir);

}  // namespace swarmdns::control
