// CachePort over the data plane's control socket. No thread waits for anything: gRPC's callbacks post to the
// reactor.
//
// Origins: what the data plane calls node 0 is this node's number outside. What comes back from peers under
// this node's number stays as it is (as "another node's"), so that it never passes for an answer of the data
// plane's own; a fence covers both.
//
// A new data plane shows as a JournalBatch with another journal_id, at first without mutations. Reactor
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "controlplane/core/reactor.h"
#include "controlplane/swarm/cache_port.h"

namespace swarmdns::controlplane {

class DataplanePort final : public CachePort {
 public:
  struct Options {
    std::string socket_path;
    // Empties the resolver's cache; may block, on another thread. The text: what it said, or why not. Empty:
    // there is none.
    std::function<std::expected<std::string, std::string>()> flush_resolver;
  };
  // The reactor outlives it.
  DataplanePort(Reactor& reactor, Options options);
  // Waits for calls under way to be cancelled.
  ~DataplanePort() override;

  void set_node(std::uint64_t node) override;
  void follow_journal(std::uint64_t from, std::function<void(v1::JournalBatch)> take) override;
  void journal_more() override;
  void insert(std::vector<v1::CacheEntry> entries, std::uint64_t transit_ms, Done<Inserted> done) override;
  void fence(const std::vector<DeadRange>& ranges, Done<Fenced> done) override;
  // Ends when `next` is destroyed without having been called.
  void dump(std::function<void(std::expected<v1::DumpEntries, std::string>, std::function<void()> next)> take)
      override;
  void restore(std::vector<std::string> private_zones, Done<std::uint64_t> done) override;
  void warming(std::uint64_t at_most_ms, Done<void> done) override;
  void warm(Done<void> done) override;
  void status(Done<v1::DataplaneStatus> done) override;

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace swarmdns::controlplane
