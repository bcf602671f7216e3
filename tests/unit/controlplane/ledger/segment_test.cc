#include "controlplane/ledger/segment.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/ledger/samples.h"

namespace swarmdns::controlplane {
namespace {

TEST(Segment, SaltsDifferByPositionAndSeed) {
  const SaltSeed seed = samples::filled<32>(1);
  EXPECT_EQ(mutation_salt(seed, 0), mutation_salt(seed, 0));
  EXPECT_NE(mutation_salt(seed, 0), mutation_salt(seed, 1));
  EXPECT_NE(mutation_salt(seed, 0), mutation_salt(samples::filled<32>(2), 0));
  EXPECT_NE(mutation_commitment(mutation_salt(seed, 0), as_octets("a")),
            leaf_commitment(mutation_salt(seed, 0), as_octets("a")));
}

TEST(Segment, LinksAreChecked) {
  const samples::Chain chain(3);
  EXPECT_TRUE(check_segment_link(as_octets(chain.headers[0]), as_octets(chain.headers[1])));
  EXPECT_EQ(check_segment_link(as_octets(chain.headers[0]), as_octets(chain.headers[2])).error(),
            "segment 3 does not follow segment 1");
  v1::SegmentHeader header;
  header.ParseFromString(chain.headers[1]);
  header.set_node(8);
  EXPECT_EQ(check_segment_link(as_octets(chain.headers[0]), as_octets(header.SerializeAsString())).error(),
            "segment 2 is of another node than the one before it");
  header.set_node(7);
  header.set_previous(std::string(32, 'x'));
  EXPECT_EQ(check_segment_link(as_octets(chain.headers[0]), as_octets(header.SerializeAsString())).error(),
            "segment 2 names another segment before it");
}

TEST(Segment, HeadersAreChecked) {
  v1::SegmentHeader header;
  header.ParseFromString(samples::Chain(1).headers[0]);
  EXPECT_TRUE(parse_segment_header(as_octets(header.SerializeAsString())));
  EXPECT_EQ(parse_segment_header(as_octets("\x08")).error(), "the segment header is not Protobuf");
  v1::SegmentHeader changed = header;
  changed.set_root("short");
  EXPECT_FALSE(parse_segment_header(as_octets(changed.SerializeAsString())));
  changed = header;
  changed.clear_previous();
  EXPECT_FALSE(parse_segment_header(as_octets(changed.SerializeAsString())));
  changed = header;
  changed.set_number(0);
  EXPECT_FALSE(parse_segment_header(as_octets(changed.SerializeAsString())));
  changed = header;
  changed.set_node(0);
  EXPECT_FALSE(parse_segment_header(as_octets(changed.SerializeAsString())));
}

}  // namespace
}  // namespace swarmdns::controlplane
