// Logs that were damaged, killed, recovered, or have no room.
#include "controlplane/consensus/uv_log_store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "controlplane/consensus/log_files.h"
#include "tests/unit/controlplane/consensus/cluster.h"

namespace swarmdns::controlplane {
namespace {

namespace fs = std::filesystem;
using test::Cluster;

class UvLogStore : public testing::Test {
 protected:
  void write_log(int entries) {
    cluster.bootstrap(1);
    cluster.start(1);
    cluster.leader();
    for (int i = 0; i < entries; ++i) ASSERT_TRUE(cluster.propose(1, "entry " + std::to_string(i)));
    written = cluster.nodes[1].recorder->state;
    cluster.stop(1);
  }
  // As if the store, too, were empty.
  void start_again() {
    cluster.nodes[1].recorder.reset();
    cluster.start(1);
  }
  fs::path only_segment() {
    for (const auto& file : fs::directory_iterator(log))
      if (file.path().filename().string().starts_with("00000000000000")) segments.insert(file.path());
    return *segments.rbegin();
  }
  void alter(const fs::path& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const int octet = file.get();
    file.seekp(at);
    file.put(static_cast<char>(octet ^ 1));
  }
  std::string trouble() {
    std::string text;
    cluster.wait_for([&] { return !(text = cluster.status_text(1)).empty(); }, 10);
    return text;
  }

