#include "controlplane/targets/s3_url.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <memory>

namespace swarmdns::controlplane {
namespace {

struct UrlFree {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, UrlFree>;

// Empty: not there.
std::string part(const Url& url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, 0) != CURLUE_OK) return "";
  std::string copy = text;
  curl_free(text);
  return copy;
}

bool loopback(const std::string& host) {
  if (host == "localhost" || host.ends_with(".localhost") || host == "[::1]") return true;
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

bool is_address(const std::string& host) {
  in_addr address{};
  return host.starts_with('[') || inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool valid_bucket(const std::string& bucket) {
  if (bucket.size() < 3 || bucket.size() > 63) return false;
  if (!letter_or_digit(bucket.front()) || !letter_or_digit(bucket.back())) return false;
  if (bucket.find("..") != std::string::npos) return false;
  for (const char c : bucket) {
    if (!letter_or_digit(c) && c != '-' && c != '.') return false;
  }
  return true;
}

std::string escaped(const std::string& text, bool slash_too) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    const bool plain = letter_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' ||
                       c == '~' || (c == '/' && !slash_too);
    if (plain) {
      result += c;
    } else {
      result += '%';
      result += kHex[octet >> 4];
      result += kHex[octet & 15];
    }
  }
  return result;
}

std::string written(const S3Urls::Query& query) {
  std::string text;
  for (const auto& [name, value] : query) {
    text += (text.empty() ? "?" : "&") + escaped(name, true) + "=" + escaped(value, true);
  }
  return text;
}

}  // namespace

std::expected<S3Urls, std::string> S3Urls::make(const std::string& url, const std::string& bucket,
                                                S3Style style) {
  const Url parts(curl_url());
  if (!parts ||
      curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    return std::unexpected("url: '" + url + "' is no URL; write https://HOST or https://HOST:PORT");
  }
  const std::string scheme = part(parts, CURLUPART_SCHEME);
  const std::string host = part(parts, CURLUPART_HOST);
  const std::string port = part(parts, CURLUPART_PORT);
  const std::string path = part(parts, CURLUPART_PATH);
  if (scheme != "https" && scheme != "http") {
    return std::unexpected("url: an S3 store is asked by https://, not by " + scheme + "://");
  }
  if (scheme == "http" && !loopback(host)) {
    return std::unexpected(
        "url: http:// is taken for this machine itself (127.0.0.1, [::1]) only; write https://" + host +
        ", with ca_file for a certificate of your own");
  }
  if (!part(parts, CURLUPART_USER).empty() || !part(parts, CURLUPART_PASSWORD).empty()) {
    return std::unexpected("url: no user and no password here; they belong into credentials_file");
  }
  if ((path != "/" && !path.empty()) || !part(parts, CURLUPART_QUERY).empty() ||
      !part(parts, CURLUPART_FRAGMENT).empty()) {
    return std::unexpected(
        "url: nothing behind the host; the bucket's name belongs into bucket, folders into prefix");
  }
  if (!valid_bucket(bucket)) {
    return std::unexpected("bucket: '" + bucket +
                           "' is none: 3 to 63 of a-z 0-9 . -, a letter or digit at both ends");
  }
  if (style == S3Style::kVirtualHost && is_address(host)) {
    return std::unexpected("style: virtual_host needs a host name in url, and " + host +
                           " is an address; set style to path");
  }
  if (style == S3Style::kVirtualHost && scheme == "https" && bucket.find('.') != std::string::npos) {
    return std::unexpected("style: no certificate covers a bucket with dots in its name; set style to path");
  }
  const std::string authority = host + (port.empty() ? "" : ":" + port);
  S3Urls urls;
  urls.base_ = style == S3Style::kPath ? scheme + "://" + authority + "/" + bucket
                                       : scheme + "://" + bucket + "." + authority;
  return urls;
}

std::string S3Urls::bucket(const Query& query) const {
  const bool has_path = base_.find('/', base_.find("//") + 2) != std::string::npos;
  return base_ + (has_path ? "" : "/") + written(query);
}

std::string S3Urls::object(const std::string& key, const Query& query) const {
  return base_ + "/" + escaped(key, false) + written(query);
}

}  // namespace swarmdns::controlplane
