#include "controlplane/targets/s3.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "controlplane/targets/s3_answer.h"
#include "controlplane/targets/s3_digest.h"
#include "controlplane/targets/s3_xml.h"

namespace swarmdns::controlplane {
namespace {

using Kind = TargetError::Kind;

// Of what came in one PUT, an ETag is the MD5 of its octets, unless the store encrypts under a key of its
// own.
bool etag_is_md5(const HttpAnswer& answer, const std::string& etag) {
  const std::string encryption = answer.header("x-amz-server-side-encryption");
  if (!encryption.empty() && encryption != "AES256") return false;
  return etag.size() == 32 && etag.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string unquoted(const std::string& etag) {
  if (etag.size() < 2 || etag.front() != '"' || etag.back() != '"') return etag;
  return etag.substr(1, etag.size() - 2);
}

std::optional<std::uint64_t> number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

S3Target::S3Target(S3Settings settings, S3Urls urls, S3Access access, std::stop_token stop)
    : settings_(std::move(settings)),
      urls_(std::move(urls)),
      access_(std::move(access)),
      session_(settings_.http, std::move(stop)) {}

std::unexpected<TargetError> S3Target::failure(Kind kind, const std::string& what) const {
  return std::unexpected(TargetError{kind, settings_.description + ": " + what});
}

TargetResult<void> S3Target::check_name(const std::string& name) const {
  if (valid_object_name(name)) return {};
  return failure(Kind::kInvalid, "'" + name + "' is no name of an object (1 to 200 of a-z 0-9 . _ / -)");
}

TargetResult<HttpAnswer> S3Target::exchange(HttpRequest request, const std::string& doing, bool removing) {
  request.headers.insert_or_assign("x-amz-content-sha256", sha256_hex(request.body));
  const S3Credentials& credentials = removing && access_.remove ? *access_.remove : access_.write;
  auto answer = session_.exchange(request, credentials);
  if (!answer) return std::unexpected(s3_error(answer.error(), settings_.description, doing));
  return std::move(*answer);
}

TargetResult<HttpAnswer> S3Target::ask(HttpRequest request, const std::string& doing, bool removing) {
  auto answer = exchange(std::move(request), doing, removing);
  if (answer && (answer->status < 200 || answer->status > 299)) {
    return std::unexpected(s3_error(*answer, settings_.description, doing));
  }
  return answer;
}

TargetResult<HttpAnswer> S3Target::ask_if_none(HttpRequest request, const std::string& doing, bool replace) {
  if (!replace && conditional_) {
    HttpRequest conditional = request;
    conditional.headers.emplace("if-none-match", "*");
    auto answer = ask(std::move(conditional), doing);
    if (answer || answer.error().kind != Kind::kUnsupported) return answer;
    answer = ask(std::move(request), doing);
    conditional_ = !answer && answer.error().kind == Kind::kUnsupported;  // then that was not the reason
    return answer;
  }
  return ask(std::move(request), doing);
}

TargetResult<S3Target::Head> S3Target::look(const std::string& name) {
  auto answer = ask({.method = "HEAD", .url = urls_.object(key(name))}, "look at " + name);
  if (!answer && (answer.error().kind == Kind::kRefused || answer.error().kind == Kind::kBroken)) {
    // The answer to a HEAD has no body that says why; that to a GET has.
    HttpRequest request{.method = "GET", .url = urls_.object(key(name))};
    request.headers.emplace("range", "bytes=0-0");
    auto explained = ask(std::move(request), "look at " + name);
    if (!explained) return std::unexpected(explained.error());
  }
  if (!answer) return std::unexpected(answer.error());
  const auto bytes = number(answer->header("content-length"));
  if (!bytes) return failure(Kind::kBroken, "the store does not tell the size of " + name);
  const std::time_t modified = curl_getdate(answer->header("last-modified").c_str(), nullptr);
  Head there{{name, *bytes, modified < 0 ? 0 : static_cast<std::int64_t>(modified) * 1000}, "", 0};
  const std::string etag = unquoted(answer->header("etag"));
  if (etag_is_md5(*answer, etag)) there.etag = etag;
  if (!answer->header("x-amz-object-lock-mode").empty()) {
    there.locked_until_ms = parse_iso_time_ms(answer->header("x-amz-object-lock-retain-until-date"));
  }
  return there;
}

TargetResult<ObjectInfo> S3Target::head(const std::string& name) {
  if (auto valid = check_name(name); !valid) return std::unexpected(valid.error());
  auto there = look(name);
  if (!there) return std::unexpected(there.error());
  return there->info;
}

TargetResult<std::vector<std::byte>> S3Target::get(const std::string& name, std::uint64_t offset,
                                                   std::uint64_t bytes) {
  if (auto valid = check_name(name); !valid) return std::unexpected(valid.error());
  if (bytes > kMaxObjectBytes || offset > kMaxObjectBytes) {
    return failure(Kind::kInvalid, "no object is as large as what is asked of " + name);
  }
  if (bytes == 0) {  // which Range cannot say
    auto there = look(name);
    if (!there) return std::unexpected(there.error());
    if (there->info.bytes < offset)
      return failure(Kind::kBroken, name + " ends before octet " + std::to_string(offset));
    return std::vector<std::byte>{};
  }
  const std::string doing = "get " + name;
  HttpRequest request{.method = "GET", .url = urls_.object(key(name)), .most_bytes = bytes};
  const std::string from = "bytes " + std::to_string(offset) + "-" + std::to_string(offset + bytes - 1) + "/";
  request.headers.emplace("range",
                          "bytes=" + std::to_string(offset) + "-" + std::to_string(offset + bytes - 1));
  auto answer = ask(std::move(request), doing);
  if (!answer) return std::unexpected(answer.error());
  // 200: the whole object, which may be just what was asked for.
  if (answer->status == 200 && offset > 0)
    return failure(Kind::kBroken, "the store does not know ranges: " + name);
  if (answer->body.size() != bytes) {
    return failure(Kind::kBroken, name + " gave " + std::to_string(answer->body.size()) + " octets from " +
                                      std::to_string(offset) + " where " + std::to_string(bytes) +
                                      " were asked for");
  }
  if (answer->status == 206 && !answer->header("content-range").starts_with(from)) {
    return failure(Kind::kBroken, "the store answers another range of " + name + " than was asked for");
  }
  return std::move(answer->body);
}

TargetResult<bool> S3Target::same(const Head& there, const std::string& name,
                                  std::span<const std::byte> octets) {
  if (there.info.bytes != octets.size()) return false;
  if (!there.etag.empty() && there.etag == md5_hex(octets)) return true;
  auto stored = get(name, 0, octets.size());
  if (!stored) return std::unexpected(stored.error());
  return std::ranges::equal(*stored, octets);
}

TargetResult<bool> S3Target::settle(const std::string& name, std::span<const std::byte> octets,
                                    const PutOptions& options) {
  auto there = look(name);
  if (!there && there.error().kind == Kind::kNotFound) return false;
  if (!there) return std::unexpected(there.error());
  auto equal = same(*there, name, octets);
  if (!equal) return equal;
  if (!*equal) return failure(Kind::kExists, name + " is there with other octets");
  if (there->locked_until_ms < options.locked_until_ms) {
    if (auto done = extend_lock(name, options.locked_until_ms); !done) return std::unexpected(done.error());
    if (auto done = check_lock(name, options.locked_until_ms); !done) return std::unexpected(done.error());
  }
  return true;
}

std::map<std::string, std::string> S3Target::headers_of(std::span<const std::byte> octets) const {
  return {{"content-md5", md5_base64(octets)}, {"content-type", "application/octet-stream"}};
}

void S3Target::add_lock(HttpRequest& request, const PutOptions& options) const {
  if (options.locked_until_ms == 0) return;
  const bool governance = settings_.lock_mode == S3LockMode::kGovernance;
  request.headers.emplace("x-amz-object-lock-mode", governance ? "GOVERNANCE" : "COMPLIANCE");
  request.headers.emplace("x-amz-object-lock-retain-until-date", iso_time(options.locked_until_ms));
}

TargetResult<void> S3Target::extend_lock(const std::string& name, std::int64_t until_ms) {
  const bool governance = settings_.lock_mode == S3LockMode::kGovernance;
  const std::string body =
      std::string("<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>") +
      (governance ? "GOVERNANCE" : "COMPLIANCE") + "</Mode><RetainUntilDate>" + iso_time(until_ms) +
      "</RetainUntilDate></Retention>";
  const auto octets = std::as_bytes(std::span(body));
  HttpRequest request{.method = "PUT", .url = urls_.object(key(name), {{"retention", ""}})};
  request.headers = headers_of(octets);
  request.body = octets;
  auto answer = ask(std::move(request), "lock " + name);
  if (!answer) return std::unexpected(answer.error());
  return {};
}

// Some stores take the headers of a lock and forget them.
TargetResult<void> S3Target::check_lock(const std::string& name, std::int64_t until_ms) {
  auto there = look(name);
  if (!there) return std::unexpected(there.error());
  if (there->locked_until_ms >= until_ms / 1000 * 1000) return {};
  return failure(Kind::kUnsupported, name +
                                         " is stored, but the store does not say that it is locked until " +
                                         iso_time(until_ms) +
                                         ": make the bucket with object lock and allow "
                                         "s3:GetObjectRetention, or leave object_lock_days out");
}

TargetResult<void> S3Target::put(const std::string& name, std::span<const std::byte> octets,
                                 const PutOptions& options) {
  if (auto valid = check_name(name); !valid) return valid;
  if (octets.size() > kMaxObjectBytes) return failure(Kind::kInvalid, name + " is larger than 256 MiB");
  if (!options.replace) {
    auto there = settle(name, octets, options);
    if (!there) return std::unexpected(there.error());
    if (*there) return {};
  }
  auto done = octets.size() > settings_.part_bytes ? put_parts(name, octets, options)
                                                   : put_whole(name, octets, options);
  if (!done && done.error().kind == Kind::kExists && !options.replace) {
    auto there = settle(name, octets, options);  // somebody else has put it meanwhile
    if (!there) return std::unexpected(there.error());
    if (*there) return {};
    return failure(Kind::kUnavailable, name + " is put and removed by somebody else at once");
  }
  if (done && options.locked_until_ms != 0) return check_lock(name, options.locked_until_ms);
  return done;
}

TargetResult<void> S3Target::put_whole(const std::string& name, std::span<const std::byte> octets,
                                       const PutOptions& options) {
  HttpRequest request{.method = "PUT", .url = urls_.object(key(name))};
  request.headers = headers_of(octets);
  request.body = octets;
  add_lock(request, options);
  auto answer = ask_if_none(std::move(request), "put " + name, options.replace);
  if (!answer) return std::unexpected(answer.error());
  const std::string etag = unquoted(answer->header("etag"));
  if (etag_is_md5(*answer, etag) && etag != md5_hex(octets)) {
    return failure(Kind::kBroken,
                   "the store has other octets as " + name + " than were sent (its ETag says so); remove it");
  }
  return {};
}

TargetResult<void> S3Target::remove(const std::string& name) {
  if (auto valid = check_name(name); !valid) return valid;
  auto answer = ask({.method = "DELETE", .url = urls_.object(key(name))}, "remove " + name, true);
  if (!answer && answer.error().kind != Kind::kNotFound) return std::unexpected(answer.error());
  return {};
}

}  // namespace swarmdns::controlplane
