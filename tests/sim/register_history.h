// Whether what clients saw of one register can have happened in one order that respects time:
// linearizability, decided by zones (Gibbons and Korach, "Testing Shared Memories", SIAM J. Comput. 26,
// 1997). It needs every value to be written at most once; then it is exact: neither misses a violation nor
// invents one.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace swarmdns::sim {

class RegisterHistory {
 public:
  // The register has this value from the beginning on.
  explicit RegisterHistory(std::string first = "") { writes_[std::move(first)] = {0, 0, Fate::kDone}; }

  // Times are numbers of events: all different, rising. A value is written once.
  void write_begins(const std::string& value, std::uint64_t time);
  void write_done(const std::string& value, std::uint64_t time);
  // It has certainly no effect.
  void write_refused(const std::string& value);
  // One that does neither may take effect at any time from its beginning on, or never.
  void read(const std::string& value, std::uint64_t begun, std::uint64_t ended);

  std::uint64_t reads() const { return reads_; }
  // "" = linearizable; else what cannot be.
  std::string check() const;

 private:
  enum class Fate : std::uint8_t { kUnknown, kDone, kRefused };
  struct Write {
    std::uint64_t begun = 0;
    std::uint64_t ended = UINT64_MAX;
    Fate fate = Fate::kUnknown;
    // Of the reads that saw it.
    std::uint64_t last_begin = 0;
    std::uint64_t first_end = UINT64_MAX;
    bool seen = false;
  };
  std::map<std::string, Write> writes_;  // by value
  std::string unknown_;                  // a value that was read and nobody wrote
  std::uint64_t reads_ = 0;
};

}  // namespace swarmdns::sim
