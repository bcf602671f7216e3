#include "controlplane/member/state_server.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "controlplane/member/state_files.h"

namespace swarmdns::controlplane {

StateServer::StateServer(Reactor& reactor, PeerLink& link, std::function<std::string()> checkpoint,
                         std::function<std::expected<void, std::string>(const std::string&)> copy,
                         std::string directory)
    : reactor_(reactor),
      link_(link),
      checkpoint_(std::move(checkpoint)),
      copy_(std::move(copy)),
      directory_(std::move(directory)),
      sweep_(reactor) {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

StateServer::~StateServer() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void StateServer::receive(NodeId from, std::uint64_t request, const v1::StateRequest& message) {
  if (message.handle() == 0) return open(from, request);
  if (message.done()) {
    if (const auto at = copies_.find(message.handle()); at != copies_.end() && at->second->peer == from)
      drop(message.handle());
    return;
  }
  read(from, request, message);
}

void StateServer::open(NodeId from, std::uint64_t request) {
  // One for each peer: one that asks again has lost the other.
  for (const auto& [id, copy] : std::map(copies_)) {
    if (copy->peer == from && copy->ready) drop(id);
  }
  const auto making =
      std::ranges::find_if(copies_, [from](const auto& each) { return each.second->peer == from; });
  if (making != copies_.end()) {
    making->second->request = request;
    return;
  }
  if (copies_.size() >= kCopiesMost) return refuse(from, request, "busy with other copies; ask again");
  auto copy = std::make_shared<Copy>();
  copy->peer = from;
  copy->id = next_++;
  copy->request = request;
  copy->path = directory_ + "/" + std::to_string(copy->id);
  copy->used_ms = reactor_.now_ms();
  copies_[copy->id] = copy;
  if (!sweep_.running()) sweep_.start(kIdleMs / 4, [this] { drop_idle(); });
  reactor_.offload(
      [copy, make = copy_, parent = directory_] {
        std::error_code error;
        std::filesystem::create_directories(parent, error);
        if (auto made = make(copy->path); !made) {
          copy->problem = made.error();
          return;
        }
        auto files = list_state_files(copy->path);
        if (!files) {
          copy->problem = files.error();
          return;
        }
        copy->files = std::move(*files);
      },
      [this, id = copy->id, alive = std::weak_ptr<char>(alive_)] {
        if (alive.lock()) opened(id);
      });
}

void StateServer::opened(std::uint64_t id) {
  const auto at = copies_.find(id);
  if (at == copies_.end()) return;
  Copy& copy = *at->second;
  copy.ready = true;
  copy.used_ms = reactor_.now_ms();
  if (!copy.problem.empty()) {
    refuse(copy.peer, copy.request, copy.problem);
    drop(id);
    return;
  }
  v1::StateResponse response;
  response.set_handle(id);
  for (const v1::StateFile& file : copy.files) *response.add_files() = file;
  response.set_checkpoint(checkpoint_());
  answer(copy.peer, copy.request, std::move(response));
}

void StateServer::read(NodeId from, std::uint64_t request, const v1::StateRequest& message) {
  const auto at = copies_.find(message.handle());
  if (at == copies_.end() || at->second->peer != from || !at->second->ready)
    return refuse(from, request, "there is no such copy (any more); begin again");
  const std::shared_ptr<Copy> copy = at->second;
  copy->used_ms = reactor_.now_ms();
  if (message.file() >= copy->files.size()) return refuse(from, request, "there is no such file in the copy");
  auto response = std::make_shared<v1::StateResponse>();
  response->set_handle(message.handle());
  response->set_file(message.file());
  response->set_offset(message.offset());
  const std::string path = copy->path + "/" + copy->files[message.file()].name();
  const std::size_t wanted = std::min<std::size_t>(message.bytes(), kPieceMost);
  reactor_.offload(
      [response, path, wanted] {
        std::ifstream file(path, std::ios::binary);
        std::string data(wanted, '\0');
        file.seekg(static_cast<std::streamoff>(response->offset()));
        file.read(data.data(), static_cast<std::streamsize>(wanted));
        if (file.bad() || (!file && !file.eof())) {
          response->set_problem("a file of the copy cannot be read");
          return;
        }
        data.resize(static_cast<std::size_t>(file.gcount()));
        response->set_data(std::move(data));
      },
      [this, from, request, response, alive = std::weak_ptr<char>(alive_)] {
        if (alive.lock()) answer(from, request, std::move(*response));
      });
}

void StateServer::answer(NodeId to, std::uint64_t request, v1::StateResponse response) {
  v1::PeerMessage message;
  message.set_request(request);
  *message.mutable_state_response() = std::move(response);
  link_.send(to, Channel::kBulk, std::move(message));
}

void StateServer::refuse(NodeId to, std::uint64_t request, std::string why) {
  v1::StateResponse response;
  response.set_problem(std::move(why));
  answer(to, request, std::move(response));
}

void StateServer::drop(std::uint64_t id) {
  const auto at = copies_.find(id);
  if (at == copies_.end()) return;
  reactor_.offload(
      [copy = at->second] {
        std::error_code ignored;
        std::filesystem::remove_all(copy->path, ignored);
      },
      [] {});
  copies_.erase(at);
}

void StateServer::drop_idle() {
  for (const auto& [id, copy] : std::map(copies_)) {
    if (copy->ready && reactor_.now_ms() - copy->used_ms > kIdleMs) drop(id);
  }
  if (!copies_.empty()) sweep_.start(kIdleMs / 4, [this] { drop_idle(); });
}

}  // namespace swarmdns::controlplane
