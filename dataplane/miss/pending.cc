#include "dataplane/miss/pending.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace swarmdns::miss {

PendingTable::PendingTable(std::size_t max)
    : pool_(max), buckets_(std::bit_ceil(std::max<std::size_t>(max, 16)), kNone) {}

std::uint32_t PendingTable::find(std::uint64_t hash, const cache::Key& key) const noexcept {
  for (std::uint32_t i = buckets_[bucket(hash)]; i != kNone; i = pool_[i].chain) {
    const Pending& pending = pool_[i];
    if (pending.hash == hash && pending.qtype == key.qtype && pending.key_flags == key.flags &&
        pending.view == key.view && pending.qname_len == key.qname_len &&
        std::memcmp(pending.qname.data(), key.qname, key.qname_len) == 0) {
      return i;
    }
  }
  return kNone;
}

std::uint32_t PendingTable::insert(std::uint64_t hash, const cache::Key& key) {
  const std::uint32_t index = pool_.take();
  if (index == kNone) return kNone;
  Pending& pending = pool_[index];
  std::memcpy(pending.qname.data(), key.qname, key.qname_len);
  pending.qname_len = key.qname_len;
  pending.key_flags = key.flags;
  pending.view = key.view;
  pending.qtype = key.qtype;
  pending.hash = hash;
  std::uint32_t& head = buckets_[bucket(hash)];
  pending.chain = head;
  head = index;

  pending.state = Pending::State::Asking;
  pending.older = pending.newer = kNone;
  pending.waiters = kNone;
  pending.waiter_count = 0;
  pending.zone = 0;
  pending.deadline_us = pending.try_us = pending.stale_us = pending.linger_us = 0;
  pending.epoch = 0;
  pending.attempt_count = pending.tries = pending.refusals = 0;
  pending.tried = 0;
  pending.failed_ede = 0;
  pending.failed_rcode = 0;
  pending.needs_tcp = pending.prefetch = false;
  pending.prefetch_tries = 0;
  pending.prefetch_expires = 0;
  pending.answer = {};
  pending.answer_stale = false;
  return index;
}

void PendingTable::erase(std::uint32_t index) noexcept {
  Pending& pending = pool_[index];
  std::uint32_t* link = &buckets_[bucket(pending.hash)];
  while (*link != index) link = &pool_[*link].chain;
  *link = pending.chain;
  pending.state = Pending::State::Free;
  pool_.give(index);
}

void PendingTable::linger(std::uint32_t index) noexcept {
  Pending& pending = pool_[index];
  pending.older = newest_;
  pending.newer = kNone;
  if (newest_ != kNone) {
    pool_[newest_].newer = index;
  } else {
    oldest_ = index;
  }
  newest_ = index;
}

void PendingTable::unlinger(std::uint32_t index) noexcept {
  Pending& pending = pool_[index];
  (pending.older != kNone ? pool_[pending.older].newer : oldest_) = pending.newer;
  (pending.newer != kNone ? pool_[pending.newer].older : newest_) = pending.older;
  pending.older = pending.newer = kNone;
}

}  // namespace swarmdns::miss
