// Fetches a copy of the ledger from a peer, checks it against cosigned checkpoints, and puts it in the place
// of this node's own. Reactor thread; files are written and checked elsewhere.
//
// What is believed: the copy must be a chain of this swarm and incarnation whose state and tree are those of
// its newest block, at least at the manifest's entry, and hold a checkpoint cosigned by a majority of the
// voters that its own state lists. Who these voters are is itself believed on the word of the leader that
// sent the manifest, an authenticated member; a node that knows voters already wants one of them among the
// cosigners.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"
#include "controlplane/ledger/store.h"
#include "controlplane/member/core.h"

namespace swarmdns::controlplane {

class StateFetcher final : public StateInstaller {
 public:
  static constexpr std::uint64_t kPatienceMs =
      5000;  // for a piece; for the opening: longer, it makes the copy
  static constexpr std::uint64_t kOpenPatienceMs = 120'000;
  static constexpr int kPiecesAtOnce = 4;
  static constexpr int kTriesMost =
      5;  // of those that are outstanding, one after the other without any that came

  struct Place {
    std::string directory;  // where copies are put together; what an earlier run left there is removed
    // Off the reactor thread: may this copy take the place of the ledger (state_check.h)?
    std::function<std::expected<void, std::string>(const std::string& folder, const v1::Manifest& wanted)>
        check;
    // Reactor thread: takes it.
    std::function<std::expected<void, std::string>(const std::string& folder)> adopt;
  };
  StateFetcher(Reactor& reactor, PeerLink& link, Place place);
  ~StateFetcher() override;

  void install(NodeId from, const v1::Manifest& manifest, Done done) override;
  void cancel() override;
  void receive(NodeId from, const v1::PeerMessage& message);

  struct Progress {
    bool running = false;
    std::uint64_t fetched = 0;  // octets
    std::uint64_t of = 0;
  };
  Progress progress() const;

 private:
  struct Fetch;
  void ask_pieces();
  void ask_again();
  void ask(std::uint32_t file, std::uint64_t offset);
  void take_files(const v1::StateResponse& response);
  void take_piece(const v1::StateResponse& response);
  void written(std::uint64_t ticket, std::uint64_t octets, const std::string& problem);
  void all_here();
  void finish(std::expected<void, std::string> result);
  void request(v1::StateRequest message);
  void wait(std::uint64_t patience_ms);
  void wait_for_pieces();

  Reactor& reactor_;
  PeerLink& link_;
  const Place place_;
  std::shared_ptr<Fetch> fetch_;
  std::uint64_t next_ticket_ = 1;
  std::uint64_t next_request_ = 1;
  Timer patience_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace swarmdns::controlplane
