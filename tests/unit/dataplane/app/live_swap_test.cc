#include "dataplane/app/live_swap.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "dataplane/sync/qsbr.h"

namespace swarmdns::app {
namespace {

control::LiveParts parts(std::uint32_t number) {
  control::LiveParts parts;
  parts.policy = std::make_unique<worker::Policy>();
  parts.policy->service.nsid = std::string(100, 'x');  // on the heap: a reader of freed memory is caught
  parts.policy->prefetch_percent = number;
  parts.policy->stale_max_s = number;
  auto miss = std::make_shared<miss::Options>();
  miss->tries = number;
  parts.miss = std::move(miss);
  auto stream = std::make_shared<stream::Options>();
  stream->max_pipelined = number;
  parts.stream = std::move(stream);
  return parts;
}

TEST(LiveSwap, EverySlotTakesTheNewParts) {
  LiveSwap swap(parts(1));
  EXPECT_EQ(swap.policy().current.load()->prefetch_percent, 1U);
  const std::uint64_t version = swap.miss().version();
  swap.swap(parts(2));
  EXPECT_EQ(swap.policy().current.load()->prefetch_percent, 2U);
  EXPECT_EQ(swap.miss().get()->tries, 2U);
  EXPECT_NE(swap.miss().version(), version);
  EXPECT_EQ(swap.stream().get()->max_pipelined, 2U);
}

// Readers look at a policy as workers do; none may see one that is gone, or half of one.
TEST(LiveSwap, ReadersNeverSeeAPolicyThatIsGone) {
  LiveSwap swap(parts(0));
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> looks{0};
  std::atomic<bool> torn{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      const sync::QsbrThread registration;
      while (!stop.load(std::memory_order_relaxed)) {
        const worker::Policy* policy = swap.policy().current.load(std::memory_order_acquire);
        for (int n = 0; n < 50; ++n) {
          if (policy->prefetch_percent != policy->stale_max_s || policy->service.nsid.size() != 100)
            torn = true;
        }
        looks.fetch_add(1, std::memory_order_relaxed);
        sync::QsbrThread::quiescent();
      }
    });
  }
  while (looks.load() == 0) std::this_thread::yield();
  for (std::uint32_t number = 1; number <= 50; ++number) swap.swap(parts(number));
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_FALSE(torn);
}

}  // namespace
}  // namespace swarmdns::app
