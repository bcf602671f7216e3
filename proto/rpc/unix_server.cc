#include "proto/rpc/unix_server.h"

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "proto/rpc/library.h"

namespace swarmdns::rpc {

UnixServer::UnixServer(Options options) : options_(std::move(options)), own_uid_(geteuid()) {}

std::expected<std::unique_ptr<UnixServer>, std::string> UnixServer::start(
    Options options, const std::vector<grpc::Service*>& services) {
  keep_library();
  std::unique_ptr<UnixServer> self(new UnixServer(std::move(options)));
  auto listening = listen_unix(self->options_.path, self->options_.mode);
  if (!listening) return std::unexpected(listening.error());
  self->listen_fd_ = *listening;
  struct stat info {};
  if (stat(self->options_.path.c_str(), &info) == 0) {
    self->socket_dev_ = info.st_dev;
    self->socket_ino_ = info.st_ino;
  }
  self->stop_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->stop_fd_ < 0)
    return std::unexpected(std::string("cannot make an eventfd: ") + std::strerror(errno));

  grpc::ResourceQuota quota("unix-server");
  quota.SetMaxThreads(std::clamp(self->options_.max_threads, 2, 1024));
  quota.Resize(self->options_.max_memory_bytes);
  grpc::ServerBuilder builder;
  builder.SetResourceQuota(quota);
  // Few calls, few threads: a node has two cores to give to everything that is not a worker.
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS, 2);
  builder.SetMaxReceiveMessageSize(self->options_.max_message_bytes);
  builder.SetMaxSendMessageSize(self->options_.max_message_bytes);
  for (grpc::Service* service : services) builder.RegisterService(service);
  // The library asks for this at every start of a server.
  grpc::EnableDefaultHealthCheckService(!self->options_.health.empty());
  self->server_ = builder.BuildAndStart();
  if (!self->server_) return std::unexpected("gRPC could not start a server for " + self->options_.path);
  self->set_serving(false);
  self->acceptor_ = std::thread([raw = self.get()] { raw->accept_loop(); });
  return self;
}

UnixServer::~UnixServer() {
  stop();
}

void UnixServer::stop(int grace_ms) {
  if (stopped_) return;
  stopped_ = true;
  if (acceptor_.joinable()) {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(stop_fd_, &one, sizeof(one));
    acceptor_.join();
  }
  if (listen_fd_ >= 0) {
    close(listen_fd_);
    // A successor may have put its own socket there already.
    struct stat info {};
    if (stat(options_.path.c_str(), &info) == 0 && info.st_dev == socket_dev_ && info.st_ino == socket_ino_) {
      unlink(options_.path.c_str());
    }
  }
  if (server_) {
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(grace_ms));
    server_->Wait();
  }
  if (stop_fd_ >= 0) close(stop_fd_);
}

void UnixServer::set_serving(bool serving) {
  grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
  if (health == nullptr) return;
  health->SetServingStatus("", serving);
  for (const std::string& name : options_.health) health->SetServingStatus(name, serving);
}

void UnixServer::set_allowed(std::vector<uid_t> allowed) {
  const std::lock_guard lock(mutex_);
  options_.allowed = std::move(allowed);
}

bool UnixServer::is_allowed(uid_t uid) {
  if (uid == 0 || uid == own_uid_) return true;
  const std::lock_guard lock(mutex_);
  return std::find(options_.allowed.begin(), options_.allowed.end(), uid) != options_.allowed.end();
}

void UnixServer::accept_loop() {
  pollfd fds[2] = {{listen_fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}};
  for (;;) {
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return;
    if (fds[1].revents != 0) return;
    if (fds[0].revents != 0) accept_all();
  }
}

void UnixServer::accept_all() {
  for (;;) {
    const int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      // Out of descriptors: the connection stays in the backlog and poll() returns at once, so wait a little.
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        pollfd stop{stop_fd_, POLLIN, 0};
        poll(&stop, 1, 50);
      }
      return;
    }
    const auto peer = peer_credentials(fd);
    if (!peer || !is_allowed(peer->uid)) {
      refused_.fetch_add(1, std::memory_order_relaxed);
      if (options_.on_refused && peer) options_.on_refused(*peer);
      close(fd);
      continue;
    }
    accepted_.fetch_add(1, std::memory_order_relaxed);
    if (options_.peers != nullptr) options_.peers->connected(fd, *peer);
    grpc::AddInsecureChannelFromFd(server_.get(), fd);
  }
}

}  // namespace swarmdns::rpc
