#include "controlplane/cli/dump_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

class DumpFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/dump_file_XXXXXX";
    dir_ = mkdtemp(pattern);
    path_ = dir_ + "/dump";
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  static v1::CacheSlice header() {
    v1::CacheSlice slice;
    slice.mutable_header()->set_magic("SWARMDNS-CACHE");
    slice.mutable_header()->set_format(1);
    slice.mutable_header()->set_node("n1");
    return slice;
  }
  static v1::CacheSlice entries(int count) {
    v1::CacheSlice slice;
    for (int i = 0; i < count; ++i)
      slice.mutable_entries()->add_entries()->set_sections(std::string(200, 'x'));
    return slice;
  }
  static v1::CacheSlice trailer(uint64_t count) {
    v1::CacheSlice slice;
    slice.mutable_trailer()->set_entries(count);
    slice.mutable_trailer()->set_digest(std::string(32, 'd'));
    return slice;
  }
  void write(const std::vector<v1::CacheSlice>& slices) {
    DumpWriter writer(path_);
    for (const auto& slice : slices) ASSERT_TRUE(writer.add(slice)) << writer.error();
    const auto finished = writer.finish();
    ASSERT_TRUE(finished) << finished.error();
  }
  std::string why() {
    const auto summary = inspect_dump(path_);
    return summary ? "" : summary.error();
  }
  std::string contents() { return *config::read_file(path_); }
  void put(const std::string& text) { ASSERT_TRUE(config::write_file_atomically(path_, text)); }

  std::string dir_;
  std::string path_;
};

TEST_F(DumpFileTest, RoundTrips) {
  write({header(), entries(3), entries(2), trailer(5)});
  const auto summary = inspect_dump(path_);
  ASSERT_TRUE(summary) << summary.error();
  EXPECT_EQ(summary->entries, 5u);
  EXPECT_EQ(summary->header.node(), "n1");
  EXPECT_EQ(summary->bytes, std::filesystem::file_size(path_));
  DumpReader reader(path_);
  v1::CacheSlice slice;
  ASSERT_TRUE(reader.next(slice));
  EXPECT_EQ(slice.SerializeAsString(), header().SerializeAsString());
  ASSERT_TRUE(reader.next(slice));
  EXPECT_EQ(slice.entries().entries_size(), 3);
}

TEST_F(DumpFileTest, FramesAreVarintLengthAndBytes) {
  write({header(), entries(1), trailer(1)});
  const std::string first = header().SerializeAsString();
  const std::string second = entries(1).SerializeAsString();
  ASSERT_GT(second.size(), 127u);  // two bytes of length
  std::string expected(1, static_cast<char>(first.size()));
  expected += first;
  expected += static_cast<char>((second.size() & 0x7f) | 0x80);
  expected += static_cast<char>(second.size() >> 7);
  expected += second;
  EXPECT_EQ(contents().substr(0, expected.size()), expected);
}

TEST_F(DumpFileTest, EveryCutIsNoticed) {
  write({header(), entries(2), trailer(2)});
  const std::string whole = contents();
  for (size_t size = 0; size < whole.size(); ++size) {
    put(whole.substr(0, size));
    EXPECT_NE(why(), "") << size << " of " << whole.size();
  }
  put(whole.substr(0, 1));
  EXPECT_TRUE(why().starts_with("the file is cut: a slice of ")) << why();
  put("");
  EXPECT_EQ(why(), path_ + " is empty");
}

TEST_F(DumpFileTest, NamesWhatIsWrong) {
  write({header(), entries(2), trailer(3)});
  EXPECT_EQ(why(), path_ + " is cut or altered: its trailer counts 3 entries, the file holds 2");
  write({header(), trailer(0), trailer(0)});
  EXPECT_EQ(why(), path_ + " was altered: there is something behind its trailer");
  write({entries(1), trailer(1)});
  EXPECT_EQ(why(), path_ + " is no cache dump: it does not begin with a header");
  write({header(), header(), trailer(0)});
  EXPECT_EQ(why(), path_ + " was altered: it has a second header");
  auto other = header();
  other.mutable_header()->set_format(2);
  write({other, trailer(0)});
  EXPECT_EQ(why(),
            path_ + " has format 2, this version reads format 1; load it with the version that wrote it");
  other.mutable_header()->set_magic("OTHER");
  write({other, trailer(0)});
  EXPECT_EQ(why(), path_ + " is no cache dump: its header does not say SWARMDNS-CACHE");
}

TEST_F(DumpFileTest, NonsenseIsNoDump) {
  put("this is a text file, not a dump of anything");
  EXPECT_NE(why(), "");
  put(std::string(20, '\xff'));
  EXPECT_EQ(why(), "this is no cache dump, or it was altered: a slice has an impossible length (" + path_ +
                       ", byte 0)");
  put("\xff\xff\xff\x7f" + std::string(50, 'x'));
  EXPECT_EQ(why(), "this is no cache dump, or it was altered: a slice claims 268435455 bytes (" + path_ +
                       ", byte 0)");
  EXPECT_EQ(inspect_dump(dir_ + "/none").error(), "cannot open " + dir_ + "/none: No such file or directory");
}

TEST_F(DumpFileTest, ADumpThatBreaksOffLeavesTheOldFile) {
  put("old");
  {
    DumpWriter writer(path_);
    ASSERT_TRUE(writer.add(header()));
    EXPECT_EQ(writer.finish().error(), "the dump broke off before its end; nothing was kept");
  }
  EXPECT_EQ(contents(), "old");
  EXPECT_FALSE(std::filesystem::exists(path_ + ".partial"));
}

TEST_F(DumpFileTest, NamesAPlaceThatCannotBeWritten) {
  DumpWriter writer(dir_ + "/none/dump");
  EXPECT_EQ(writer.error(), "cannot write " + dir_ + "/none/dump.partial: No such file or directory");
}

}  // namespace
}  // namespace swarmdns::controlplane
