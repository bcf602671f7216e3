#include "controlplane/api/admin_server.h"

#include <sys/stat.h>

#include "controlplane/api/admin_service.h"
#include "proto/rpc/unix_server.h"

namespace swarmdns::controlplane {
namespace {

// With nobody but root allowed the file itself keeps others out; else SO_PEERCRED decides.
mode_t mode_for(const std::vector<uid_t>& users) {
  return users.empty() ? 0600 : 0666;
}

class Server final : public AdminServer {
 public:
  explicit Server(NodeControl& node) : service_(node) {}

  std::expected<void, std::string> start(const std::string& path, std::vector<uid_t> users,
                                         std::function<void(const std::string&)> log) {
    path_ = path;
    rpc::UnixServer::Options options;
    options.path = path;
    options.mode = mode_for(users);
    options.allowed = std::move(users);
    options.on_refused = [log = std::move(log)](const rpc::PeerCredentials& peer) {
      if (log) {
        log("admin: user " + std::to_string(peer.uid) + " (pid " + std::to_string(peer.pid) +
            ") turned away; node.admin_users says who may connect");
      }
    };
    auto server = rpc::UnixServer::start(std::move(options), {&service_});
    if (!server) return std::unexpected(server.error());
    server_ = std::move(*server);
    return {};
  }

  void set_users(std::vector<uid_t> users) override {
    chmod(path_.c_str(), mode_for(users));
    server_->set_allowed(std::move(users));
  }
  void stop() override { server_->stop(); }

 private:
  std::string path_;
  AdminService service_;
  std::unique_ptr<rpc::UnixServer> server_;
};

}  // namespace

std::expected<std::unique_ptr<AdminServer>, std::string> AdminServer::start(
    const std::string& path, std::vector<uid_t> users, NodeControl& node,
    std::function<void(const std::string&)> log) {
  auto server = std::make_unique<Server>(node);
  if (auto started = server->start(path, std::move(users), std::move(log)); !started) {
    return std::unexpected(started.error());
  }
  return server;
}

}  // namespace swarmdns::controlplane
