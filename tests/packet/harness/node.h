// A node without a NIC: the worker's own pipeline (dataplane/worker/stages.h) over a real cache, one frame at
// a time, on clocks that stand still until a test moves them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/cache/cache.h"
#include "dataplane/cache/reader.h"
#include "dataplane/worker/stages.h"
#include "tests/packet/harness/entry.h"
#include "tests/packet/harness/frame.h"
#include "tests/packet/harness/message.h"

namespace swarmdns::test {

class Node {
 public:
  // 10.53.1.1 and fd53:1::1 at MAC 02:00:00:00:00:53; everybody may ask, no cookies, no rate limit, NSID
  // "n1", version "SwarmDNS", identity "node-1".
  Node();
  ~Node();

  // Free to change between frames.
  worker::Policy policy;
  worker::Moment moment;      // 2023-11-14, cache clock well after its start
  std::uint16_t room = 2048;  // octets of memory a frame stands in

  // Makes the cache hold this upstream response, born `age` seconds ago.
  void store(const MessageBuilder& response, std::uint8_t key_flags = 0, cache::Seconds age = 0);

  struct Result {
    worker::Fate fate = worker::Fate::Gone;
    Octets reply;                             // the frame, when the fate is Reply
    std::map<std::string, unsigned> counted;  // the counters that moved, RxFrames left out
    std::optional<miss::Request> miss;        // what was put on the miss ring
  };
  // The frame's memory is filled with 0xee behind it; Result::reply has been checked to leave that behind the
  // reply alone.
  Result receive(const Octets& frame, bool checksum_good = false);

 private:
  stats::Block writer_counters_;
  stats::Block counters_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<cache::Reader> reader_;
  std::unique_ptr<worker::Batch> batch_;
  miss::Channel misses_;
};

// Sends `query` and expects this very DNS message back, in a frame that is right in every octet.
void expect_reply(Node& node, const FrameBuilder& query, const Octets& message);
// The same for a plain UDP frame, over IPv4 and over IPv6.
void expect_answer(Node& node, const Octets& question, const Octets& message);
// Expects nothing back and exactly this one counter moved (besides rx.frames).
void expect_drop(Node& node, const Octets& frame, stats::Counter counter);

// A query over IPv4, or over IPv6, from an ordinary client.
FrameBuilder over_ipv4(const Octets& message);
FrameBuilder over_ipv6(const Octets& message);

}  // namespace swarmdns::test
