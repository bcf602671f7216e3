#include "dataplane/control/configurator.h"

#include "dataplane/control/convert.h"
#include "dataplane/control/cookie_secrets.h"
#include "proto/config/check.h"
#include "proto/config/defaults.h"
#include "proto/config/diff.h"
#include "proto/config/store.h"

namespace swarmdns::control {

std::string last_applied_path(const std::string& state_dir) {
  return state_dir + "/dataplane.json";
}

std::expected<v1::DataplaneConfig, std::string> checked(v1::DataplaneConfig config) {
  config::fill_defaults(config);
  const std::vector<config::Problem> problems = config::check(config);
  if (problems.empty()) return config;
  std::string text;
  for (const config::Problem& problem : problems) {
    if (!text.empty()) text += '\n';
    text += problem.path + ": " + problem.text;
  }
  return std::unexpected(text);
}

std::expected<std::unique_ptr<Configurator>, std::string> Configurator::create(
    v1::DataplaneConfig in_force, std::vector<net::MacAddress> macs, std::int64_t now) {
  std::unique_ptr<Configurator> self(new Configurator);
  self->state_dir_ = in_force.state_dir();
  auto secrets = kept_secrets(self->state_dir_, now);
  if (!secrets) return std::unexpected(secrets.error());
  self->secrets_ = std::move(*secrets);
  self->limiter_ = guard::RateLimiter::create(rate_limit_options(in_force));
  self->macs_ = std::move(macs);
  self->stored_ = in_force;
  self->in_force_ = std::move(in_force);
  return self;
}

std::expected<LiveParts, std::string> Configurator::build(
    const v1::DataplaneConfig& config, const std::vector<guard::CookieSecret>& secrets) const {
  LiveParts parts;
  auto policy = build_policy(config, secrets, limiter_, macs_);
  if (!policy) return std::unexpected(policy.error());
  auto miss = miss_options(config);
  if (!miss) return std::unexpected(miss.error());
  parts.policy = std::move(*policy);
  parts.miss = std::make_shared<const miss::Options>(std::move(*miss));
  parts.stream = std::make_shared<const stream::Options>(stream_options(config));
  parts.stale_max_s = config.cache().stale_max_s();
  return parts;
}

std::expected<LiveParts, std::string> Configurator::first_parts() {
  const std::lock_guard lock(mutex_);
  return build(in_force_, secrets_);
}

std::expected<void, std::string> Configurator::attach(LiveTarget& target) {
  const std::lock_guard lock(mutex_);
  target_ = &target;
  return config::write_dataplane_config(last_applied_path(state_dir_), stored_);
}

std::expected<Configurator::Outcome, std::string> Configurator::configure(const v1::DataplaneConfig& wanted,
                                                                          bool check_only) {
  auto good = checked(wanted);
  if (!good) return std::unexpected(good.error());
  const std::lock_guard lock(mutex_);
  const v1::DataplaneConfig merged = config::with_live_changes(in_force_, *good);
  auto parts = build(merged, secrets_);
  if (!parts) return std::unexpected(parts.error());
  // What only the next start will use must be sound as well: it may happen with nobody there to mend it.
  if (auto next = build(*good, secrets_); !next) return std::unexpected(next.error());
  if (auto limits = miss_limits(*good); !limits) return std::unexpected(limits.error());

  Outcome outcome;
  outcome.applied = config::paths_of(config::diff(in_force_, merged), v1::LIVE);
  for (const config::Change& change : config::diff(merged, *good))
    outcome.restart_required.push_back(change.path);
  if (check_only) return outcome;

  if (auto stored = config::write_dataplane_config(last_applied_path(state_dir_), *good); !stored) {
    return std::unexpected(stored.error());
  }
  limiter_->set_rates(rate_limit_options(merged));
  target_->swap(std::move(*parts));
  in_force_ = merged;
  stored_ = std::move(*good);
  return outcome;
}

std::expected<void, std::string> Configurator::roll_secrets(std::int64_t now) {
  const std::lock_guard lock(mutex_);
  auto secrets = kept_secrets(state_dir_, now);
  if (!secrets) return std::unexpected(secrets.error());
  if (*secrets == secrets_) return {};
  auto parts = build(in_force_, *secrets);
  if (!parts) return std::unexpected(parts.error());
  secrets_ = std::move(*secrets);
  target_->swap(std::move(*parts));
  return {};
}

v1::DataplaneConfig Configurator::in_force() const {
  const std::lock_guard lock(mutex_);
  return in_force_;
}

std::vector<std::string> Configurator::restart_required() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> paths;
  for (const config::Change& change : config::diff(in_force_, stored_)) paths.push_back(change.path);
  return paths;
}

}  // namespace swarmdns::control
