#include "tests/sim/sim_reactor.h"

#include <cstdio>

namespace swarmdns::sim {

namespace {

constexpr std::uint64_t kWallClockStartMs = 1'760'000'000'000;

}  // namespace

SimWorld::SimWorld(std::uint64_t seed, bool print_trace) : random_(seed), print_trace_(print_trace) {}

// Not std::uniform_int_distribution: its results are those of a library's version.
std::uint64_t SimWorld::between(std::uint64_t low, std::uint64_t high) {
  return low + random_() % (high - low + 1);
}

SimWorld::EventId SimWorld::at(std::uint64_t time_us, std::function<void()> event) {
  const EventId id{std::max(time_us, now_us_), next_event_++};
  events_.emplace(id, std::move(event));
  return id;
}

bool SimWorld::step() {
  if (events_.empty()) return false;
  auto next = events_.extract(events_.begin());
  now_us_ = next.key().first;
  next.mapped()();
  return true;
}

void SimWorld::run_until(std::uint64_t time_us, const std::function<bool()>& done) {
  while (!events_.empty() && events_.begin()->first.first <= time_us) {
    if (done && done()) return;
    step();
  }
  if (!done || !done()) now_us_ = std::max(now_us_, time_us);
}

void SimWorld::note(const std::string& line) {
  const std::string text = std::to_string(now_us_) + " " + line + "\n";
  for (const char c : text) trace_hash_ = (trace_hash_ ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  // At once: a crash is to have its trace, too.
  if (print_trace_) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }
}

void SimReactor::drop_all() {
  for (const auto& [id, event] : std::exchange(pending_, {})) world_.cancel(event);
}

TimerId SimReactor::schedule(std::uint64_t delay_us, std::function<void()> task) {
  const TimerId id = next_++;
  pending_[id] = world_.in(delay_us, [this, id, task = std::move(task)] {
    pending_.erase(id);
    task();
  });
  return id;
}

void SimReactor::post(std::function<void()> task) {
  schedule(0, std::move(task));
}

std::uint64_t SimReactor::wall_ms() const {
  return kWallClockStartMs + world_.now_ms() + static_cast<std::uint64_t>(skew_ms_);
}

TimerId SimReactor::after(std::uint64_t delay_ms, std::function<void()> task) {
  // A loop is never quite on time.
  return schedule(delay_ms * 1000 + world_.between(0, 300), std::move(task));
}

void SimReactor::cancel(TimerId timer) {
  const auto found = pending_.find(timer);
  if (found == pending_.end()) return;
  world_.cancel(found->second);
  pending_.erase(found);
}

void SimReactor::offload(std::function<void()> work, std::function<void()> done) {
  schedule(world_.between(10, 5000), [this, work = std::move(work), done = std::move(done)]() mutable {
    work();
    work = nullptr;
    schedule(world_.between(1, 100), std::move(done));
  });
}

void SimReactor::random(std::span<std::byte> into) {
  for (std::byte& octet : into) octet = static_cast<std::byte>(world_.random()());
}

}  // namespace swarmdns::sim
