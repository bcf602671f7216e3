#include "dataplane/restart/frames.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sodium.h>
#include <sys/resource.h>

#include <vector>

#include "tests/unit/dataplane/restart/scratch.h"

namespace swarmdns::restart {
namespace {

class FramesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_GE(sodium_init(), 0);
    key_.fill(7);
    path_ = scratch_.file("cache.snapshot");
  }
  void write(const std::vector<std::pair<FrameKind, std::string>>& frames) const {
    auto file = FrameWriter::create(path_, key_, 0x1234);
    ASSERT_TRUE(file) << file.error();
    for (const auto& [kind, payload] : frames) ASSERT_TRUE(file->add(kind, payload));
    const auto done = file->finish({5, 6});
    ASSERT_TRUE(done) << done.error();
    ASSERT_TRUE(file->publish());
  }
  // Payloads of the frames that are read, then "end OWN HELD" or what is wrong.
  std::vector<std::string> read() const { return read(key_); }
  std::vector<std::string> read(const NodeKey& key) const {
    auto file = FrameReader::open(path_, key);
    if (!file) return {file.error()};
    if (!*file) return {"missing"};
    return read(**file);
  }
  static std::vector<std::string> read(FrameReader& file) {
    std::vector<std::string> all;
    for (;;) {
      const auto frame = file.next();
      if (!frame) {
        all.push_back(frame.error());
        return all;
      }
      if (frame->kind == FrameKind::End) {
        all.push_back("end " + std::to_string(frame->totals.own) + " " + std::to_string(frame->totals.held));
        return all;
      }
      all.push_back((frame->kind == FrameKind::Own ? "own " : "held ") + std::string(frame->payload));
    }
  }
  static bool says(const std::vector<std::string>& all, const std::string& words) {
    return !all.empty() && all.back().find(words) != std::string::npos;
  }

  Scratch scratch_;
  NodeKey key_{};
  std::string path_;
};

using Frames = std::vector<std::pair<FrameKind, std::string>>;
const Frames kThree = {{FrameKind::Own, "first"}, {FrameKind::Held, "second"}, {FrameKind::Own, "third"}};

TEST_F(FramesTest, ComeBackInOrderAndNothingStandsInThem) {
  write(kThree);
  const std::vector<std::string> expected = {"own first", "held second", "own third", "end 5 6"};
  EXPECT_EQ(read(), expected);
  const std::string octets = Scratch::read(path_);
  EXPECT_EQ(octets.find("second"), std::string::npos) << "it is not sealed";
  EXPECT_EQ(octets.size(), 64U + 3 * (8 + 16) + 5 + 6 + 5 + 8 + 16 + 16) << "docs/formats says so";
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
  auto file = FrameReader::open(path_, key_);
  ASSERT_TRUE(file && *file);
  EXPECT_EQ((*file)->numbering(), 0x1234U);
  EXPECT_EQ(read(**file), expected);
  // Another one may have its name by now.
  std::filesystem::remove(path_);
  auto again = (*file)->again();
  ASSERT_TRUE(again);
  EXPECT_EQ(read(*again), expected);
}

TEST_F(FramesTest, NoFileIsNoTrouble) {
  EXPECT_EQ(read(), std::vector<std::string>{"missing"});
}

TEST_F(FramesTest, WhateverOctetIsAlteredNothingOfItPasses) {
  write(kThree);
  const std::string good = Scratch::read(path_);
  const std::vector<std::string> whole = read();
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x21);
    Scratch::write(path_, bad);
    const std::vector<std::string> got = read();
    ASSERT_NE(got, whole) << "octet " << at;
    ASSERT_LT(got.size(), whole.size() + 1);
    for (std::size_t i = 0; i + 1 < got.size(); ++i) ASSERT_EQ(got[i], whole[i]) << "octet " << at;
    ASSERT_FALSE(got.back().starts_with("own ") || got.back().starts_with("held ") ||
                 got.back().starts_with("end "))
        << "octet " << at << ": " << got.back();
  }
}

