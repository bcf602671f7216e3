#include "dataplane/control/insert_tally.h"

#include <string>

namespace swarmdns::control {

void InsertTally::refuse(int index, v1::InsertReason reason, std::string_view text) {
  if (counts_[static_cast<std::size_t>(reason)]++ >= kNamed) return;
  std::string& named = *response_.add_refused();
  named = "entry " + std::to_string(index) + ": ";
  named += text;
}

void InsertTally::finish() {
  response_.set_accepted(accepted_);
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    v1::InsertRefusal& refusal = *response_.add_refusals();
    refusal.set_reason(static_cast<v1::InsertReason>(i));
    refusal.set_count(counts_[i]);
  }
}

const char* to_text(cache::Outcome outcome) noexcept {
  switch (outcome) {
    case cache::Outcome::Inserted:
      return "inserted";
    case cache::Outcome::Replaced:
      return "replaced";
    case cache::Outcome::Refreshed:
      return "refreshed";
    case cache::Outcome::NotLater:
      return "what is cached lives as long";
    case cache::Outcome::KeptLocal:
      return "this node has a fresh answer of its own";
    case cache::Outcome::NoRoom:
      return "there is no room at this moment; try again";
    case cache::Outcome::TooLarge:
      return "too large for the cache";
    case cache::Outcome::Outdated:
      return "the cache was flushed meanwhile";
    case cache::Outcome::Expired:
      return "expired";
  }
  return "unknown";
}

v1::InsertReason reason_of(cache::Outcome outcome) noexcept {
  switch (outcome) {
    case cache::Outcome::NotLater:
      return v1::INSERT_NOT_LATER;
    case cache::Outcome::KeptLocal:
      return v1::INSERT_KEPT_LOCAL;
    case cache::Outcome::NoRoom:
      return v1::INSERT_NO_ROOM;
    case cache::Outcome::TooLarge:
      return v1::INSERT_TOO_LARGE;
    case cache::Outcome::Outdated:
      return v1::INSERT_OUTDATED;
    case cache::Outcome::Expired:
      return v1::INSERT_EXPIRED;
    case cache::Outcome::Inserted:
    case cache::Outcome::Replaced:
    case cache::Outcome::Refreshed:
      break;
  }
  return v1::INSERT_REASON_UNSPECIFIED;
}

v1::InsertReason reason_of(DecodeFault fault) noexcept {
  switch (fault) {
    case DecodeFault::Malformed:
      return v1::INSERT_MALFORMED;
    case DecodeFault::Failure:
      return v1::INSERT_FAILURE;
    case DecodeFault::View:
      return v1::INSERT_VIEW;
    case DecodeFault::Expired:
      return v1::INSERT_EXPIRED;
  }
  return v1::INSERT_REASON_UNSPECIFIED;
}

}  // namespace swarmdns::control
