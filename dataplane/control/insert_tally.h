// What became of the entries of one Insert, in as many words as are of use: every reason with its count, and
// the first few entries of each by name. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/cache/cache.h"
#include "dataplane/control/entry_codec.h"
#include "swarmdns/v1/dataplane.pb.h"

namespace swarmdns::control {

class InsertTally {
 public:
  static constexpr std::uint64_t kNamed = 8;  // entries of a reason that are named

  // The response outlives it.
  explicit InsertTally(v1::InsertResponse& response) : response_(response) {}

  void accept() noexcept { ++accepted_; }
  void refuse(int index, v1::InsertReason reason, std::string_view text);
  // Writes the counts.
  void finish();

 private:
  v1::InsertResponse& response_;
  std::uint64_t accepted_ = 0;
  std::array<std::uint64_t, v1::InsertReason_ARRAYSIZE> counts_{};
};

// For messages: "inserted", "there is no room at this moment", ...
[[nodiscard]] const char* to_text(cache::Outcome outcome) noexcept;
[[nodiscard]] constexpr bool accepted(cache::Outcome outcome) noexcept {
  return outcome == cache::Outcome::Inserted || outcome == cache::Outcome::Replaced ||
         outcome == cache::Outcome::Refreshed;
}
// Of outcomes that are not accepted().
[[nodiscard]] v1::InsertReason reason_of(cache::Outcome outcome) noexcept;
[[nodiscard]] v1::InsertReason reason_of(DecodeFault fault) noexcept;

}  // namespace swarmdns::control
