#include "tests/unit/controlplane/peer/tcp_proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <stdexcept>

namespace swarmdns::controlplane::test {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// False: this direction has ended.
bool pass(int from, int to) {
  char buffer[65536];
  const ssize_t size = recv(from, buffer, sizeof(buffer), 0);
  if (size <= 0) return false;
  for (ssize_t done = 0; done < size;) {
    const ssize_t n = send(to, buffer + done, static_cast<size_t>(size - done), MSG_NOSIGNAL);
    if (n <= 0) return false;
    done += n;
  }
  return true;
}

}  // namespace

TcpProxy::TcpProxy(const std::string& target_port)
    : target_port_(target_port), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  if (bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_.get(), 16) != 0 ||
      getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

TcpProxy::~TcpProxy() {
  stopped_ = true;
  thread_.join();
}

void TcpProxy::accept_one() {
  UniqueFd in(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  UniqueFd out(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(std::stoi(target_port_));
  if (!in || connect(out.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return;
  pairs_.emplace_back(std::move(in), std::move(out));
}

void TcpProxy::run() {
  while (!stopped_) {
    std::vector<pollfd> polled{{listener_.get(), POLLIN, 0}};
    for (const auto& [in, out] : pairs_) {
      polled.push_back({in.get(), POLLIN, 0});
      polled.push_back({out.get(), POLLIN, 0});
    }
    if (silent_) {
      poll(nullptr, 0, 10);
      continue;
    }
    if (poll(polled.data(), polled.size(), 10) <= 0) continue;
    std::vector<std::pair<UniqueFd, UniqueFd>> alive;
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      auto& [in, out] = pairs_[i];
      const bool good = (polled[1 + 2 * i].revents == 0 || pass(in.get(), out.get())) &&
                        (polled[2 + 2 * i].revents == 0 || pass(out.get(), in.get()));
      if (good) alive.push_back(std::move(pairs_[i]));
    }
    pairs_ = std::move(alive);
    if (polled[0].revents != 0) accept_one();
  }
}

}  // namespace swarmdns::controlplane::test
