#include "controlplane/swarm/segment_store.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/swarm/fakes.h"

namespace swarmdns::controlplane {
namespace {

using test::Chain;
using test::FakeCache;
using test::FakeDatabase;
using test::name_key;
using test::put_received;
using Placed = SegmentStore::Placed;

constexpr std::uint64_t kHour = 3'600'000;
constexpr std::uint64_t kStart = 1'700'000'000'000;

class SegmentStoreTest : public ::testing::Test {
 protected:
  std::vector<std::uint64_t> history(const std::string& name, std::uint32_t type = 0,
                                     std::size_t limit = 100) {
    const auto answer = store_.history(as_octets(FakeCache::wire(name)), type, limit);
    EXPECT_TRUE(answer) << answer.error();
    std::vector<std::uint64_t> numbers;
    for (const v1::NameMutation& mutation : answer->mutations()) {
      v1::Mutation read;
      EXPECT_TRUE(read.ParseFromString(mutation.mutation()));
      numbers.push_back(read.sequence());
    }
    return numbers;
  }
  // The octets occur in some file of the database.
  bool in_files(const std::string& octets) {
    std::vector<std::string> files;
    EXPECT_TRUE(database_.env().GetChildren("/store", &files).ok());
    for (const std::string& file : files) {
      std::string contents;
      if (rocksdb::ReadFileToString(&database_.env(), "/store/" + file, &contents).ok() &&
          contents.find(octets) != std::string::npos)
        return true;
    }
    return false;
  }
  FakeDatabase database_;
  SegmentStore store_{database_.columns(), name_key()};
};

TEST_F(SegmentStoreTest, GivesBackWhatWasPut) {
  Chain chain(3);
  const v1::SegmentBody first = chain.add({"a.example", "b.example"});
  const v1::SegmentBody second = chain.add({"a.example"});
  EXPECT_EQ(put_received(store_, first), Placed::kNew);
  EXPECT_EQ(put_received(store_, second), Placed::kNew);
  const auto read = store_.get(3, 1);
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->SerializeAsString(), first.SerializeAsString());
  EXPECT_FALSE(*store_.get(3, 9));
  EXPECT_FALSE(*store_.get(4, 1));
  EXPECT_EQ(store_.head(3)->number, 2U);
  EXPECT_EQ(store_.head(3)->header.last_mutation(), 3U);
  EXPECT_EQ(store_.head(2)->number, 0U);
  EXPECT_EQ(store_.head(4)->number, 0U);
  EXPECT_EQ(*store_.find(3, 2), 1U);
  EXPECT_EQ(*store_.find(3, 3), 2U);
  EXPECT_FALSE(*store_.find(3, 4));
  EXPECT_EQ(history("a.example"), (std::vector<std::uint64_t>{3, 1}));
  EXPECT_EQ(history("a.example", 28), (std::vector<std::uint64_t>{}));
  EXPECT_EQ(history("a.example", 0, 1), (std::vector<std::uint64_t>{3}));
  EXPECT_TRUE(store_.history(as_octets(FakeCache::wire("a.example")), 0, 1)->more());
  EXPECT_TRUE(history("c.example").empty());
}

TEST_F(SegmentStoreTest, AnotherSegmentInTheSamePlaceIsAFork) {
  Chain chain(3);
  Chain other(3);
  const v1::SegmentBody first = chain.add({"a.example"});
  const v1::SegmentBody second = chain.add({"b.example"});
  const v1::SegmentBody third = chain.add({"c.example"});
  const v1::SegmentBody forged = other.add({"evil.example"});
  const v1::SegmentBody forged_second = other.add({"evil.example"});
  EXPECT_EQ(put_received(store_, first), Placed::kNew);
  EXPECT_EQ(put_received(store_, first), Placed::kKnown);
  EXPECT_EQ(put_received(store_, forged), Placed::kForked);
  EXPECT_EQ(put_received(store_, forged_second), Placed::kForked) << "does not go on from the first";
  EXPECT_EQ(put_received(store_, third), Placed::kNew) << "a hole is none";
  EXPECT_EQ(put_received(store_, forged_second), Placed::kForked);
  EXPECT_EQ(put_received(store_, second), Placed::kNew);
  EXPECT_TRUE(history("evil.example").empty());
}

TEST_F(SegmentStoreTest, KnowsWhatIsMissingAndWhatIsAGap) {
  Chain chain(3);
  std::vector<v1::SegmentBody> bodies;
  for (int i = 0; i < 6; ++i) bodies.push_back(chain.add({"a.example"}));
  bodies.push_back(chain.gap(10));
  bodies.push_back(chain.gap(5));
  for (const int i : {0, 1, 3, 5, 6, 7}) put_received(store_, bodies[static_cast<std::size_t>(i)]);
  EXPECT_EQ(*store_.first_missing(3, 1, 9), 3U);
  EXPECT_EQ(*store_.first_missing(3, 4, 9), 5U);
  EXPECT_EQ(*store_.first_missing(3, 6, 9), 9U);
  EXPECT_EQ(*store_.oldest(3), 1U);
  EXPECT_FALSE(*store_.find(3, 3)) << "its segment is missing";
  EXPECT_EQ(*store_.find(3, 12), 7U);
  const auto gaps = store_.gaps(3);
  ASSERT_TRUE(gaps);
  ASSERT_EQ(gaps->size(), 1U);
  EXPECT_EQ((*gaps)[0].first(), 7U);
  EXPECT_EQ((*gaps)[0].last(), 21U);
}

TEST_F(SegmentStoreTest, ExpiresByAgeButKeepsTheHead) {
  Chain chain(3);
  for (std::uint64_t i = 0; i < 5; ++i) put_received(store_, chain.add({"a.example"}, kStart + i * kHour));
  EXPECT_EQ(*store_.expire(kStart), 0U);
  EXPECT_EQ(*store_.expire(kStart + 2 * kHour + 1), 3U);
  EXPECT_FALSE(*store_.get(3, 3));
  EXPECT_TRUE(*store_.get(3, 4));
  EXPECT_EQ(*store_.oldest(3), 4U);
  EXPECT_EQ(history("a.example"), (std::vector<std::uint64_t>{5, 4}));
  EXPECT_EQ(*store_.expire(kStart + 100 * kHour), 1U);
  EXPECT_EQ(store_.head(3)->number, 5U);
  put_received(store_, chain.add({"a.example"}, kStart + 101 * kHour));
  EXPECT_EQ(store_.head(3)->number, 6U);
}

TEST_F(SegmentStoreTest, AnErasedNameIsGoneFromTheFilesAndItsNeighboursStay) {
  Chain chain(3);
  std::vector<std::string> names = {"a.example", "verysecretname.example", "c.example"};
  put_received(store_, chain.add(names, kStart));
  put_received(store_, chain.add(names, kStart + 1));
  const NameTag tag = name_tag(name_key(), as_octets(FakeCache::wire("verysecretname.example")));
  EXPECT_EQ(history("verysecretname.example").size(), 2U);
  ASSERT_TRUE(in_files("verysecretname"));
  const auto erased = store_.erase_name(tag, kStart + 10);
  ASSERT_TRUE(erased) << erased.error();
  EXPECT_EQ(*erased, 2U);
  EXPECT_TRUE(history("verysecretname.example").empty());
  EXPECT_EQ(history("c.example").size(), 2U);
  for (const std::uint64_t number : {1, 2}) {
    const auto body = store_.get(3, number);
    ASSERT_TRUE(body && *body);
    EXPECT_TRUE(check_segment(**body, test::key_of(3).public_key)) << "proofs of the others hold";
    EXPECT_EQ((*body)->leaves(1).commitment().size(), 32U);
  }
  EXPECT_FALSE(in_files("verysecretname"));
  // One that comes only now is from before the erasure, too; later ones are not concerned.
  put_received(store_, chain.add(names, kStart + 5));
  EXPECT_TRUE(history("verysecretname.example").empty());
  put_received(store_, chain.add(names, kStart + 11));
  EXPECT_EQ(history("verysecretname.example"), (std::vector<std::uint64_t>{11}));
  // The erasure outlives a restart.
  SegmentStore again(database_.columns(), name_key());
  put_received(again, chain.add(names, kStart + 9));
  EXPECT_EQ(again.history(as_octets(FakeCache::wire("verysecretname.example")), 0, 9)->mutations_size(), 1);
  EXPECT_EQ(*again.erase_name(tag, kStart + 20), 1U);
}

TEST_F(SegmentStoreTest, AnErasedNameIsGoneFromBlobFilesToo) {
  v1::SegmentHeader header;
  header.set_node(3);
  header.set_number(1);
  header.set_previous(std::string(32, '\0'));
  header.set_first_mutation(1);
  header.set_last_mutation(200);
  header.set_first_ms(kStart);
  header.set_last_ms(kStart);
  std::mt19937_64 random(1);
  std::vector<std::string> mutations;
  for (std::uint64_t number = 1; number <= 200; ++number) {
    v1::Mutation mutation =
        Chain::mutation(number, number == 77 ? "verysecretname.example" : "a.example", kStart);
    for (int octet = 0; octet < 100; ++octet)
      *mutation.mutable_entry()->mutable_sections() += static_cast<char>(random());
    mutations.push_back(mutation.SerializeAsString());
  }
  put_received(store_, build_segment(header, std::move(mutations), SaltSeed{}, test::key_of(3).secret_key));
  ASSERT_TRUE(database_.db().Flush({}, {database_.columns().segments, database_.columns().mutations}).ok());
  ASSERT_TRUE(in_files("verysecretname"));
  const NameTag tag = name_tag(name_key(), as_octets(FakeCache::wire("verysecretname.example")));
  EXPECT_EQ(*store_.erase_name(tag, kStart), 1U);
  EXPECT_FALSE(in_files("verysecretname"));
  EXPECT_EQ(history("a.example", 0, 500).size(), 199U);
}

TEST_F(SegmentStoreTest, ErasesByPlace) {
  Chain chain(3);
  put_received(store_, chain.add({"a.example", "b.example", "c.example"}));
  put_received(store_, chain.add({"d.example", "e.example"}));
  std::vector<v1::MutationPlace> places(3);
  for (v1::MutationPlace& place : places) place.set_node(3);
  places[0].set_segment(1);
  places[0].add_positions(2);
  places[0].add_positions(9);  // there is none
  places[1].set_segment(2);
  places[1].add_positions(0);
  places[2].set_segment(7);  // not here
  places[2].add_positions(0);
  EXPECT_EQ(*store_.erase(places), 2U);
  EXPECT_TRUE(history("c.example").empty());
  EXPECT_TRUE(history("d.example").empty());
  EXPECT_EQ(history("e.example").size(), 1U);
  EXPECT_EQ(*store_.erase(places), 0U) << "twice is once";
}

TEST_F(SegmentStoreTest, RemembersWhichErasuresWereCarriedOut) {
  const Hash one = sha256({as_octets("one")});
  EXPECT_FALSE(*store_.carried_out(one));
  ASSERT_TRUE(store_.set_carried_out(one));
  const SegmentStore again{database_.columns(), name_key()};
  EXPECT_TRUE(*again.carried_out(one));
  EXPECT_FALSE(*again.carried_out(sha256({as_octets("two")})));
}

TEST_F(SegmentStoreTest, HistoryEndsAtATime) {
  Chain chain(3);
  const v1::SegmentBody first = chain.add({"a.example"});
  v1::SegmentHeader header;
  ASSERT_TRUE(header.ParseFromString(first.segment().header()));
  put_received(store_, first);
  const auto at = [&](std::uint64_t time) {
    return store_.history(as_octets(FakeCache::wire("a.example")), 0, 10, time)->mutations_size();
  };
  EXPECT_EQ(at(header.first_ms()), 1);
  EXPECT_EQ(at(header.first_ms() - 1), 0);
}

TEST_F(SegmentStoreTest, OutlivesARestart) {
  Chain chain(3);
  put_received(store_, chain.add({"a.example"}));
  database_.reopen();
  SegmentStore again(database_.columns(), name_key());
  EXPECT_EQ(again.head(3)->number, 1U);
  EXPECT_EQ(again.history(as_octets(FakeCache::wire("a.example")), 0, 9)->mutations_size(), 1);
  EXPECT_GT(again.bytes(), 0U);
}

}  // namespace
}  // namespace swarmdns::controlplane
