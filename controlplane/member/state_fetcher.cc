#include "controlplane/member/state_fetcher.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "controlplane/member/state_files.h"
#include "controlplane/member/state_server.h"
#include "controlplane/supervise/unique_fd.h"

namespace swarmdns::controlplane {

struct StateFetcher::Fetch {
  std::uint64_t ticket = 0;
  NodeId from = 0;
  v1::Manifest manifest;
  Done done;
  std::uint64_t handle = 0;
  std::vector<v1::StateFile> files;
  std::uint64_t of = 0;
  std::uint64_t fetched = 0;
  // The next piece to ask for.
  std::size_t file = 0;
  std::uint64_t offset = 0;
  std::set<std::pair<std::uint32_t, std::uint64_t>> outstanding;  // file, offset
  int writing = 0;
  int tries = 0;                    // since a piece came
  std::uint64_t first_request = 0;  // answers to earlier ones are of another fetch
};

namespace {

std::string write_piece(const std::string& path, std::uint64_t offset, const std::string& data) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return "cannot write " + path;
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t n =
        pwrite(fd.get(), data.data() + done, data.size() - done, static_cast<off_t>(offset + done));
    if (n <= 0) return "cannot write " + path;
    done += static_cast<std::size_t>(n);
  }
  // When the copy is adopted the log's own entries go: it must outlive a loss of power.
  if (fdatasync(fd.get()) != 0) return "cannot sync " + path;
  return "";
}

void sync_folder(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) static_cast<void>(fsync(fd.get()));
}

}  // namespace

StateFetcher::StateFetcher(Reactor& reactor, PeerLink& link, Place place)
    : reactor_(reactor), link_(link), place_(std::move(place)), patience_(reactor) {
  std::error_code ignored;
  std::filesystem::remove_all(place_.directory, ignored);
}

StateFetcher::~StateFetcher() = default;

StateFetcher::Progress StateFetcher::progress() const {
  return fetch_ ? Progress{true, fetch_->fetched, fetch_->of} : Progress{};
}

void StateFetcher::install(NodeId from, const v1::Manifest& manifest, Done done) {
  cancel();
  fetch_ = std::make_shared<Fetch>();
  fetch_->ticket = next_ticket_++;
  fetch_->from = from;
  fetch_->manifest = manifest;
  fetch_->done = std::move(done);
  fetch_->first_request = next_request_;
  request({});
  wait(kOpenPatienceMs);
}

void StateFetcher::cancel() {
  patience_.stop();
  fetch_.reset();
}

void StateFetcher::request(v1::StateRequest message) {
  v1::PeerMessage envelope;
  envelope.set_request(next_request_++);
  *envelope.mutable_state_request() = std::move(message);
  link_.send(fetch_->from, Channel::kBulk, std::move(envelope));
}

void StateFetcher::wait(std::uint64_t patience_ms) {
  patience_.start(patience_ms, [this] { finish(std::unexpected("the peer did not answer in time")); });
}

void StateFetcher::receive(NodeId from, const v1::PeerMessage& message) {
  if (!fetch_ || from != fetch_->from || !message.has_state_response()) return;
  if (message.request() < fetch_->first_request) return;
  const v1::StateResponse& response = message.state_response();
  if (!response.problem().empty()) return finish(std::unexpected("the peer says: " + response.problem()));
  if (fetch_->handle == 0) return take_files(response);
  if (response.handle() == fetch_->handle) take_piece(response);
}

void StateFetcher::take_files(const v1::StateResponse& response) {
  if (response.handle() == 0 || response.files().empty()) return;
  for (const v1::StateFile& file : response.files()) {
    if (!is_state_file_name(file.name()))
      return finish(std::unexpected("the peer names a file that cannot be"));
    fetch_->files.push_back(file);
    fetch_->of += file.size();
  }
  fetch_->handle = response.handle();
  std::error_code error;
  std::filesystem::remove_all(place_.directory, error);
  std::filesystem::create_directories(place_.directory, error);
  if (error) return finish(std::unexpected("cannot make " + place_.directory + ": " + error.message()));
  // Files without content are asked for in no piece.
  for (const v1::StateFile& file : fetch_->files) {
    if (file.size() != 0) continue;
    if (const std::string problem = write_piece(place_.directory + "/" + file.name(), 0, "");
        !problem.empty())
      return finish(std::unexpected(problem));
  }
  wait_for_pieces();
  ask_pieces();
}