  Cluster cluster;
  fs::path log = cluster.log_of(1);
  test::Recorder::State written;
  std::set<fs::path> segments;
};

TEST_F(UvLogStore, ReadsBackWhatWasWritten) {
  write_log(50);
  start_again();
  cluster.leader();
  EXPECT_TRUE(cluster.wait_for([&] { return cluster.nodes[1].recorder->state == written; }));
}

TEST_F(UvLogStore, ATornLastSegmentIsCutAndKept) {
  write_log(50);
  // As a crash leaves it: open, with zeros behind, and garbage where the last write was.
  const fs::path segment = only_segment();
  const auto size = fs::file_size(segment);
  fs::rename(segment, log / "open-1");
  fs::resize_file(log / "open-1", std::uintmax_t{8} << 20);
  {
    std::ofstream file(log / "open-1", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(size));
    file << "half a write that was never acknowledged";
  }
  start_again();
  cluster.leader();
  EXPECT_TRUE(cluster.wait_for([&] { return cluster.nodes[1].recorder->state == written; }));
  EXPECT_EQ(cluster.status(1).trouble, "");
  EXPECT_TRUE(fs::exists(log / "torn-open-1"));
  ASSERT_EQ(cluster.said.size(), 1u);
  EXPECT_TRUE(cluster.said[0].contains("open-1 ended in the middle of a write"));
}

// raft_uv itself takes a file that is too short for damage and does not start.
TEST_F(UvLogStore, AShortLastSegmentIsCut) {
  write_log(50);
  const fs::path segment = only_segment();
  fs::rename(segment, log / "open-1");
  fs::resize_file(log / "open-1", fs::file_size(log / "open-1") - 9);
  written.entries.pop_back();
  start_again();
  cluster.leader();
  EXPECT_TRUE(cluster.wait_for([&] { return cluster.nodes[1].recorder->state == written; }));
}

TEST_F(UvLogStore, AGarbledClosedSegmentIsNamedAndLeftAlone) {
  write_log(50);
  const fs::path segment = only_segment();
  alter(segment, static_cast<std::streamoff>(fs::file_size(segment) / 2));
  cluster.options.retry_ms = 50;
  start_again();
  const std::string text = trouble();
  EXPECT_TRUE(text.contains(segment.filename().string())) << text;
  EXPECT_TRUE(text.contains("let it join again")) << text;
  EXPECT_EQ(cluster.status(1).state, LogState::kFailed);
  EXPECT_EQ(cluster.propose(1, "x").error(), LogFault::kFailed);
  EXPECT_EQ(cluster.read(1).error(), LogFault::kFailed);
  ASSERT_TRUE(fs::exists(segment));
  // Put back, it goes on by itself.
  alter(segment, static_cast<std::streamoff>(fs::file_size(segment) / 2));
  EXPECT_TRUE(cluster.wait_for([&] { return cluster.nodes[1].recorder->state == written; }));
  EXPECT_TRUE(cluster.wait_for([&] { return cluster.status_text(1).empty(); }));
}

// raft_uv counts the entries of an open segment from the end of the closed ones, whatever they are.
TEST_F(UvLogStore, AMissingSegmentBeforeAnOpenOneIsFound) {
  write_log(20);
  const fs::path first = only_segment();
  cluster.start(1);
  cluster.leader();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(cluster.propose(1, "later " + std::to_string(i)));
  cluster.stop(1);
  segments.clear();
  const fs::path last = only_segment();
  ASSERT_NE(first, last);
  fs::rename(last, log / "open-1");
  fs::rename(first, cluster.directory / "elsewhere");
  start_again();
  const std::string text = trouble();
  EXPECT_TRUE(text.contains("is missing or was exchanged")) << text;
}

TEST_F(UvLogStore, MissingMetadataAreNamed) {
  write_log(5);
  fs::remove(log / "metadata1");
  fs::remove(log / "metadata2");
  start_again();
  const std::string text = trouble();
  EXPECT_TRUE(text.contains("metadata1 and metadata2 are missing")) << text;
}

TEST_F(UvLogStore, AGarbledManifestIsNamed) {
  cluster.options.snapshot_entries = 10;
  write_log(40);
  for (const auto& file : fs::directory_iterator(log)) {
    const std::string name = file.path().filename().string();
    if (name.starts_with("snapshot-") && !name.ends_with(".meta")) alter(file.path(), 30);
  }
  start_again();
  const std::string text = trouble();
  EXPECT_TRUE(text.contains("the newest snapshot of the log is damaged")) << text;
}

TEST_F(UvLogStore, BootstrapsOnlyWhereThereIsNoLog) {
  EXPECT_FALSE(has_log(log));
  write_log(1);
  EXPECT_TRUE(has_log(log));
  const auto again = bootstrap_log(log, {{1, "one:1", LogRole::kVoter}});
  ASSERT_FALSE(again);
  EXPECT_TRUE(again.error().contains("there is a log")) << again.error();
  const auto nobody = bootstrap_log(cluster.directory / "new", {});
  ASSERT_FALSE(nobody);
}

TEST_F(UvLogStore, ALoneSurvivorIsRecovered) {
  cluster.grow_to(3);
  ASSERT_TRUE(cluster.propose(cluster.leader(), "before"));
  ASSERT_TRUE(cluster.all_equal());
  for (const NodeId id : {1, 2, 3}) cluster.stop(id);
  for (const NodeId id : {2, 3}) cluster.nodes.erase(id);
  EXPECT_FALSE(recover_log(cluster.directory / "none", {{1, "one:1", LogRole::kVoter}}));
  const auto recovered = recover_log(log, {{1, "one:1", LogRole::kVoter}});
  ASSERT_TRUE(recovered) << recovered.error();
  cluster.start(1);
  ASSERT_EQ(cluster.leader(), 1u);
  ASSERT_TRUE(cluster.propose(1, "after"));
  EXPECT_EQ(cluster.status(1).members.size(), 1u);
  cluster.reactor.run([&] {
    const auto& entries = cluster.nodes[1].recorder->state.entries;
    ASSERT_GE(entries.size(), 2u);
    EXPECT_EQ(entries[entries.size() - 2].second, "before");
  });
}

// A process that is killed while it writes, again and again: what it said was applied is there.
TEST_F(UvLogStore, SurvivesBeingKilled) {
  cluster.bootstrap(1);
  std::mt19937 random(11);
  std::set<std::uint64_t> acknowledged;
  for (int round = 0; round < 10; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      // Nothing of the parent's threads is used; ended by a signal only.
      close(ends[0]);
      UvReactor reactor;
      test::MemoryNetwork network(reactor);
      test::MemoryNetwork::Link link(network, 1);
      test::Recorder::Depot depot;
      test::Recorder recorder(reactor, depot);
      controlplane::UvLogStore store(reactor, {.directory = log});
      EngineOptions options{.id = 1, .address = Cluster::address(1)};
      Engine engine(reactor, link, store, recorder, options);
      std::function<void()> more = [&] {
        engine.propose(std::string(500, 'x'), [&](std::expected<std::uint64_t, LogFault> done) {
          if (done && write(ends[1], &*done, sizeof *done) != sizeof *done) _exit(1);
          if (done) return more();
          reactor.after(5, [&] { more(); });
        });
      };
      reactor.run([&] {
        engine.start();
        for (int i = 0; i < 20; ++i) more();
      });
      pause();
      _exit(1);
    }
    close(ends[1]);
    // Once it has begun to acknowledge, after a random number of them.
    const int count = 1 + static_cast<int>(random() % 300);
    std::uint64_t index = 0;
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(read(ends[0], &index, sizeof index), static_cast<ssize_t>(sizeof index));
      acknowledged.insert(index);
    }
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    while (read(ends[0], &index, sizeof index) == static_cast<ssize_t>(sizeof index))
      acknowledged.insert(index);
    close(ends[0]);
  }
  cluster.start(1);
  cluster.leader();
  ASSERT_TRUE(cluster.propose(1, "end"));
  cluster.reactor.run([&] {
    std::set<std::uint64_t> have;
    for (const auto& [index, entry] : cluster.nodes[1].recorder->state.entries) have.insert(index);
    for (const std::uint64_t index : acknowledged) EXPECT_TRUE(have.contains(index)) << index;
  });
}

