#include "controlplane/ledger/hash.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/ledger/naive_tree.h"

namespace swarmdns::controlplane {
namespace {

// FIPS 180-2, appendix B.
TEST(LedgerHash, KnownAnswers) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256({as_octets("abc")})),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(
      to_hex(sha256({as_octets("abcdbcdecdefdefgefghfghi"), as_octets("ghijhijkijkljklmklmnlmnomnopnopq")})),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(LedgerHash, EqualsAnotherLibraryAtEveryLength) {
  std::string octets;
  for (unsigned length = 0; length < 300; ++length) {
    const Hash expected = naive::hash_of(octets);
    EXPECT_EQ(sha256({as_octets(octets)}), expected) << length;
    Sha256 pieces;
    pieces.add(as_octets(octets).first(length / 3));
    pieces.add({});
    pieces.add(as_octets(octets).subspan(length / 3));
    EXPECT_EQ(pieces.finish(), expected) << length;
    octets.push_back(static_cast<char>(length * 7));
  }
}

}  // namespace
}  // namespace swarmdns::controlplane
