// Objects that are larger than a part. Whatever fails, the upload is aborted, even when it was cancelled;
// what a crash leaves is aborted by sweep().
#include <algorithm>

#include "controlplane/targets/s3.h"
#include "controlplane/targets/s3_answer.h"
#include "controlplane/targets/s3_xml.h"

namespace swarmdns::controlplane {
namespace {

using Kind = TargetError::Kind;

constexpr std::uint64_t kMostAnswerBytes = std::uint64_t{64} << 10;
constexpr std::int64_t kPatienceMs = 600'000;  // a store may work long to put parts together

// An ETag of a store as text of XML.
std::string xml_escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else if (c == '"') {
      result += "&quot;";
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

TargetResult<void> S3Target::put_parts(const std::string& name, std::span<const std::byte> octets,
                                       const PutOptions& options) {
  HttpRequest begin{
      .method = "POST", .url = urls_.object(key(name), {{"uploads", ""}}), .most_bytes = kMostAnswerBytes};
  begin.headers.emplace("content-type", "application/octet-stream");
  add_lock(begin, options);
  auto begun = ask(std::move(begin), "begin the upload of " + name);
  if (!begun) return std::unexpected(begun.error());
  const auto id = parse_upload_id(begun->text());
  if (!id)
    return failure(Kind::kBroken,
                   "the answer to the begin of the upload of " + name + " makes no sense: " + id.error());

  auto parts = send_parts(name, *id, octets);
  TargetResult<void> done;
  if (parts) {
    done = complete(name, *id, *parts, options.replace);
  } else {
    done = std::unexpected(parts.error());
  }
  // If its answer was lost it may be complete: then there is nothing to abort, and the next put finds the
  // object.
  if (!done) static_cast<void>(abort(key(name), *id, true));
  return done;
}

// The list of the parts for complete().
TargetResult<std::string> S3Target::send_parts(const std::string& name, const std::string& id,
                                               std::span<const std::byte> octets) {
  std::string parts;
  for (int number = 1; !octets.empty(); ++number) {
    const auto part = octets.first(std::min<std::size_t>(octets.size(), settings_.part_bytes));
    octets = octets.subspan(part.size());
    const std::string doing = "put part " + std::to_string(number) + " of " + name;
    HttpRequest request{
        .method = "PUT",
        .url = urls_.object(key(name), {{"partNumber", std::to_string(number)}, {"uploadId", id}})};
    request.headers = headers_of(part);
    request.body = part;
    auto answer = ask(std::move(request), doing);
    if (!answer) return std::unexpected(answer.error());
    const std::string etag = answer->header("etag");
    if (etag.empty())
      return failure(Kind::kBroken, "the store gives no ETag for part " + std::to_string(number));
    parts += "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>" + xml_escaped(etag) +
             "</ETag></Part>";
  }
  return parts;
}

TargetResult<void> S3Target::complete(const std::string& name, const std::string& id,
                                      const std::string& parts, bool replace) {
  const std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
                           parts + "</CompleteMultipartUpload>";
  const std::string doing = "complete the upload of " + name;
  HttpRequest request{.method = "POST",
                      .url = urls_.object(key(name), {{"uploadId", id}}),
                      .most_bytes = kMostAnswerBytes,
                      .patience_ms = kPatienceMs};
  request.headers.emplace("content-type", "application/xml");
  request.body = std::as_bytes(std::span(body));
  auto answer = ask_if_none(std::move(request), doing, replace);
  if (!answer) return std::unexpected(answer.error());
  const auto completed = parse_completed(answer->text());
  if (!completed)
    return failure(Kind::kBroken, "the answer to " + doing + " makes no sense: " + completed.error());
  // The status was sent before the store knew: the error is in the body.
  if (!*completed) {
    answer->status = 500;
    return std::unexpected(s3_error(*answer, settings_.description, doing));
  }
  return {};
}

TargetResult<void> S3Target::abort(const std::string& key, const std::string& id, bool despite_stop) {
  HttpRequest request{
      .method = "DELETE", .url = urls_.object(key, {{"uploadId", id}}), .despite_stop = despite_stop};
  auto answer = exchange(std::move(request), "abort the upload of " + key);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status != 404 && (answer->status < 200 || answer->status > 299)) {
    return std::unexpected(s3_error(*answer, settings_.description, "abort the upload of " + key));
  }
  return {};
}

}  // namespace swarmdns::controlplane
