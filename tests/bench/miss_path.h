// What stands behind a miss: the ring, one slow thread and the cache's writer on one CPU, and an upstream
// that answers at once. No quota is in the way.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>

#include "dataplane/cache/cache.h"
#include "dataplane/cache/writer.h"
#include "dataplane/miss/channel.h"
#include "dataplane/miss/thread.h"
#include "tests/bench/upstream.h"

namespace swarmdns::bench {

class MissPath {
 public:
  struct Cpus {
    unsigned slow;      // slow thread and writer
    unsigned upstream;  // the one that answers
  };

  // `depth` of the ring, `budget` of the cache in octets. `fill` may insert into the cache before its writer
  // starts. Ends the program when there is no memory.
  MissPath(const net::Address& upstream, Cpus cpus, std::size_t depth, std::uint64_t budget,
           const std::function<void(cache::Cache&)>& fill = {})
      : upstream_(upstream, cpus.upstream), cache_(make_cache(budget)), channel_(depth) {
    if (fill) fill(*cache_);
    cache::Writer::Options writer_options;
    writer_options.cpus = {cpus.slow};
    writer_ = std::make_unique<cache::Writer>(*cache_, clock_, writer_counters_, writer_options);
    writer_->start();
    auto options = std::make_shared<miss::Options>();
    options->servers = {upstream_.server()};
    options->quota_per_prefix = 1'048'576;
    options->quota_per_zone = 1'048'576;
    slot_ = std::make_unique<miss::OptionsSlot>(std::move(options));
    thread_ = std::make_unique<miss::Thread>(miss::Limits{}, *slot_, *writer_, clock_, roll_.add(), counters_,
                                             std::vector<unsigned>{cpus.slow});
    thread_->attach(channel_);
    thread_->start();
  }
  // Not for RCU-online threads.
  ~MissPath() { stop(); }

  void stop() {
    thread_->stop();
    writer_->stop();
  }

  [[nodiscard]] cache::Cache& cache() { return *cache_; }
  [[nodiscard]] const cache::Clock& clock() const { return clock_; }
  [[nodiscard]] miss::Channel& channel() { return channel_; }
  [[nodiscard]] sync::Roll& roll() { return roll_; }
  [[nodiscard]] const stats::Block& counters() const { return counters_; }
  [[nodiscard]] const stats::Block& writer_counters() const { return writer_counters_; }

 private:
  std::unique_ptr<cache::Cache> make_cache(std::uint64_t budget) {
    cache::CacheOptions options;
    options.budget_bytes = budget;
    options.hugepages = false;
    auto made = cache::Cache::create(options, writer_counters_);
    if (!made) {
      std::fprintf(stderr, "no cache: %s\n", made.error().c_str());
      std::exit(1);
    }
    return std::move(*made);
  }

  Upstream upstream_;
  stats::Block writer_counters_;
  stats::Block counters_;
  const cache::Clock clock_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<cache::Writer> writer_;
  std::unique_ptr<miss::OptionsSlot> slot_;
  miss::Channel channel_;
  sync::Roll roll_;
  std::unique_ptr<miss::Thread> thread_;
};

}  // namespace swarmdns::bench
