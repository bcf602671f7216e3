// The addresses of a bucket and its objects, written as the signature wants them: octets escaped by AWS's
// rule, queries sorted, each with a '='.
#pragma once

#include <expected>
#include <map>
#include <string>

namespace swarmdns::controlplane {

enum class S3Style { kPath, kVirtualHost };

class S3Urls {
 public:
  using Query = std::map<std::string, std::string>;

  // `url`: https://HOST[:PORT]; http:// only for a loopback address. The error names the field and the mend.
  static std::expected<S3Urls, std::string> make(const std::string& url, const std::string& bucket,
                                                 S3Style style);

  std::string bucket(const Query& query) const;
  std::string object(const std::string& key, const Query& query = {}) const;

 private:
  S3Urls() = default;

  std::string base_;  // of the bucket, without a slash at its end
};

}  // namespace swarmdns::controlplane
