// This node's certificate, renewed in time: by itself when it holds the issuing key, else by a member that
// does. And on the leader, or who has the key in its stead: the issuing key is kept sealed to the members of
// the log. Reactor thread.
#pragma once

#include <functional>
#include <string>

#include "controlplane/certs/renewal.h"
#include "controlplane/certs/tls_credentials.h"
#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"
#include "controlplane/member/core.h"
#include "controlplane/member/identity.h"

namespace swarmdns::controlplane {

class CertificateKeeper {
 public:
  // `keep` writes a changed identity to the disk, off the reactor thread. All outlive it.
  CertificateKeeper(Reactor& reactor, PeerLink& link, MemberCore& core, PeerTls& tls, Identity& identity,
                    std::function<void(const v1::NodeIdentity&)> keep,
                    std::function<void(const std::string&)> say);

  void start();
  // The state, or the members of the log, have changed.
  void state_changed();

  // Of this keeper's business; false: of another's.
  bool receive(NodeId from, const v1::PeerMessage& message);

  std::int64_t expires() const { return not_after_; }  // seconds since 1970
  // "" = none.
  const std::string& trouble() const { return trouble_; }

 private:
  void look();
  void renew();
  void take(const std::string& chain);
  void failed(const std::string& why);
  bool reseals(const StateView& state) const;
  void reseal_issuer();
  v1::RenewResponse issue(NodeId to, const std::string& csr) const;

  Reactor& reactor_;
  PeerLink& link_;
  MemberCore& core_;
  PeerTls& tls_;
  Identity& identity_;
  const std::function<void(const v1::NodeIdentity&)> keep_;
  const std::function<void(const std::string&)> say_;
  std::int64_t not_before_ = 0;
  std::int64_t not_after_ = 0;
  unsigned failures_ = 0;
  std::int64_t last_attempt_ = 0;
  NodeId asking_ = 0;  // whom; 0 = nobody
  bool resealing_ = false;
  std::size_t next_asked_ = 0;
  std::string trouble_;
  Timer timer_;
  Timer patience_;
};

}  // namespace swarmdns::controlplane
