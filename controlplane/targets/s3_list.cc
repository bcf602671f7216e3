// What is in a bucket: ListObjectsV2 and ListMultipartUploads, page by page.
#include "controlplane/targets/s3.h"
#include "controlplane/targets/s3_answer.h"
#include "controlplane/targets/s3_xml.h"

namespace swarmdns::controlplane {
namespace {

using Kind = TargetError::Kind;

constexpr std::uint64_t kMostPageBytes = std::uint64_t{8} << 20;
constexpr int kMostEmptyPages =
    100;  // one after the other, before the store is taken for one that has no end

}  // namespace

TargetResult<void> S3Target::list(const std::string& prefix,
                                  const std::function<bool(const ObjectInfo&)>& each) {
  const std::string doing = "list " + (prefix.empty() ? "the objects" : prefix);
  std::string last;
  std::string token;
  int empty_pages = 0;
  for (;;) {
    S3Urls::Query query{
        {"encoding-type", "url"}, {"list-type", "2"}, {"max-keys", "1000"}, {"prefix", key(prefix)}};
    if (!token.empty()) query.emplace("continuation-token", token);
    auto answer = ask({.method = "GET", .url = urls_.bucket(query), .most_bytes = kMostPageBytes}, doing);
    if (!answer && answer.error().kind == Kind::kNotFound) {  // it can be nothing else that is not there
      return failure(Kind::kInvalid,
                     "cannot " + doing + ": there is no such bucket: make it, or correct bucket");
    }
    if (!answer) return std::unexpected(answer.error());
    const auto page = parse_listing(answer->text());
    if (!page) return failure(Kind::kBroken, "the answer to " + doing + " makes no sense: " + page.error());
    for (const S3Listed& object : page->objects) {
      if (!object.key.starts_with(key(prefix))) {
        return failure(Kind::kBroken, "the store lists what does not begin with " + key(prefix));
      }
      if (!last.empty() && object.key <= last) {
        return failure(Kind::kBroken,
                       "the store does not list in the order of names; use a general purpose bucket");
      }
      last = object.key;
      const std::string name = object.key.substr(settings_.prefix.size());
      if (!valid_object_name(name)) continue;  // somebody else's
      if (!each({name, object.bytes, object.modified_ms})) return {};
    }
    if (!page->more) return {};
    empty_pages = page->objects.empty() ? empty_pages + 1 : 0;
    if (page->next.empty() || empty_pages > kMostEmptyPages) {
      return failure(Kind::kBroken, "the store says that there is more, and gives no more, at " + last);
    }
    token = page->next;
  }
}

TargetResult<std::uint64_t> S3Target::sweep(std::int64_t age_ms) {
  const std::string doing = "list the uploads that are under way";
  std::uint64_t gone = 0;
  std::string last_key;
  std::string last_id;
  for (;;) {
    S3Urls::Query query{
        {"encoding-type", "url"}, {"max-uploads", "1000"}, {"prefix", settings_.prefix}, {"uploads", ""}};
    if (!last_key.empty()) query.insert({{"key-marker", last_key}, {"upload-id-marker", last_id}});
    auto answer = ask({.method = "GET", .url = urls_.bucket(query), .most_bytes = kMostPageBytes}, doing);
    if (!answer) return std::unexpected(answer.error());
    const auto page = parse_uploads(answer->text());
    if (!page) return failure(Kind::kBroken, "the answer to " + doing + " makes no sense: " + page.error());
    const std::int64_t now_ms = store_time_ms(*answer);
    for (const S3Upload& upload : page->uploads) {
      if (!upload.key.starts_with(settings_.prefix)) continue;
      if (!valid_object_name(std::string_view(upload.key).substr(settings_.prefix.size()))) continue;
      // Stores round their times; without an age, all that is there is old enough.
      if (age_ms > 0 && (upload.begun_ms == 0 || now_ms - upload.begun_ms < age_ms)) continue;
      if (auto done = abort(upload.key, upload.id, false); !done) return std::unexpected(done.error());
      ++gone;
    }
    if (!page->more) return gone;
    if (page->next_key.empty() || (page->next_key == last_key && page->next_id == last_id)) {
      return failure(Kind::kBroken, "the store says that there are more uploads, and gives no more");
    }
    last_key = page->next_key;
    last_id = page->next_id;
  }
}

}  // namespace swarmdns::controlplane
