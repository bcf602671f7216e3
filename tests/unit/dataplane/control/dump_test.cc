#include "dataplane/control/dump.h"

#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "tests/unit/dataplane/control/service_fixture.h"

namespace swarmdns::control {
namespace {

using testing::HasSubstr;

class DumpTest : public ServiceTest {
 protected:
  void refused(const std::vector<v1::CacheSlice>& slices, grpc::StatusCode code, const std::string& why) {
    const std::uint64_t before = entries();
    v1::LoadResponse response;
    const grpc::Status status = load(slices, response);
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(why));
    EXPECT_THAT(status.error_message(), HasSubstr("nothing was loaded"));
    EXPECT_EQ(entries(), before);
  }
};

TEST_F(DumpTest, InsertDumpFlushLoadRoundTrip) {
  std::vector<v1::CacheEntry> all;
  for (int i = 0; i < 3000; ++i) all.push_back(a_entry("n" + std::to_string(i) + ".example", 3600));
  all[7].set_authenticated(true);
  all[8].set_rcode(3);
  all[8].set_negative(true);
  EXPECT_EQ(insert(all).accepted(), all.size());
  const auto before = lookup("n7.example");

  const auto slices = dump();
  ASSERT_GE(slices.size(), 3U);
  EXPECT_EQ(slices.front().header().node(), "n1");
  EXPECT_EQ(slices.front().header().journal_next(), 3001U);
  EXPECT_EQ(slices.back().trailer().entries(), all.size());
  EXPECT_EQ(flush_all(), all.size());
  ASSERT_TRUE(lookup("n7.example").empty());

  v1::LoadResponse response;
  const grpc::Status status = load(slices, response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.loaded(), all.size());
  EXPECT_EQ(response.refused(), 0U);
  EXPECT_EQ(response.expired(), 0U);
  EXPECT_EQ(entries(), all.size());
  const auto after = lookup("n7.example");
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after[0].sections(), before[0].sections());
  EXPECT_TRUE(after[0].authenticated());
  EXPECT_LE(after[0].remaining_ms(), before[0].remaining_ms());
  EXPECT_GT(after[0].remaining_ms(), 3'000'000);
  EXPECT_TRUE(lookup("n8.example")[0].negative());
  EXPECT_EQ(lookup("n8.example")[0].rcode(), 3U);
}

