#include "controlplane/member/block_server.h"

#include <algorithm>

namespace swarmdns::controlplane {

BlockServer::BlockServer(Reactor& reactor, PeerLink& link, Chain& chain, Cosigner& cosigner)
    : reactor_(reactor), link_(link), chain_(chain), cosigner_(cosigner) {
  cosigner_.on_checkpoint([this](std::uint64_t, const std::string&) { cosigned(); });
}

void BlockServer::receive(NodeId from, std::uint64_t request, const v1::BlocksRequest& message) {
  wishes_.erase(from);
  const std::uint64_t next = answer(from, request, message.from_height(),
                                    std::clamp<std::size_t>(message.max_bytes(), 1, kBytesMost));
  if (!message.follow() || wishes_.size() >= kFollowersMost) return;
  wishes_[from] = {request, next, reactor_.now_ms() + kFollowMs};
}

void BlockServer::cosigned() {
  std::erase_if(wishes_, [now = reactor_.now_ms()](const auto& each) { return each.second.until_ms <= now; });
  for (auto& [id, wish] : wishes_) {
    if (wish.next <= cosigner_.height()) wish.next = answer(id, wish.request, wish.next, kBytesMost);
  }
}

bool BlockServer::add(v1::BlocksResponse& response, std::uint64_t height) const {
  auto record = chain_.store().block(height);
  const auto header = record && *record ? decode_block_header(as_octets((*record)->header()))
                                        : std::unexpected(std::string("it is not here"));
  if (!header) return false;
  v1::FullBlock& block = *response.add_blocks();
  *block.mutable_record() = std::move(**record);
  for (std::uint64_t i = 0; i < header->leaf_count; ++i) {
    auto leaf = chain_.store().leaf(header->first_leaf + i);
    if (leaf && *leaf) {
      *block.add_leaves() = std::move(**leaf);
    } else {
      block.add_leaves();
    }
  }
  return true;
}

std::uint64_t BlockServer::answer(NodeId to, std::uint64_t request, std::uint64_t from, std::size_t bytes) {
  v1::PeerMessage message;
  message.set_request(request);
  v1::BlocksResponse& response = *message.mutable_blocks_response();
  response.set_height(chain_.height());
  std::uint64_t next = from;
  // Nothing beyond what a majority vouches for: nobody would believe it.
  while (next > 0 && next <= cosigner_.height() && response.ByteSizeLong() < bytes) {
    if (!add(response, next)) break;
    ++next;
  }
  if (from > 0 && next == from && from <= cosigner_.height()) response.set_pruned_below(from + 1);
  // Also for whoever has the blocks already, and waits for what covers them.
  response.set_checkpoint(cosigner_.note());
  if (next > from) {
    // The newest that covers none but these; where there is none, more blocks come before it.
    const auto covering = chain_.store().checkpoint(next - 1);
    const auto note = covering && *covering ? parse_checkpoint_note(**covering)
                                            : std::unexpected(std::string("there is none"));
    if (note && note->checkpoint.height >= from) response.set_checkpoint(**covering);
  }
  link_.send(to, Channel::kBulk, std::move(message));
  return next;
}

}  // namespace swarmdns::controlplane
