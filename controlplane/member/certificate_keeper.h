// This node's certificate, renewed in time, or when the authority has changed: by itself when it holds the
// issuing key, else by a member that does. And on the leader, or who has the key in its stead: the issuing
// key is kept sealed to the members of the log, and an old root goes when nobody needs it any more. Reactor
// thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

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
  // The members that have no certificate of the authority in force yet, or have not said so; of a change of
  // roots that is not over. Empty: there is none.
  std::vector<NodeId> not_renewed() const;
  void describe(v1::NodeReport& report) const { report.set_issuer(issuer_); }

 private:
  void look();
  void renew();
  void take(const std::string& chain);
  void failed(const std::string& why);
  bool reseals(const StateView& state) const;
  void reseal_issuer();
  void retire_old_root();
  void order(v1::CertificateRotation rotation);
  void read_own(const std::string& chain);
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
  NodeId asking_ = 0;   // whom; 0 = nobody
  std::string issuer_;  // SHA-256 of the certificate that ours is signed by
  bool ordering_ = false;
  std::size_t next_asked_ = 0;
  std::string trouble_;
  Timer timer_;
  Timer patience_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace swarmdns::controlplane