TEST_F(UvLogStore, AFullDiskRefusesAndGoesOnByItself) {
  fs::create_directories(log);
  if (mount("none", log.c_str(), "tmpfs", 0, "size=200m") != 0) GTEST_SKIP() << "only root can mount";
  struct Unmount {
    fs::path at;
    ~Unmount() { umount2(at.c_str(), MNT_DETACH); }
  } const unmount{log};
  cluster.options.max_in_flight_bytes = std::size_t{8} << 20;
  write_log(5);
  // All that is free, but for a segment or two.
  {
    std::ofstream filler(log / "filler", std::ios::binary);
    const std::string megabyte(std::size_t{1} << 20, 'x');
    for (int i = 0; i < 176; ++i) filler << megabyte;
  }
  start_again();
  ASSERT_EQ(cluster.leader(), 1u);
  LogFault fault = LogFault::kStopped;
  std::size_t taken = 0;
  std::size_t answered = 0;
  // Entries on their way when the disk is full are answered when it is not any more.
  ASSERT_TRUE(cluster.wait_for([&] {
    cluster.nodes[1].engine->propose(std::string(500'000, 'x'),
                                     [&](std::expected<std::uint64_t, LogFault> done) {
                                       if (done)
                                         ++answered;
                                       else
                                         fault = done.error();
                                     });
    if (fault == LogFault::kStopped) ++taken;
    return fault == LogFault::kNoSpace;
  }));
  const std::string text = trouble();
  EXPECT_TRUE(text.contains("is full")) << text;
  EXPECT_TRUE(text.contains(log.string())) << text;
  fs::remove(log / "filler");
  EXPECT_TRUE(cluster.wait_for([&] { return cluster.status_text(1).empty(); }));
  EXPECT_TRUE(cluster.wait_for([&] { return cluster.nodes[1].engine->status().in_flight_entries == 0; }));
  const auto after = cluster.propose(1, "room again");
  EXPECT_TRUE(after) << to_text(after.error());
  EXPECT_GT(answered, 0u);
  cluster.stop(1);
}

TEST(ScanSegment, FindsHowFarAFileIsSound) {
  EXPECT_EQ(scan_segment({}).sound_bytes, 0u);
  const std::vector<std::byte> zeros(4096);
  EXPECT_TRUE(scan_segment(zeros).rest_is_zero);
  std::vector<std::byte> begun(4096);
  begun[0] = std::byte{1};
  EXPECT_TRUE(scan_segment(begun).rest_is_zero);
  begun[16] = std::byte{5};
  EXPECT_FALSE(scan_segment(begun).rest_is_zero);
  EXPECT_EQ(scan_segment(begun).entries, 0u);
}

}  // namespace
}  // namespace swarmdns::controlplane
