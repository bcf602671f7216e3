#include "controlplane/state/state_view.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/state/map_source.h"

namespace swarmdns::controlplane {
namespace {

std::string all(const StateView& view, std::string_view prefix) {
  std::string text;
  view.scan(prefix, [&](std::string_view key, std::string_view value) {
    text += std::string(key) + "=" + std::string(value) + " ";
    return true;
  });
  return text;
}

MapSource abc() {
  MapSource source;
  source.values = {{"a", "0"}, {"p/1", "1"}, {"p/3", "3"}, {"p/5", "5"}, {"q", "6"}};
  return source;
}

TEST(StateView, ChangesHideWhatLiesBelow) {
  const MapSource source = abc();
  StateView view(source);
  view.put("p/3", "three");
  view.erase("p/1");
  EXPECT_EQ(view.get("p/3"), "three");
  EXPECT_EQ(view.get("p/1"), std::nullopt);
  EXPECT_EQ(view.get("p/5"), "5");
  EXPECT_EQ(source.values.at("p/3"), "3");
}

TEST(StateView, ScanMergesInOrder) {
  const MapSource source = abc();
  StateView view(source);
  view.put("p/0", "0");
  view.put("p/4", "4");
  view.put("p/9", "9");
  view.erase("p/3");
  view.put("q/1", "not asked for");
  EXPECT_EQ(all(view, "p/"), "p/0=0 p/1=1 p/4=4 p/5=5 p/9=9 ");
  EXPECT_EQ(all(view, "z"), "");
}

TEST(StateView, ScanEndsWhenToldTo) {
  const MapSource source = abc();
  StateView view(source);
  view.put("p/2", "2");
  int seen = 0;
  view.scan("p/", [&](std::string_view, std::string_view) { return ++seen < 2; });
  EXPECT_EQ(seen, 2);
}

TEST(StateView, RollbackTakesBackOnlyWhatCameAfterTheSavepoint) {
  const MapSource source = abc();
  StateView view(source);
  view.put("before", "1");
  view.put("p/3", "first");
  view.savepoint();
  view.put("p/3", "second");
  view.put("p/3", "third");
  view.erase("before");
  view.put("new", "x");
  view.rollback();
  EXPECT_EQ(view.get("p/3"), "first");
  EXPECT_EQ(view.get("before"), "1");
  EXPECT_FALSE(view.changes().contains("new"));
}

TEST(StateView, RemembersTheFirstFailureBelow) {
  MapSource source = abc();
  StateView view(source);
  source.failure = "the disk is gone";
  EXPECT_EQ(view.get("a"), std::nullopt);
  EXPECT_EQ(view.failure(), "the disk is gone");
}

}  // namespace
}  // namespace swarmdns::controlplane
