#include "controlplane/targets/s3_xml.h"

#include <expat.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace swarmdns::controlplane {
namespace {

constexpr std::size_t kMostLevels = 16;
constexpr std::size_t kMostEntries = 1000;
constexpr std::size_t kMostValueBytes = 4096;

struct ParserFree {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};

// Reads a document and tells of each element at its end, by its path ("ListBucketResult/Contents/Key") and
// text.
class Reader {
 public:
  using Element = std::function<void(const std::string& path, const std::string& text)>;

  explicit Reader(Element element) : element_(std::move(element)) {}

  XmlResult<void> read(std::string_view body) {
    // Swift sends blanks to keep a connection while it works.
    body.remove_prefix(std::min(body.find_first_not_of(" \t\r\n"), body.size()));
    const std::unique_ptr<XML_ParserStruct, ParserFree> parser(XML_ParserCreate("UTF-8"));
    parser_ = parser.get();
    XML_SetUserData(parser_, this);
    XML_SetElementHandler(parser_, &Reader::begin, &Reader::end);
    XML_SetCharacterDataHandler(parser_, &Reader::characters);
    XML_SetStartDoctypeDeclHandler(parser_, &Reader::document_type);
    if (XML_Parse(parser_, body.data(), static_cast<int>(body.size()), XML_TRUE) == XML_STATUS_OK) return {};
    return std::unexpected((problem_.empty() ? XML_ErrorString(XML_GetErrorCode(parser_)) : problem_) +
                           " (line " + std::to_string(XML_GetCurrentLineNumber(parser_)) + ")");
  }
  void refuse(const std::string& problem) {
    if (problem_.empty()) problem_ = problem;
    XML_StopParser(parser_, XML_FALSE);
  }

 private:
  static Reader& of(void* self) { return *static_cast<Reader*>(self); }

  static void begin(void* self, const XML_Char* name, const XML_Char** /*attributes*/) {
    Reader& reader = of(self);
    if (reader.begins_.size() == kMostLevels) return reader.refuse("too many levels");
    reader.begins_.push_back(reader.path_.size());
    if (!reader.path_.empty()) reader.path_ += '/';
    reader.path_ += name;
    reader.text_.clear();
  }
  static void end(void* self, const XML_Char* /*name*/) {
    Reader& reader = of(self);
    reader.element_(reader.path_, reader.text_);
    reader.path_.resize(reader.begins_.back());
    reader.begins_.pop_back();
    reader.text_.clear();
  }
  static void characters(void* self, const XML_Char* text, int length) {
    Reader& reader = of(self);
    if (reader.text_.size() + static_cast<std::size_t>(length) > kMostValueBytes)
      return reader.refuse("a value is too long");
    reader.text_.append(text, static_cast<std::size_t>(length));
  }
  static void document_type(void* self, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    of(self).refuse("a document type, which S3 does not send");
  }

