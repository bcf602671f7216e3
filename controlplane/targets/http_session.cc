#include "controlplane/targets/http_session.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <utility>

namespace swarmdns::controlplane {
namespace {

constexpr std::size_t kMostHeaderBytes = std::size_t{64} << 10;
constexpr std::uint64_t kMostErrorBytes = std::uint64_t{64} << 10;
constexpr std::uint64_t kSlowestBytesPerS = 16 << 10;  // what the time of a whole exchange allows for

struct SlistFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Slist = std::unique_ptr<curl_slist, SlistFree>;

void start_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

HttpFailure::Kind kind_of(CURLcode code) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CRL_BADFILE:
      return HttpFailure::Kind::kNotTrusted;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      return HttpFailure::Kind::kWrongUrl;
    case CURLE_ABORTED_BY_CALLBACK:
      return HttpFailure::Kind::kCancelled;
    default:
      return HttpFailure::Kind::kNoAnswer;
  }
}

}  // namespace

// What the callbacks of one exchange work on.
struct HttpSession::Transfer {
  explicit Transfer(const HttpRequest& of) : request(of) {}

  const HttpRequest& request;
  HttpAnswer answer;
  std::size_t sent = 0;
  std::size_t header_bytes = 0;
  bool too_much = false;
  std::array<char, CURL_ERROR_SIZE> error{};
  Slist headers;

  void add_header(const std::string& line) {
    curl_slist* list = curl_slist_append(headers.get(), line.c_str());
    static_cast<void>(headers.release());  // it is the same list, unless it was empty
    headers.reset(list);
  }

  static std::size_t read(char* into, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const auto rest = transfer.request.body.subspan(transfer.sent);
    const std::size_t n = std::min(rest.size(), size * count);
    if (n > 0) std::memcpy(into, rest.data(), n);
    transfer.sent += n;
    return n;
  }
  // For what has to be sent again because a kept connection was closed.
  static int seek(void* self, curl_off_t to, int origin) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (origin != SEEK_SET || to < 0 || static_cast<std::uint64_t>(to) > transfer.request.body.size()) {
      return CURL_SEEKFUNC_FAIL;
    }
    transfer.sent = static_cast<std::size_t>(to);
    return CURL_SEEKFUNC_OK;
  }
  static std::size_t write(char* octets, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    auto& body = transfer.answer.body;
    if (size * count > std::max(transfer.request.most_bytes, kMostErrorBytes) - body.size()) {
      transfer.too_much = true;
      return 0;
    }
    const auto* begin = reinterpret_cast<const std::byte*>(octets);
    body.insert(body.end(), begin, begin + size * count);
    return size * count;
  }
  static std::size_t header(char* octets, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    std::string_view line(octets, size * count);
    transfer.header_bytes += line.size();
    if (transfer.header_bytes > kMostHeaderBytes) {
      transfer.too_much = true;
      return 0;
    }
    // Of "100 Continue", too: what counts are the headers of the last answer.
    if (line.starts_with("HTTP/")) transfer.answer.headers.clear();
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == ' '))
      line.remove_suffix(1);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return size * count;
    std::string name(line.substr(0, colon));
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    line.remove_prefix(std::min(line.find_first_not_of(' ', colon + 1), line.size()));
    transfer.answer.headers.insert_or_assign(std::move(name), std::string(line));
    return size * count;
  }
};

std::string HttpAnswer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

HttpSession::HttpSession(HttpSettings settings, std::stop_token stop)
    : settings_(std::move(settings)), stop_(std::move(stop)) {
  start_curl();
  multi_ = curl_multi_init();
  easy_ = curl_easy_init();
}

HttpSession::~HttpSession() {
  curl_easy_cleanup(easy_);
  curl_multi_cleanup(multi_);
}

