// struct raft_message <-> v1::RaftMessage.
//
// C-raft trusts what a message says: lengths, counts, terms, the encoding of members. So everything is
// checked here, before it sees any of it. Two of its habits are served besides:
//   - an AppendEntries may carry a thousand entries of any size: it is sent as several messages of bounded
//     size, each a proper AppendEntries of its own;
//   - a follower of 0.22.1 notes the number of a change of members as that of the first new entry of the
//     message. So on receipt a message is cut before every such entry: it is always the first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/consensus/raft_headers.h"
#include "controlplane/core/peer_link.h"
#include "swarmdns/v1/peer.pb.h"

namespace swarmdns::controlplane {

struct MessageLimits {
  std::size_t max_entry_bytes = std::size_t{4} << 20;  // of an entry's data, without its frame
  std::size_t max_message_bytes = std::size_t{1}
                                  << 20;  // of data a message is filled with (one entry may be more)
};

// A message as C-raft takes it, with the memory it refers to.
class DecodedMessage {
 public:
  explicit DecodedMessage(struct raft_message message) : message_(message) {}
  ~DecodedMessage() { release(); }
  DecodedMessage(DecodedMessage&& other) noexcept : message_(std::exchange(other.message_, {})) {}
  DecodedMessage& operator=(DecodedMessage&& other) noexcept {
    if (this != &other) {
      release();
      message_ = std::exchange(other.message_, {});
    }
    return *this;
  }

  const struct raft_message& operator*() const { return message_; }
  const struct raft_message* operator->() const { return &message_; }
  struct raft_message* mutable_message() {
    return &message_;
  }
  // Gives up the memory: C-raft's receive callback frees it, whatever becomes of the message.
  struct raft_message take() {
    return std::exchange(message_, {});
  }

 private:
  void release();

  struct raft_message message_ {};  // type 0: none
};

// The message for the wire, in parts that are to be sent in this order: one, but for an AppendEntries.
std::vector<v1::RaftMessage> encode_message(const struct raft_message& message, const MessageLimits& limits);

// The parts to be given to C-raft in this order. Error: a sentence; nothing of the message is to be used.
std::expected<std::vector<DecodedMessage>, std::string> decode_message(NodeId from,
                                                                       const v1::RaftMessage& message,
                                                                       const MessageLimits& limits);

}  // namespace swarmdns::controlplane
