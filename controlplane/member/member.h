// A running member of a swarm on a real machine: reactor thread, TLS, streams to the peers, log and ledger on
// disk, and the core over them. Made and destroyed by its owner's thread; everything inside happens on the
// reactor thread, reached by run().
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>

#include "controlplane/certs/tls_credentials.h"
#include "controlplane/consensus/engine.h"
#include "controlplane/consensus/uv_log_store.h"
#include "controlplane/consensus/uv_reactor.h"
#include "controlplane/ledger/store.h"
#include "controlplane/member/certificate_keeper.h"
#include "controlplane/member/config_keeper.h"
#include "controlplane/member/core.h"
#include "controlplane/member/identity.h"
#include "controlplane/member/introducer.h"
#include "controlplane/member/retention.h"
#include "controlplane/member/shared_cache.h"
#include "controlplane/member/state_check.h"
#include "controlplane/member/state_fetcher.h"
#include "controlplane/member/state_server.h"
#include "controlplane/peer/grpc_peer_link.h"
#include "controlplane/swarm/dataplane_port.h"
#include "controlplane/swarm/segment_db.h"

namespace swarmdns::controlplane {

class Member {
 public:
  struct Options {
    std::string listen;  // "10.54.0.1:8453"
    LogProfile profile = LogProfile::kLan;
    std::function<v1::NodeReport()>
        describe;  // on the reactor thread: from what is at hand, nothing that blocks
    std::function<void(const std::string&)> say;
    std::string dataplane_socket;
    // Empties the resolver's cache; may block. Empty: there is no resolver of ours.
    std::function<std::expected<std::string, std::string>()> flush_resolver;
    std::vector<std::string> private_zones;  // wire format, lower case
    std::uint64_t share_bytes_per_second = 0;
    ConfigPort* config = nullptr;  // the node's; outlives the member
  };

  // Opens and starts. The error names the file or the address, with the mend.
  static std::expected<std::unique_ptr<Member>, std::string> start(const IdentityFiles& files,
                                                                   Identity identity, Options options);
  // Stops: streams end, the log is closed.
  ~Member();
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  // Runs it on the reactor thread and waits. Not from there.
  void run(const std::function<void()>& task) { reactor_.run(task); }
  UvReactor& reactor() { return reactor_; }

  // Any thread.
  SegmentStore& segments() { return *segments_; }

  // --- Reactor thread ---
  MemberCore& core() { return *core_; }
  const Identity& identity() const { return identity_; }
  GrpcPeerLink& link() { return *link_; }
  LedgerStore& store() { return *store_; }
  CertificateKeeper& certificates() { return *certificates_; }
  ConfigKeeper& configs() { return *configs_; }
  SharedCache& caches() { return *caches_; }
  const Retention& retention() const { return *retention_; }

 private:
  Member(const IdentityFiles& files, Identity identity, Options options);
  std::expected<void, std::string> open();
  std::expected<void, std::string> open_on_reactor();
  void close_on_reactor();
  std::shared_ptr<const SwarmView> known_peers() const;
  std::expected<void, std::string> open_ledger();
  // Null: all of the state may have changed.
  void follow_state(const AppliedBlock* block);
  void remember_own(bool voters);
  void keep_peers(const v1::KeptPeers& peers);
  void check_files();

  const IdentityFiles files_;
  Identity identity_;
  const Options options_;
  UvReactor reactor_;
  PeerTls tls_;
  std::shared_ptr<LedgerStore> store_;  // shared with what is offloaded
  std::unique_ptr<SegmentDb> segment_db_;
  std::unique_ptr<SegmentStore> segments_;
  std::mutex own_mutex_;
  OwnView own_;          // under it: what a fetched copy must go on from
  v1::KeptPeers peers_;  // as they are kept, or about to be
  bool keeping_peers_ = false;
  // Made and destroyed on the reactor thread.
  std::unique_ptr<GrpcPeerLink> link_;
  std::unique_ptr<StateFetcher> fetcher_;
  std::unique_ptr<MemberCore> core_;
  std::unique_ptr<UvLogStore> log_store_;
  std::unique_ptr<Engine> log_;
  std::unique_ptr<Introducer> introducer_;
  std::unique_ptr<StateServer> server_;
  std::unique_ptr<CertificateKeeper> certificates_;
  std::unique_ptr<ConfigKeeper> configs_;
  std::unique_ptr<DataplanePort> cache_port_;
  std::unique_ptr<SharedCache> caches_;
  std::unique_ptr<Retention> retention_;
  std::unique_ptr<Timer> check_timer_;
};

}  // namespace swarmdns::controlplane
