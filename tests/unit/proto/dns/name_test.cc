#include "proto/dns/name.h"

#include <gtest/gtest.h>

#include <vector>

#include "proto/dns/header.h"
#include "proto/dns/name_text.h"
#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

using test::hex;
using test::name;
using test::Octets;
using test::octets;

const Octets kHeader(kHeaderSize);

// Labels of the given sizes and the root.
Octets labels_of(std::initializer_list<std::size_t> sizes) {
  Octets out;
  for (const std::size_t size : sizes) {
    out.push_back(static_cast<std::byte>(size));
    out.insert(out.end(), size, std::byte{'x'});
  }
  out.push_back(std::byte{0});
  return out;
}

Error error_of(const Octets& message, std::size_t offset) {
  Name out = name("left.over.");
  const auto read = read_name(message, offset, out);
  EXPECT_FALSE(read);
  EXPECT_TRUE(out.is_root());
  const auto check = check_name(message, offset);
  EXPECT_FALSE(check);
  EXPECT_EQ(read.error(), check.error());
  return read.error();
}

TEST(NameView, DefaultIsTheRoot) {
  const NameView root;
  EXPECT_TRUE(root.is_root());
  EXPECT_EQ(root.size(), 1U);
  EXPECT_EQ(root.label_count(), 0U);
  EXPECT_EQ(root.labels().begin(), root.labels().end());
  EXPECT_TRUE(root.parent().is_root());
}

TEST(NameView, ParseTakesTheNameAndLeavesTheRest) {
  const Octets data = test::wire("www.Example.com.") + hex("0001 0001");
  const auto view = NameView::parse(data);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->size(), 17U);
  EXPECT_EQ(view->label_count(), 3U);
  EXPECT_EQ(to_text(*view), "www.Example.com.");
}

TEST(NameView, ParseRefusesWhatIsNotAnUncompressedName) {
  EXPECT_EQ(NameView::parse({}).error(), Error::Truncated);
  EXPECT_EQ(NameView::parse(hex("03 77 77")).error(), Error::Truncated);
  EXPECT_EQ(NameView::parse(hex("03 77 77 77")).error(), Error::Truncated);
  EXPECT_EQ(NameView::parse(hex("01 61 c0 0c")).error(), Error::CompressionForbidden);
  EXPECT_EQ(NameView::parse(hex("41 00")).error(), Error::BadLabelType);
  EXPECT_EQ(NameView::parse(hex("80 00")).error(), Error::BadLabelType);
  EXPECT_EQ(NameView::parse(hex("40 00")).error(), Error::BadLabelType);
}

TEST(NameView, ParseKnowsTheLimits) {
  EXPECT_EQ(NameView::parse(labels_of({63, 63, 63, 61}))->size(), 255U);
  EXPECT_EQ(NameView::parse(labels_of({63, 63, 63, 62})).error(), Error::NameTooLong);
  EXPECT_EQ(NameView::parse(labels_of({63, 63, 63, 63})).error(), Error::NameTooLong);
  Octets ones;
  for (int i = 0; i < 127; ++i) ones = ones + hex("01 61");
  EXPECT_EQ(NameView::parse(ones + hex("00"))->label_count(), 127U);
  EXPECT_EQ(NameView::parse(ones + hex("01 61 00")).error(), Error::NameTooLong);
}

TEST(NameView, LabelsFromLeftToRight) {
  const Name n = name("a.bc.def.");
  std::vector<std::string> seen;
  for (const Bytes label : n.view().labels()) seen.emplace_back(as_text(label));
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "bc", "def"}));
}

TEST(NameView, ParentAndSuffix) {
  const Name n = name("a.b.c.");
  EXPECT_EQ(to_text(n.view().parent()), "b.c.");
  EXPECT_EQ(to_text(n.view().suffix(0)), ".");
  EXPECT_EQ(to_text(n.view().suffix(1)), "c.");
  EXPECT_EQ(to_text(n.view().suffix(3)), "a.b.c.");
  EXPECT_EQ(to_text(n.view().suffix(9)), "a.b.c.");
}

