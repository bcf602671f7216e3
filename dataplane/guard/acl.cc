#include "dataplane/guard/acl.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace swarmdns::guard {
namespace {

// One rule as a range of numbers, both ends included.
template <class Number>
struct Block {
  Number first;
  Number last;
  std::size_t rule;  // its place among the rules
  AclAction action;
};

// One piece of the number line; it ends where the next begins.
template <class Number>
struct Piece {
  Number first;
  AclAction action;
};

// Cuts the number line at the ends of the blocks. Blocks of prefixes nest or are apart, so that a stack of
// those open at a point is all it takes; the innermost is the longest match.
template <class Number>
std::vector<Piece<Number>> flatten(std::vector<Block<Number>> blocks, AclAction otherwise) {
  // Outer blocks before inner ones; of equal ones the last written stays innermost.
  std::sort(blocks.begin(), blocks.end(), [](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first < b.first;
    return a.last != b.last ? a.last > b.last : a.rule < b.rule;
  });
  std::vector<Piece<Number>> pieces{{0, otherwise}};
  const auto begin_piece = [&](Number first, AclAction action) {
    if (pieces.back().first == first) {
      pieces.back().action = action;
    } else {
      pieces.push_back({first, action});
    }
  };
  std::vector<Block<Number>> open;
  const auto close = [&] {
    const Number last = open.back().last;
    open.pop_back();
    if (last != std::numeric_limits<Number>::max()) {
      begin_piece(last + 1, open.empty() ? otherwise : open.back().action);
    }
  };
  for (const auto& block : blocks) {
    while (!open.empty() && open.back().last < block.first) close();
    open.push_back(block);
    begin_piece(block.first, block.action);
  }
  while (!open.empty()) close();
  const auto same = [](const auto& a, const auto& b) { return a.action == b.action; };
  pieces.erase(std::unique(pieces.begin(), pieces.end(), same), pieces.end());
  return pieces;
}

}  // namespace

std::vector<AclRule> default_acl_rules(std::span<const Prefix> connected) {
  std::vector<AclRule> rules{{*Prefix::parse("127.0.0.0/8"), AclAction::Allow},
                             {*Prefix::parse("::1/128"), AclAction::Allow}};
  for (const Prefix& prefix : connected) rules.push_back({prefix, AclAction::Allow});
  return rules;
}

std::unique_ptr<const Acl> Acl::build(std::span<const AclRule> rules, AclAction otherwise) {
  std::vector<Block<std::uint32_t>> v4;
  std::vector<Block<Number>> v6;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const AclRule& rule = rules[i];
    if (rule.prefix.is_v4()) {
      const unsigned free_bits = 128U - rule.prefix.length;
      const std::uint32_t span = free_bits == 32 ? ~std::uint32_t{0} : (std::uint32_t{1} << free_bits) - 1;
      const std::uint32_t first = v4_number(rule.prefix.address) & ~span;
      v4.push_back({first, first | span, i, rule.action});
    } else {
      const unsigned free_bits = 128U - rule.prefix.length;
      const Number span = free_bits == 128 ? ~Number{0} : (Number{1} << free_bits) - 1;
      const Number first = v6_number(rule.prefix.address) & ~span;
      v6.push_back({first, first | span, i, rule.action});
    }
  }
  std::unique_ptr<Acl> acl(new Acl);
  for (const auto& piece : flatten(std::move(v4), otherwise)) {
    acl->v4_starts_.push_back(piece.first);
    acl->v4_actions_.push_back(piece.action);
  }
  for (const auto& piece : flatten(std::move(v6), otherwise)) {
    acl->v6_starts_.push_back(piece.first);
    acl->v6_actions_.push_back(piece.action);
  }
  return acl;
}

}  // namespace swarmdns::guard
