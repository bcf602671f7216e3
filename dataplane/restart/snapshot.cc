#include "dataplane/restart/snapshot.h"

#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "dataplane/sync/affinity.h"

namespace swarmdns::restart {
namespace {

constexpr auto kLook = std::chrono::milliseconds(500);  // at the settings
constexpr auto kLetGo = std::chrono::seconds(2);        // from giving up a write to its end

}  // namespace

std::string snapshot_path(const std::string& state_dir) {
  return state_dir + "/cache.snapshot";
}

Snapshot::Snapshot(cache::Writer& writer, const cache::Clock& clock, FlushLog& flushes,
                   stats::Block& counters, Options options)
    : writer_(writer),
      clock_(clock),
      flushes_(flushes),
      counters_(counters),
      options_(std::move(options)),
      path_(snapshot_path(options_.state_dir)) {}

Snapshot::~Snapshot() {
  (void)stop(std::chrono::milliseconds(0));
  sodium_memzero(key_.data(), key_.size());
}

void Snapshot::start() {
  flushes_.open();
  flushes_.on_through([this] { outdate(); });
  started_ = true;
  thread_ = std::thread([this] { run(); });
}

bool Snapshot::stop(std::chrono::milliseconds patience) {
  if (!thread_.joinable()) return !started_ || ended_;
  bool ended = false;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
    ended = over_.wait_for(lock, patience, [this] { return ended_; });
    if (!ended) {
      given_up_ = true;
      wake_.notify_all();
      ended = over_.wait_for(lock, kLetGo, [this] { return ended_; });
    }
  }
  if (ended) {
    thread_.join();
  } else {
    thread_.detach();
  }
  return ended;
}

std::expected<Snapshot::Loaded, std::string> Snapshot::restore(std::vector<std::string> private_zones) {
  std::future<std::expected<Loaded, std::string>> done;
  {
    const std::lock_guard lock(mutex_);
    if (!started_ || ended_ || stopping_) return std::unexpected("the data plane is stopping");
    wanted_.push_back({std::move(private_zones), {}});
    done = wanted_.back().done.get_future();
    wake_.notify_all();
  }
  return done.get();
}

Snapshot::Status Snapshot::status() const {
  const Settings settings = options_.settings();
  const std::lock_guard lock(mutex_);
  Status status = status_;
  status.every_s = static_cast<std::uint32_t>(settings.every_ms / 1000);
  status.loading = loading();
  for (const std::string* trouble : {&key_trouble_, &load_trouble_, &write_trouble_}) {
    if (!trouble->empty()) status.troubles.push_back(*trouble);
  }
  return status;
}

void Snapshot::set_trouble(std::string& place, std::string text) {
  bool news = false;
  {
    const std::lock_guard lock(mutex_);
    news = place != text;
    place = text;
  }
  if (news && !text.empty() && options_.say) options_.say("restart snapshot", "", text);
}

void Snapshot::run() {
  sync::begin_slow_thread("sw-snapshot", options_.cpus);
  live(options_.settings());
  const std::lock_guard lock(mutex_);
  for (Wanted& wanted : wanted_) wanted.done.set_value(std::unexpected("the data plane is stopping"));
  wanted_.clear();
  ended_ = true;
  over_.notify_all();
}

void Snapshot::live(const Settings& first) {
  if (first.every_ms == 0) {
    forget();
  } else if (find_key()) {
    load(first);
  }
  if (!held_) flushes_.close();
  const bool complete = !stopping_;
  loading_.store(false, std::memory_order_release);
  due_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(first.every_ms);

  std::uint64_t every_ms = first.every_ms;
  for (;;) {
    std::optional<Wanted> wanted;
    {
      std::unique_lock lock(mutex_);
      const auto look = std::chrono::steady_clock::now() + kLook;
      wake_.wait_until(lock, every_ms == 0 ? look : std::min(look, due_),
                       [this] { return stopping_ || outdated_ || !wanted_.empty(); });
      if (!stopping_ && !wanted_.empty()) {
        wanted = std::move(wanted_.front());
        wanted_.pop_front();
      }
    }
    const Settings settings = options_.settings();
    if (wanted) wanted->done.set_value(restore_held(*wanted));
    if (settings.every_ms != every_ms) {
      every_ms = settings.every_ms;
      due_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(every_ms);
      if (every_ms == 0) forget();
    }
    if (outdated_.exchange(false))
      due_ = std::min(due_, std::max(std::chrono::steady_clock::now(), not_before_));
    const bool stopping = stopping_;
    // What has not been loaded yet is in the former one only.
    if (every_ms != 0 && complete && (stopping || std::chrono::steady_clock::now() >= due_)) write(settings);
    if (stopping) return;
  }
}

void Snapshot::outdate() {
  {
    const std::lock_guard lock(publishing_);
    ++flushes_through_;
    ::unlink(path_.c_str());
  }
  const std::lock_guard lock(mutex_);
  outdated_ = true;
  wake_.notify_all();
}

// None is wanted: neither this one nor what a killed writer left.
void Snapshot::forget() {
  ::unlink(path_.c_str());
  ::unlink((path_ + ".new").c_str());
  held_.reset();
  flushes_.close();
  const std::lock_guard lock(mutex_);
  status_.held = 0;
  write_trouble_.clear();
}

bool Snapshot::find_key() {
  if (has_key_) return true;
  auto kept = node_key(options_.state_dir);
  if (!kept) {
    set_trouble(key_trouble_, "without a key there is no restart snapshot: " + kept.error());
    return false;
  }
  key_ = kept->key;
  has_key_ = true;
  set_trouble(key_trouble_, kept->warning);
  return true;
}

}  // namespace swarmdns::restart
