#include "controlplane/api/withhold.h"

#include <gtest/gtest.h>

#include "controlplane/cli/transaction_text.h"

namespace swarmdns::controlplane {
namespace {

TEST(Withhold, TakesWordsAndLeavesWhoDidWhat) {
  v1::BlockView block;
  for (int i = 0; i < 4; ++i) {
    v1::Transaction& transaction = *block.add_transactions()->mutable_transaction();
    transaction.set_principal("alice@n1");
    transaction.set_reason("because of www.secret.example");
  }
  v1::Transaction& noted = *block.mutable_transactions(0)->mutable_transaction();
  noted.mutable_note()->set_text("www.secret.example");
  v1::Transaction& configured = *block.mutable_transactions(1)->mutable_transaction();
  configured.mutable_config_changed()->set_document("all:\n  private_zones: [secret.example]\n");
  v1::Transaction& failed = *block.mutable_transactions(2)->mutable_transaction();
  failed.mutable_config_outcome()->set_problem("www.secret.example is no zone");
  v1::Transaction& fenced = *block.mutable_transactions(3)->mutable_transaction();
  fenced.mutable_fence()->set_to_height(40);
  v1::TransactionView& plain = *block.add_transactions();
  plain.mutable_transaction()->mutable_segment_head()->set_segment(7);

  withhold_names(block);
  EXPECT_EQ(block.SerializeAsString().find("secret"), std::string::npos);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(block.transactions(i).withheld()) << i;
    EXPECT_EQ(block.transactions(i).transaction().principal(), "alice@n1");
  }
  EXPECT_EQ(block.transactions(3).transaction().fence().to_height(), 40U);
  EXPECT_FALSE(plain.withheld());
  EXPECT_NE(sentence_of(block.transactions(3), NodeNames()).find("node.ledger_readers"), std::string::npos);
  EXPECT_EQ(sentence_of(plain, NodeNames()).find("node.ledger_readers"), std::string::npos);
}

}  // namespace
}  // namespace swarmdns::controlplane
