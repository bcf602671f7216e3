#include "tests/unit/controlplane/targets/bucket.h"

#include "controlplane/targets/s3_digest.h"

namespace swarmdns::controlplane {
namespace {

std::span<const std::byte> octets_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t at = text.find(begin);
  if (at == std::string::npos) return "";
  return text.substr(at + begin.size(), text.find(end, at) - at - begin.size());
}

ScriptedReply xml(const std::string& root, const std::string& inner) {
  return {.headers = {{"Content-Type", "application/xml"}},
          .body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<" + root +
                  " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + inner + "</" + root + ">"};
}

}  // namespace

ScriptedReply s3_failure(int status, const std::string& code, const std::string& message) {
  return {.status = status,
          .body = "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>" + message +
                  "</Message></Error>"};
}

ScriptedReply Bucket::answer(const ScriptedRequest& request) {
  const bool deleting = request.header("authorization").find(kDeleteKey) != std::string::npos;
  const std::string problem =
      signature_problem(request, deleting ? kDeleteKey : kKey, deleting ? kDeleteSecret : kSecret, kRegion);
  if (!problem.empty()) return s3_failure(403, "SignatureDoesNotMatch", problem);
  if (!request.header("content-md5").empty() &&
      request.header("content-md5") != md5_base64(octets_of(request.body))) {
    return s3_failure(400, "BadDigest");
  }
  std::string key = request.path.substr(1);
  if (host.empty()) {
    if (!key.starts_with("swarm")) return s3_failure(404, "NoSuchBucket");
    key = key.size() > 6 ? key.substr(6) : "";
  } else if (!request.header("host").starts_with(host)) {
    return s3_failure(404, "NoSuchBucket");
  }
  if (key.empty()) return request.has("uploads=") ? list_uploads(request) : list(request);
  if (deleting != (delete_key && request.method == "DELETE" && !request.has("uploadId="))) {
    return s3_failure(403, "AccessDenied");
  }
  if (request.method == "PUT") return put(request, key);
  if (request.method == "POST") return post(request, key);
  if (request.method == "DELETE") return remove(request, key);
  return give(request, key);
}

void Bucket::lock(const ScriptedRequest& request, Object& object) const {
  if (!locks) return;
  object.lock_mode = request.header("x-amz-object-lock-mode");
  object.locked_until = request.header("x-amz-object-lock-retain-until-date");
}

ScriptedReply Bucket::put(const ScriptedRequest& request, const std::string& key) {
  if (request.has("retention=")) {
    if (!locks) return s3_failure(400, "InvalidRequest", "no object lock");
    objects[key].lock_mode = between(request.body, "<Mode>", "</Mode>");
    objects[key].locked_until = between(request.body, "<RetainUntilDate>", "</RetainUntilDate>");
    return {};
  }
  const std::string md5 = md5_hex(octets_of(request.body));
  if (request.has("uploadId=")) {
    const auto upload = uploads.find(request.value("uploadId"));
    if (upload == uploads.end()) return s3_failure(404, "NoSuchUpload");
    upload->second.parts[std::stoi(request.value("partNumber"))] = request.body;
    return {.headers = {{"ETag", "\"" + md5 + "\""}}};
  }
  if (request.header("if-none-match") == "*") {
    if (!conditional) return s3_failure(501, "NotImplemented");
    if (objects.contains(key)) return s3_failure(412, "PreconditionFailed");
  }
  Object object{request.body, plain_etags ? md5 : "0123456789abcdef-1", "", ""};
  lock(request, object);
  objects[key] = object;
  return {.headers = {{"ETag", "\"" + object.etag + "\""}}};
}

ScriptedReply Bucket::post(const ScriptedRequest& request, const std::string& key) {
  if (request.has("uploads=")) {
    const std::string id = "upload/" + std::to_string(next_upload_++);
    uploads[id].key = key;
    uploads[id].begun = "2001-09-09T01:46:40.000Z";
    lock(request, uploads[id].object);
    return xml("InitiateMultipartUploadResult", "<Bucket>swarm</Bucket><UploadId>" + id + "</UploadId>");
  }
  const auto upload = uploads.find(request.value("uploadId"));
  if (upload == uploads.end()) return s3_failure(404, "NoSuchUpload");
  if (request.header("if-none-match") == "*") {
    if (!conditional) return s3_failure(501, "NotImplemented");
    if (objects.contains(key)) return s3_failure(412, "PreconditionFailed");
  }
  Object object = upload->second.object;
  for (const auto& [number, part] : upload->second.parts) {
    const std::string entry = "<PartNumber>" + std::to_string(number) + "</PartNumber><ETag>&quot;" +
                              md5_hex(octets_of(part)) + "&quot;</ETag>";
    if (request.body.find(entry) == std::string::npos) return s3_failure(400, "InvalidPart");
    object.content += part;
  }
  object.etag = "multipart-" + std::to_string(upload->second.parts.size());
  objects[key] = object;
  uploads.erase(upload);
  ScriptedReply reply = xml("CompleteMultipartUploadResult", "<Key>" + key + "</Key>");
  reply.body = "\n   \n" + reply.body;  // what keeps the connection while a store works
  return reply;
}

ScriptedReply Bucket::give(const ScriptedRequest& request, const std::string& key) {
  const auto found = objects.find(key);
  if (found == objects.end()) return s3_failure(404, "NoSuchKey");
  const Object& object = found->second;
  ScriptedReply reply{
      .headers = {{"ETag", "\"" + object.etag + "\""}, {"Last-Modified", "Sun, 09 Sep 2001 01:46:40 GMT"}},
      .body = object.content};
  if (!object.lock_mode.empty()) {
    reply.headers["x-amz-object-lock-mode"] = object.lock_mode;
    reply.headers["x-amz-object-lock-retain-until-date"] = object.locked_until;
  }
  const std::string range = request.header("range");
  if (!range.empty()) {
    const std::size_t first = std::stoul(range.substr(6));
    const std::size_t last =
        std::min(std::stoul(range.substr(range.find('-') + 1)), object.content.size() - 1);
    if (first >= object.content.size()) return s3_failure(416, "InvalidRange");
    reply.status = 206;
    reply.body = object.content.substr(first, last - first + 1);
    reply.headers["Content-Range"] = "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" +
                                     std::to_string(object.content.size());
  }
  return reply;
}

ScriptedReply Bucket::remove(const ScriptedRequest& request, const std::string& key) {
  if (!request.has("uploadId=")) {
    objects.erase(key);
  } else if (uploads.erase(request.value("uploadId")) == 0) {
    return s3_failure(404, "NoSuchUpload");
  }
  return {.status = 204};
}

ScriptedReply Bucket::list(const ScriptedRequest& request) const {
  const std::string prefix = request.value("prefix");
  const std::string after = request.value("continuation-token");
  std::string inner = "<EncodingType>url</EncodingType>";
  std::size_t given = 0;
  std::string last;
  for (auto each = objects.upper_bound(after); each != objects.end(); ++each) {
    if (!each->first.starts_with(prefix)) continue;
    if (given++ == page) {
      return xml("ListBucketResult", inner + "<IsTruncated>true</IsTruncated><NextContinuationToken>" + last +
                                         "</NextContinuationToken>");
    }
    last = each->first;
    std::string key = last;
    if (const auto space = key.find(' '); space != std::string::npos) key.replace(space, 1, "%20");
    inner += "<Contents><Key>" + key + "</Key><LastModified>2001-09-09T01:46:40.000Z</LastModified><Size>" +
             std::to_string(each->second.content.size()) + "</Size></Contents>";
  }
  return xml("ListBucketResult", "<IsTruncated>false</IsTruncated>" + inner);
}

ScriptedReply Bucket::list_uploads(const ScriptedRequest& request) const {
  std::string inner;
  std::size_t given = 0;
  std::string last;
  for (const auto& [id, upload] : uploads) {
    if (!upload.key.starts_with(request.value("prefix")) || id <= request.value("upload-id-marker")) continue;
    if (given++ == page) {
      return xml("ListMultipartUploadsResult",
                 inner + "<IsTruncated>true</IsTruncated><NextKeyMarker>" + uploads.at(last).key +
                     "</NextKeyMarker><NextUploadIdMarker>" + last + "</NextUploadIdMarker>");
    }
    last = id;
    inner += "<Upload><Key>" + upload.key + "</Key><UploadId>" + id + "</UploadId><Initiated>" +
             upload.begun + "</Initiated></Upload>";
  }
  return xml("ListMultipartUploadsResult", inner + "<IsTruncated>false</IsTruncated>");
}

}  // namespace swarmdns::controlplane
