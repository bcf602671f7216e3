// From where a reply came in (a socket or connection, and its ID) to the question it may answer. Bounded; the
// miss thread's own.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/miss/pool.h"

namespace swarmdns::miss {

// Which socket, and which ID on it. Sockets are numbered over UDP and TCP together.
struct FlightKey {
  std::uint16_t socket = 0;
  std::uint16_t id = 0;
  friend bool operator==(const FlightKey&, const FlightKey&) = default;
};

class InFlight {
 public:
  struct Owner {
    std::uint32_t question = kNone;  // index of the pending question
    std::uint8_t attempt = 0;
  };

  explicit InFlight(std::size_t max)
      : nodes_(max), buckets_(std::bit_ceil(max < 16 ? std::size_t{16} : max), kNone) {}

  // False: at the bound, or the key is taken.
  [[nodiscard]] bool add(FlightKey key, Owner owner) {
    if (find(key) != nullptr) return false;
    const std::uint32_t made = nodes_.take();
    if (made == kNone) return false;
    std::uint32_t& head = buckets_[bucket(key)];
    nodes_[made] = {key, owner, head};
    head = made;
    return true;
  }
  [[nodiscard]] const Owner* find(FlightKey key) const noexcept {
    for (std::uint32_t i = buckets_[bucket(key)]; i != kNone; i = nodes_[i].next) {
      if (nodes_[i].key == key) return &nodes_[i].owner;
    }
    return nullptr;
  }
  void renumber(FlightKey key, std::uint8_t attempt) noexcept {
    for (std::uint32_t i = buckets_[bucket(key)]; i != kNone; i = nodes_[i].next) {
      if (nodes_[i].key == key) nodes_[i].owner.attempt = attempt;
    }
  }
  void remove(FlightKey key) noexcept {
    std::uint32_t* link = &buckets_[bucket(key)];
    while (*link != kNone) {
      Node& node = nodes_[*link];
      if (node.key == key) {
        const std::uint32_t gone = *link;
        *link = node.next;
        nodes_.give(gone);
        return;
      }
      link = &node.next;
    }
  }
  [[nodiscard]] std::size_t size() const noexcept { return nodes_.used(); }

 private:
  struct Node {
    FlightKey key;
    Owner owner;
    std::uint32_t next = kNone;
  };
  // IDs are random and nobody outside chooses them: a multiplication spreads well enough.
  [[nodiscard]] std::size_t bucket(FlightKey key) const noexcept {
    const std::uint32_t both = std::uint32_t{key.socket} << 16 | key.id;
    return (both * 0x9e3779b1U >> 7) & (buckets_.size() - 1);
  }

  Pool<Node> nodes_;
  std::vector<std::uint32_t> buckets_;
};

}  // namespace swarmdns::miss
