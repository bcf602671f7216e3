// A proxy on loopback that can fall silent: connections stay, and nothing passes any more.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "controlplane/supervise/unique_fd.h"

namespace swarmdns::controlplane::test {

class TcpProxy {
 public:
  explicit TcpProxy(const std::string& target_port);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  int port() const { return port_; }
  void silence(bool silent) { silent_ = silent; }

 private:
  void run();
  void accept_one();

  const std::string target_port_;
  UniqueFd listener_;
  int port_ = 0;
  std::atomic<bool> silent_{false};
  std::atomic<bool> stopped_{false};
  std::vector<std::pair<UniqueFd, UniqueFd>> pairs_;
  std::thread thread_;
};

}  // namespace swarmdns::controlplane::test
