#include "dataplane/cache/journal.h"

#include <algorithm>
#include <utility>

namespace swarmdns::cache {

namespace {

std::size_t bytes_of(const Mutation& mutation) {
  return sizeof(Mutation) + mutation.name.capacity() + (mutation.image ? mutation.image.size() + 32 : 0);
}

}  // namespace

Journal::Journal(Limits limits) : limits_{std::max<std::size_t>(limits.records, 1), limits.bytes} {}

void Journal::start_at(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  next_number_ = number;
  first_ = number;
}

std::uint64_t Journal::append(Mutation&& mutation) {
  const std::uint64_t number = next_number_++;
  mutation.sequence = number;
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) {
    aside_.push_back(std::move(mutation));
    return number;
  }
  for (Mutation& earlier : aside_) store_locked(std::move(earlier));
  aside_.clear();
  store_locked(std::move(mutation));
  if (waiting_ > 0) arrived_.notify_all();
  return number;
}

void Journal::settle() {
  if (aside_.empty()) return;
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;
  for (Mutation& earlier : aside_) store_locked(std::move(earlier));
  aside_.clear();
  if (waiting_ > 0) arrived_.notify_all();
}

void Journal::store_locked(Mutation&& mutation) {
  bytes_ += bytes_of(mutation);
  records_.push_back(std::move(mutation));
  while (!records_.empty() && (records_.size() > limits_.records || bytes_ > limits_.bytes)) {
    bytes_ -= bytes_of(records_.front());
    records_.pop_front();
    ++first_;
    ++dropped_;
  }
}

Journal::Batch Journal::read(std::uint64_t from, std::size_t max_records, std::size_t max_bytes,
                             std::chrono::milliseconds timeout, std::stop_token stop) {
  Batch batch;
  std::unique_lock lock(mutex_);
  if (from == 0) from = first_;
  const auto something = [&] { return first_ + records_.size() > from; };
  if (!something() && timeout.count() > 0) {
    ++waiting_;
    arrived_.wait_for(lock, std::move(stop), timeout, something);
    --waiting_;
  }
  batch.next = from;
  const std::uint64_t end = first_ + records_.size();
  if (from > end) {
    // Numbers that were never given: a reader of an earlier life of this process. All it knows is lost.
    Mutation gap;
    gap.kind = MutationKind::Gap;
    gap.sequence = end;
    gap.gap_last = from - 1;
    batch.mutations.push_back(std::move(gap));
    batch.next = end;
    return batch;
  }
  if (from < first_) {
    Mutation gap;
    gap.kind = MutationKind::Gap;
    gap.sequence = from;
    gap.gap_last = first_ - 1;
    batch.mutations.push_back(std::move(gap));
    batch.next = first_;
  }
  std::size_t bytes = 0;
  while (batch.next < end && batch.mutations.size() < std::max<std::size_t>(max_records, 1)) {
    const Mutation& mutation = records_[batch.next - first_];
    bytes += bytes_of(mutation);
    if (bytes > max_bytes && !batch.mutations.empty()) break;
    batch.mutations.push_back(mutation);
    ++batch.next;
  }
  return batch;
}

std::uint64_t Journal::first() const {
  const std::lock_guard lock(mutex_);
  return first_;
}

std::uint64_t Journal::next() const {
  const std::lock_guard lock(mutex_);
  return first_ + records_.size();
}

std::uint64_t Journal::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace swarmdns::cache
