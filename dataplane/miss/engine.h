// The miss engine: takes questions from the askers' rings, asks upstreams, and hands the answers to the
// cache's writer and back to those who wait. Everything happens inside poll_once(), on one thread, by the
// time it is given: a test drives it without threads.
//
// A question's life: admit() finds an equal one to join, or begins it; ask() sends it to an upstream; timers
// try again, give stale answers at the client's deadline (RFC 8767) and end it at its own; a response
// concludes it. For a moment it lingers, so that those who asked while the answer was on its way into the
// cache do not make a second query.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/dns/render.h"
#include "dataplane/miss/channel.h"
#include "dataplane/miss/in_flight.h"
#include "dataplane/miss/options.h"
#include "dataplane/miss/pending.h"
#include "dataplane/miss/quota.h"
#include "dataplane/miss/random.h"
#include "dataplane/miss/servers.h"
#include "dataplane/miss/store.h"
#include "dataplane/miss/tcp_upstreams.h"
#include "dataplane/miss/timers.h"
#include "dataplane/miss/udp_sockets.h"
#include "dataplane/stats/counters.h"

namespace swarmdns::miss {

class Engine {
 public:
  // All references must outlive the engine. `counters` is the miss thread's block.
  // Throws std::system_error when the kernel gives no epoll descriptor.
  Engine(const Limits& limits, const OptionsSlot& options, Store& store, stats::Block& counters);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Before the first poll. The channel must outlive the engine.
  void attach(Channel& channel);

  // One round over rings, sockets and timers. `now_us`: microseconds of the cache's clock (its Seconds are
  // now_us / 1,000,000), never going back. True when anything was done.
  bool poll_once(std::uint64_t now_us);

  // Something may come from upstreams at any moment: questions are under way or were a while ago, or
  // connections are open.
  [[nodiscard]] bool expecting() const noexcept {
    return now_us_ - asked_us_ < kLateAnswers || in_flight_.size() > 0 || tcp_.open_connections() > 0;
  }
  // Sleeps until an upstream answers, at most so long. The caller is off QSBR meanwhile.
  void wait(std::uint64_t timeout_us) noexcept;
  // Readable when an upstream has answered; to be watched only while expecting(), for only then is it read.
  [[nodiscard]] int descriptor() const noexcept { return epoll_; }

  // Any thread.
  [[nodiscard]] std::vector<ServerStatus> upstreams() const { return servers_.status(); }

  // The miss thread (and tests): how much is held.
  [[nodiscard]] std::size_t questions() const noexcept { return pending_.used(); }
  [[nodiscard]] std::size_t waiters() const noexcept { return waiters_.used(); }
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_.size(); }

 private:
  struct Asker {
    Channel* channel = nullptr;
    std::uint32_t backlog_first = kNone;  // replies that found no room in the ring
    std::uint32_t backlog_last = kNone;
  };

  // engine.cc: intake and delivery
  void take_options();
  void name_upstreams();
  std::size_t take_returned();
  std::size_t take_requests();
  std::size_t take_events();
  std::size_t push_backlogs();
  void admit(const Request& request, std::uint16_t asker);
  void admit_prefetch(std::uint64_t hash, const cache::Key& key);
  // A new question, within the table and the zone's quota; kNone otherwise, and `why` is set.
  std::uint32_t begin(std::uint64_t hash, const cache::Key& key, stats::Counter& why);
  void turn_away(const Request& request, std::uint16_t asker, stats::Counter why);
  [[nodiscard]] std::uint32_t make_waiter(const Request& request, std::uint16_t asker, std::uint64_t prefix);
  void free_waiter(std::uint32_t waiter) noexcept;
  // An empty answer is SERVFAIL.
  void reply(std::uint32_t waiter, const cache::EntryImage& answer, bool stale);
  void reply_all(Pending& pending, const cache::EntryImage& answer, bool stale);
  void release(std::uint32_t index);  // ends a question that nobody waits for any more
  void linger(std::uint32_t index, cache::EntryImage answer, bool stale, std::uint64_t duration_us);
  void unlinger(std::uint32_t index);

  // engine_ask.cc: queries, retries, timers
  void start(std::uint32_t index);
  void ask(std::uint32_t index);
  bool ask_udp(std::uint32_t index, std::uint8_t server);
  bool ask_tcp(std::uint32_t index, std::uint8_t server);
  bool send_query(std::uint32_t index, const Attempt& attempt);
  Attempt* add_attempt(std::uint32_t index, std::uint16_t socket, std::uint8_t server);
  void end_attempt(Pending& pending, std::uint8_t attempt) noexcept;
  void end_attempts(Pending& pending) noexcept;
  void arm(std::uint32_t index);
  void on_timer(std::uint32_t index);
  void on_refused(std::uint8_t server);
  void retry_refused();

  // engine_answer.cc: what upstreams say, and what becomes of it
  void on_message(std::uint16_t socket, std::span<const std::byte> message);
  void on_rendered(std::uint32_t index, std::uint8_t server, const dns::RenderedAnswer& rendered);
  void conclude(std::uint32_t index, std::uint8_t server, const dns::RenderedAnswer& rendered);
  // No upstream could say. Stale if there is something, else the failure itself. `upstream`: whose words
  // these are; 0: our own.
  void fail(std::uint32_t index, std::uint8_t rcode, std::uint16_t ede, bool bogus,
            cache::UpstreamId upstream);
  bool give_stale(std::uint32_t index);
  // The cache's own answer, fresh or stale, if there is one that may still be given.
  [[nodiscard]] const cache::Entry* usable_entry(const Pending& pending) const noexcept;
  [[nodiscard]] cache::EntryImage make_image(const cache::Key& key, const dns::RenderedAnswer& rendered,
                                             std::uint32_t ttl_s, std::uint8_t flags) const;
  [[nodiscard]] cache::Seconds seconds() const noexcept {
    return static_cast<cache::Seconds>(now_us_ / 1'000'000);
  }

  const Limits limits_;
  const OptionsSlot& options_slot_;
  std::uint64_t options_version_ = 0;
  std::shared_ptr<const Options> options_;
  Store& store_;
  stats::Block& counters_;

  const int epoll_;
  Random random_;
  Servers servers_;
  std::array<cache::UpstreamId, kMaxServers> upstream_ids_{};  // by index of the server
  UdpSockets udp_;
  TcpUpstreams tcp_;
  PendingTable pending_;
  Pool<WaiterNode> waiters_;
  InFlight in_flight_;
  Timers timers_;
  Quota prefix_quota_;
  Quota zone_quota_;
  QuotaKeys keys_;
  dns::Renderer renderer_;
  std::vector<Asker> askers_;
  std::size_t first_asker_ = 0;  // turns, so that none is always last

  std::uint64_t now_us_ = 0;
  static constexpr std::uint64_t kLateAnswers = 5'000'000;  // µs
  std::uint64_t asked_us_ = 0;                              // when an upstream was last asked
  std::uint64_t tcp_tick_us_ = 0;
  std::uint32_t refused_ = 0;  // servers the kernel refused since the last look, a bit each
  std::uint64_t refused_looked_us_ = 0;
};

}  // namespace swarmdns::miss
