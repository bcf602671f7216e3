#include "controlplane/cli/json.h"

#include <gtest/gtest.h>

#include "swarmdns/v1/admin.pb.h"

namespace swarmdns::controlplane {
namespace {

TEST(Json, NumbersAreNumbersAndZerosAreSaid) {
  v1::FlushCacheResponse response;
  response.set_removed(18446744073709551615u);
  EXPECT_EQ(to_json(response),
            "{\n  \"removed\": 18446744073709551615,\n  \"resolver_flushed\": false,\n  \"resolver_note\": "
            "\"\"\n}\n");
}

TEST(Json, NestsListsMessagesEnumsAndBytes) {
  v1::Mutation mutation;
  mutation.set_kind(v1::MUTATION_INSERT);
  mutation.set_zone(std::string("\1a\0", 3));
  v1::StatsSnapshot stats;
  stats.add_lcores(1);
  stats.add_lcores(2);
  stats.add_counters()->set_name("x");
  EXPECT_NE(to_json(mutation).find("\"kind\": \"mutation_insert\""), std::string::npos);
  EXPECT_NE(to_json(mutation).find("\"zone\": \"016100\""), std::string::npos);
  EXPECT_EQ(to_json(mutation).find("\"entry\""), std::string::npos);  // absent
  EXPECT_EQ(
      to_json(stats),
      "{\n  \"uptime_ms\": 0,\n  \"lcores\": [1, 2],\n  \"counters\": [\n    {\n      \"name\": \"x\",\n"
      "      \"value\": 0,\n      \"per_lcore\": []\n    }\n  ],\n  \"histograms\": [],\n  \"ports\": "
      "[]\n}\n");
}

TEST(Json, AbsentOptionalIsLeftOut) {
  v1::ProcessStatus process;
  EXPECT_EQ(to_json(process).find("healthy"), std::string::npos);
  process.set_healthy(false);
  EXPECT_NE(to_json(process).find("\"healthy\": false"), std::string::npos);
}

TEST(Json, EscapesWhatWouldBreakIt) {
  EXPECT_EQ(json_string("a\"b\\c\nd\te\x01\x7f"), "\"a\\\"b\\\\c\\nd\\te\\u0001\\u007f\"");
}

}  // namespace
}  // namespace swarmdns::controlplane
