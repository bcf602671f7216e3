// Any octets as the XML of an S3 store's answers: what is taken keeps the bounds of s3_xml.h.

#include <string_view>

#include "controlplane/targets/s3_xml.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace swarmdns::controlplane;
  const std::string_view body(reinterpret_cast<const char*>(data), size);

  const S3Error error = parse_s3_error(body);
  FUZZ_CHECK(error.code.size() <= 4096 && error.message.size() <= 4096);
  const auto listing = parse_listing(body);
  if (listing) {
    FUZZ_CHECK(listing->objects.size() <= 1000);
    for (const S3Listed& object : listing->objects)
      FUZZ_CHECK(!object.key.empty() && object.key.size() <= 4096);
  }
  const auto uploads = parse_uploads(body);
  if (uploads) {
    FUZZ_CHECK(uploads->uploads.size() <= 1000);
    for (const S3Upload& upload : uploads->uploads) FUZZ_CHECK(!upload.key.empty() && !upload.id.empty());
  }
  const auto id = parse_upload_id(body);
  if (id) FUZZ_CHECK(!id->empty());
  const auto completed = parse_completed(body);
  // One answer is one thing.
  FUZZ_CHECK(listing.has_value() + uploads.has_value() + completed.has_value() <= 1);
  return 0;
}
