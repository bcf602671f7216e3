// From settings to a target that is ready for work: its kind, tried again where that helps, at the pace
// allowed.
#pragma once

#include <expected>
#include <memory>
#include <stop_token>
#include <string>

#include "controlplane/targets/retrying.h"
#include "controlplane/targets/s3.h"
#include "controlplane/targets/target.h"
#include "swarmdns/v1/backup_targets.pb.h"

namespace swarmdns::controlplane {

// proto/swarmdns/v1/backup_targets.proto says what each is for and what it may be.
struct TargetSettings {
  enum class Kind : std::uint8_t { kDirectory, kS3 };

  std::string name;
  Kind kind = Kind::kDirectory;
  std::string region;
  std::uint64_t bandwidth_kib_s = 0;

  std::string path;
  bool mount_point = false;

  std::string url;
  std::string bucket;
  std::string prefix;  // with no slash at its end
  std::string s3_region = "us-east-1";
  S3Style style = S3Style::kPath;
  std::string credentials_file;
  std::string delete_credentials_file;
  std::string ca_file;
  std::uint32_t part_mib = 64;
  std::uint32_t object_lock_days = 0;  // for those who put: see PutOptions::locked_until_ms
  S3LockMode lock_mode = S3LockMode::kGovernance;
};

// The errors of both name target and field, and say what is allowed.
// Rules of the schema are checked here; what fields ask of each other, and files, by open_target().
std::expected<TargetSettings, std::string> target_settings(v1::BackupTargetConfig config);

// Reads the credentials; asks nothing of the place itself. `stop` ends what waits or is under way (but a
// system call on a folder) with kCancelled, and all that is asked of the target after it.
std::expected<std::unique_ptr<Target>, std::string> open_target(const TargetSettings& settings,
                                                                std::stop_token stop,
                                                                const RetryPolicy& policy = {});

}  // namespace swarmdns::controlplane
