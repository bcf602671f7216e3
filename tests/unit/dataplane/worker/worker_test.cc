// The whole loop on a port made of two capture files: what is in the one arrives, what is sent lands in the
// other.
#include "dataplane/worker/worker.h"

#include <rte_mbuf.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/unit/dataplane/eal/started_eal.h"
#include "tests/unit/dataplane/worker/fixture.h"

namespace swarmdns::worker {
namespace {

using stats::Counter;

class PcapFiles {
 public:
  explicit PcapFiles(const std::vector<test::Octets>& frames) {
    std::string folder = (std::filesystem::temp_directory_path() / "swunit.XXXXXX").string();
    folder_ = mkdtemp(folder.data());
    std::ofstream out(in(), std::ios::binary);
    const auto put = [&out](std::uint32_t value) { out.write(reinterpret_cast<const char*>(&value), 4); };
    for (const std::uint32_t word : {0xa1b2c3d4U, 0x00040002U, 0U, 0U, 65535U, 1U}) put(word);
    for (const auto& frame : frames) {
      put(0);
      put(0);
      put(static_cast<std::uint32_t>(frame.size()));
      put(static_cast<std::uint32_t>(frame.size()));
      out.write(reinterpret_cast<const char*>(frame.data()), static_cast<std::streamsize>(frame.size()));
    }
  }
  ~PcapFiles() { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string in() const { return folder_ + "/in.pcap"; }
  [[nodiscard]] std::string out() const { return folder_ + "/out.pcap"; }
  [[nodiscard]] std::vector<test::Octets> sent() const {
    std::ifstream file(out(), std::ios::binary);
    file.ignore(24);
    std::vector<test::Octets> frames;
    std::array<std::uint32_t, 4> header;
    while (file.read(reinterpret_cast<char*>(header.data()), 16)) {
      test::Octets frame(header[2]);
      file.read(reinterpret_cast<char*>(frame.data()), static_cast<std::streamsize>(frame.size()));
      frames.push_back(std::move(frame));
    }
    return frames;
  }

 private:
  std::string folder_;
};

class WorkerTest : public PipelineTest {
 protected:
  WorkerTest() {
    // The entries' times are those of the fixture: the clock is brought there.
    clock_.advance(kNow - cache::Clock::kStart);
    slot_.current = &policy_;
  }

