#include "dataplane/cache/reclaimer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "dataplane/sync/qsbr.h"

namespace swarmdns::cache {
namespace {

TEST(Reclaimer, GivesBackOnlyAfterTheGracePeriod) {
  std::atomic<bool> over{false};
  Reclaimer reclaimer(16,
                      [&over] {
                        while (!over) std::this_thread::sleep_for(std::chrono::milliseconds(1));
                      },
                      {});
  std::vector<Ref> back;
  const auto collect = [&] { return reclaimer.collect(100, [&back](Ref ref) { back.push_back(ref); }); };
  reclaimer.retire(1);
  reclaimer.retire(2);
  collect();  // sends them off
  reclaimer.retire(3);
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    collect();
  }
  EXPECT_TRUE(back.empty());
  EXPECT_FALSE(reclaimer.empty());
  over = true;
  while (!reclaimer.empty()) collect();
  std::sort(back.begin(), back.end());
  EXPECT_EQ(back, (std::vector<Ref>{1, 2, 3}));
  EXPECT_EQ(reclaimer.grace_periods(), 2U);
}

TEST(Reclaimer, RoomIsThatOfTheGatheringBatch) {
  std::atomic<bool> over{false};
  Reclaimer reclaimer(4,
                      [&over] {
                        while (!over) std::this_thread::sleep_for(std::chrono::milliseconds(1));
                      },
                      {});
  const auto nothing = [](Ref) {};
  for (Ref ref = 1; ref <= 4; ++ref) reclaimer.retire(ref);
  EXPECT_EQ(reclaimer.room(), 0U);
  reclaimer.collect(100, nothing);
  EXPECT_EQ(reclaimer.room(), 4U);
  for (Ref ref = 5; ref <= 8; ++ref) reclaimer.retire(ref);
  reclaimer.collect(100, nothing);
  EXPECT_EQ(reclaimer.room(), 0U);  // one batch under way, one gathered
  over = true;
  while (!reclaimer.empty()) reclaimer.collect(100, nothing);
  EXPECT_EQ(reclaimer.room(), 4U);
}

TEST(Reclaimer, CollectsInSlices) {
  Reclaimer reclaimer(100, [] {}, {});
  for (Ref ref = 1; ref <= 10; ++ref) reclaimer.retire(ref);
  std::size_t back = 0;
  const auto count = [&back](Ref) { ++back; };
  reclaimer.collect(0, count);
  while (reclaimer.grace_periods() == 0) std::this_thread::yield();
  while (back == 0) {
    const bool more = reclaimer.collect(4, count);
    EXPECT_EQ(more, back == 4);
  }
  EXPECT_EQ(back, 4U);
  while (!reclaimer.empty()) reclaimer.collect(4, count);
  EXPECT_EQ(back, 10U);
}

TEST(Reclaimer, WaitsForReadersThatAreOnline) {
  Reclaimer reclaimer(16, sync::wait_for_readers, {});
  std::atomic<int> phase{0};
  std::thread reader([&phase] {
    sync::QsbrThread registered;
    phase = 1;
    while (phase != 2) std::this_thread::yield();  // online, silent
    sync::QsbrThread::quiescent();
    sync::QsbrThread::offline();
    while (phase != 3) std::this_thread::yield();
    sync::QsbrThread::online();
  });
  while (phase != 1) std::this_thread::yield();
  std::size_t back = 0;
  const auto count = [&back](Ref) { ++back; };
  reclaimer.retire(1);
  for (int i = 0; i < 20; ++i) {
    reclaimer.collect(10, count);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(back, 0U);
  phase = 2;
  while (back == 0) reclaimer.collect(10, count);
  phase = 3;
  reader.join();
}

}  // namespace
}  // namespace swarmdns::cache
