// Octets that are wiped when they go: private keys, and the texts they are written as. Moved, never copied.
#pragma once

#include <sodium.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace swarmdns::controlplane {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view octets) : octets_(octets.begin(), octets.end()) {}
  // Takes the text and wipes it where it was.
  static Secret taken_from(std::string& text) {
    Secret secret(text);
    sodium_memzero(text.data(), text.size());
    text.clear();
    return secret;
  }
  Secret(Secret&& other) noexcept : octets_(std::move(other.octets_)) {}
  Secret& operator=(Secret&& other) noexcept {
    std::swap(octets_, other.octets_);
    return *this;
  }
  ~Secret() { sodium_memzero(octets_.data(), octets_.size()); }

  Secret clone() const { return Secret(view()); }
  std::string_view view() const { return {octets_.data(), octets_.size()}; }
  bool empty() const { return octets_.empty(); }

 private:
  std::vector<char> octets_;  // its move leaves nothing behind, which a short std::string's does
};

}  // namespace swarmdns::controlplane
