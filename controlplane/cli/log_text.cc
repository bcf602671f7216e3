#include "controlplane/cli/log_text.h"

#include <algorithm>

#include "controlplane/cli/human.h"
#include "controlplane/cli/json.h"
#include "controlplane/cli/time_text.h"
#include "controlplane/cli/transaction_text.h"

namespace swarmdns::controlplane {
namespace {

bool is_head(const v1::TransactionView& view) {
  return view.transaction().has_segment_head() && !view.erased();
}

bool only_heads(const v1::BlockView& block) {
  return block.transactions_size() > 0 && block.refusals().empty() &&
         std::all_of(block.transactions().begin(), block.transactions().end(), is_head);
}

// A run of blocks that have no story.
struct Fold {
  uint64_t first = 0;  // lowest height
  uint64_t last = 0;
  uint64_t mutations = 0;
  bool counted = true;  // false: some of them were not sent, their mutations are not known

  bool empty() const { return last == 0; }
  void add(uint64_t from, uint64_t to) {
    first = from;
    last = std::max(last, to);
  }
};

class LogWriter {
 public:
  LogWriter(const LogText& log, const NodeNames& names, const Style& style)
      : log_(log), names_(names), style_(style) {
    uint64_t highest = log.newest;
    for (const v1::BlockView& block : log.blocks) highest = std::max(highest, block.height());
    width_ = with_commas(highest).size();
  }

  std::string write() {
    uint64_t above = log_.newest + 1;  // height of the block above
    bool known = log_.newest > 0;
    for (const v1::BlockView& block : log_.blocks) {
      if (known && block.height() + 1 < above) {
        fold_.add(block.height() + 1, above - 1);
        fold_.counted = false;
      }
      above = block.height();
      known = true;
      if (!log_.heads && only_heads(block)) {
        fold_.add(block.height(), block.height());
        for (const auto& view : block.transactions())
          fold_.mutations += view.transaction().segment_head().mutations();
        continue;
      }
      flush_fold();
      block_lines(block);
    }
    flush_fold();
    return std::move(out_);
  }

 private:
  void block_lines(const v1::BlockView& block) {
    for (const v1::TransactionView& view : block.transactions()) {
      if (!log_.heads && is_head(view)) continue;
      line(block, sentence_of(view, names_));
    }
    for (const std::string& refusal : block.refusals())
      line(block, style_.warn("refused: ") + printable(refusal));
    if (block.transactions().empty() && block.transaction_count() > 0) {
      line(block,
           style_.dim(with_commas(block.transaction_count()) + " transactions whose bodies are pruned"));
    }
  }

  void line(const v1::BlockView& block, const std::string& text) {
    const std::string height = with_commas(block.height());
    out_ += std::string(width_ - std::min(width_, height.size()), ' ') + style_.bold(height) + "  " +
            time_text(block.time_ms()) + "  " + text + "\n";
  }

  void flush_fold() {
    if (fold_.empty()) return;
    const uint64_t count = fold_.last - fold_.first + 1;
    std::string text = with_commas(fold_.first);
    if (count > 1) text += " to " + with_commas(fold_.last);
    text +=
        ": " + with_commas(count) + (count == 1 ? " block" : " blocks") + " with nothing but cache changes";
    if (fold_.counted) text += ", " + with_commas(fold_.mutations) + " of them";
    out_ += std::string(width_ - 1, ' ') + style_.dim(":  " + text) + "\n";
    fold_ = {};
  }

  const LogText& log_;
  const NodeNames& names_;
  const Style& style_;
  size_t width_ = 0;
  Fold fold_;
  std::string out_;
};

}  // namespace

std::string log_text(const LogText& log, const NodeNames& names, const Style& style) {
  return LogWriter(log, names, style).write();
}

std::string block_text(const v1::BlockView& block, const NodeNames& names, const Style& style) {
  std::string text = style.bold("block " + with_commas(block.height())) + ", " +
                     time_text_with_ms(block.time_ms()) +
                     (block.checkpointed() ? ", cosigned by a majority\n" : ", not cosigned yet\n");
  text += "  hash        " + hexadecimal(block.hash()) + "\n";
  text += "  previous    " + hexadecimal(block.previous()) + "\n";
  text += "  tree        " + with_commas(block.tree_size()) + " leaves, root " +
          hexadecimal(block.tree_root()) + "\n";
  text += "  state root  " + hexadecimal(block.state_root()) + "\n";
  for (const v1::TransactionView& view : block.transactions()) {
    text += "\n" + style.bold("leaf " + with_commas(view.leaf())) + "  " + sentence_of(view, names) + "\n";
    text += "  by " + names.of(view.node());
    if (view.transaction().made_ms() > 0) text += ", made " + time_text_with_ms(view.transaction().made_ms());
    if (!view.transaction().request_id().empty()) {
      text += ", request " + hexadecimal(view.transaction().request_id());
    }
    text += "\n";
    if (view.transaction().has_config_changed()) {
      const std::string& document = view.transaction().config_changed().document();
      for (size_t at = 0; at < document.size();) {
        const size_t end = std::min(document.find('\n', at), document.size());
        text += "  | " + printable(document.substr(at, end - at)) + "\n";
        at = end + 1;
      }
    }
    if (view.transaction().has_fence()) {
      for (const v1::MutationRange& range : view.transaction().fence().dead()) {
        text += "  dead: mutations " + with_commas(range.first()) + " to " + with_commas(range.last()) +
                " of " + names.of(range.node()) + "\n";
      }
    }
  }
  for (const std::string& refusal : block.refusals())
    text += "\n" + style.warn("refused: ") + printable(refusal) + "\n";
  if (block.transactions().empty() && block.transaction_count() > 0) {
    text += "\n" + with_commas(block.transaction_count()) + " transactions whose bodies are pruned\n";
  }
  return text;
}

}  // namespace swarmdns::controlplane
