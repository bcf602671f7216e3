#include "controlplane/targets/directory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "tests/unit/controlplane/targets/failing_files.h"
#include "tests/unit/controlplane/targets/target_contract.h"
#include "tests/unit/controlplane/targets/temporary_folder.h"

namespace swarmdns::controlplane {
namespace {

namespace fs = std::filesystem;

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

std::size_t files_in(const fs::path& path) {
  return fs::exists(path) ? static_cast<std::size_t>(std::distance(fs::directory_iterator(path), {})) : 0;
}

}  // namespace

TEST(DirectoryTarget, KeepsTheContract) {
  TemporaryFolder folder;
  DirectoryTarget target({"local", folder.path()});
  keeps_the_contract(target);
  EXPECT_EQ(files_in(folder / "~new"), 0u);
  EXPECT_EQ(target.description(), "directory local (" + folder.path() + ")");
}

TEST(DirectoryTarget, KeepsTheContractWhereOnlyHardLinksDoNotOverwrite) {
  TemporaryFolder folder;
  // renameat2 with a flag says EINVAL on NFS; without one it is the rename of old.
  class NoFlags final : public FileCalls {
   public:
    int open(int f, const char* n, int o, mode_t m) override { return real_.open(f, n, o, m); }
    int close(int fd) override { return real_.close(fd); }
    ssize_t read(int fd, std::span<std::byte> into, off_t at) override { return real_.read(fd, into, at); }
    ssize_t write(int fd, std::span<const std::byte> octets) override { return real_.write(fd, octets); }
    int sync(int fd) override { return real_.sync(fd); }
    int stat(int fd, struct stat& facts) override { return real_.stat(fd, facts); }
    int stat(int f, const char* n, struct stat& facts) override { return real_.stat(f, n, facts); }
    int make_folder(int f, const char* n, mode_t m) override { return real_.make_folder(f, n, m); }
    int link(int f, const char* o, int t, const char* n) override { return real_.link(f, o, t, n); }
    int rename(int f, const char* o, int t, const char* n, bool replace) override {
      return replace ? real_.rename(f, o, t, n, true) : -EINVAL;
    }
    int unlink(int f, const char* n) override { return real_.unlink(f, n); }
    std::expected<std::vector<std::string>, int> names(int f) override { return real_.names(f); }

   private:
    FileCalls& real_ = system_file_calls();
  } calls;
  DirectoryTarget target({"local", folder.path()}, calls);
  keeps_the_contract(target);
  EXPECT_EQ(files_in(folder / "~new"), 0u);
}

TEST(DirectoryTarget, OthersCannotReadIt) {
  TemporaryFolder folder;
  DirectoryTarget target({"local", folder.path()});
  ASSERT_TRUE(target.put("packs/ab/one", octets_of("x")));
  struct stat facts;
  ASSERT_EQ(stat((folder / "packs/ab").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0700u);
  ASSERT_EQ(stat((folder / "packs/ab/one").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

TEST(DirectoryTarget, FollowsNoLinks) {
  TemporaryFolder folder;
  TemporaryFolder outside;
  write_file(outside / "secret", "not for you");
  fs::create_directory_symlink(outside.path(), folder / "packs");
  fs::create_symlink(outside / "secret", folder / "snapshot");
  DirectoryTarget target({"local", folder.path()});
  EXPECT_FAILS(target.put("packs/new", octets_of("x")), kBroken, "symbolic link");
  EXPECT_FAILS(target.get("packs/secret", 0, 3), kBroken, "symbolic link");
  EXPECT_FAILS(target.get("snapshot", 0, 3), kBroken, "symbolic link");
  EXPECT_FAILS(target.put("snapshot", octets_of("x")), kBroken, "symbolic link");
  EXPECT_FAILS(target.remove("packs/secret"), kBroken, "symbolic link");
  EXPECT_TRUE(names_of(target).empty());
  // To replace takes the link's place, and leaves alone what it leads to.
  EXPECT_DONE(target.put("snapshot", octets_of("mine"), {.replace = true}));
  EXPECT_EQ(fs::file_size(outside / "secret"), 11u);
  EXPECT_EQ(files_in(outside.path()), 1u);

  fs::remove_all(folder / "~new");
  fs::create_directory_symlink(outside.path(), folder / "~new");
  EXPECT_FAILS(target.put("other", octets_of("x")), kBroken, "symbolic link");
  EXPECT_FAILS(target.sweep(0), kBroken, "symbolic link");
  EXPECT_EQ(files_in(outside.path()), 1u);
}

TEST(DirectoryTarget, FoldersAndPipesInTheWayAreNoObjects) {
  TemporaryFolder folder;
  fs::create_directories(folder / "packs/ab");
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  write_file(folder / "file", "x");
  DirectoryTarget target({"local", folder.path()});
  EXPECT_FAILS(target.put("packs/ab", octets_of("x")), kInvalid, "folder of that name");
  EXPECT_FAILS(target.put("packs/ab", octets_of("x"), {.replace = true}), kInvalid, "folder of that name");
  EXPECT_FAILS(target.get("packs/ab", 0, 1), kNotFound, "a folder");
  EXPECT_FAILS(target.get("pipe", 0, 1), kInvalid, "pipe is no file");
  EXPECT_FAILS(target.put("file/below", octets_of("x")), kBroken, "another file in its way");
  EXPECT_EQ(names_of(target), (std::vector<std::string>{"file"}));
  EXPECT_EQ(files_in(folder / "~new"), 0u);
}

TEST(DirectoryTarget, AFolderThatIsNotThereIsNotMade) {
  TemporaryFolder folder;
  const std::string path = folder / "disk";
  DirectoryTarget target({"usb", path});
  EXPECT_FAILS(target.put("a", octets_of("x")), kUnavailable, "mount its file system");
  EXPECT_FAILS(target.list("", [](const ObjectInfo&) { return true; }), kUnavailable,
               "mount its file system");
  EXPECT_FALSE(fs::exists(path));
  DirectoryTarget mounted({"usb", folder.path(), true});
  EXPECT_FAILS(mounted.put("a", octets_of("x")), kUnavailable, "mount_point");
  DirectoryTarget proc({"proc", "/proc", true});
  EXPECT_FAILS(proc.get("nothing", 0, 1), kNotFound, "nothing");
}

TEST(DirectoryTarget, SizesAreBounded) {
  TemporaryFolder folder;
  DirectoryTarget target({"local", folder.path()});
  ASSERT_TRUE(target.put("a", octets_of("x")));
  EXPECT_FAILS(target.get("a", 0, kMaxObjectBytes + 1), kInvalid, "no object is as large");
  EXPECT_FAILS(target.get("a", UINT64_MAX, 2), kInvalid, "no object is as large");
  const std::byte* nowhere = nullptr;
  EXPECT_FAILS(target.put("b", std::span(nowhere, kMaxObjectBytes + 1)), kInvalid, "256 MiB");
  EXPECT_FAILS(target.put("b", octets_of("x"), {.locked_until_ms = 1}), kUnsupported, "object_lock_days");
}

TEST(DirectoryTarget, SweepsWhatIsOldAndNothingElse) {
  TemporaryFolder folder;
  DirectoryTarget target({"local", folder.path()});
  EXPECT_EQ(target.sweep(0).value(), 0u);
  ASSERT_TRUE(target.put("packs/a", octets_of("x")));
  write_file(folder / "~new/old", "half");
  write_file(folder / "~new/young", "half");
  fs::create_directory(folder / "~new/not-ours");
  const timespec times[2] = {{1'000'000, 0}, {1'000'000, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, (folder / "~new/old").c_str(), times, 0), 0);
  ASSERT_EQ(utimensat(AT_FDCWD, (folder / "packs/a").c_str(), times, 0), 0);
  EXPECT_EQ(target.sweep(24 * 3'600'000).value(), 1u);
  EXPECT_FALSE(fs::exists(folder / "~new/old"));
  EXPECT_TRUE(fs::exists(folder / "~new/young"));
  EXPECT_EQ(target.sweep(0).value(), 1u);
  EXPECT_EQ(names_of(target), (std::vector<std::string>{"packs/a"}));
}

TEST(DirectoryTarget, ManyWritersAtOnce) {
  TemporaryFolder folder;
  constexpr int kNames = 40;
  std::array<int, 4> refused{};
  std::vector<std::thread> writers;
  for (unsigned writer = 0; writer < refused.size(); ++writer) {
    writers.emplace_back([&, writer] {
      DirectoryTarget target({"local", folder.path()});
      for (int i = 0; i < kNames; ++i) {
        // Writers 0 and 1 put the same octets, 2 and 3 others.
        const auto done = target.put("packs/" + std::to_string(i), octets_of(content(3000, writer / 2 + 1)));
        if (done) continue;
        EXPECT_EQ(done.error().kind, TargetError::Kind::kExists) << done.error().what;
        ++refused[writer];
      }
    });
  }
  for (auto& writer : writers) writer.join();
  // Each name went to one pair, and the other pair was told.
  EXPECT_EQ(refused[0] + refused[2], kNames);
  EXPECT_EQ(refused[0], refused[1]);
  EXPECT_EQ(refused[2], refused[3]);
  DirectoryTarget target({"local", folder.path()});
  EXPECT_EQ(names_of(target).size(), static_cast<std::size_t>(kNames));
  EXPECT_EQ(files_in(folder / "~new"), 0u);
}

TEST(DirectoryTarget, ErrorsNameTheMend) {
  struct {
    int error;
    TargetError::Kind kind;
    const char* part;
  } const cases[] = {
      {ENOSPC, TargetError::Kind::kFull, "free space"},
      {EDQUOT, TargetError::Kind::kFull, "quota"},
      {EACCES, TargetError::Kind::kRefused, "chown"},
      {EPERM, TargetError::Kind::kRefused, "chown"},
      {EROFS, TargetError::Kind::kRefused, "for writing"},
      {EIO, TargetError::Kind::kUnavailable, "dmesg"},
      {ESTALE, TargetError::Kind::kUnavailable, "mounted"},
      {EMFILE, TargetError::Kind::kUnavailable, "short"},
      {EFBIG, TargetError::Kind::kInvalid, "256 MiB"},
      {ENAMETOOLONG, TargetError::Kind::kInvalid, "200"},
  };
  for (const auto& each : cases) {
    TemporaryFolder folder;
    FailingFiles calls;
    calls.fail_all("write", each.error);
    DirectoryTarget target({"local", folder.path()}, calls);
    const auto done = target.put("packs/a", octets_of("x"));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, each.kind) << done.error().what;
    EXPECT_NE(done.error().what.find(each.part), std::string::npos) << done.error().what;
    EXPECT_NE(done.error().what.find("directory local"), std::string::npos) << done.error().what;
    EXPECT_EQ(files_in(folder / "~new"), 0u);
  }
}

TEST(DirectoryTarget, AFileSystemThatCannotKeepFromOverwritingIsRefused) {
  TemporaryFolder folder;
  FailingFiles calls;
  calls.fail_all("rename", EINVAL);
  calls.fail_all("link", EPERM);
  DirectoryTarget target({"local", folder.path()}, calls);
  EXPECT_FAILS(target.put("a", octets_of("x")), kUnsupported, "hard links");
  EXPECT_EQ(files_in(folder / "~new"), 0u);
}

TEST(DirectoryTarget, SyncsBeforeItPublishesAndAfter) {
  TemporaryFolder folder;
  FailingFiles calls;
  DirectoryTarget target({"local", folder.path()}, calls);
  calls.fail(SIZE_MAX, 0);
  ASSERT_TRUE(target.put("packs/a", octets_of("x")));
  const auto& log = calls.log();
  const auto at = [&](const std::string& call, std::size_t from = 0) {
    const auto found = std::find(log.begin() + static_cast<long>(from), log.end(), call);
    EXPECT_NE(found, log.end()) << call;
    return static_cast<std::size_t>(found - log.begin());
  };
  const std::size_t made = at("make_folder packs");
  const std::size_t written = at("write");
  const std::size_t renamed = at("rename a");
  EXPECT_LT(at("sync", made), written);
  EXPECT_LT(at("sync", written), at("close", written));
  EXPECT_LT(at("close", written), renamed);
  EXPECT_LT(at("sync", renamed), log.size());

  // Somebody else's object, whose folder may not be on the disk yet, is made durable as well.
  FailingFiles other_calls;
  DirectoryTarget other({"local", folder.path()}, other_calls);
  ASSERT_TRUE(other.put("packs/a", octets_of("x")));
  EXPECT_EQ(std::ranges::count(other_calls.log(), "sync"), 3);  // packs in its parent, the file, its name
}

TEST(DirectoryTarget, AFailureAtAnyCallLosesNothing) {
  for (const bool dead : {false, true}) {
    for (const bool replace : {false, true}) {
      std::size_t at = 0;
      for (bool struck = true; struck; ++at) {
        SCOPED_TRACE("call " + std::to_string(at) + (dead ? ", dead" : "") + (replace ? ", replace" : ""));
        ASSERT_LT(at, 200u);
        TemporaryFolder folder;
        FailingFiles calls;
        const std::string before = content(2000, 7);
        const std::string after = content(3000, 8);
        {
          DirectoryTarget first({"local", folder.path()});
          ASSERT_TRUE(first.put("packs/kept", octets_of(before)));
          if (replace) {
            ASSERT_TRUE(first.put("keys/a", octets_of(before)));
          }
        }
        DirectoryTarget target({"local", folder.path()}, calls);
        calls.write_at_most(1000);
        calls.fail(at, EIO, dead);
        const auto done = target.put("keys/a", octets_of(after), {.replace = replace});
        struck = calls.struck();
        EXPECT_TRUE(calls.open_files().empty());
        if (!struck) {
          EXPECT_TRUE(done) << done.error().what;
        }
        // Another process looks: everything old is there, the new whole or not at all, and whole if it was
        // said so.
        DirectoryTarget next({"local", folder.path()});
        EXPECT_EQ(text_of(next.get("packs/kept", 0, 2000).value()), before);
        const auto info = next.head("keys/a");
        if (done || replace) {
          ASSERT_TRUE(info) << info.error().what;
        }
        if (info) {
          const std::string seen = text_of(next.get("keys/a", 0, info->bytes).value());
          EXPECT_TRUE(seen == after || (!done && replace && seen == before));
        } else {
          EXPECT_EQ(info.error().kind, TargetError::Kind::kNotFound);
        }
        const auto names = names_of(next);
        EXPECT_EQ(names.size(), info ? 2u : 1u);
        // And it goes on where the other died.
        EXPECT_DONE(next.put("keys/a", octets_of(after), {.replace = replace}));
        EXPECT_EQ(text_of(next.get("keys/a", 0, 3000).value()), after);
        if (!dead && !done && calls.log().back().starts_with("unlink")) {
          EXPECT_LE(files_in(folder / "~new"), 1u);
        }
        EXPECT_DONE(next.sweep(0));
        EXPECT_EQ(files_in(folder / "~new"), 0u);
      }
      EXPECT_GT(at, 15u);
    }
  }
}

TEST(DirectoryTarget, AFailureAtAnyCallOfTheOthersIsSaid) {
  TemporaryFolder folder;
  DirectoryTarget writer({"local", folder.path()});
  ASSERT_TRUE(writer.put("packs/a", octets_of(content(100))));
  write_file(folder / "~new/old", "half");
  using Operation = std::function<bool(Target&)>;
  const Operation operations[] = {
      [](Target& target) { return target.get("packs/a", 0, 100).has_value(); },
      [](Target& target) { return target.head("packs/a").has_value(); },
      [](Target& target) { return target.list("", [](const ObjectInfo&) { return true; }).has_value(); },
      [](Target& target) { return target.sweep(3'600'000).has_value(); },
      [](Target& target) { return target.remove("packs/a").has_value(); },
  };
  for (const Operation& operation : operations) {
    bool struck = true;
    for (std::size_t at = 0; struck; ++at) {
      ASSERT_LT(at, 50u);
      FailingFiles calls;
      DirectoryTarget target({"local", folder.path()}, calls);
      calls.fail(at, EIO);
      const bool done = operation(target);
      struck = calls.struck();
      // Only close() of what was read has nothing to say.
      EXPECT_EQ(done, !struck || calls.log()[at] == "close")
          << "call " << at << " " << calls.log()[at - !struck];
      EXPECT_TRUE(calls.open_files().empty());
    }
  }
  EXPECT_TRUE(names_of(writer).empty());
}

}  // namespace swarmdns::controlplane
