// A target that is a bucket of an S3 store (AWS, Ceph, MinIO, OpenStack Swift's s3api, …), over libcurl and
// its SigV4. What is asked of the store is in docs/operations/backup.md.
//
// A put is one PUT up to part_bytes, else a multipart upload; both with SHA-256 and MD5 of what is sent,
// which the store checks. Without `replace` a HEAD asks first, and If-None-Match closes the gap where the
// store has it (it may answer 501: then the gap is there).
//
// One thread at a time; a stop asked for by another ends what is under way with kCancelled.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "controlplane/targets/http_session.h"
#include "controlplane/targets/s3_url.h"
#include "controlplane/targets/target.h"

namespace swarmdns::controlplane {

enum class S3LockMode { kGovernance, kCompliance };

struct S3Settings {
  std::string description;  // "s3 eu (https://…, bucket swarm)"
  std::string prefix;       // before each name, with a slash at its end; or empty
  S3LockMode lock_mode = S3LockMode::kGovernance;
  std::uint64_t part_bytes = std::uint64_t{64} << 20;  // 5 MiB to 256 MiB: what S3 takes as a part
  HttpSettings http;
};

struct S3Access {
  S3Credentials write;
  std::optional<S3Credentials> remove;  // nothing: removed with `write`
};

class S3Target final : public Target {
 public:
  S3Target(S3Settings settings, S3Urls urls, S3Access access, std::stop_token stop);

  const std::string& description() const override { return settings_.description; }
  TargetResult<void> put(const std::string& name, std::span<const std::byte> octets,
                         const PutOptions& options = {}) override;
  TargetResult<std::vector<std::byte>> get(const std::string& name, std::uint64_t offset,
                                           std::uint64_t bytes) override;
  TargetResult<ObjectInfo> head(const std::string& name) override;
  TargetResult<void> list(const std::string& prefix,
                          const std::function<bool(const ObjectInfo&)>& each) override;
  TargetResult<void> remove(const std::string& name) override;
  TargetResult<std::uint64_t> sweep(std::int64_t age_ms) override;

 private:
  struct Head {
    ObjectInfo info;
    std::string etag;                  // without quotes
    std::int64_t locked_until_ms = 0;  // 0: not locked, or not told
  };

  std::unexpected<TargetError> failure(TargetError::Kind kind, const std::string& what) const;
  TargetResult<void> check_name(const std::string& name) const;
  std::string key(const std::string& name) const { return settings_.prefix + name; }

  // Any answer; and any with status 2xx.
  TargetResult<HttpAnswer> exchange(HttpRequest request, const std::string& doing, bool removing = false);
  TargetResult<HttpAnswer> ask(HttpRequest request, const std::string& doing, bool removing = false);
  // The same with If-None-Match, unless the store has said that it has no such thing.
  TargetResult<HttpAnswer> ask_if_none(HttpRequest request, const std::string& doing, bool replace);

  TargetResult<Head> look(const std::string& name);
  TargetResult<bool> same(const Head& there, const std::string& name, std::span<const std::byte> octets);
  // True: it is there already, with these octets and locked for as long as asked.
  TargetResult<bool> settle(const std::string& name, std::span<const std::byte> octets,
                            const PutOptions& options);
  std::map<std::string, std::string> headers_of(std::span<const std::byte> octets) const;
  void add_lock(HttpRequest& request, const PutOptions& options) const;
  TargetResult<void> extend_lock(const std::string& name, std::int64_t until_ms);
  TargetResult<void> check_lock(const std::string& name, std::int64_t until_ms);
  TargetResult<void> put_whole(const std::string& name, std::span<const std::byte> octets,
                               const PutOptions& options);

  // s3_multipart.cc
  TargetResult<void> put_parts(const std::string& name, std::span<const std::byte> octets,
                               const PutOptions& options);
  TargetResult<std::string> send_parts(const std::string& name, const std::string& id,
                                       std::span<const std::byte> octets);
  TargetResult<void> complete(const std::string& name, const std::string& id, const std::string& parts,
                              bool replace);
  TargetResult<void> abort(const std::string& key, const std::string& id, bool despite_stop);

  const S3Settings settings_;
  const S3Urls urls_;
  const S3Access access_;
  bool conditional_ = true;  // the store has not said that it has no If-None-Match
  HttpSession session_;
};

}  // namespace swarmdns::controlplane