TEST(NameView, SubdomainEndsAtALabel) {
  const Name zone = name("Example.com.");
  EXPECT_TRUE(name("example.com.").view().is_subdomain_of(zone));
  EXPECT_TRUE(name("a.b.EXAMPLE.COM.").view().is_subdomain_of(zone));
  EXPECT_TRUE(zone.view().is_subdomain_of(NameView()));
  EXPECT_TRUE(NameView().is_subdomain_of(NameView()));
  EXPECT_FALSE(name("badexample.com.").view().is_subdomain_of(zone));
  EXPECT_FALSE(name("com.").view().is_subdomain_of(zone));
  EXPECT_FALSE(NameView().is_subdomain_of(zone));
  // The octets of "\007example\003com" inside one label are no label boundary.
  EXPECT_FALSE(name("x\\007example\\003com.").view().is_subdomain_of(zone));
}

TEST(NameView, Wildcard) {
  EXPECT_TRUE(name("*.example.").view().is_wildcard());
  EXPECT_TRUE(name("*.").view().is_wildcard());
  EXPECT_FALSE(name("**.example.").view().is_wildcard());
  EXPECT_FALSE(name("a.*.example.").view().is_wildcard());
  EXPECT_FALSE(NameView().is_wildcard());
}

TEST(NameView, EqualityIgnoresAsciiCaseOnly) {
  EXPECT_EQ(name("WWW.example.COM."), name("www.EXAMPLE.com."));
  EXPECT_FALSE(identical(name("WWW.example."), name("www.example.")));
  EXPECT_TRUE(identical(name("www.example."), name("www.example.")));
  EXPECT_FALSE(name("a.") == name("b."));
  EXPECT_FALSE(name("a.") == name("a.b."));
  EXPECT_FALSE(name("\\228.") == name("\\196."));  // ä and Ä of Latin-1
  EXPECT_FALSE(name("ab.c.") == name("a.bc."));    // same letters, other cuts
}

TEST(NameView, CanonicalOrderOfRfc4034Section61) {
  const std::vector<const char*> order = {"example.",         "a.example.",      "yljkjljk.a.example.",
                                          "Z.a.example.",     "zABC.a.EXAMPLE.", "z.example.",
                                          "\\001.z.example.", "*.z.example.",    "\\200.z.example."};
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (std::size_t j = 0; j < order.size(); ++j) {
      EXPECT_EQ(canonical_compare(name(order[i]), name(order[j])), i <=> j) << order[i] << " " << order[j];
    }
  }
  EXPECT_EQ(canonical_compare(NameView(), name("a.")), std::weak_ordering::less);
  EXPECT_EQ(canonical_compare(name("A.B."), name("a.b.")), std::weak_ordering::equivalent);
  // A shorter label is less than the same label with a zero octet behind it.
  EXPECT_EQ(canonical_compare(name("a."), name("a\\000.")), std::weak_ordering::less);
}

TEST(Name, FoldsInPlaceAndKeepsOtherOctets) {
  Name n = name("WwW.\\196B.example.");
  EXPECT_EQ(to_text(n.folded()), "www.\\196b.example.");
  EXPECT_EQ(to_text(n), "WwW.\\196B.example.");
  n.fold();
  EXPECT_EQ(to_text(n), "www.\\196b.example.");
}

TEST(Name, PrependLabelStopsAtTheLimits) {
  Name n = name("com.");
  ASSERT_TRUE(n.prepend_label(as_octets("example")));
  EXPECT_EQ(to_text(n), "example.com.");
  EXPECT_EQ(n.prepend_label({}).error(), Error::EmptyLabel);
  EXPECT_EQ(n.prepend_label(Octets(64)).error(), Error::LabelTooLong);
  Name longest(*NameView::parse(labels_of({63, 63, 63, 59})));
  EXPECT_EQ(longest.size(), 253U);
  EXPECT_EQ(longest.prepend_label(octets("ab")).error(), Error::NameTooLong);
  EXPECT_EQ(longest.size(), 253U);
  ASSERT_TRUE(longest.prepend_label(octets("a")));
  EXPECT_EQ(longest.size(), 255U);
  // A label of the name itself.
  Name doubled = name("ab.cd.");
  ASSERT_TRUE(doubled.prepend_label(*std::next(doubled.view().labels().begin())));
  EXPECT_EQ(to_text(doubled), "cd.ab.cd.");
}