void StateFetcher::ask(std::uint32_t file, std::uint64_t offset) {
  v1::StateRequest message;
  message.set_handle(fetch_->handle);
  message.set_file(file);
  message.set_offset(offset);
  message.set_bytes(StateServer::kPieceMost);
  request(std::move(message));
}

// A stream that broke has taken the requests with it, or the answers; the copy is there still.
void StateFetcher::ask_again() {
  if (++fetch_->tries >= kTriesMost) return finish(std::unexpected("the peer did not answer in time"));
  wait_for_pieces();
  for (const auto& [file, offset] : std::set(fetch_->outstanding)) ask(file, offset);
}

void StateFetcher::wait_for_pieces() {
  patience_.start(kPatienceMs, [this] { ask_again(); });
}

void StateFetcher::ask_pieces() {
  Fetch& fetch = *fetch_;
  while (fetch.outstanding.size() + static_cast<std::size_t>(fetch.writing) < kPiecesAtOnce &&
         fetch.file < fetch.files.size()) {
    const v1::StateFile& file = fetch.files[fetch.file];
    if (fetch.offset >= file.size()) {
      ++fetch.file;
      fetch.offset = 0;
      continue;
    }
    const auto number = static_cast<std::uint32_t>(fetch.file);
    const std::uint64_t offset = fetch.offset;
    fetch.outstanding.emplace(number, offset);
    fetch.offset += StateServer::kPieceMost;
    ask(number, offset);
  }
  if (fetch.outstanding.empty() && fetch.writing == 0 && fetch.file >= fetch.files.size()) all_here();
}

void StateFetcher::take_piece(const v1::StateResponse& response) {
  Fetch& fetch = *fetch_;
  if (fetch.outstanding.erase({response.file(), response.offset()}) == 0) return;
  const v1::StateFile& file = fetch.files[response.file()];
  const std::uint64_t expected =
      std::min<std::uint64_t>(StateServer::kPieceMost, file.size() - response.offset());
  if (response.data().size() != expected)
    return finish(std::unexpected("the peer's copy of " + file.name() + " is cut"));
  fetch.tries = 0;
  wait_for_pieces();
  ++fetch.writing;
  auto problem = std::make_shared<std::string>();
  auto data = std::make_shared<std::string>(response.data());
  reactor_.offload([problem, data, path = place_.directory + "/" + file.name(),
                    offset = response.offset()] { *problem = write_piece(path, offset, *data); },
                   [this, problem, data, ticket = fetch.ticket, alive = std::weak_ptr<char>(alive_)] {
                     if (alive.lock()) written(ticket, data->size(), *problem);
                   });
}

void StateFetcher::written(std::uint64_t ticket, std::uint64_t octets, const std::string& problem) {
  if (!fetch_ || fetch_->ticket != ticket) return;
  if (!problem.empty()) return finish(std::unexpected(problem));
  --fetch_->writing;
  fetch_->fetched += octets;
  ask_pieces();
}

void StateFetcher::all_here() {
  patience_.stop();
  v1::StateRequest message;
  message.set_handle(fetch_->handle);
  message.set_done(true);
  request(std::move(message));
  auto checked = std::make_shared<std::expected<void, std::string>>();
  reactor_.offload(
      [checked, place = place_, files = fetch_->files, manifest = fetch_->manifest] {
        *checked = check_state_files(place.directory, files);
        if (*checked) *checked = place.check(place.directory, manifest);
        sync_folder(place.directory);
      },
      [this, checked, ticket = fetch_->ticket, alive = std::weak_ptr<char>(alive_)] {
        if (!alive.lock() || !fetch_ || fetch_->ticket != ticket) return;
        if (*checked) *checked = place_.adopt(place_.directory);
        finish(std::move(*checked));
      });
}

void StateFetcher::finish(std::expected<void, std::string> result) {
  patience_.stop();
  if (!fetch_) return;
  // At once: between the store's replacing and this call nothing may come.
  const Done done = std::move(fetch_->done);
  fetch_.reset();
  done(std::move(result));
}

}  // namespace swarmdns::controlplane