  template <class Condition>
  static bool wait_for(Condition condition) {
    for (int i = 0; i < 5000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }

  WorkerParts parts(const eal::Port& port, stats::ThreadStats* stats) {
    return {.ports = {&port},
            .links = {&link_},
            .table = &cache_->table(),
            .cache_clock = &clock_,
            .policy = &slot_,
            .misses = &channel_,
            .roll = &roll_,
            .stats = stats,
            .tsc = stats::TscClock::calibrate()};
  }

  sync::Roll roll_;
  sync::Doorbell& bell_ = roll_.add();
  cache::Clock clock_{cache::Clock::Manual{}};
  PolicySlot slot_;
  stats::Registry registry_{2};
  exception::KernelLink link_{1};
};

TEST_F(WorkerTest, AnswersHitsMissesAndTheKernel) {
  eal::Eal* eal = eal::StartedEal::get();
  if (eal == nullptr) GTEST_SKIP() << eal::StartedEal::why_not();
  insert("www.example.com.");
  const auto hit = ask("www.example.com.");
  const auto miss = ask("miss.example.com.");
  auto tcp = ask("www.example.com.");
  tcp.protocol = 6;
  const PcapFiles files({hit.build(), miss.build(), tcp.build()});
  auto port = eal::Port::open(
      {.device = "net_pcap0,rx_pcap=" + files.in() + ",tx_pcap=" + files.out(), .mbufs = 2048}, 0, 1, 32);
  ASSERT_TRUE(port) << port.error().text();
  ASSERT_TRUE((*port)->start());

  stats::ThreadStats* stats = registry_.claim("worker0").value();
  Worker worker({.index = 0, .burst = 32, .police = {}}, parts(**port, stats));
  reader_->offline();  // the test's own thread sleeps from here on
  ASSERT_TRUE(eal->launch(0, [&worker] { worker.run(); }));

  // The miss thread's part, played by hand.
  EXPECT_TRUE(wait_for([&] { return channel_.next_request() != nullptr; }));
  miss::Reply reply;
  reply.request = *channel_.next_request();
  channel_.pop_requests();
  reply.rcode = 2;
  ASSERT_TRUE(channel_.push(&reply));
  const miss::Reply* returned = nullptr;
  EXPECT_TRUE(wait_for([&] { return channel_.returned({&returned, 1}) == 1; }));
  EXPECT_EQ(returned, &reply);

  // The exception thread's part.
  EXPECT_TRUE(wait_for([&] { return !link_.to_kernel[0]->front().empty(); }));
  EXPECT_TRUE(std::ranges::equal(link_.to_kernel[0]->front(), tcp.build()));
  const test::Octets from_kernel(60, std::byte{0x5a});
  ASSERT_TRUE(link_.from_kernel.push(from_kernel));
  EXPECT_TRUE(wait_for([&] { return stats->counters.get(Counter::TxFrames) == 3; }));

  // With nothing to do it lets the readers of its rings sleep, until there is something again.
  EXPECT_TRUE(wait_for([&] { return roll_.nobody_awake(); }));
  EXPECT_TRUE(bell_.doze([&] { return !link_.from_kernel.push(from_kernel); }, std::chrono::hours(1)));
  EXPECT_TRUE(wait_for([&] { return stats->counters.get(Counter::TxFrames) == 4; }));

  worker.stop();
  eal->wait();
  reader_->online();
  port->reset();  // closes the file

  const auto sent = files.sent();
  ASSERT_EQ(sent.size(), 4U);
  EXPECT_EQ(test::check_reply(hit, sent[0]).fault, "");
  EXPECT_EQ(test::check_reply(miss, sent[1]).fault, "");
  EXPECT_EQ(sent[2], from_kernel);
  EXPECT_EQ(stats->counters.get(Counter::RxFrames), 3U);
  EXPECT_EQ(stats->counters.get(Counter::FromKernel), 2U);
  const stats::Snapshot snapshot = registry_.snapshot();
  EXPECT_EQ(snapshot.sum.hits.count, 1U);
  EXPECT_EQ(snapshot.sum.misses.count, 1U);
  EXPECT_GT(snapshot.sum.busy_ticks, 0U);
  EXPECT_GT(snapshot.sum.sleep_ticks, 0U);
  EXPECT_GE(snapshot.sum.total_ticks, snapshot.sum.busy_ticks + snapshot.sum.sleep_ticks);
}

TEST_F(WorkerTest, AnExhaustedPoolIsACountedDropAndPassesBy) {
  eal::Eal* eal = eal::StartedEal::get();
  if (eal == nullptr) GTEST_SKIP() << eal::StartedEal::why_not();
  const PcapFiles files({});
  auto port = eal::Port::open(
      {.device = "net_pcap1,rx_pcap=" + files.in() + ",tx_pcap=" + files.out(), .mbufs = 1024}, 0, 1, 32);
  ASSERT_TRUE(port) << port.error().text();
  ASSERT_TRUE((*port)->start());
  stats::ThreadStats* stats = registry_.claim("worker0").value();
  Worker worker({.index = 0, .burst = 32, .police = {}}, parts(**port, stats));
  std::vector<rte_mbuf*> taken;
  while (rte_mbuf* mbuf = rte_pktmbuf_alloc((*port)->pool(0))) taken.push_back(mbuf);
  reader_->offline();
  ASSERT_TRUE(eal->launch(0, [&worker] { worker.run(); }));
  const test::Octets frame(60, std::byte{1});
  ASSERT_TRUE(link_.from_kernel.push(frame));
  EXPECT_TRUE(wait_for([&] { return stats->counters.get(Counter::DropNoMbuf) == 1; }));
  for (rte_mbuf* mbuf : taken) rte_pktmbuf_free(mbuf);
  ASSERT_TRUE(link_.from_kernel.push(frame));
  EXPECT_TRUE(wait_for([&] { return stats->counters.get(Counter::TxFrames) == 1; }));
  worker.stop();
  eal->wait();
  reader_->online();
}

}  // namespace
}  // namespace swarmdns::worker
