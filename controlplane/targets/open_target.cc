#include "controlplane/targets/open_target.h"

#include <unistd.h>

#include <utility>
#include <vector>

#include "controlplane/targets/directory.h"
#include "controlplane/targets/s3_credentials.h"
#include "controlplane/targets/throttled.h"
#include "proto/config/check.h"
#include "proto/config/defaults.h"

namespace swarmdns::controlplane {
namespace {

using Opened = std::expected<std::unique_ptr<Target>, std::string>;

std::unexpected<std::string> refused(const TargetSettings& settings, const std::string& why) {
  return std::unexpected("backup target " + settings.name + ": " + why);
}

Opened open_directory(const TargetSettings& settings) {
  if (!settings.path.starts_with('/')) return refused(settings, "path: write the folder's absolute path");
  for (const auto& [field, set] : {std::pair("url", !settings.url.empty()),
                                   {"bucket", !settings.bucket.empty()},
                                   {"credentials_file", !settings.credentials_file.empty()}}) {
    if (set)
      return refused(settings,
                     std::string(field) + ": a directory has none; leave it out, or set kind to s3");
  }
  if (settings.object_lock_days != 0) {
    return refused(settings, "object_lock_days: a directory has no object lock; leave it out");
  }
  return std::make_unique<DirectoryTarget>(
      DirectorySettings{settings.name, settings.path, settings.mount_point});
}

Opened open_s3(const TargetSettings& settings, std::stop_token stop) {
  if (!settings.path.empty())
    return refused(settings, "path: an S3 store has none; leave it out, or set kind to directory");
  for (const auto& [field, value] : {std::pair("url", &settings.url),
                                     {"bucket", &settings.bucket},
                                     {"credentials_file", &settings.credentials_file},
                                     {"s3_region", &settings.s3_region}}) {
    if (value->empty()) return refused(settings, std::string(field) + ": an S3 store needs it");
  }
  if (settings.part_mib < 5 || settings.part_mib > 256) return refused(settings, "part_mib: 5 to 256");
  if (!settings.prefix.empty() && !valid_object_name(settings.prefix)) {
    return refused(settings, "prefix: 1 to 200 of a-z 0-9 . _ / -, and no slash at either end");
  }
  auto urls = S3Urls::make(settings.url, settings.bucket, settings.style);
  if (!urls) return refused(settings, urls.error());
  if (!settings.ca_file.empty() && access(settings.ca_file.c_str(), R_OK) != 0) {
    return refused(settings, "ca_file: cannot read " + settings.ca_file);
  }
  auto write = read_s3_credentials(settings.credentials_file);
  if (!write) return refused(settings, "credentials_file: " + write.error());
  S3Access access{std::move(*write), std::nullopt};
  if (!settings.delete_credentials_file.empty()) {
    auto remove = read_s3_credentials(settings.delete_credentials_file);
    if (!remove) return refused(settings, "delete_credentials_file: " + remove.error());
    access.remove = std::move(*remove);
  }
  S3Settings s3;
  s3.description = "s3 " + settings.name + " (" + settings.url + ", bucket " + settings.bucket + ")";
  s3.prefix = settings.prefix.empty() ? "" : settings.prefix + "/";
  s3.lock_mode = settings.lock_mode;
  s3.part_bytes = std::uint64_t{settings.part_mib} << 20;
  s3.http.region = settings.s3_region;
  s3.http.ca_file = settings.ca_file;
  s3.http.bytes_per_s = settings.bandwidth_kib_s << 10;
  return std::make_unique<S3Target>(std::move(s3), std::move(*urls), std::move(access), std::move(stop));
}

}  // namespace

std::expected<TargetSettings, std::string> target_settings(v1::BackupTargetConfig config) {
  config::fill_schema_defaults(config);
  std::vector<config::Problem> problems;
  config::check_fields(config, "", problems);
  if (!problems.empty()) {
    return std::unexpected("backup target " + config.name() + ": " + problems[0].path + ": " +
                           problems[0].text);
  }
  TargetSettings settings;
  settings.name = config.name();
  settings.kind =
      config.kind() == v1::BACKUP_TARGET_S3 ? TargetSettings::Kind::kS3 : TargetSettings::Kind::kDirectory;
  settings.region = config.region();
  settings.bandwidth_kib_s = config.bandwidth_kib_s();
  settings.path = config.path();
  settings.mount_point = config.mount_point();
  settings.url = config.url();
  settings.bucket = config.bucket();
  settings.prefix = config.prefix();
  settings.s3_region = config.s3_region();
  settings.style = config.style() == v1::BACKUP_S3_VIRTUAL_HOST ? S3Style::kVirtualHost : S3Style::kPath;
  settings.credentials_file = config.credentials_file();
  settings.delete_credentials_file = config.delete_credentials_file();
  settings.ca_file = config.ca_file();
  settings.part_mib = config.part_mib();
  settings.object_lock_days = config.object_lock_days();
  settings.lock_mode = config.object_lock_mode() == v1::BACKUP_LOCK_COMPLIANCE ? S3LockMode::kCompliance
                                                                               : S3LockMode::kGovernance;
  return settings;
}

std::expected<std::unique_ptr<Target>, std::string> open_target(const TargetSettings& settings,
                                                                std::stop_token stop,
                                                                const RetryPolicy& policy) {
  // Less would count as a connection that stalls.
  if (settings.bandwidth_kib_s != 0 && settings.bandwidth_kib_s < 16) {
    return refused(settings, "bandwidth_kib_s: 0 (no limit) or at least 16");
  }
  Opened target =
      settings.kind == TargetSettings::Kind::kS3 ? open_s3(settings, stop) : open_directory(settings);
  if (!target) return target;
  if (settings.bandwidth_kib_s != 0) {
    target = std::make_unique<ThrottledTarget>(std::move(*target), settings.bandwidth_kib_s << 10, stop);
  }
  return std::make_unique<RetryingTarget>(std::move(*target), policy, std::move(stop));
}

}  // namespace swarmdns::controlplane
