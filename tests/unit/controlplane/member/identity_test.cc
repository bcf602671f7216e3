#include "controlplane/member/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/unit/controlplane/support/founded.h"

namespace swarmdns::controlplane {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class IdentityTest : public testing::Test {
 protected:
  IdentityTest() {
    EXPECT_TRUE(files.prepare());
    identity.record.set_swarm_id("0123456789abcdef");
    identity.record.set_incarnation(1);
    identity.record.set_node(3);
    identity.record.set_name("n3");
    identity.record.set_name_key(std::string(32, '\xff'));
    identity.keys = {make_ledger_key(), take_or_throw(make_tls_key())};
  }
  std::string problem() {
    const auto loaded = files.load();
    return loaded ? "" : loaded.error();
  }

  TempDir dir;
  IdentityFiles files{dir.path()};
  Identity identity;
};

TEST_F(IdentityTest, IsNoneAtFirst) {
  const auto loaded = files.load();
  ASSERT_TRUE(loaded) << loaded.error();
  EXPECT_FALSE(*loaded);
}

TEST_F(IdentityTest, LoadsAsItWasKept) {
  ASSERT_TRUE(files.keep(identity));
  const auto loaded = files.load();
  ASSERT_TRUE(loaded) << loaded.error();
  ASSERT_TRUE(*loaded);
  EXPECT_EQ((*loaded)->record.swarm_id(), identity.record.swarm_id());
  EXPECT_EQ((*loaded)->record.name_key(), identity.record.name_key());
  EXPECT_EQ((*loaded)->record.node(), 3U);
  EXPECT_EQ((*loaded)->keys.ledger.public_key, identity.keys.ledger.public_key);
  EXPECT_EQ((*loaded)->keys.tls.pin, identity.keys.tls.pin);
  // A changed record leaves the keys alone.
  identity.record.set_chain("chain");
  ASSERT_TRUE(files.keep(identity.record));
  EXPECT_EQ((**files.load()).record.chain(), "chain");
}

TEST_F(IdentityTest, PeersAreThoseOfTheJoiningUntilOthersAreKept) {
  v1::JoinMember& known = *identity.record.add_members();
  known.set_id(1);
  known.set_address("10.54.0.1:8453");
  identity.record.add_members()->set_id(identity.record.node());
  v1::KeptPeers peers = files.kept_peers(identity.record);
  ASSERT_EQ(peers.members_size(), 1);
  EXPECT_EQ(peers.members(0).address(), "10.54.0.1:8453");
  EXPECT_EQ(peers.height(), 0U);
  peers.set_height(7);
  peers.set_block(std::string(32, 'b'));
  peers.mutable_members(0)->set_address("10.54.0.9:8453");
  peers.add_voters()->set_name("n1");
  ASSERT_TRUE(files.keep_peers(identity.record, peers));
  const v1::KeptPeers kept = files.kept_peers(identity.record);
  EXPECT_EQ(kept.height(), 7U);
  EXPECT_EQ(kept.members(0).address(), "10.54.0.9:8453");
  EXPECT_EQ(kept.voters(0).name(), "n1");
  // One that cannot be read is none.
  std::ofstream(files.directory() + "/peers.json") << "{";
  EXPECT_EQ(files.kept_peers(identity.record).height(), 0U);
}

TEST_F(IdentityTest, OnlyItsOwnerReadsIt) {
  ASSERT_TRUE(files.keep(identity));
  const auto mode = [](const std::string& path) {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 0777;
  };
  EXPECT_EQ(mode(files.directory()), 0700U);
  for (const char* name : {"identity.json", "ledger.key", "tls.key"})
    EXPECT_EQ(mode(files.directory() + "/" + name), 0600U) << name;
  ASSERT_EQ(chmod((files.directory() + "/identity.json").c_str(), 0644), 0);
  EXPECT_THAT(problem(), HasSubstr("identity.json"));
}

TEST_F(IdentityTest, WhatCannotBeUsedIsSaidWithTheMend) {
  const std::string file = files.directory() + "/identity.json";
  ASSERT_TRUE(files.keep(identity));
  write_file(file, "{ cut");
  EXPECT_THAT(problem(), HasSubstr("restore it from a copy"));
  write_file(file, R"({"format": 2})");
  EXPECT_THAT(problem(), HasSubstr("format 2"));
  identity.record.set_name_key("short");
  ASSERT_TRUE(files.keep(identity.record));
  EXPECT_THAT(problem(), HasSubstr("lacks parts"));
  identity.record.set_name_key(std::string(32, 'k'));
  ASSERT_TRUE(files.keep(identity));
  fs::remove(files.directory() + "/ledger.key");
  fs::remove(files.directory() + "/tls.key");
  EXPECT_THAT(problem(), HasSubstr("keys of this node are not in"));
}

TEST_F(IdentityTest, PreparesOnlyAnEmptyDirectory) {
  fs::create_directory(files.directory() + "/lost+found");
  EXPECT_TRUE(files.prepare());
  ASSERT_TRUE(files.keep(identity));
  const auto prepared = files.prepare();
  ASSERT_FALSE(prepared);
  EXPECT_THAT(prepared.error(), HasSubstr("move it away"));
}

TEST_F(IdentityTest, KnowsThousandsOfMembers) {
  for (int i = 0; i < 3000; ++i) {
    v1::JoinMember& member = *identity.record.add_members();
    member.set_name("n" + std::to_string(i));
    member.set_address("10.54.0.1:8453");
    member.set_tls_pin(std::string(32, 'p'));
  }
  ASSERT_TRUE(files.keep(identity));
  const auto loaded = files.load();
  ASSERT_TRUE(loaded) << loaded.error();
  EXPECT_EQ((*loaded)->record.members_size(), 3000);
}

TEST_F(IdentityTest, APlaceIsAFolderOfItsOwnAndNoOther) {
  identity.record.set_place("incarnation-2");
  fs::create_directories(files.place_directory("incarnation-2"));
  ASSERT_TRUE(files.keep(identity));
  EXPECT_TRUE(fs::exists(files.directory() + "/incarnation-2/ledger.key"));
  EXPECT_FALSE(fs::exists(files.directory() + "/ledger.key"));
  EXPECT_EQ((**files.load()).keys.tls.pin, identity.keys.tls.pin);
  for (const char* place : {"../elsewhere", "incarnation-2/../..", "log"}) {
    identity.record.set_place(place);
    ASSERT_TRUE(files.keep(identity.record));
    EXPECT_THAT(problem(), HasSubstr("lacks parts")) << place;
  }
}

TEST_F(IdentityTest, ForgetsAll) {
  ASSERT_TRUE(files.keep(identity));
  fs::create_directories(files.ledger_directory());
  write_file(files.ledger_directory() + "/CURRENT", "x");
  ASSERT_TRUE(files.forget());
  EXPECT_FALSE(*files.load());
  EXPECT_TRUE(files.prepare());
  EXPECT_TRUE(files.forget());  // nothing is left to forget
}

}  // namespace
}  // namespace swarmdns::controlplane
