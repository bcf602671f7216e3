#include "tests/unit/controlplane/targets/scripted_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>

namespace swarmdns::controlplane {
namespace {

bool send_all(int fd, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = send(fd, text.data() + done, text.size() - done, MSG_NOSIGNAL);
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

bool receive_more(int fd, std::string& buffer) {
  char block[65536];
  const ssize_t n = recv(fd, block, sizeof block, 0);
  if (n <= 0) return false;
  buffer.append(block, static_cast<std::size_t>(n));
  return true;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

ScriptedRequest parsed(const std::string& head) {
  ScriptedRequest request;
  std::size_t begin = head.find("\r\n");
  const std::string first = head.substr(0, begin);
  const std::size_t space = first.find(' ');
  const std::string target = first.substr(space + 1, first.rfind(' ') - space - 1);
  request.method = first.substr(0, space);
  request.path = target.substr(0, target.find('?'));
  if (const auto mark = target.find('?'); mark != std::string::npos) request.query = target.substr(mark + 1);
  while (begin != std::string::npos && begin + 2 < head.size()) {
    const std::size_t end = head.find("\r\n", begin + 2);
    const std::string line = head.substr(begin + 2, end - begin - 2);
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos)
      request.headers[lower(line.substr(0, colon))] = trimmed(line.substr(colon + 1));
    begin = end;
  }
  return request;
}

}  // namespace

std::string ScriptedRequest::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::string ScriptedRequest::value(const std::string& name) const {
  const std::string all = "&" + query + "&";
  const std::size_t at = all.find("&" + name + "=");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + name.size() + 2;
  const std::string raw = all.substr(begin, all.find('&', begin) - begin);
  std::string decoded;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '%') {
      decoded += static_cast<char>(std::stoi(raw.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      decoded += raw[i];
    }
  }
  return decoded;
}

ScriptedHttp::ScriptedHttp(Handler handler) : handler_(std::move(handler)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  listen(listener_, 16);
  socklen_t length = sizeof address;
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedHttp::~ScriptedHttp() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const int fd : connections_) shutdown(fd, SHUT_RDWR);
  }
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (auto& thread : threads_) thread.join();
  for (const int fd : connections_) close(fd);
  close(listener_);
}

std::vector<ScriptedRequest> ScriptedHttp::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void ScriptedHttp::accept_all() {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const std::lock_guard lock(mutex_);
    connections_.push_back(fd);
    if (stopping_) return;
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void ScriptedHttp::serve(int fd) {
  std::string buffer;
  for (;;) {
    std::size_t end;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (!receive_more(fd, buffer)) return;
    }
    ScriptedRequest request = parsed(buffer.substr(0, end + 2));
    buffer.erase(0, end + 4);
    const std::string length = request.header("content-length");
    const std::size_t bytes = length.empty() ? 0 : std::stoul(length);
    if (bytes > 0 && !request.header("expect").empty() && !send_all(fd, "HTTP/1.1 100 Continue\r\n\r\n"))
      return;
    while (buffer.size() < bytes) {
      if (!receive_more(fd, buffer)) return;
    }
    request.body = buffer.substr(0, bytes);
    buffer.erase(0, bytes);
    if (!answer(fd, request)) {
      shutdown(fd, SHUT_RDWR);
      return;
    }
  }
}

bool ScriptedHttp::answer(int fd, const ScriptedRequest& request) {
  ScriptedReply reply;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    reply = handler_(request);
  }
  if (reply.drop) return false;
  std::string ignored;
  if (reply.hold) {
    while (receive_more(fd, ignored)) {
    }
    return false;
  }
  std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " Scripted\r\n";
  for (const auto& [name, value] : reply.headers) text += name + ": " + value + "\r\n";
  if (!reply.headers.contains("Content-Length") && reply.status != 204) {
    text += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
  }
  text += "\r\n";
  if (request.method != "HEAD") text += reply.body.substr(0, reply.cut_at);
  if (!send_all(fd, text)) return false;
  if (reply.hold_after_cut) {
    while (receive_more(fd, ignored)) {
    }
  }
  return reply.cut_at == SIZE_MAX;
}

}  // namespace swarmdns::controlplane
