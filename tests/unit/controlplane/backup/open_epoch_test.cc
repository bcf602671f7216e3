#include "controlplane/backup/open_epoch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/supervise/unique_fd.h"
#include "tests/unit/controlplane/backup/samples.h"
#include "tests/unit/controlplane/support/temp_dir.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::int64_t kDay = 86'400'000;

std::vector<Recipient> recipients(std::initializer_list<unsigned> starts) {
  std::vector<Recipient> all;
  for (const unsigned start : starts) all.push_back(samples::operator_key(start).recipient);
  return all;
}

// Octets of a file that has no name any more.
std::string octets_of(const UniqueFd& fd) {
  std::string octets(4096, '\0');
  const ssize_t size = pread(fd.get(), octets.data(), octets.size(), 0);
  octets.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return octets;
}

TEST(OpenEpoch, IsThereAfterARestart) {
  const TempDir directory;
  EXPECT_FALSE(OpenEpoch::load(directory.path())->has_value());
  auto epoch = OpenEpoch::begin(directory.path(), 1000, recipients({10, 20}));
  ASSERT_TRUE(epoch) << epoch.error();
  const auto day = epoch->day("2026-11-22");
  ASSERT_TRUE(day) << day.error();
  const auto again = OpenEpoch::load(directory.path());
  ASSERT_TRUE(again && *again);
  EXPECT_EQ((*again)->key().octets().view(), epoch->key().octets().view());
  EXPECT_EQ((*again)->created_ms(), 1000);
  EXPECT_EQ((*again)->recipients(), epoch->recipients());
  EXPECT_EQ((*again)->days().at("2026-11-22").octets().view(), (*day)->octets().view());
  struct stat facts;
  ASSERT_EQ(stat((directory / "epoch.key").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  EXPECT_FALSE(OpenEpoch::begin(directory.path(), 1000, recipients({10})));
}

TEST(OpenEpoch, ClosedLeavesNothingOfItsKeys) {
  const TempDir directory;
  auto epoch = OpenEpoch::begin(directory.path(), 0, recipients({10}));
  ASSERT_TRUE(epoch);
  const auto day = epoch->day("2026-11-22");
  ASSERT_TRUE(day);
  const UniqueFd first(open((directory / "epoch.key").c_str(), O_RDONLY));
  const UniqueFd of_day(open((directory / "day-2026-11-22.key").c_str(), O_RDONLY));
  ASSERT_TRUE(epoch->add_recipients(recipients({20})));
  const UniqueFd second(open((directory / "epoch.key").c_str(), O_RDONLY));
  write_file(directory / "epoch.key.new", "what a crash left");
  const UniqueFd left(open((directory / "epoch.key.new").c_str(), O_RDONLY));
  const std::string key = to_hex(as_octets(epoch->key().octets().view()));
  const std::string day_key = to_hex(as_octets((*day)->octets().view()));
  ASSERT_NE(octets_of(second).find(key), std::string::npos);
  ASSERT_NE(octets_of(of_day).find(day_key), std::string::npos);

  ASSERT_TRUE(epoch->close());
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
  EXPECT_EQ(octets_of(first).find(key), std::string::npos);
  EXPECT_EQ(octets_of(second).find(key), std::string::npos);
  EXPECT_EQ(octets_of(of_day).find(day_key), std::string::npos);
  EXPECT_EQ(octets_of(left).find("crash"), std::string::npos);
  EXPECT_FALSE(OpenEpoch::load(directory.path())->has_value());
}

TEST(OpenEpoch, SaysWhenItMustClose) {
  const TempDir directory;
  auto epoch = OpenEpoch::begin(directory.path(), 0, recipients({10, 20}));
  ASSERT_TRUE(epoch);
  EXPECT_EQ(epoch->must_close(recipients({20, 10, 30}), kDay - 1, kDay), "");
  EXPECT_EQ(epoch->must_close(recipients({10}), 0, kDay),
            to_hex(samples::operator_key(20).recipient.id()) + " is no recipient any more");
  EXPECT_EQ(epoch->must_close(recipients({10, 20}), kDay, kDay), "it has reached its age");
  ASSERT_TRUE(epoch->add_recipients(recipients({30})));
  EXPECT_NE(epoch->must_close(recipients({10, 20}), 0, kDay), "");
}

TEST(OpenEpoch, DestroyedDayGetsAnotherKey) {
  const TempDir directory;
  auto epoch = OpenEpoch::begin(directory.path(), 0, recipients({10}));
  ASSERT_TRUE(epoch);
  const Digest before = (*epoch->day("2026-11-21"))->commitment();
  EXPECT_EQ((*epoch->day("2026-11-21"))->commitment(), before);
  ASSERT_TRUE(epoch->destroy_day("2026-11-21"));
  EXPECT_NE((*epoch->day("2026-11-21"))->commitment(), before);
  ASSERT_TRUE(epoch->day("2026-11-22"));
  ASSERT_TRUE(epoch->destroy_days_before("2026-11-22"));
  EXPECT_EQ(epoch->days().size(), 1u);
  EXPECT_FALSE(std::filesystem::exists(directory / "day-2026-11-21.key"));
  EXPECT_FALSE(epoch->day("../../etc"));
}

TEST(OpenEpoch, DaysOfAnotherEpochAreDestroyed) {
  const TempDir directory;
  auto epoch = OpenEpoch::begin(directory.path(), 0, recipients({10}));
  ASSERT_TRUE(epoch && epoch->day("2026-11-22"));
  const std::string stale = read_file(directory / "day-2026-11-22.key");
  ASSERT_TRUE(epoch->close());
  ASSERT_TRUE(OpenEpoch::begin(directory.path(), 0, recipients({10})));
  write_file(directory / "day-2026-11-22.key", stale);
  ASSERT_EQ(chmod((directory / "day-2026-11-22.key").c_str(), 0600), 0);
  const auto again = OpenEpoch::load(directory.path());
  ASSERT_TRUE(again && *again) << again.error();
  EXPECT_TRUE((*again)->days().empty());
  EXPECT_FALSE(std::filesystem::exists(directory / "day-2026-11-22.key"));
}

TEST(OpenEpoch, DamagedAndOpenFilesAreRefusedWithTheMend) {
  const TempDir directory;
  ASSERT_TRUE(OpenEpoch::begin(directory.path(), 0, recipients({10})));
  const std::string whole = read_file(directory / "epoch.key");
  for (const std::string& wrong :
       {whole.substr(0, whole.size() - 2), "x" + whole, whole + "\n", std::string()}) {
    write_file(directory / "epoch.key", wrong);
    const auto refused = OpenEpoch::load(directory.path());
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().find("is damaged: remove it"), std::string::npos);
  }
  write_file(directory / "epoch.key", whole);
  ASSERT_EQ(chmod((directory / "epoch.key").c_str(), 0644), 0);
  EXPECT_NE(OpenEpoch::load(directory.path()).error().find("chmod 600"), std::string::npos);
}

TEST(ShredFile, RefusesALink) {
  const TempDir directory;
  write_file(directory / "other", "precious");
  ASSERT_EQ(symlink((directory / "other").c_str(), (directory / "epoch.key").c_str()), 0);
  EXPECT_FALSE(shred_file(directory / "epoch.key"));
  EXPECT_EQ(read_file(directory / "other"), "precious");
  EXPECT_TRUE(shred_file(directory / "nothing"));
}

}  // namespace
}  // namespace swarmdns::controlplane
