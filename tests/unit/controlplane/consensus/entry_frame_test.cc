#include "controlplane/consensus/entry_frame.h"

#include <gtest/gtest.h>

#include <vector>

#include "controlplane/consensus/log_sizes.h"

namespace swarmdns::controlplane {
namespace {

std::vector<std::byte> framed(EntryKind kind, std::uint64_t index, std::string_view data) {
  std::vector<std::byte> frame(framed_entry_size(data.size()), std::byte{0xff});
  frame_entry(kind, index, std::as_bytes(std::span(data)), frame);
  return frame;
}

TEST(EntryFrame, KeepsDataOfAnyLength) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string data(size, 'x');
    const auto frame = framed(EntryKind::kCommand, 7, data);
    EXPECT_EQ(frame.size() % 8, 0u);
    const auto entry = unframe_entry(7, frame);
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->kind, EntryKind::kCommand);
    EXPECT_TRUE(std::ranges::equal(entry->data, std::as_bytes(std::span(data))));
  }
}

TEST(EntryFrame, IsTheSameByteForByte) {
  const auto frame = framed(EntryKind::kCommand, 0x1020304, "ab");
  const std::array<unsigned char, 16> expected = {2, 0, 0, 0, 4, 3, 2, 1, 'a', 'b'};
  EXPECT_TRUE(std::ranges::equal(frame, std::as_bytes(std::span(expected))));
}

TEST(EntryFrame, RefusesWhatIsNotOne) {
  auto frame = framed(EntryKind::kCommand, 300, "abc");
  EXPECT_FALSE(unframe_entry(301, frame)) << "another number";
  EXPECT_FALSE(unframe_entry(300, std::span(frame).first(8)));
  EXPECT_FALSE(unframe_entry(300, std::span(frame).first(4)));
  EXPECT_FALSE(unframe_entry(300, {}));
  frame[7] = std::byte{9};
  EXPECT_FALSE(unframe_entry(300, frame)) << "an unknown kind";
  EXPECT_TRUE(unframe_entry(5, framed(EntryKind::kTermStart, 5, "")));
  EXPECT_FALSE(unframe_entry(5, framed(EntryKind::kTermStart, 5, "data")));
}

TEST(ManifestFrame, RefusesAnythingAltered) {
  const std::string frame = frame_manifest("checkpoint 42");
  EXPECT_EQ(unframe_manifest(frame), "checkpoint 42");
  EXPECT_EQ(unframe_manifest(frame_manifest("")), "");
  for (std::size_t i = 0; i < frame.size(); ++i) {
    std::string altered = frame;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    EXPECT_FALSE(unframe_manifest(altered)) << i;
  }
  EXPECT_FALSE(unframe_manifest(std::string_view(frame).substr(0, frame.size() - 1)));
  EXPECT_FALSE(unframe_manifest(""));
  EXPECT_FALSE(unframe_manifest(frame_manifest(std::string(kMaxManifestBytes + 1, 'x'))));
}

TEST(LogSizes, FollowsTheLog) {
  LogSizes sizes;
  sizes.reset(1);
  for (int i = 0; i < 10; ++i) sizes.append(10);
  EXPECT_EQ(sizes.next_index(), 11u);
  EXPECT_EQ(sizes.bytes_after(0), 100u);
  EXPECT_EQ(sizes.bytes_after(4), 60u);
  EXPECT_EQ(sizes.bytes_after(10), 0u);
  EXPECT_EQ(sizes.bytes_after(99), 0u);
  EXPECT_EQ(sizes.count_within(10, 35), 3u);
  EXPECT_EQ(sizes.count_within(10, 1000), 10u);
  EXPECT_EQ(sizes.count_within(10, 0), 0u);
  sizes.truncate(9);
  EXPECT_EQ(sizes.next_index(), 9u);
  sizes.append(1);
  EXPECT_EQ(sizes.bytes_after(0), 81u);
  sizes.trim(5);
  EXPECT_EQ(sizes.first_index(), 5u);
  EXPECT_EQ(sizes.bytes_after(0), 41u);
  EXPECT_EQ(sizes.bytes_after(6), 21u);
  EXPECT_EQ(sizes.count_within(9, 1000), 5u);
  sizes.truncate(3);
  EXPECT_EQ(sizes.next_index(), 3u);
  EXPECT_EQ(sizes.bytes_after(0), 0u);
}

}  // namespace
}  // namespace swarmdns::controlplane