TEST_F(FramesTest, WhereverItIsCutTheWholeFramesBeforeAreLeft) {
  write(kThree);
  const std::string good = Scratch::read(path_);
  const std::vector<std::string> whole = read();
  for (std::size_t size = 0; size < good.size(); ++size) {
    Scratch::write(path_, good.substr(0, size));
    const std::vector<std::string> got = read();
    ASSERT_TRUE(says(got, "is cut")) << size << ": " << got.back();
    for (std::size_t i = 0; i + 1 < got.size(); ++i) ASSERT_EQ(got[i], whole[i]);
  }
  Scratch::write(path_, good + "x");
  EXPECT_TRUE(says(read(), "goes on behind its end"));
}

TEST_F(FramesTest, FramesCannotBeMovedOrLeftOutOrBroughtFromAnotherFile) {
  const Frames same = {{FrameKind::Own, "aaaaa"}, {FrameKind::Own, "bbbbb"}, {FrameKind::Own, "ccccc"}};
  write(same);
  const std::string good = Scratch::read(path_);
  const std::size_t frame = 8 + 5 + 16;
  const auto piece = [&](std::size_t i) { return good.substr(64 + i * frame, frame); };
  const std::string head = good.substr(0, 64);
  const std::string rest = good.substr(64 + 3 * frame);
  Scratch::write(path_, head + piece(1) + piece(0) + piece(2) + rest);
  EXPECT_TRUE(says(read(), "not in order, at frame 0"));
  Scratch::write(path_, head + piece(0) + piece(2) + rest);
  EXPECT_TRUE(says(read(), "not in order, at frame 1"));
  Scratch::write(path_, head + piece(0) + piece(0) + piece(1) + piece(2) + rest);
  EXPECT_TRUE(says(read(), "not in order, at frame 1"));
  write(same);
  const std::string other = Scratch::read(path_);
  Scratch::write(path_, head + piece(0) + other.substr(64 + frame));
  EXPECT_TRUE(says(read(), "not in order, at frame 1")) << "two files of one key are two";
}

TEST_F(FramesTest, ForeignFilesAreNamedForWhatTheyAre) {
  write(kThree);
  NodeKey other = key_;
  other[0] = 8;
  EXPECT_TRUE(says(read(other), "another key"));
  std::string octets = Scratch::read(path_);
  octets[8] = 2;
  Scratch::write(path_, octets);
  EXPECT_TRUE(says(read(), "has format 2; this version reads format 1"));
  Scratch::write(path_, std::string(4096, 'x'));
  EXPECT_TRUE(says(read(), "is not a restart snapshot"));
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_TRUE(says(read(), "is not a file"));
}

TEST_F(FramesTest, OneThatIsNotFinishedLeavesTheFormer) {
  write(kThree);
  const std::string former = Scratch::read(path_);
  {
    auto file = FrameWriter::create(path_, key_, 1);
    ASSERT_TRUE(file && file->add(FrameKind::Own, std::string(1000, 'x')));
    ASSERT_TRUE(file->finish({1, 0}));
    EXPECT_TRUE(std::filesystem::exists(path_ + ".new"));
  }
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
  EXPECT_EQ(Scratch::read(path_), former);
  // What a killed one left does not stand in the way.
  Scratch::write(path_ + ".new", "half");
  write({});
  EXPECT_EQ(read(), std::vector<std::string>{"end 5 6"});
}

TEST_F(FramesTest, ADiskThatTakesNoMoreIsSaidWithItsReason) {
  write(kThree);
  const std::string former = Scratch::read(path_);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old = signal(SIGXFSZ, SIG_IGN);
  const rlimit small{64 << 10, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  {
    auto file = FrameWriter::create(path_, key_, 1);
    ASSERT_TRUE(file) << file.error();
    const auto added = file->add(FrameKind::Own, std::string(100'000, 'x'));
    ASSERT_FALSE(added);
    EXPECT_NE(added.error().find("cannot write " + path_ + ".new: File too large"), std::string::npos)
        << added.error();
  }
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, old);
  EXPECT_EQ(Scratch::read(path_), former);
}

}  // namespace
}  // namespace swarmdns::restart
