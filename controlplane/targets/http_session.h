// One HTTP exchange after the other over libcurl, for object stores: connections are kept, redirects are not
// followed, no proxy and no .netrc of the environment is used, certificates are verified.
//
// One thread at a time; another may ask the stop token to stop, which ends the exchange at once.
#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/certs/secret.h"

namespace swarmdns::controlplane {

struct S3Credentials {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;  // empty: none
};

struct HttpSettings {
  std::string region;   // for the signature (AWS SigV4, service s3)
  std::string ca_file;  // PEM; these and no others are trusted. Empty: the system's
  std::int64_t connect_timeout_ms = 10'000;
  std::int64_t stall_timeout_ms = 30'000;     // less than 1 KiB/s for so long; in whole seconds
  std::int64_t exchange_timeout_ms = 60'000;  // besides the time that the octets take at the slowest rate
  std::uint64_t bytes_per_s = 0;              // each way; 0: as fast as it goes
};

struct HttpRequest {
  std::string method;  // GET HEAD PUT POST DELETE
  std::string url;
  std::map<std::string, std::string> headers;  // names in lower case
  std::span<const std::byte> body;
  std::uint64_t most_bytes = 0;  // of the answer's body; more is a failure. Errors may always have 64 KiB
  std::int64_t patience_ms = 0;  // besides the time-outs, for what keeps the store busy
  bool despite_stop = false;     // to clean up behind an upload that was cancelled
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; of several the last
  std::vector<std::byte> body;

  std::string header(const std::string& name) const;
  std::string_view text() const { return {reinterpret_cast<const char*>(body.data()), body.size()}; }
};

struct HttpFailure {
  enum class Kind : std::uint8_t {
    kNoAnswer,    // not reached, too slow, or cut short
    kNotTrusted,  // the certificate, or a certificate file of ours
    kWrongUrl,    // nothing that can be asked
    kTooMuch,     // a body larger than asked for, or headers without end
    kCancelled,
  };
  Kind kind;
  std::string what;  // a part of a sentence
};

class HttpSession {
 public:
  HttpSession(HttpSettings settings, std::stop_token stop);
  ~HttpSession();
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  std::expected<HttpAnswer, HttpFailure> exchange(const HttpRequest& request,
                                                  const S3Credentials& credentials);

 private:
  struct Transfer;

  void prepare(Transfer& transfer, const S3Credentials& credentials);
  CURLcode perform(bool despite_stop);

  const HttpSettings settings_;
  const std::stop_token stop_;
  CURLM* multi_;  // keeps the connections
  CURL* easy_;
};

}  // namespace swarmdns::controlplane
