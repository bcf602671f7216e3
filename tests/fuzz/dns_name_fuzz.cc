// Any octets as a name: as text, as an uncompressed wire form, and at every early offset of a message.
// Whatever is accepted survives the way to the other form and back.

#include <algorithm>

#include "proto/dns/name_text.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace swarmdns::dns;

void check_name_value(NameView name) {
  const auto again = name_from_text(to_text(name));
  FUZZ_CHECK(again && identical(*again, name));

  const Name owned(name);
  const Name folded = owned.folded();
  FUZZ_CHECK(owned == folded && identical(folded, folded.folded()));
  FUZZ_CHECK(canonical_compare(name, folded) == 0);
  FUZZ_CHECK(canonical_compare(name.parent(), name) <= 0);
  FUZZ_CHECK(name.is_subdomain_of(name.parent()) && name.is_subdomain_of(NameView()));
  FUZZ_CHECK(identical(name.suffix(name.label_count()), name) && name.suffix(0).is_root());

  Name rebuilt;
  std::size_t labels = 0;
  for (const Bytes label : name.labels()) {
    labels += 1;
    Name one;
    FUZZ_CHECK(one.prepend_label(label));
    FUZZ_CHECK(rebuilt.append(one));
  }
  FUZZ_CHECK(labels == name.label_count() && identical(rebuilt, name));
}

void check_offset(Bytes message, std::size_t offset) {
  Name name;
  const auto end = read_name(message, offset, name);
  FUZZ_CHECK(check_name(message, offset) == end);
  const auto plain = view_name(message, offset);
  if (!end) {
    // Pointers may not go into the first 12 octets, but a plain name may stand there.
    FUZZ_CHECK(!plain);
    return;
  }
  FUZZ_CHECK(skip_name(message, offset) == end);
  FUZZ_CHECK(name_identical(message, offset, name) && name_equals(message, offset, name.folded()));
  FUZZ_CHECK(!plain || identical(*plain, name));
  check_name_value(name);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes octets = std::as_bytes(std::span(data, size));
  if (const auto name = name_from_text(as_text(octets))) check_name_value(*name);
  if (const auto name = NameView::parse(octets)) check_name_value(*name);
  for (std::size_t offset = 0; offset < std::min<std::size_t>(size + 2, 40); ++offset)
    check_offset(octets, offset);
  return 0;
}
