#include "controlplane/backup/chunker.h"

#include <set>

#include "controlplane/backup/chunk.h"
#include "tests/unit/controlplane/backup/samples.h"

namespace swarmdns::controlplane {
namespace {

std::vector<Bytes> cut_all(const Chunker& chunker, Bytes data) {
  std::vector<Bytes> chunks;
  while (!data.empty()) {
    const std::size_t size = chunker.cut(data);
    chunks.push_back(data.first(size));
    data = data.subspan(size);
  }
  return chunks;
}

TEST(Chunker, ChunksHaveTheSizesSaid) {
  const auto data = samples::noise(std::size_t{24} << 20);
  const auto chunks = cut_all(Chunker(samples::root_key(1)), data);
  for (std::size_t i = 0; i + 1 < chunks.size(); ++i) {
    EXPECT_GT(chunks[i].size(), kLeastChunk);
    EXPECT_LE(chunks[i].size(), kMostChunk);
  }
  const std::size_t average = data.size() / chunks.size();
  EXPECT_GT(average, kAverageChunk / 2);
  EXPECT_LT(average, kAverageChunk * 3 / 2);
}

TEST(Chunker, AnInsertedOctetChangesWhatIsAroundItOnly) {
  const Chunker chunker(samples::root_key(1));
  auto data = samples::noise(std::size_t{8} << 20);
  std::set<Digest> before;
  for (const Bytes chunk : cut_all(chunker, data)) before.insert(plain_blake(chunk));
  data.insert(data.begin() + (3 << 20), std::byte{1});
  std::size_t fresh = 0;
  for (const Bytes chunk : cut_all(chunker, data)) fresh += before.contains(plain_blake(chunk)) ? 0 : 1;
  EXPECT_GE(fresh, 1u);
  EXPECT_LE(fresh, 3u);
}

TEST(Chunker, AnotherKeyCutsElsewhere) {
  const auto data = samples::noise(std::size_t{4} << 20);
  const auto ends = [&](const RootKey& key) {
    std::set<std::size_t> at;
    for (const Bytes chunk : cut_all(Chunker(key), data))
      at.insert(static_cast<std::size_t>(chunk.data() + chunk.size() - data.data()));
    at.erase(data.size());
    return at;
  };
  const auto one = ends(samples::root_key(1)), other = ends(samples::root_key(2));
  for (const std::size_t end : one) EXPECT_FALSE(other.contains(end));
}

TEST(Chunker, ShortAndUniformStreamsEnd) {
  const Chunker chunker(samples::root_key(1));
  const std::vector<std::byte> zeros(std::size_t{2} << 20);
  EXPECT_EQ(chunker.cut(Bytes(zeros).first(1)), 1u);
  EXPECT_EQ(chunker.cut(Bytes(zeros).first(kLeastChunk)), kLeastChunk);
  EXPECT_EQ(chunker.cut(zeros), kMostChunk);
}

}  // namespace
}  // namespace swarmdns::controlplane
