#include "controlplane/targets/s3_answer.h"

#include <cstdlib>
#include <ctime>

#include "controlplane/targets/s3_xml.h"

namespace swarmdns::controlplane {
namespace {

using Kind = TargetError::Kind;

struct Meaning {
  Kind kind;
  std::string mend;
};

struct KnownCode {
  const char* code;
  Kind kind;
  const char* mend;
};

constexpr const char* kRegion = "the bucket is in another region: set region (and url) to it";
constexpr const char* kAgain = "it may answer later";

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and what others add.
constexpr KnownCode kCodes[] = {
    {"AccessDenied", Kind::kRefused, "allow it in the policy of this access key"},
    {"AllAccessDisabled", Kind::kRefused, "the bucket is disabled; ask its provider"},
    {"InvalidAccessKeyId", Kind::kRefused,
     "the store does not know the access key: correct credentials_file"},
    {"SignatureDoesNotMatch", Kind::kRefused,
     "the secret key is wrong (or region is): correct credentials_file"},
    {"ExpiredToken", Kind::kRefused, "the session token has expired: put a new one into credentials_file"},
    {"InvalidToken", Kind::kRefused, "the session token is wrong: correct credentials_file"},
    {"NoSuchBucket", Kind::kInvalid, "there is no such bucket: make it, or correct bucket"},
    {"NoSuchKey", Kind::kNotFound, ""},
    {"NoSuchUpload", Kind::kUnavailable, "the upload was ended by others; it begins anew"},
    {"PreconditionFailed", Kind::kExists, ""},
    {"ConditionalRequestConflict", Kind::kUnavailable, "somebody else writes it at the same time"},
    {"OperationAborted", Kind::kUnavailable, "somebody else changes it at the same time"},
    {"PermanentRedirect", Kind::kInvalid, kRegion},
    {"TemporaryRedirect", Kind::kInvalid, kRegion},
    {"AuthorizationHeaderMalformed", Kind::kInvalid, kRegion},
    {"BadDigest", Kind::kBroken, "what arrived is not what was sent"},
    {"InvalidDigest", Kind::kBroken, "what arrived is not what was sent"},
    {"XAmzContentSHA256Mismatch", Kind::kBroken, "what arrived is not what was sent"},
    {"IncompleteBody", Kind::kUnavailable, kAgain},
    {"RequestTimeout", Kind::kUnavailable, kAgain},
    {"SlowDown", Kind::kUnavailable, kAgain},
    {"QuotaExceeded", Kind::kFull, "raise the quota, or prune old snapshots"},
    {"XMinioStorageFull", Kind::kFull, "free space in the store, or prune old snapshots"},
    {"EntityTooLarge", Kind::kFull, "its quota is used up, or it takes no objects of this size"},
    {"InvalidObjectState", Kind::kRefused, "it lies in an archive: restore it there first"},
    {"ObjectLockConfigurationNotFoundError", Kind::kUnsupported,
     "make the bucket with object lock, or leave object_lock_days out"},
    {"InvalidRequest", Kind::kUnsupported,
     "the store cannot do this (a lock wants a bucket made with object lock)"},
    {"NotImplemented", Kind::kUnsupported, ""},
    {"MethodNotAllowed", Kind::kUnsupported, ""},
};

// By the status alone: a HEAD has no body, and not everybody who answers is a store.
Meaning meaning_of(int status) {
  switch (status) {
    case 301:
    case 302:
    case 307:
    case 308:
      return {Kind::kInvalid, kRegion};
    case 401:
    case 403:
      return {Kind::kRefused,
              "allow it in the policy of this access key; without s3:ListBucket a store says so of all that "
              "is not there"};
    case 404:
      return {Kind::kNotFound, ""};
    case 405:
    case 501:
      return {Kind::kUnsupported, "the store cannot do this"};
    case 408:
    case 425:
    case 429:
      return {Kind::kUnavailable, kAgain};
    case 412:
      return {Kind::kExists, ""};
    case 413:
    case 507:
      return {Kind::kFull, "its quota is used up, or it takes no objects of this size"};
    case 416:
      return {Kind::kBroken, "the object ends before what was asked for"};
    default:
      if (status >= 500) return {Kind::kUnavailable, kAgain};
      return {Kind::kBroken, "is url that of an S3 store?"};
  }
}

std::string printable(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (result.size() == 200) break;
    result += c >= ' ' && c < 0x7f ? c : ' ';
  }
  return result;
}

std::int64_t now_ms() {
  return static_cast<std::int64_t>(std::time(nullptr)) * 1000;
}

}  // namespace

std::int64_t store_time_ms(const HttpAnswer& answer) {
  const std::time_t date = curl_getdate(answer.header("date").c_str(), nullptr);
  return date < 0 ? now_ms() : static_cast<std::int64_t>(date) * 1000;
}

TargetError s3_error(const HttpAnswer& answer, const std::string& place, const std::string& doing) {
  S3Error told = parse_s3_error(answer.text());
  Meaning meaning = meaning_of(answer.status);
  for (const KnownCode& known : kCodes) {
    if (told.code == known.code) meaning = {known.kind, known.mend};
  }
  if (told.code == "RequestTimeTooSkewed") {
    const std::int64_t seconds = (now_ms() - store_time_ms(answer)) / 1000;
    meaning = {Kind::kRefused, "this machine's clock is " + std::to_string(std::abs(seconds)) + " s " +
                                   (seconds < 0 ? "behind" : "ahead of") + " the store's: set it (chrony)"};
  }
  const std::string region = told.region.empty() ? answer.header("x-amz-bucket-region") : told.region;
  if (meaning.mend == kRegion && !region.empty()) meaning.mend += ": " + printable(region);
  if (meaning.mend == kRegion && !answer.header("location").empty()) {
    meaning.mend =
        "it sends to " + printable(answer.header("location")) + ", which is not followed: correct url";
  }
  std::string what = place + ": cannot " + doing + ": the store says " + std::to_string(answer.status);
  if (!told.code.empty()) what += " " + printable(told.code);
  if (!told.message.empty()) what += " (" + printable(told.message) + ")";
  if (!meaning.mend.empty()) what += "; " + meaning.mend;
  return {meaning.kind, what};
}

TargetError s3_error(const HttpFailure& failure, const std::string& place, const std::string& doing) {
  const std::string what = place + ": cannot " + doing + ": " + printable(failure.what);
  switch (failure.kind) {
    case HttpFailure::Kind::kNotTrusted:
      return {Kind::kInvalid,
              what + "; set ca_file to the certificates that the store's is signed by, or correct url"};
    case HttpFailure::Kind::kWrongUrl:
      return {Kind::kInvalid, what + "; correct url"};
    case HttpFailure::Kind::kTooMuch:
      return {Kind::kBroken, what};
    case HttpFailure::Kind::kCancelled:
      return {Kind::kCancelled, place + ": " + doing + " was cancelled"};
    case HttpFailure::Kind::kNoAnswer:
      break;
  }
  return {Kind::kUnavailable, what};
}

}  // namespace swarmdns::controlplane
