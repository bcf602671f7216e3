// Brings the packs of one snapshot, then its manifest, to several targets at once, each by a thread and a
// bounded queue of its own. A pack goes to every target that has room for it; only when none has does offer()
// wait. What a target could not take then, or has lacked from before, it fetches at the end from one that has
// it. So a slow or dead target holds nobody back: it lacks something, and says what. A target's first error
// is its last: trying again is RetryingTarget's work. Memory: at most `queue` packs for each target.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "controlplane/backup/envelope.h"
#include "controlplane/backup/manifest.h"
#include "controlplane/targets/target.h"

namespace swarmdns::controlplane {

struct TargetOutcome {
  std::string target;     // its description
  bool complete = false;  // the manifest and everything it needs are there
  std::string error;      // why not
  std::uint64_t packs_sent = 0;
  std::uint64_t octets_sent = 0;
  std::vector<std::string> lacking;  // packs of the snapshot that are not there, 100 at most
  std::uint64_t packs_lacking = 0;
};

class Upload {
 public:
  struct Pack {
    Digest hash{};
    std::vector<std::byte> octets;
  };
  using PackSizes = std::map<Digest, std::uint64_t>;

  // Starts a thread for each target: it lists the epoch's packs and brings the envelopes. An envelope that is
  // there is replaced when it is damaged, of another key or for others than ours.
  Upload(std::span<Target* const> targets, const Digest& epoch, std::vector<Envelope> envelopes,
         std::size_t queue);
  ~Upload();  // stops and joins
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  // Until each target is ready or dead; beyond the first that is ready no longer than `patience_ms`. False:
  // all are dead.
  bool wait_until_ready(std::int64_t patience_ms);
  // The packs that the ready targets have.
  PackSizes packs_there();
  // Calls `use` with a target that has the pack (or, without a pack, any that is ready) until it says true.
  bool with_target(const Digest* pack, const std::function<bool(Target&)>& use);

  // Any thread. Waits while the fastest living target has no room. False: all are dead, or it was stopped.
  bool offer(std::shared_ptr<const Pack> pack);
  // Nothing more will be offered. Each target completes its packs, then gets the manifest.
  void finish(const WrittenManifest& manifest);
  // True when all are through; waits that long for it.
  bool wait_until_done(std::int64_t wait_ms);
  void stop();

  bool all_dead();
  std::uint64_t octets_sent();  // to the target that has got the most
  std::vector<TargetOutcome> outcomes();

 private:
  using Clock = std::chrono::steady_clock;
  enum class Phase : std::uint8_t { kListing, kReady, kDead, kDone };
  struct Lane {
    Target* target = nullptr;
    std::mutex use;  // of the target; never taken while mutex_ is held
    Phase phase = Phase::kListing;
    bool busy = true;  // listing, or with a pack, since
    Clock::time_point since = Clock::now();
    Clock::duration last{0};  // what the pack before took
    PackSizes there;
    std::set<Digest> sent;     // in this upload
    std::set<Digest> pending;  // in the queue or on their way
    std::deque<std::shared_ptr<const Pack>> queue;
    TargetOutcome outcome;
    std::thread thread;
  };

  void run(Lane& lane);
  TargetResult<PackSizes> list_packs(Lane& lane);
  TargetResult<void> put_envelope(Lane& lane, const Envelope& envelope);
  bool send_queue(Lane& lane);
  void complete(Lane& lane);
  TargetResult<bool> has(Lane& lane, const PackRef& pack, const PackSizes& listed);
  TargetResult<bool> fetch_from_another(Lane& lane, const PackRef& pack);
  void lacks(Lane& lane, const PackRef& pack);
  void die(Lane& lane, const std::string& error);
  bool all_dead_locked() const;
  Clock::duration slowness(const Lane& lane) const;
  bool is_stopped();

  const Digest epoch_;
  const std::vector<Envelope> envelopes_;
  const std::size_t queue_;
  std::vector<std::unique_ptr<Lane>> lanes_;

  std::mutex mutex_;  // of what follows, and of the lanes' fields but `target` and `use`
  std::condition_variable changed_;
  const WrittenManifest* manifest_ = nullptr;
  bool stopped_ = false;
};

}  // namespace swarmdns::controlplane
