#include "dataplane/control/journal_stream.h"

#include <gmock/gmock.h>

#include <thread>

#include "tests/unit/dataplane/control/service_fixture.h"

namespace swarmdns::control {
namespace {

class JournalTest : public ServiceTest {
 protected:
  std::vector<v1::Mutation> read(std::uint64_t from, grpc::StatusCode expected = grpc::StatusCode::OK,
                                 std::uint64_t id = 0) {
    v1::JournalRequest request;
    request.set_from(from);
    request.set_journal_id(id);
    grpc::ClientContext context;
    auto reader = stub_->Journal(&context, request);
    std::vector<v1::Mutation> mutations;
    for (v1::JournalBatch batch; reader->Read(&batch);) {
      mutations.insert(mutations.end(), batch.mutations().begin(), batch.mutations().end());
    }
    const grpc::Status status = reader->Finish();
    EXPECT_EQ(status.error_code(), expected) << status.error_message();
    return mutations;
  }
};

TEST_F(JournalTest, TellsWhatHappenedInOrder) {
  insert({a_entry("a.example", 300, 1)});
  insert({a_entry("a.example", 300, 2)});
  insert({a_entry("b.example")});
  v1::FlushRequest request;
  request.set_name(wire("b.example"));
  flush(request);
  request.set_zone(wire("example"));
  flush(request);
  flush_all();
  const auto mutations = read(0);
  ASSERT_EQ(mutations.size(), 6U);
  const v1::MutationKind kinds[] = {v1::MUTATION_INSERT, v1::MUTATION_REPLACE,    v1::MUTATION_INSERT,
                                    v1::MUTATION_REMOVE, v1::MUTATION_FLUSH_ZONE, v1::MUTATION_FLUSH_ALL};
  for (std::size_t i = 0; i < mutations.size(); ++i) {
    EXPECT_EQ(mutations[i].sequence(), i + 1);
    EXPECT_EQ(mutations[i].kind(), kinds[i]) << i;
    EXPECT_NEAR(static_cast<double>(mutations[i].wall_ms()), static_cast<double>(wall_milliseconds()),
                60'000);
  }
  EXPECT_EQ(mutations[1].entry().sections(), a_record(300, 2));
  EXPECT_EQ(mutations[3].entry().key().qname(), wire("b.example"));
  EXPECT_EQ(mutations[4].zone(), wire("example"));
  EXPECT_EQ(read(6).size(), 1U);
  EXPECT_TRUE(read(7).empty());
}

TEST_F(JournalTest, NamesTheUpstreamThatSaidSo) {
  DecodeRules rules = calls_->decode_rules();
  cache::UpstreamNames& names = cache_->journal().upstreams();
  for (const char* upstream : {"192.0.2.1@53", "2001:db8::1@5353", "192.0.2.1@53"}) {
    const auto image = from_message(a_entry("n" + std::to_string(entries()) + ".example"), rules);
    ASSERT_TRUE(image) << image.error().text;
    ASSERT_TRUE(writer_->insert(*image, {.upstream = names.id_of(upstream)}));
    writer_->drain();
  }
  insert({a_entry("a.example")});
  const auto mutations = read(0);
  ASSERT_EQ(mutations.size(), 4U);
  EXPECT_EQ(mutations[0].upstream(), "192.0.2.1@53");
  EXPECT_EQ(mutations[1].upstream(), "2001:db8::1@5353");
  EXPECT_EQ(mutations[2].upstream(), "192.0.2.1@53");
  EXPECT_EQ(mutations[3].upstream(), "");
}

TEST_F(JournalTest, OverflowIsANumberedGap) {
  for (std::size_t i = 0; i < kJournalRecords + 40; ++i)
    insert({a_entry("n" + std::to_string(i) + ".example")});
  const auto mutations = read(10);
  ASSERT_FALSE(mutations.empty());
  const v1::Mutation& gap = mutations.front();
  EXPECT_EQ(gap.kind(), v1::MUTATION_GAP);
  EXPECT_EQ(gap.gap_first(), 10U);
  ASSERT_GT(mutations.size(), 1U);
  EXPECT_EQ(mutations[1].sequence(), gap.gap_last() + 1);
  EXPECT_EQ(mutations.back().sequence(), kJournalRecords + 40);
  EXPECT_LE(mutations.size() - 1, kJournalRecords);
}

TEST_F(JournalTest, LoadedEntriesAreNotNews) {
  v1::LoadResponse response;
  ASSERT_TRUE(load(make_dump({a_entry("a.example")}, 0), response).ok());
  EXPECT_TRUE(read(0).empty());
}

TEST_F(JournalTest, EntriesOfOtherNodesAreNotJournalled) {
  v1::CacheEntry entry = a_entry("a.example");
  entry.mutable_origin()->set_node(7);
  entry.mutable_origin()->set_sequence(99);
  insert({entry});
  EXPECT_TRUE(read(0).empty());
  EXPECT_EQ(lookup("a.example")[0].origin().node(), 7U);
  EXPECT_EQ(lookup("a.example")[0].origin().sequence(), 99U);
}

TEST_F(JournalTest, NumbersOfAnotherRunAreRefused) {
  insert({a_entry("a.example")});
  read(1000, grpc::StatusCode::OUT_OF_RANGE);
  read(1, grpc::StatusCode::OUT_OF_RANGE, calls_->journal_id() + 1);
  EXPECT_EQ(read(1, grpc::StatusCode::OK, calls_->journal_id()).size(), 1U);
}

TEST_F(JournalTest, FollowerSeesWhatComesAndMayDie) {
  for (int round = 0; round < 6; ++round) {  // more than may follow at once: places must come free
    auto other = connect();
    std::vector<v1::Mutation> seen;
    // A dead follower's place is free within the handler's next look at its call.
    for (int tries = 0; tries < 500 && seen.empty(); ++tries) {
      v1::JournalRequest request;
      request.set_from(cache_->journal().next());
      request.set_follow(true);
      grpc::ClientContext context;
      auto reader = other->Journal(&context, request);
      insert({a_entry("n" + std::to_string(round) + "-" + std::to_string(tries) + ".example")});
      if (v1::JournalBatch batch; reader->Read(&batch))
        seen.assign(batch.mutations().begin(), batch.mutations().end());
      context.TryCancel();
      (void)reader->Finish();
      if (seen.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ASSERT_FALSE(seen.empty());
    EXPECT_EQ(seen[0].kind(), v1::MUTATION_INSERT);
  }
  EXPECT_EQ(insert({a_entry("z.example")}).accepted(), 1U);
}

}  // namespace
}  // namespace swarmdns::control
