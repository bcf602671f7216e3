// Gives copies of the ledger to members that are too far behind: a copy is made once, kept while it is asked
// for, and sent piece by piece. Reactor thread; copying and hashing are offloaded.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"

namespace swarmdns::controlplane {

class StateServer {
 public:
  static constexpr std::size_t kCopiesMost = 4;
  static constexpr std::size_t kPieceMost = std::size_t{1} << 20;
  static constexpr std::uint64_t kIdleMs = 60'000;  // a copy nobody asks for any more goes

  // `checkpoint`: the newest, as a note. `copy` makes a copy of the store in a new folder (any thread).
  // `directory`: where copies lie; what an earlier run left there is removed.
  StateServer(Reactor& reactor, PeerLink& link, std::function<std::string()> checkpoint,
              std::function<std::expected<void, std::string>(const std::string& path)> copy,
              std::string directory);
  ~StateServer();

  void receive(NodeId from, std::uint64_t request, const v1::StateRequest& message);

 private:
  struct Copy {
    NodeId peer = 0;
    std::uint64_t id = 0;
    std::string path;
    std::vector<v1::StateFile> files;
    std::string problem;
    std::uint64_t request = 0;  // that opened it, the newest
    bool ready = false;
    std::uint64_t used_ms = 0;
  };

  void open(NodeId from, std::uint64_t request);
  void opened(std::uint64_t id);
  void read(NodeId from, std::uint64_t request, const v1::StateRequest& message);
  void answer(NodeId to, std::uint64_t request, v1::StateResponse response);
  void refuse(NodeId to, std::uint64_t request, std::string why);
  void drop(std::uint64_t id);
  void drop_idle();

  Reactor& reactor_;
  PeerLink& link_;
  const std::function<std::string()> checkpoint_;
  const std::function<std::expected<void, std::string>(const std::string&)> copy_;
  const std::string directory_;
  std::map<std::uint64_t, std::shared_ptr<Copy>> copies_;  // by handle
  std::uint64_t next_ = 1;
  Timer sweep_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace swarmdns::controlplane
