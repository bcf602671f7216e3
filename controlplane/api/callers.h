// Who calls, and what they may: the kernel's word on the connection, beside what the caller says of itself.
// Any thread; asked by a handler while its call runs (proto/rpc/peers.h).
#pragma once

#include <sys/types.h>

#include <mutex>
#include <string>
#include <vector>

#include "controlplane/api/node_control.h"
#include "proto/rpc/peers.h"

namespace swarmdns::controlplane {

// Of the admin socket; root, and the user the control plane runs as, may do everything.
struct AdminAccess {
  std::string node;                   // its name, the last part of every principal
  std::vector<uid_t> users;           // node.admin_users: who may connect
  std::vector<uid_t> ledger_readers;  // node.ledger_readers: which of them may read names
};

class Callers {
 public:
  explicit Callers(AdminAccess access) : access_(std::move(access)) {}

  void set_access(AdminAccess access);
  rpc::Peers& peers() { return peers_; }

  // The principal as the ledger keeps it: "alice@n1"; with a claim of the caller's, which proves nothing and
  // is marked as what it is: "root (sudo by alice)@n1". `peer`: ServerContext::peer().
  Outcome<std::string> principal(const std::string& peer, const std::string& claim) const;

  // Refused with the field that would allow it.
  Outcome<void> may_read_names(const std::string& peer) const;

 private:
  Outcome<uid_t> uid_of(const std::string& peer) const;

  rpc::Peers peers_;
  mutable std::mutex mutex_;
  AdminAccess access_;
};

// "alice"; "uid 1234" of a user that has no name here.
std::string user_name(uid_t uid);

}  // namespace swarmdns::controlplane