void HttpSession::prepare(Transfer& transfer, const S3Credentials& credentials) {
  const HttpRequest& request = transfer.request;
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(easy_, option, value); };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, request.url.starts_with("http://") ? "http" : "https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!settings_.ca_file.empty()) {
    set(CURLOPT_CAINFO, settings_.ca_file.c_str());
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }

  const std::uint64_t octets = request.body.size() + request.most_bytes;
  const std::uint64_t rate = settings_.bytes_per_s == 0 ? kSlowestBytesPerS : settings_.bytes_per_s / 2 + 1;
  const auto rate_ms = static_cast<std::int64_t>(octets * 1000 / rate);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings_.connect_timeout_ms));
  set(CURLOPT_LOW_SPEED_LIMIT, 1024L);
  const std::int64_t stall_ms = settings_.stall_timeout_ms + request.patience_ms;
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(std::max<std::int64_t>(1, stall_ms / 1000)));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(settings_.exchange_timeout_ms + request.patience_ms + rate_ms));
  set(CURLOPT_MAX_SEND_SPEED_LARGE, static_cast<curl_off_t>(settings_.bytes_per_s));
  set(CURLOPT_MAX_RECV_SPEED_LARGE, static_cast<curl_off_t>(settings_.bytes_per_s));

  // The signature covers each header that we give; `x-amz-content-sha256` is one of them, for libcurl 7.88
  // does not send it by itself.
  for (const auto& [name, value] : request.headers) transfer.add_header(name + ": " + value);
  if (!credentials.session_token.empty()) {
    std::string line = "x-amz-security-token: " + std::string(credentials.session_token.view());
    transfer.add_header(line);
    sodium_memzero(line.data(), line.size());
  }
  set(CURLOPT_HTTPHEADER, transfer.headers.get());
  set(CURLOPT_AWS_SIGV4, ("aws:amz:" + settings_.region + ":s3").c_str());
  set(CURLOPT_USERNAME, credentials.access_key_id.c_str());
  std::string secret(
      credentials.secret_access_key.view());  // libcurl keeps a copy until the exchange is over
  set(CURLOPT_PASSWORD, secret.c_str());
  sodium_memzero(secret.data(), secret.size());

  if (request.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (request.method == "PUT" || request.method == "POST") {
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_READFUNCTION, &Transfer::read);
    set(CURLOPT_READDATA, &transfer);
    set(CURLOPT_SEEKFUNCTION, &Transfer::seek);
    set(CURLOPT_SEEKDATA, &transfer);
  } else if (request.method == "DELETE") {
    set(CURLOPT_CUSTOMREQUEST, "DELETE");
  }
  set(CURLOPT_WRITEFUNCTION, &Transfer::write);
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_HEADERFUNCTION, &Transfer::header);
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_ERRORBUFFER, transfer.error.data());
}

CURLcode HttpSession::perform(bool despite_stop) {
  const std::stop_token stop = despite_stop ? std::stop_token() : stop_;
  if (stop.stop_requested()) return CURLE_ABORTED_BY_CALLBACK;
  const std::stop_callback wake(stop, [this] { curl_multi_wakeup(multi_); });
  CURLcode result = CURLE_OUT_OF_MEMORY;
  if (curl_multi_add_handle(multi_, easy_) != CURLM_OK) return result;
  for (int running = 1; running > 0;) {
    if (stop.stop_requested()) {
      result = CURLE_ABORTED_BY_CALLBACK;
      break;
    }
    if (curl_multi_perform(multi_, &running) != CURLM_OK) break;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg == CURLMSG_DONE) result = message->data.result;
    }
    if (running > 0 && curl_multi_poll(multi_, nullptr, 0, 1000, nullptr) != CURLM_OK) break;
  }
  curl_multi_remove_handle(multi_, easy_);
  return result;
}

std::expected<HttpAnswer, HttpFailure> HttpSession::exchange(const HttpRequest& request,
                                                             const S3Credentials& credentials) {
  Transfer transfer(request);
  curl_easy_reset(easy_);
  prepare(transfer, credentials);
  const CURLcode code = perform(request.despite_stop);
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_reset(easy_);  // nothing of `transfer` is kept, and no secret
  if (code == CURLE_OK) {
    transfer.answer.status = static_cast<int>(status);
    return std::move(transfer.answer);
  }
  if (transfer.too_much)
    return std::unexpected(HttpFailure{HttpFailure::Kind::kTooMuch, "answers more than was asked for"});
  const char* text = transfer.error[0] == '\0' ? curl_easy_strerror(code) : transfer.error.data();
  return std::unexpected(HttpFailure{kind_of(code), text});
}

}  // namespace swarmdns::controlplane
