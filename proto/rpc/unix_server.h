// A gRPC server on a Unix socket that checks who connects before gRPC reads a byte.
//
// gRPC's own Unix listener tells a handler nothing about its peer, so connections are accepted here, judged
// by SO_PEERCRED, and only then handed to gRPC. Both planes serve their control interface with this class.
//
// gRPC's threads inherit the affinity of the thread that calls start(): call it from a thread that is not
// pinned to a worker's core.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "proto/rpc/peers.h"
#include "proto/rpc/unix_socket.h"

namespace grpc {
class Server;
class Service;
}  // namespace grpc

namespace swarmdns::rpc {

class UnixServer {
 public:
  struct Options {
    std::string path;            // absolute, at most 107 bytes
    mode_t mode = 0600;          // of the socket file
    std::vector<uid_t> allowed;  // besides root and the effective user at start()
    int max_threads = 16;        // of gRPC; 2-1024. A streaming call holds one while it lasts
    int max_message_bytes = 64 << 20;
    std::size_t max_memory_bytes = std::size_t{256} << 20;  // of gRPC's buffers, all calls together
    // Services that grpc.health.v1.Health knows besides "", which stands for all; empty: no health service.
    // They are NOT_SERVING until set_serving().
    std::vector<std::string> health;
    // Called on the acceptor's thread for each connection turned away; may be empty.
    std::function<void(const PeerCredentials&)> on_refused;
    // Told of each connection before its first call, so that handlers can ask who calls; outlives the server.
    Peers* peers = nullptr;
  };

  // Listens and serves until stop(). The services must outlive the server. The error is a sentence.
  static std::expected<std::unique_ptr<UnixServer>, std::string> start(
      Options options, const std::vector<grpc::Service*>& services);

  UnixServer(const UnixServer&) = delete;
  UnixServer& operator=(const UnixServer&) = delete;
  ~UnixServer();

  // Stops accepting, gives calls that are running `grace_ms` to end, cancels the rest, joins every thread and
  // removes the socket file. Idempotent; any thread but one of a handler.
  void stop(int grace_ms = 500);

  // Takes effect for connections made from now on. Any thread.
  void set_allowed(std::vector<uid_t> allowed);

  // What the health service says of all its services. Any thread, until stop().
  void set_serving(bool serving);

  uint64_t accepted() const { return accepted_.load(std::memory_order_relaxed); }
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  explicit UnixServer(Options options);
  void accept_loop();
  void accept_all();
  bool is_allowed(uid_t uid);

  Options options_;
  uid_t own_uid_;
  int listen_fd_ = -1;
  int stop_fd_ = -1;  // eventfd
  dev_t socket_dev_ = 0;
  ino_t socket_ino_ = 0;  // only our own file is removed at stop()
  std::unique_ptr<grpc::Server> server_;
  std::thread acceptor_;
  std::mutex mutex_;  // options_.allowed
  std::atomic<uint64_t> accepted_{0};
  std::atomic<uint64_t> refused_{0};
  bool stopped_ = false;
};

}  // namespace swarmdns::rpc
