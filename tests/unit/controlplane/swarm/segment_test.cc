#include "controlplane/swarm/segment.h"

#include <gtest/gtest.h>

#include "controlplane/ledger/merkle.h"
#include "tests/unit/controlplane/swarm/fakes.h"

namespace swarmdns::controlplane {
namespace {

using test::Chain;
using test::header_of;
using test::key_of;

std::string problem_of(const v1::SegmentBody& body, NodeId node = 3) {
  const auto checked = check_segment(body, key_of(node).public_key);
  return checked ? "" : checked.error();
}

TEST(Segment, ChecksWhatItsMakerMade) {
  Chain chain(3);
  const v1::SegmentBody body = chain.add({"a.example", "b.example"});
  const auto checked = check_segment(body, key_of(3).public_key);
  ASSERT_TRUE(checked) << checked.error();
  EXPECT_EQ(checked->header.count(), 2U);
  const auto mutations = read_mutations(body, checked->header);
  ASSERT_TRUE(mutations);
  EXPECT_EQ((*mutations)[1].sequence(), 2U);
  const v1::SegmentBody gap = chain.gap(10);
  EXPECT_EQ(problem_of(gap), "");
  EXPECT_EQ(lost_mutations(header_of(gap)), 10U);
  EXPECT_TRUE(check_succession(checked->header, checked->hash, header_of(gap)));
}

TEST(Segment, EveryAlterationIsFound) {
  const v1::SegmentBody good = Chain(3).add({"a.example", "b.example", "c.example"});
  EXPECT_NE(problem_of(good, 4).find("signature"), std::string::npos) << "another node's key";
  v1::SegmentBody body = good;
  body.mutable_leaves(1)->mutable_mutation()->back() ^= 1;
  EXPECT_NE(problem_of(body).find("root"), std::string::npos);
  body = good;
  body.mutable_salt_seed()->front() ^= 1;
  EXPECT_NE(problem_of(body).find("root"), std::string::npos);
  body = good;
  body.mutable_segment()->mutable_signature()->front() ^= 1;
  EXPECT_NE(problem_of(body).find("signature"), std::string::npos);
  body = good;
  body.mutable_leaves()->SwapElements(0, 1);
  EXPECT_NE(problem_of(body).find("root"), std::string::npos);
  body = good;
  body.mutable_leaves()->RemoveLast();
  EXPECT_NE(problem_of(body).find("as many"), std::string::npos);
  v1::SegmentHeader header = header_of(good);
  header.set_last_mutation(99);
  body = good;
  header.SerializeToString(body.mutable_segment()->mutable_header());
  EXPECT_NE(problem_of(body).find("without a reason"), std::string::npos);
  header.set_gap_reason("because");
  header.SerializeToString(body.mutable_segment()->mutable_header());
  EXPECT_NE(problem_of(body).find("signature"), std::string::npos);
}

TEST(Segment, LimitsHoldBeforeAnythingIsComputed) {
  v1::SegmentBody body = Chain(3).add({"a.example"});
  body.mutable_segment()->set_header(std::string(kSegmentHeaderBytes + 1, '\0'));
  EXPECT_NE(problem_of(body).find("cannot be read"), std::string::npos);
  body = Chain(3).add({"a.example"});
  body.mutable_leaves(0)->set_mutation(std::string(kSegmentBytes + kMutationBytes + 1, 'x'));
  EXPECT_NE(problem_of(body).find("too large"), std::string::npos);
  v1::SegmentHeader header = header_of(Chain(3).add({"a.example"}));
  header.set_last_mutation(std::uint64_t{1} << 60);
  header.set_gap_reason("x");
  body = Chain(3).add({"a.example"});
  header.SerializeToString(body.mutable_segment()->mutable_header());
  EXPECT_NE(problem_of(body).find("too large"), std::string::npos);
}

TEST(Segment, NumbersOfMutationsRiseWithinTheHeadersRange) {
  v1::SegmentHeader header;
  header.set_first_mutation(5);
  header.set_last_mutation(7);
  v1::SegmentBody body;
  for (const std::uint64_t number : {5, 7})
    body.add_leaves()->set_mutation(Chain::mutation(number, "a.example", 1).SerializeAsString());
  EXPECT_TRUE(read_mutations(body, header));
  body.mutable_leaves()->SwapElements(0, 1);
  EXPECT_FALSE(read_mutations(body, header));
  body.mutable_leaves(0)->set_mutation(Chain::mutation(8, "a.example", 1).SerializeAsString());
  EXPECT_FALSE(read_mutations(body, header));
  body.mutable_leaves(0)->set_mutation("\xff");
  EXPECT_FALSE(read_mutations(body, header));
}

TEST(Segment, WhatIsForgottenLeavesProofsOfTheOthers) {
  v1::SegmentBody body = Chain(3).add({"a.example", "secret.example", "c.example"});
  const std::string seed = body.salt_seed();
  const std::uint32_t second[] = {1};
  forget_mutations(body, second);
  const std::string bytes = body.SerializeAsString();
  EXPECT_EQ(bytes.find("secret"), std::string::npos);
  EXPECT_EQ(bytes.find(seed), std::string::npos) << "the seed would give the salt back";
  EXPECT_EQ(problem_of(body), "");
  const auto mutations = read_mutations(body, header_of(body));
  ASSERT_TRUE(mutations);
  EXPECT_EQ((*mutations)[1].kind(), v1::MUTATION_KIND_UNSPECIFIED);
  EXPECT_EQ((*mutations)[2].sequence(), 3U);
  // A leaf beside it is proven as before.
  const auto commitments = segment_commitments(body);
  ASSERT_TRUE(commitments);
  MemoryTree tree;
  for (const Hash& commitment : *commitments) tree.append(merkle_leaf_hash(commitment));
  const auto path = inclusion_path(tree, 2, 3);
  ASSERT_TRUE(path);
  EXPECT_TRUE(verify_inclusion(merkle_leaf_hash((*commitments)[2]), 2, 3, *path,
                               *array_from<32>(header_of(body).root())));
  const std::uint32_t first[] = {0, 1};
  forget_mutations(body, first);
  EXPECT_EQ(problem_of(body), "");
  body.mutable_leaves(1)->set_commitment(std::string(32, 'x'));
  EXPECT_NE(problem_of(body).find("root"), std::string::npos);
}

TEST(Segment, SuccessionNamesWhatDoesNotFit) {
  Chain chain(3);
  const v1::SegmentBody first = chain.add({"a.example"});
  const v1::SegmentBody second = chain.add({"b.example"});
  const v1::SegmentBody third = chain.add({"c.example"});
  const Hash hash = segment_hash(as_octets(first.segment().header()));
  EXPECT_TRUE(check_succession(header_of(first), hash, header_of(second)));
  EXPECT_FALSE(check_succession(header_of(first), hash, header_of(third)));
  v1::SegmentHeader other = header_of(second);
  other.set_previous(std::string(32, 'x'));
  EXPECT_NE(check_succession(header_of(first), hash, other).error().find("another segment"),
            std::string::npos);
  other = header_of(second);
  other.set_first_mutation(3);
  EXPECT_NE(check_succession(header_of(first), hash, other).error().find("mutations"), std::string::npos);
}

}  // namespace
}  // namespace swarmdns::controlplane
