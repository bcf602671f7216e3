// The XML of S3's answers, by expat, with bounds: no document type (so no entities), at most 16 levels, at
// most 1,000 entries a page and 4 KiB a value. What is not known is passed over.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace swarmdns::controlplane {

// Errors are parts of sentences: "ends in the middle (line 3)".
template <typename T>
using XmlResult = std::expected<T, std::string>;

struct S3Error {
  std::string code;  // "AccessDenied"; empty: the body is no <Error>
  std::string message;
  std::string region;  // where the bucket is, if the store says so
};

struct S3Listed {
  std::string key;  // decoded
  std::uint64_t bytes = 0;
  std::int64_t modified_ms = 0;
};
struct S3Listing {
  std::vector<S3Listed> objects;
  bool more = false;
  std::string next;  // the continuation token
};

struct S3Upload {
  std::string key;  // decoded
  std::string id;
  std::int64_t begun_ms = 0;
};
struct S3Uploads {
  std::vector<S3Upload> uploads;
  bool more = false;
  std::string next_key;
  std::string next_id;
};

// Of any body: one that is no such XML has no code.
S3Error parse_s3_error(std::string_view body);
XmlResult<S3Listing> parse_listing(std::string_view body);
XmlResult<S3Uploads> parse_uploads(std::string_view body);
// <InitiateMultipartUploadResult>: the upload's id.
XmlResult<std::string> parse_upload_id(std::string_view body);
// True: <CompleteMultipartUploadResult>. Such an answer may be an <Error> in spite of its status 200: false.
XmlResult<bool> parse_completed(std::string_view body);

// "2026-11-22T23:59:59.000Z"; 0: it is none.
std::int64_t parse_iso_time_ms(std::string_view text);
// "2026-11-22T23:59:59Z", rounded up to the second.
std::string iso_time(std::int64_t unix_ms);

}  // namespace swarmdns::controlplane
