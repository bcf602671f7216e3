#include "controlplane/member/state_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/ledger/checkpoint.h"
#include "controlplane/ledger/store.h"
#include "tests/unit/controlplane/support/chain_node.h"
#include "tests/unit/controlplane/support/temp_dir.h"

namespace swarmdns::controlplane {
namespace {

using testing::HasSubstr;

// A copy with a ledger of three voters, of whom 1 and 2 have cosigned.
class StateCheckTest : public testing::Test {
 protected:
  StateCheckTest() {
    StoreOptions options;
    options.path = dir / "copy";
    auto store = std::move(*LedgerStore::open(options));
    auto chain = std::move(*Chain::open(*store));
    std::uint64_t index = 0;
    for (const std::string& entry : beginning(3, 3)) EXPECT_TRUE(chain->apply(++index, as_octets(entry)));
    EXPECT_EQ(chain->height(), 2U);
    Note note{format_checkpoint(checkpoint_of(*chain->tip())), {}};
    for (const int id : {1, 2})
      note.signatures.push_back(cosign(note.text, "n" + std::to_string(id), test_keys(id), 1));
    EXPECT_TRUE(store->put_checkpoint(2, format_note(note)));
    own.swarm = test_swarm();
    own.incarnation = 1;
  }
  // "" = it may be taken.
  std::string problem() {
    const auto checked = check_copy(dir / "copy", {}, own);
    return checked ? "" : checked.error();
  }

  TempDir dir;
  OwnView own;
};

TEST_F(StateCheckTest, OneWhoKnowsNobodyTakesIt) {
  EXPECT_EQ(problem(), "");
}

TEST_F(StateCheckTest, AKnownVoterMustBeAmongTheCosigners) {
  own.voters = {{"n3", test_keys(3).public_key}};
  EXPECT_THAT(problem(), HasSubstr("none of the voters that this node knows"));
  own.voters.push_back({"old-name", test_keys(2).public_key});  // keys count, names may change
  EXPECT_EQ(problem(), "");
}

TEST_F(StateCheckTest, AnotherIncarnationIsAnotherSwarm) {
  own.incarnation = 2;
  EXPECT_THAT(problem(), HasSubstr("another swarm"));
}

}  // namespace
}  // namespace swarmdns::controlplane
