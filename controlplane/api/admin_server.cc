#include "controlplane/api/admin_server.h"

#include <sys/stat.h>

#include <optional>

#include "controlplane/api/admin_service.h"
#include "controlplane/api/swarm_service.h"
#include "proto/rpc/unix_server.h"

namespace swarmdns::controlplane {
namespace {

// With nobody but root allowed the file itself keeps others out; else SO_PEERCRED decides.
mode_t mode_for(const std::vector<uid_t>& users) {
  return users.empty() ? 0600 : 0666;
}

class Server final : public AdminServer {
 public:
  Server(NodeControl& node, SwarmControl* swarm, AdminAccess access)
      : callers_(std::move(access)), service_(node) {
    if (swarm != nullptr) swarm_service_.emplace(*swarm, callers_);
  }

  std::expected<void, std::string> start(const std::string& path, std::vector<uid_t> users,
                                         std::function<void(const std::string&)> log) {
    path_ = path;
    rpc::UnixServer::Options options;
    options.path = path;
    options.mode = mode_for(users);
    options.allowed = std::move(users);
    options.peers = &callers_.peers();
    options.on_refused = [log = std::move(log)](const rpc::PeerCredentials& peer) {
      if (log) {
        log("admin: user " + std::to_string(peer.uid) + " (pid " + std::to_string(peer.pid) +
            ") turned away; node.admin_users says who may connect");
      }
    };
    std::vector<grpc::Service*> services = {&service_};
    if (swarm_service_) services.push_back(&*swarm_service_);
    auto server = rpc::UnixServer::start(std::move(options), services);
    if (!server) return std::unexpected(server.error());
    server_ = std::move(*server);
    return {};
  }

  void set_access(AdminAccess access) override {
    chmod(path_.c_str(), mode_for(access.users));
    server_->set_allowed(access.users);
    callers_.set_access(std::move(access));
  }
  void stop() override { server_->stop(); }

 private:
  std::string path_;
  Callers callers_;
  AdminService service_;
  std::optional<SwarmService> swarm_service_;
  std::unique_ptr<rpc::UnixServer> server_;
};

}  // namespace

std::expected<std::unique_ptr<AdminServer>, std::string> AdminServer::start(
    const std::string& path, AdminAccess access, NodeControl& node, SwarmControl* swarm,
    std::function<void(const std::string&)> log) {
  std::vector<uid_t> users = access.users;
  auto server = std::make_unique<Server>(node, swarm, std::move(access));
  if (auto started = server->start(path, std::move(users), std::move(log)); !started) {
    return std::unexpected(started.error());
  }
  return server;
}

}  // namespace swarmdns::controlplane
