// S3 targets over a scripted server.
#pragma once

#include <memory>
#include <string>

#include "controlplane/targets/s3.h"
#include "tests/unit/controlplane/targets/bucket.h"

namespace swarmdns::controlplane {

inline S3Access write_access() {
  S3Access access;
  access.write = {Bucket::kKey, Secret(Bucket::kSecret), Secret()};
  return access;
}

inline S3Settings s3_settings() {
  S3Settings settings;
  settings.description = "s3 test";
  settings.prefix = "node/backups/";
  settings.http.region = Bucket::kRegion;
  return settings;
}

inline std::unique_ptr<S3Target> s3_target(const std::string& url, S3Settings settings = s3_settings(),
                                           S3Access access = write_access(), std::stop_token stop = {},
                                           S3Style style = S3Style::kPath) {
  auto urls = S3Urls::make(url, "swarm", style);
  return std::make_unique<S3Target>(std::move(settings), std::move(*urls), std::move(access),
                                    std::move(stop));
}

// A bucket in memory behind a server; `before` may answer in its place.
struct Store {
  Bucket bucket;
  std::function<std::optional<ScriptedReply>(const ScriptedRequest&)> before;
  ScriptedHttp http{[this](const ScriptedRequest& request) {
    auto reply = before ? before(request) : std::nullopt;
    return reply ? *reply : bucket.answer(request);
  }};

  std::unique_ptr<S3Target> target(S3Settings settings = s3_settings()) const {
    return s3_target(http.url(), std::move(settings));
  }
  // How many requests of a method had this in their query.
  std::size_t count(const std::string& method, const std::string& query = "") const {
    std::size_t n = 0;
    for (const ScriptedRequest& request : http.requests()) {
      n += request.method == method && request.query.find(query) != std::string::npos;
    }
    return n;
  }
};

}  // namespace swarmdns::controlplane
