#include "dataplane/restart/flush_log.h"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/cache/helpers.h"

namespace swarmdns::restart {
namespace {

using cache::FlushScope;
using cache::testing::make_image;

FlushScope zone(std::string_view name) {
  FlushScope scope;
  scope.kind = FlushScope::Kind::Zone;
  scope.name = cache::testing::dns_name(name);
  return scope;
}

TEST(FlushLog, KnowsWhatWasFlushedWhileItIsOpen) {
  FlushLog log;
  const auto www = make_image("www.a.example");
  const auto other = make_image("www.b.example");
  log.note(zone("a.example"));
  EXPECT_FALSE(log.view().dead(www.entry(), {})) << "nobody listened yet";
  log.open();
  const FlushLog::View before = log.view();
  log.note(zone("a.example"));
  EXPECT_TRUE(log.view().dead(www.entry(), {}));
  EXPECT_FALSE(log.view().dead(other.entry(), {}));
  EXPECT_FALSE(before.dead(www.entry(), {})) << "a view is of one moment";
  FlushScope fence;
  fence.kind = FlushScope::Kind::Origins;
  fence.origins = cache::OriginSet(std::array{cache::OriginSet::Range{7, 5, 9}}, true);
  log.note(fence);
  EXPECT_TRUE(log.view().dead(other.entry(), {7, 5}));
  EXPECT_FALSE(log.view().dead(other.entry(), {7, 4}));
  EXPECT_TRUE(log.view().dead(other.entry(), {})) << "of unknown origin";
  log.close();
  EXPECT_FALSE(log.view().dead(www.entry(), {7, 5}));
}

TEST(FlushLog, AllIsAllAndSoIsMoreThanItHolds) {
  FlushLog log;
  const auto image = make_image("www.example");
  log.open();
  log.note(FlushScope{});
  EXPECT_TRUE(log.view().all_dead());
  log.close();
  log.open();
  for (std::size_t i = 0; i < FlushLog::kMostFlushes; ++i) log.note(zone("other"));
  EXPECT_FALSE(log.view().dead(image.entry(), {0, 1}));
  log.note(zone("other"));
  EXPECT_TRUE(log.view().dead(image.entry(), {0, 1})) << "what it has forgotten might have been this";
}

}  // namespace
}  // namespace swarmdns::restart
