#include "controlplane/member/founding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "controlplane/member/authority_state.h"
#include "controlplane/membership/directory.h"
#include "tests/unit/controlplane/support/founded.h"

namespace swarmdns::controlplane {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kWallMs = 1'800'000'000'000;

TEST(Founding, ItsGenesisBeginsAChain) {
  const TempDir dir;
  FoundingWish wish = founding_wish(kWallMs);
  wish.settings.set_max_voters(3);
  const Founded founded = found_in(dir.path(), wish);
  const v1::NodeIdentity& record = founded.identity.record;
  MemoryStore store;
  const auto chain = std::move(*Chain::open(store));
  v1::Leaf leaf;
  leaf.set_salt(std::string(16, 's'));
  leaf.set_transaction(record.genesis().SerializeAsString());
  const auto swarm = *array_from<16>(record.swarm_id());
  const std::string entry =
      entry_of({make_bundle({swarm, 1, 1, 1}, {leaf}, key_pair_of(founded.identity.keys.ledger).secret_key)});
  ASSERT_TRUE(chain->apply(1, as_octets(entry)));
  ASSERT_EQ(chain->height(), 1U);
  EXPECT_EQ(chain->swarm_id(), swarm);
  const auto first = member(chain->state(), 1);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->name(), "n1");
  EXPECT_EQ(first->region(), "east");
  EXPECT_EQ(first->tls_pin(), founded.identity.keys.tls.pin);
  EXPECT_EQ(read<v1::SwarmSettings>(chain->state(), keys::kSettings)->max_voters(), 3U);
  // The founder can issue, and its certificate is of the swarm's root.
  EXPECT_EQ(*roots_in(chain->state()), founded.root_certificate);
  const auto issuer = issuer_in(chain->state(), 1, founded.identity.keys.ledger);
  ASSERT_TRUE(issuer) << issuer.error();
  EXPECT_TRUE(*issuer);
  EXPECT_EQ(verify_chain(record.chain(), founded.root_certificate, kWallMs / 1000).state, ChainState::kValid);
  EXPECT_TRUE(decrypt_key(founded.root_key.view(), ""));
}

TEST(Founding, IsOnTheDiskWhenItReturns) {
  const TempDir dir;
  const Founded founded = found_in(dir.path(), founding_wish(kWallMs));
  const IdentityFiles files(dir.path());
  const auto loaded = files.load();
  ASSERT_TRUE(loaded) << loaded.error();
  ASSERT_TRUE(*loaded);
  EXPECT_EQ((*loaded)->record.genesis().SerializeAsString(),
            founded.identity.record.genesis().SerializeAsString());
  EXPECT_EQ((*loaded)->keys.tls.pin, founded.identity.keys.tls.pin);
  EXPECT_TRUE(std::filesystem::exists(files.log_directory()));
  for (const char* name : {"identity.json", "ledger.key", "tls.key"}) {
    struct stat status {};
    ASSERT_EQ(stat((files.directory() + "/" + name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777, 0600U) << name;
    // The root's key is the operator's alone; its second line is what no other key has.
    const std::string line(founded.root_key.view().substr(93, 40));
    EXPECT_THAT(read_file(files.directory() + "/" + name), testing::Not(HasSubstr(line)));
  }
}

TEST(Founding, TheRootKeyIsEncryptedUnderAPassphrase) {
  const TempDir dir;
  FoundingWish wish = founding_wish(kWallMs);
  wish.passphrase = "correct horse";
  const Founded founded = found_in(dir.path(), wish);
  EXPECT_FALSE(decrypt_key(founded.root_key.view(), ""));
  EXPECT_TRUE(decrypt_key(founded.root_key.view(), "correct horse"));
}

// What the ledger would refuse never begins, and leaves nothing behind.
TEST(Founding, AWishThatTheLedgerWouldRefuseIsRefused) {
  const auto problem = [](const std::function<void(FoundingWish&)>& spoil) {
    const TempDir dir;
    const IdentityFiles files(dir.path());
    EXPECT_TRUE(files.prepare());
    FoundingWish wish = founding_wish(kWallMs);
    spoil(wish);
    const auto founded = found_swarm(files, wish);
    EXPECT_TRUE(files.prepare());  // still empty
    return founded ? "" : founded.error();
  };
  EXPECT_THAT(problem([](FoundingWish& wish) { wish.node_name = "N1"; }), HasSubstr("first.name"));
  EXPECT_THAT(problem([](FoundingWish& wish) { wish.address = ""; }), HasSubstr("first.address"));
  EXPECT_THAT(problem([](FoundingWish& wish) { wish.swarm_name = ""; }), HasSubstr("genesis.name"));
  EXPECT_THAT(problem([](FoundingWish& wish) { wish.settings.set_max_voters(4); }),
              HasSubstr("settings.max_voters"));
}

}  // namespace
}  // namespace swarmdns::controlplane