  Element element_;
  XML_Parser parser_ = nullptr;
  std::string path_;
  std::vector<std::size_t> begins_;  // how long the path was before each element that is open
  std::string text_;
  std::string problem_;
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// encoding-type=url. What is no %XX stays as it is.
std::string url_decoded(const std::string& text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      decoded += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

std::optional<std::uint64_t> number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

}  // namespace

S3Error parse_s3_error(std::string_view body) {
  S3Error error;
  Reader reader([&](const std::string& path, const std::string& text) {
    if (path == "Error/Code") error.code = text;
    if (path == "Error/Message") error.message = text;
    if (path == "Error/Region") error.region = text;
  });
  if (!reader.read(body)) return {};
  return error;
}

XmlResult<S3Listing> parse_listing(std::string_view body) {
  S3Listing listing;
  S3Listed object;
  std::string root;
  bool encoded = false;
  Reader* self = nullptr;
  Reader reader([&](const std::string& path, const std::string& text) {
    root = path;
    if (path == "ListBucketResult/IsTruncated") listing.more = text == "true";
    if (path == "ListBucketResult/NextContinuationToken") listing.next = text;
    if (path == "ListBucketResult/EncodingType") encoded = text == "url";
    if (path == "ListBucketResult/Contents/Key") object.key = text;
    if (path == "ListBucketResult/Contents/LastModified") object.modified_ms = parse_iso_time_ms(text);
    if (path == "ListBucketResult/Contents/Size") {
      const auto bytes = number(text);
      if (!bytes) return self->refuse("a size that is no number");
      object.bytes = *bytes;
    }
    if (path == "ListBucketResult/Contents") {
      if (object.key.empty()) return self->refuse("an object without a key");
      if (listing.objects.size() == kMostEntries) return self->refuse("more than 1,000 entries");
      listing.objects.push_back(std::exchange(object, {}));
    }
  });
  self = &reader;
  if (auto done = reader.read(body); !done) return std::unexpected(done.error());
  if (root != "ListBucketResult") return std::unexpected("no <ListBucketResult>, but <" + root + ">");
  if (encoded) {
    for (S3Listed& each : listing.objects) each.key = url_decoded(each.key);
  }
  return listing;
}

XmlResult<S3Uploads> parse_uploads(std::string_view body) {
  S3Uploads found;
  S3Upload upload;
  std::string root;
  bool encoded = false;
  Reader* self = nullptr;
  Reader reader([&](const std::string& path, const std::string& text) {
    root = path;
    if (path == "ListMultipartUploadsResult/IsTruncated") found.more = text == "true";
    if (path == "ListMultipartUploadsResult/NextKeyMarker") found.next_key = text;
    if (path == "ListMultipartUploadsResult/NextUploadIdMarker") found.next_id = text;
    if (path == "ListMultipartUploadsResult/EncodingType") encoded = text == "url";
    if (path == "ListMultipartUploadsResult/Upload/Key") upload.key = text;
    if (path == "ListMultipartUploadsResult/Upload/UploadId") upload.id = text;
    if (path == "ListMultipartUploadsResult/Upload/Initiated") upload.begun_ms = parse_iso_time_ms(text);
    if (path == "ListMultipartUploadsResult/Upload") {
      if (upload.key.empty() || upload.id.empty()) return self->refuse("an upload without a key or an id");
      if (found.uploads.size() == kMostEntries) return self->refuse("more than 1,000 entries");
      found.uploads.push_back(std::exchange(upload, {}));
    }
  });
  self = &reader;
  if (auto done = reader.read(body); !done) return std::unexpected(done.error());
  if (root != "ListMultipartUploadsResult") {
    return std::unexpected("no <ListMultipartUploadsResult>, but <" + root + ">");
  }
  if (encoded) {
    for (S3Upload& each : found.uploads) each.key = url_decoded(each.key);
    found.next_key = url_decoded(found.next_key);
  }
  return found;
}

XmlResult<std::string> parse_upload_id(std::string_view body) {
  std::string id;
  Reader reader([&](const std::string& path, const std::string& text) {
    if (path == "InitiateMultipartUploadResult/UploadId") id = text;
  });
  if (auto done = reader.read(body); !done) return std::unexpected(done.error());
  if (id.empty()) return std::unexpected("no id of the upload");
  return id;
}

XmlResult<bool> parse_completed(std::string_view body) {
  std::string root;
  Reader reader([&](const std::string& path, const std::string&) { root = path; });
  if (auto done = reader.read(body); !done) return std::unexpected(done.error());
  if (root == "Error") return false;
  if (root != "CompleteMultipartUploadResult") {
    return std::unexpected("no <CompleteMultipartUploadResult>, but <" + root + ">");
  }
  return true;
}

std::int64_t parse_iso_time_ms(std::string_view text) {
  const std::string copy(text);
  std::tm parts{};
  const char* end = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (end == nullptr || (*end != '.' && *end != 'Z')) return 0;
  return static_cast<std::int64_t>(timegm(&parts)) * 1000;
}

std::string iso_time(std::int64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>((unix_ms + 999) / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  return {text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace swarmdns::controlplane