TEST(Name, AppendReplacesTheRoot) {
  Name n = name("www.");
  ASSERT_TRUE(n.append(name("example.com.")));
  EXPECT_EQ(to_text(n), "www.example.com.");
  Name longest(*NameView::parse(labels_of({63, 63, 63, 61})));
  EXPECT_EQ(longest.append(name("a.")).error(), Error::NameTooLong);
  EXPECT_TRUE(longest.append(NameView()));
  EXPECT_EQ(longest.size(), 255U);
}

// RFC 1035 4.1.4: F.ISI.ARPA at 20, FOO.F.ISI.ARPA at 40, ARPA at 64, the root at 92.
TEST(ReadName, ExampleOfRfc1035) {
  Octets message(93);
  const auto put = [&](std::size_t at, const Octets& data) {
    std::copy(data.begin(), data.end(), message.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(20, hex("01 46 03 495349 04 41525041 00"));
  put(40, hex("03 464f4f c014"));
  put(64, hex("c01a"));
  Name out;
  EXPECT_EQ(read_name(message, 20, out), 32U);
  EXPECT_EQ(to_text(out), "F.ISI.ARPA.");
  EXPECT_EQ(read_name(message, 40, out), 46U);
  EXPECT_EQ(to_text(out), "FOO.F.ISI.ARPA.");
  EXPECT_EQ(read_name(message, 64, out), 66U);
  EXPECT_EQ(to_text(out), "ARPA.");
  EXPECT_EQ(read_name(message, 92, out), 93U);
  EXPECT_TRUE(out.is_root());
  EXPECT_EQ(check_name(message, 40), 46U);
  EXPECT_EQ(skip_name(message, 40), 46U);
  EXPECT_TRUE(name_equals(message, 40, name("foo.f.isi.arpa.")));
  EXPECT_FALSE(name_identical(message, 40, name("foo.f.isi.arpa.")));
  EXPECT_TRUE(name_identical(message, 40, name("FOO.F.ISI.ARPA.")));
  EXPECT_FALSE(name_equals(message, 40, name("foo.f.isi.")));
  EXPECT_FALSE(name_equals(message, 40, name("foo.f.isi.arpa.x.")));
  EXPECT_FALSE(name_equals(message, 40, NameView()));
}

TEST(ReadName, EveryCutIsTruncated) {
  const Octets whole = kHeader + hex("03 777777 00 01 61 c00c");
  Name out;
  ASSERT_EQ(read_name(whole, 17, out), 21U);
  for (std::size_t size = 0; size <= 20; ++size) {
    const Octets cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(error_of(cut, 17), Error::Truncated) << size;
    EXPECT_EQ(skip_name(cut, 17).error(), Error::Truncated) << size;
  }
  EXPECT_EQ(error_of(whole, whole.size()), Error::Truncated);
  EXPECT_EQ(error_of(whole, 100000), Error::Truncated);
  EXPECT_EQ(skip_name(whole, 100000).error(), Error::Truncated);
  EXPECT_EQ(view_name(whole, 100000).error(), Error::Truncated);
}

TEST(ReadName, PointersThatDoNotGoStrictlyBackwards) {
  EXPECT_EQ(error_of(kHeader + hex("c00c"), 12), Error::PointerLoop);        // itself
  EXPECT_EQ(error_of(kHeader + hex("01 61 c00c"), 12), Error::PointerLoop);  // its own start
  EXPECT_EQ(error_of(kHeader + hex("01 61 c00e"), 12), Error::PointerLoop);  // itself, behind a label
  EXPECT_EQ(error_of(kHeader + hex("c00e 00"), 12), Error::ForwardPointer);
  EXPECT_EQ(error_of(kHeader + hex("c00e c00c"), 14), Error::ForwardPointer);   // two that name each other
  EXPECT_EQ(error_of(kHeader + hex("01 61 c0ff"), 12), Error::ForwardPointer);  // behind the end
  EXPECT_EQ(skip_name(kHeader + hex("c00c"), 12).error(), Error::PointerLoop);
  EXPECT_EQ(skip_name(kHeader + hex("c00e 00"), 12).error(), Error::ForwardPointer);
}

TEST(ReadName, PointersIntoTheHeader) {
  for (unsigned target = 0; target < kHeaderSize; ++target) {
    const Octets message = kHeader + test::u16(static_cast<std::uint16_t>(0xc000 | target));
    EXPECT_EQ(error_of(message, 12), Error::PointerIntoHeader) << target;
    EXPECT_EQ(skip_name(message, 12).error(), Error::PointerIntoHeader) << target;
  }
}

TEST(ReadName, LongChainsOfPointersAreCutOff) {
  // The root at 12, then pointers, each to the one before.
  Octets message = kHeader + hex("00");
  std::uint16_t last = 12;
  for (int i = 0; i < 300; ++i) {
    const auto here = static_cast<std::uint16_t>(message.size());
    message = message + test::u16(static_cast<std::uint16_t>(0xc000 | last));
    last = here;
  }
  Name out;
  EXPECT_TRUE(read_name(message, 13, out));
  EXPECT_TRUE(read_name(message, 13 + 2 * 126, out));  // 127 jumps
  EXPECT_EQ(error_of(message, 13 + 2 * 127), Error::PointerLoop);
  EXPECT_EQ(error_of(message, last), Error::PointerLoop);
}

TEST(ReadName, TheLimitCountsAcrossPointers) {
  // 12: 63+1, 63+1, 63+1, root = 193 octets; then labels in front of a pointer to it.
  const Octets tail = labels_of({63, 63, 63});
  const std::size_t at = kHeaderSize + tail.size();
  const auto with = [&](std::size_t size) {
    Octets front = labels_of({size});
    front.pop_back();
    return kHeader + tail + front + hex("c00c");
  };
  Name out;
  ASSERT_TRUE(read_name(with(61), at, out));
  EXPECT_EQ(out.size(), 255U);
  EXPECT_EQ(error_of(with(62), at), Error::NameTooLong);
  EXPECT_FALSE(name_equals(with(62), at, out));
}

TEST(ReadName, ReservedLabelTypes) {
  for (unsigned v = 0x40; v < 0xc0; ++v) {
    const Octets message = kHeader + Octets{static_cast<std::byte>(v)} + Octets(255);
    EXPECT_EQ(error_of(message, 12), Error::BadLabelType) << v;
    EXPECT_EQ(skip_name(message, 12).error(), Error::BadLabelType) << v;
    EXPECT_EQ(view_name(message, 12).error(), Error::BadLabelType) << v;
  }
}

TEST(ReadName, SkipRefusesLongNames) {
  EXPECT_TRUE(skip_name(kHeader + labels_of({63, 63, 63, 61}), 12));
  EXPECT_EQ(skip_name(kHeader + labels_of({63, 63, 63, 62}), 12).error(), Error::NameTooLong);
}

TEST(ReadName, RandomOctetsNeverHarmAndAgree) {
  test::Random random(7);
  for (int round = 0; round < 20000; ++round) {
    Octets message(kHeaderSize + random.below(60));
    for (auto& octet : message)
      octet = random.below(3) == 0 ? random.octet() : static_cast<std::byte>(random.below(5));
    const std::size_t offset = kHeaderSize + random.below(50);
    Name out;
    const auto read = read_name(message, offset, out);
    const auto check = check_name(message, offset);
    ASSERT_EQ(read, check);
    if (read) {
      EXPECT_EQ(skip_name(message, offset), read);
      EXPECT_TRUE(name_identical(message, offset, out));
      EXPECT_EQ(NameView::parse(out.wire())->size(), out.size());
    }
  }
}

}  // namespace
}  // namespace swarmdns::dns
