#include "controlplane/swarm/erasures.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/swarm/fakes.h"

namespace swarmdns::controlplane {
namespace {

using test::Chain;
using test::FakeCache;
using test::FakeDatabase;
using test::FakeReactor;
using test::name_key;
using test::put_received;
using test::World;

constexpr std::uint64_t kStart = 1'700'000'000'000;

class ErasuresTest : public ::testing::Test {
 protected:
  ErasuresTest() { make(); }
  void make() {
    Erasures::Ledger ledger;
    ledger.erase_leaves = [this](std::span<const std::uint64_t> leaves) -> Erasures::Result {
      if (!disk_) return std::unexpected("the disk is full");
      leaves_.insert(leaves_.end(), leaves.begin(), leaves.end());
      return {};
    };
    ledger.scrub = [this]() -> Erasures::Result {
      ++scrubs_;
      return {};
    };
    erasures_ = std::make_unique<Erasures>(reactor_, store_, std::move(ledger));
  }
  static v1::ErasureRecord of_name(const std::string& name, std::uint64_t time_ms) {
    v1::ErasureRecord record;
    record.set_height(5);
    record.set_time_ms(time_ms);
    const NameTag tag = name_tag(name_key(), as_octets(FakeCache::wire(name)));
    record.mutable_erasure()->set_name_tag(std::string(as_text(tag)));
    return record;
  }
  static v1::ErasureRecord of_leaf(std::uint64_t leaf, std::uint64_t height) {
    v1::ErasureRecord record;
    record.set_height(height);
    record.mutable_erasure()->add_leaves(leaf);
    return record;
  }
  int known(const std::string& name) {
    return store_.history(as_octets(FakeCache::wire(name)), 0, 100)->mutations_size();
  }

  World world_;
  FakeReactor reactor_{world_};
  FakeDatabase database_;
  SegmentStore store_{database_.columns(), name_key()};
  bool disk_ = true;
  std::vector<std::uint64_t> leaves_;
  int scrubs_ = 0;
  std::unique_ptr<Erasures> erasures_;
};

TEST_F(ErasuresTest, DestroysWhatIsHereAndWhatComesLater) {
  Chain chain(3);
  put_received(store_, chain.add({"a.example", "bad.example", "c.example"}, kStart));
  const v1::SegmentBody later = chain.add({"bad.example", "d.example"}, kStart + 1);
  const v1::SegmentBody new_one = chain.add({"bad.example"}, kStart + 10 + Erasures::kSlackMs + 1);
  EXPECT_EQ(erasures_->done_to(7), 0U) << "not opened";
  erasures_->committed(of_name("bad.example", kStart + 10));
  erasures_->start();
  world_.run_for(100);
  EXPECT_EQ(erasures_->done_to(7), 7U);
  EXPECT_EQ(known("bad.example"), 0);
  EXPECT_EQ(known("c.example"), 1);
  // Fetched from a peer that has not erased it yet.
  put_received(store_, later);
  EXPECT_EQ(known("bad.example"), 0);
  EXPECT_EQ(known("d.example"), 1);
  const auto body = *store_.get(3, 2);
  EXPECT_EQ(body->SerializeAsString().find("bad"), std::string::npos);
  // Its neighbours and its own existence are proved as before.
  EXPECT_TRUE(check_segment(*body, test::key_of(3).public_key));
  // Learned anew afterwards, it is known anew.
  put_received(store_, new_one);
  EXPECT_EQ(known("bad.example"), 1);
}

TEST_F(ErasuresTest, OneAfterTheOtherEachOnce) {
  erasures_->start();
  erasures_->committed(of_leaf(7, 5));
  erasures_->committed(of_leaf(8, 6));
  erasures_->committed(of_leaf(7, 5));  // the state was read again
  EXPECT_EQ(erasures_->done_to(9), 4U);
  world_.run_for(100);
  EXPECT_EQ(leaves_, (std::vector<std::uint64_t>{7, 8}));
  EXPECT_EQ(scrubs_, 2);
  EXPECT_EQ(erasures_->done_to(9), 9U);
  make();  // the control plane starts again
  erasures_->committed(of_leaf(7, 5));
  erasures_->committed(of_leaf(8, 6));
  erasures_->committed(of_leaf(9, 2));  // a new incarnation counts from 1
  erasures_->start();
  world_.run_for(100);
  EXPECT_EQ(leaves_, (std::vector<std::uint64_t>{7, 8, 9}));
  EXPECT_EQ(erasures_->done_to(9), 9U);
}

TEST_F(ErasuresTest, IsTriedAgainUntilItIsDone) {
  erasures_->start();
  disk_ = false;
  erasures_->committed(of_leaf(7, 5));
  world_.run_for(2500);
  EXPECT_EQ(erasures_->done_to(9), 4U);
  EXPECT_NE(erasures_->trouble().find("the disk is full"), std::string::npos);
  disk_ = true;
  world_.run_for(2000);
  EXPECT_EQ(erasures_->done_to(9), 9U);
  EXPECT_EQ(erasures_->trouble(), "");
}

}  // namespace
}  // namespace swarmdns::controlplane