TEST_F(DumpTest, SlicesAreBoundedAndMeetEveryEntryOnce) {
  std::vector<v1::CacheEntry> all;
  for (int i = 0; i < 200; ++i) all.push_back(txt_entry("big" + std::to_string(i) + ".example", 15'000));
  EXPECT_EQ(insert(all).accepted(), all.size());
  std::set<std::string> met;
  const auto slices = dump();
  EXPECT_GE(slices.size(), 5U);
  for (const auto& slice : slices) {
    EXPECT_LE(slice.ByteSizeLong(), kMaxSliceBytes);
    for (const auto& entry : slice.entries().entries()) {
      EXPECT_TRUE(met.insert(entry.key().qname()).second);
    }
  }
  EXPECT_EQ(met.size(), all.size());
}

TEST_F(DumpTest, EmptyCacheIsADumpToo) {
  const auto slices = dump();
  ASSERT_EQ(slices.size(), 2U);
  v1::LoadResponse response;
  EXPECT_TRUE(load(slices, response).ok());
  EXPECT_EQ(response.loaded(), 0U);
}

TEST_F(DumpTest, AlteredIsRefused) {
  const auto good = make_dump({a_entry("a.example"), a_entry("b.example")}, 0);
  auto altered = good;
  altered[1].mutable_entries()->mutable_entries(0)->set_sections(a_record(300, 66));
  refused(altered, grpc::StatusCode::DATA_LOSS, "altered");
  altered = good;
  altered[1].mutable_entries()->mutable_entries()->DeleteSubrange(1, 1);
  refused(altered, grpc::StatusCode::DATA_LOSS, "altered");
  altered = good;
  altered[0].mutable_header()->set_wall_ms(wall_milliseconds());
  altered[0].mutable_header()->set_node("another");
  refused(altered, grpc::StatusCode::DATA_LOSS, "altered");
  altered = good;
  altered.back().mutable_trailer()->set_entries(3);
  refused(altered, grpc::StatusCode::DATA_LOSS, "altered");
  altered = good;
  std::swap(altered[0], altered[1]);
  refused(altered, grpc::StatusCode::FAILED_PRECONDITION, "header");
}

TEST_F(DumpTest, CutIsRefused) {
  auto slices = make_dump({a_entry("a.example")}, 0);
  slices.pop_back();
  refused(slices, grpc::StatusCode::DATA_LOSS, "cut");
  slices.pop_back();
  refused(slices, grpc::StatusCode::DATA_LOSS, "cut");
  refused({}, grpc::StatusCode::DATA_LOSS, "empty");
}

TEST_F(DumpTest, WhatGoesOnBehindItsTrailerIsRefused) {
  auto slices = make_dump({a_entry("a.example")}, 0);
  slices.push_back(slices[1]);
  refused(slices, grpc::StatusCode::DATA_LOSS, "behind its trailer");
  auto twice = make_dump({a_entry("a.example")}, 0);
  twice.insert(twice.begin(), twice.front());
  seal(twice);
  refused(twice, grpc::StatusCode::DATA_LOSS, "second header");
}

TEST_F(DumpTest, OtherVersionOrKindIsRefused) {
  auto slices = make_dump({a_entry("a.example")}, 0);
  slices[0].mutable_header()->set_format(2);
  seal(slices);
  refused(slices, grpc::StatusCode::FAILED_PRECONDITION, "format 2");
  slices[0].mutable_header()->set_format(1);
  slices[0].mutable_header()->set_magic("SOMETHING-ELSE");
  seal(slices);
  refused(slices, grpc::StatusCode::FAILED_PRECONDITION, "magic");
}

TEST_F(DumpTest, FromTheFutureIsRefusedForItsAgeIsUnknown) {
  auto slices = make_dump({a_entry("a.example")}, 0);
  slices[0].mutable_header()->set_wall_ms(wall_milliseconds() + 3'600'000);
  seal(slices);
  refused(slices, grpc::StatusCode::FAILED_PRECONDITION, "future");
}

TEST_F(DumpTest, TimeSinceTheDumpIsTakenOff) {
  v1::CacheEntry stale = a_entry("stale.example", 60);
  stale.set_age_s(10);
  stale.set_remaining_ms(50'000);
  v1::CacheEntry gone = a_entry("gone.example", 60);
  gone.set_age_s(90'000);
  gone.set_remaining_ms(-86'390'000);  // ten seconds of stale life left then
  v1::LoadResponse response;
  const grpc::Status status =
      load(make_dump({a_entry("fresh.example", 300), stale, gone}, 100'000), response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.loaded(), 2U);
  EXPECT_EQ(response.expired(), 1U);
  const auto fresh = lookup("fresh.example");
  ASSERT_EQ(fresh.size(), 1U);
  EXPECT_LE(fresh[0].remaining_ms(), 200'000);
  EXPECT_GE(fresh[0].age_s(), 100U);
  const auto kept = lookup("stale.example");
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_LT(kept[0].remaining_ms(), -49'000);
}

TEST_F(DumpTest, BadEntriesInASoundDumpAreCounted) {
  v1::CacheEntry broken = a_entry("broken.example");
  broken.set_answers(5);
  v1::LoadResponse response;
  ASSERT_TRUE(load(make_dump({broken, a_entry("good.example")}, 0), response).ok());
  EXPECT_EQ(response.loaded(), 1U);
  EXPECT_EQ(response.refused(), 1U);
}

TEST_F(DumpTest, WhatLivesLongerInTheCacheStays) {
  insert({a_entry("a.example", 3600, 1)});
  v1::LoadResponse response;
  ASSERT_TRUE(load(make_dump({a_entry("a.example", 300, 2)}, 0), response).ok());
  EXPECT_EQ(lookup("a.example")[0].sections(), a_record(3600, 1));
}

TEST_F(DumpTest, OriginsOfThisNodesOwnNumbersAreKept) {
  v1::CacheEntry remote = a_entry("b.example");
  remote.mutable_origin()->set_node(7);
  remote.mutable_origin()->set_sequence(99);
  ASSERT_EQ(insert({a_entry("a.example"), remote}).accepted(), 2U);
  const auto slices = dump();
  ASSERT_EQ(flush_all(), 2U);
  v1::LoadResponse response;
  ASSERT_TRUE(load(slices, response).ok());
  EXPECT_EQ(lookup("a.example")[0].origin().node(), 0U);
  EXPECT_EQ(lookup("a.example")[0].origin().sequence(), 1U);
  EXPECT_EQ(lookup("b.example")[0].origin().node(), 7U);
  EXPECT_EQ(lookup("b.example")[0].origin().sequence(), 99U);
}

TEST_F(DumpTest, NumbersOfAnotherNumberingSayNothingHere) {
  v1::CacheEntry entry = a_entry("a.example");
  entry.mutable_origin()->set_sequence(41);
  v1::LoadResponse response;
  for (const std::uint64_t numbering : {kNumbering + 1, std::uint64_t{0}}) {
    flush_all();
    ASSERT_TRUE(load(make_dump({entry}, 0, numbering), response).ok());
    EXPECT_EQ(lookup("a.example")[0].origin().sequence(), 0U);
  }
  flush_all();
  ASSERT_TRUE(load(make_dump({entry}, 0, kNumbering), response).ok());
  EXPECT_EQ(lookup("a.example")[0].origin().sequence(), 41U);
}

TEST_F(DumpTest, ClientThatDiesInALoadLeavesNothing) {
  const auto slices = make_dump({a_entry("a.example")}, 0);
  {
    auto other = connect();
    grpc::ClientContext context;
    v1::LoadResponse response;
    auto writer = other->Load(&context, &response);
    ASSERT_TRUE(writer->Write(slices[0]));
    ASSERT_TRUE(writer->Write(slices[1]));
    context.TryCancel();
    EXPECT_FALSE(writer->Finish().ok());
  }
  EXPECT_EQ(entries(), 0U);
  v1::LoadResponse response;
  EXPECT_TRUE(load(slices, response).ok()) << "the next one is served";
}

TEST_F(DumpTest, ClientThatDiesInADumpLeavesTheCacheToItself) {
  std::vector<v1::CacheEntry> all;
  for (int i = 0; i < 400; ++i) all.push_back(txt_entry("big" + std::to_string(i) + ".example", 15'000));
  insert(all);
  for (int i = 0; i < 5; ++i) {
    auto other = connect();
    grpc::ClientContext context;
    auto reader = other->Dump(&context, {});
    v1::CacheSlice slice;
    (void)reader->Read(&slice);  // refused when those before have not been missed yet
    context.TryCancel();
    EXPECT_FALSE(reader->Finish().ok());
  }
  // The places of those that died come free once their handlers have noticed.
  std::size_t last = 0;
  for (int tries = 0; tries < 500 && last == 0; ++tries) {
    grpc::ClientContext context;
    auto reader = stub_->Dump(&context, {});
    std::size_t slices = 0;
    for (v1::CacheSlice slice; reader->Read(&slice);) ++slices;
    if (reader->Finish().ok()) last = slices;
    if (last == 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_GE(last, 5U);
  EXPECT_EQ(flush_all(), all.size());
}

}  // namespace
}  // namespace swarmdns::control
