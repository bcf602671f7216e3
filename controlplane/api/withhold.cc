#include "controlplane/api/withhold.h"

namespace swarmdns::controlplane {

void withhold_names(v1::BlockView& block) {
  for (v1::TransactionView& view : *block.mutable_transactions()) {
    v1::Transaction& transaction = *view.mutable_transaction();
    const auto take = [&](std::string& words) {
      if (words.empty()) return;
      words.clear();
      view.set_withheld(true);
    };
    take(*transaction.mutable_reason());
    if (transaction.has_note()) take(*transaction.mutable_note()->mutable_text());
    if (transaction.has_config_changed()) take(*transaction.mutable_config_changed()->mutable_document());
    if (transaction.has_config_outcome()) take(*transaction.mutable_config_outcome()->mutable_problem());
  }
}

}  // namespace swarmdns::controlplane
