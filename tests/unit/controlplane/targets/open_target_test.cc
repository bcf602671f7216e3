#include "controlplane/targets/open_target.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/unit/controlplane/targets/s3_fixture.h"
#include "tests/unit/controlplane/targets/target_contract.h"
#include "tests/unit/controlplane/targets/temporary_folder.h"

namespace swarmdns::controlplane {
namespace {

v1::BackupTargetConfig config_of(const std::string& text) {
  v1::BackupTargetConfig config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config)) << text;
  return config;
}

std::string credentials(const TemporaryFolder& folder, const std::string& name, const char* key,
                        const char* secret) {
  const std::string path = folder / name;
  std::ofstream(path) << "aws_access_key_id = " << key << "\naws_secret_access_key = " << secret << "\n";
  chmod(path.c_str(), 0600);
  return path;
}

std::string error_of(const std::string& text) {
  const auto settings = target_settings(config_of(text));
  if (!settings) return settings.error();
  const auto target = open_target(*settings, {});
  return target ? "" : target.error();
}

}  // namespace

TEST(OpenTarget, ADirectory) {
  TemporaryFolder folder;
  const auto settings =
      target_settings(config_of("name: 'usb' kind: BACKUP_TARGET_DIRECTORY region: 'cellar' "
                                "bandwidth_kib_s: 1000000 path: '" +
                                folder.path() + "'"));
  ASSERT_TRUE(settings) << settings.error();
  const auto target = open_target(*settings, {}, {.first_wait_ms = 1});
  ASSERT_TRUE(target) << target.error();
  keeps_the_contract(**target);
  EXPECT_EQ((*target)->description(), "directory usb (" + folder.path() + ")");
}

TEST(OpenTarget, AnS3Store) {
  TemporaryFolder folder;
  Store store;
  store.bucket.delete_key = true;
  const auto settings = target_settings(
      config_of("name: 'eu' kind: BACKUP_TARGET_S3 region: 'Frankfurt' url: '" + store.http.url() +
                "' bucket: 'swarm' prefix: 'node/backups' s3_region: 'eu-test-1' credentials_file: '" +
                credentials(folder, "write", Bucket::kKey, Bucket::kSecret) + "' delete_credentials_file: '" +
                credentials(folder, "delete", Bucket::kDeleteKey, Bucket::kDeleteSecret) + "'"));
  ASSERT_TRUE(settings) << settings.error();
  EXPECT_EQ(settings->region, "Frankfurt");
  EXPECT_EQ(settings->part_mib, 64u);
  const auto target = open_target(*settings, {}, {.first_wait_ms = 1});
  ASSERT_TRUE(target) << target.error();
  keeps_the_contract(**target);
  EXPECT_EQ((*target)->description(), "s3 eu (" + store.http.url() + ", bucket swarm)");
  EXPECT_TRUE(store.bucket.objects.contains("node/backups/envelope"));
}

TEST(OpenTarget, EverythingThatWasSetIsHeeded) {
  const auto settings =
      target_settings(config_of("name: 'eu' kind: BACKUP_TARGET_S3 region: 'r' bandwidth_kib_s: 2048 "
                                "mount_point: true url: 'u' bucket: 'b' prefix: 'p' "
                                "s3_region: 'eu' style: BACKUP_S3_VIRTUAL_HOST credentials_file: '/c' "
                                "delete_credentials_file: '/d' ca_file: '/a' "
                                "part_mib: 5 object_lock_days: 30 object_lock_mode: BACKUP_LOCK_COMPLIANCE"));
  ASSERT_TRUE(settings) << settings.error();
  EXPECT_EQ(settings->bandwidth_kib_s, 2048u);
  EXPECT_TRUE(settings->mount_point);
  EXPECT_EQ(settings->style, S3Style::kVirtualHost);
  EXPECT_EQ(settings->delete_credentials_file, "/d");
  EXPECT_EQ(settings->ca_file, "/a");
  EXPECT_EQ(settings->part_mib, 5u);
  EXPECT_EQ(settings->object_lock_days, 30u);
  EXPECT_EQ(settings->lock_mode, S3LockMode::kCompliance);
}

TEST(OpenTarget, WhatIsLeftOutIsAsTheSchemaSays) {
  const auto settings = target_settings(config_of("name: 'a' kind: BACKUP_TARGET_S3 region: 'r'"));
  ASSERT_TRUE(settings) << settings.error();
  const TargetSettings plain;
  EXPECT_EQ(settings->bandwidth_kib_s, plain.bandwidth_kib_s);
  EXPECT_EQ(settings->mount_point, plain.mount_point);
  EXPECT_EQ(settings->s3_region, plain.s3_region);
  EXPECT_EQ(settings->style, plain.style);
  EXPECT_EQ(settings->part_mib, plain.part_mib);
  EXPECT_EQ(settings->object_lock_days, plain.object_lock_days);
  EXPECT_EQ(settings->lock_mode, plain.lock_mode);
}

TEST(OpenTarget, ErrorsNameTheField) {
  TemporaryFolder folder;
  const std::string key = credentials(folder, "write", "a", "b");
  const std::string s3 = "name: 'eu' kind: BACKUP_TARGET_S3 region: 'r' ";
  const std::string whole = s3 + "url: 'https://s3.example' bucket: 'swarm' credentials_file: '" + key + "' ";
  const std::string directory = "name: 'usb' kind: BACKUP_TARGET_DIRECTORY region: 'r' ";
  EXPECT_EQ(error_of(whole), "");
  const struct {
    std::string text;
    const char* part;
  } cases[] = {
      {"kind: BACKUP_TARGET_S3 region: 'r'", "name: "},
      {"name: 'a b' kind: BACKUP_TARGET_S3 region: 'r'", "name: "},
      {"name: 'eu' region: 'r'", "backup target eu: kind: "},
      {"name: 'eu' kind: BACKUP_TARGET_S3", "backup target eu: region: "},
      {directory, "backup target usb: path: write the folder's absolute path"},
      {directory + "path: 'backups'", "path: "},
      {directory + "path: '/' bucket: 'swarm'", "bucket: a directory has none"},
      {directory + "path: '/' object_lock_days: 1", "object_lock_days: a directory has no object lock"},
      {directory + "path: '/' bandwidth_kib_s: 3", "bandwidth_kib_s: 0 (no limit) or at least 16"},
      {s3, "url: an S3 store needs it"},
      {s3 + "url: 'https://s3.example'", "bucket: an S3 store needs it"},
      {s3 + "url: 'https://s3.example' bucket: 'swarm'", "credentials_file: an S3 store needs it"},
      {s3 + "url: 'https://s3.example' bucket: 'swarm' credentials_file: '/none'",
       "credentials_file: there is no file /none"},
      {s3 + "url: 'http://s3.example' bucket: 'swarm' credentials_file: '/none'", "url: http://"},
      {whole + "path: '/'", "path: an S3 store has none"},
      {whole + "prefix: '/x'", "prefix: "},
      {whole + "part_mib: 4", "part_mib: "},
      {whole + "ca_file: '/none'", "ca_file: cannot read /none"},
      {whole + "delete_credentials_file: '/none'", "delete_credentials_file: there is no file /none"},
  };
  for (const auto& each : cases) {
    const std::string error = error_of(each.text);
    EXPECT_NE(error.find(each.part), std::string::npos) << each.text << ": " << error;
  }
}

}  // namespace swarmdns::controlplane
