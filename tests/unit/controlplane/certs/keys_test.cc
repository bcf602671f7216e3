#include "controlplane/certs/keys.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "controlplane/certs/node_name.h"
#include "tests/unit/controlplane/certs/test_swarm.h"

namespace swarmdns::controlplane {
namespace {

using test::must;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Keys : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/swarmdns-keys-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void keep() { must_keep({make_ledger_key(), must(make_tls_key())}); }
  void must_keep(const NodeKeys& keys) { ASSERT_TRUE(keep_node_keys(directory_, keys)); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ + "/" + name) << text;
    chmod((directory_ + "/" + name).c_str(), 0600);
  }
  std::string error() {
    const auto loaded = load_node_keys(directory_);
    return loaded ? "" : loaded.error();
  }

  std::string directory_;
};

TEST_F(Keys, AreKeptAndLoadedAgain) {
  EXPECT_FALSE(must(load_node_keys(directory_)).has_value());
  const NodeKeys keys{make_ledger_key(), must(make_tls_key())};
  must_keep(keys);
  const auto again = must(load_node_keys(directory_));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->ledger.secret.view(), keys.ledger.secret.view());
  EXPECT_EQ(again->ledger.public_key, keys.ledger.public_key);
  EXPECT_EQ(again->tls.pem.view(), keys.tls.pem.view());
  EXPECT_EQ(again->tls.pin, keys.tls.pin);
  for (const char* name : {"/ledger.key", "/tls.key"}) {
    struct stat facts;
    ASSERT_EQ(stat((directory_ + name).c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 07777, 0600u) << name;
  }
}

TEST_F(Keys, EachIsAnother) {
  EXPECT_NE(make_ledger_key().public_key, make_ledger_key().public_key);
  EXPECT_NE(must(make_tls_key()).pin, must(make_tls_key()).pin);
}

TEST_F(Keys, AFileThatOthersCanReadIsRefusedWithTheMend) {
  keep();
  for (const char* name : {"/ledger.key", "/tls.key"}) {
    chmod((directory_ + name).c_str(), 0640);
    EXPECT_THAT(error(), HasSubstr("chmod 600 " + directory_ + name));
    chmod((directory_ + name).c_str(), 0600);
  }
  EXPECT_EQ(error(), "");
}

TEST_F(Keys, ALinkIsNotFollowed) {
  keep();
  std::filesystem::rename(directory_ + "/tls.key", directory_ + "/elsewhere");
  std::filesystem::create_symlink(directory_ + "/elsewhere", directory_ + "/tls.key");
  EXPECT_THAT(error(), HasSubstr("cannot open " + directory_ + "/tls.key"));
}

TEST_F(Keys, OneWithoutTheOtherIsAnError) {
  keep();
  std::filesystem::remove(directory_ + "/tls.key");
  EXPECT_THAT(error(), AllOf(HasSubstr("/tls.key is missing"), HasSubstr("restore it")));
  keep();
  std::filesystem::remove(directory_ + "/ledger.key");
  EXPECT_THAT(error(), HasSubstr("/ledger.key is missing"));
}

TEST_F(Keys, DamagedFilesAreNamed) {
  keep();
  write("ledger.key", "");
  EXPECT_THAT(error(), HasSubstr("/ledger.key is not a ledger key"));
  const std::string digits(64, 'a');
  for (const std::string& body :
       {digits, digits + "\n\n", digits.substr(1) + "\n", digits + "aa\n", digits.substr(1) + "g\n"}) {
    write("ledger.key", "swarmdns ledger key v1\n" + body);
    EXPECT_THAT(error(), HasSubstr("/ledger.key is damaged")) << body;
  }
  write("ledger.key", "swarmdns ledger key v1\n" + digits + "\n");
  EXPECT_EQ(error(), "");
  write("tls.key", "-----BEGIN PRIVATE KEY-----\n");
  EXPECT_THAT(error(), AllOf(HasSubstr("/tls.key"), HasSubstr("not a private key")));
}

// RFC 8032 7.1, test 2.
TEST_F(Keys, LedgerSignaturesAreThoseOfTheStandard) {
  std::string seed;
  for (const int octet :
       {0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e, 0x0f,
        0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb}) {
    seed += static_cast<char>(octet);
  }
  const LedgerKey key = must(ledger_key_from_seed(seed));
  EXPECT_EQ(hex_text(key.public_key), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  const std::string signature = key.sign("\x72");
  EXPECT_EQ(hex_text(signature),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  EXPECT_TRUE(verify_ledger_signature(key.public_key, "\x72", signature));
  EXPECT_FALSE(verify_ledger_signature(key.public_key, "\x73", signature));
  EXPECT_FALSE(verify_ledger_signature(key.public_key, "\x72", signature.substr(1)));
  EXPECT_FALSE(verify_ledger_signature("", "\x72", signature));
  EXPECT_FALSE(ledger_key_from_seed("short"));
}

TEST_F(Keys, OnlyP256IsATlsKey) {
  // An Ed25519 key: RFC 8410 10.3.
  const auto other =
      tls_key_from_pem(Secret("-----BEGIN PRIVATE KEY-----\n"
                              "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                              "-----END PRIVATE KEY-----\n"));
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error(), HasSubstr("P-256"));
}

}  // namespace
}  // namespace swarmdns::controlplane
