// What the answers must be, from a text file (see the manual page, EXPECTATIONS):
//
//   name type rcode                      the response code alone
//   name type rcode -                    and no record of the type at the end of the name's aliases
//   name type rcode rdata [| rdata ...]  and exactly these records there, in any order; TTLs do not matter
//
// Lines for the same name and type add up. Built at start, then immutable; comparing costs no allocation.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/volley/query_list.h"
#include "proto/dns/record.h"

namespace swarmdns::volley {

// A set of records, whatever their order: how many, and the sum of their hashes.
struct RecordSum {
  std::uint64_t sum = 0;
  std::uint32_t count = 0;
  friend bool operator==(const RecordSum&, const RecordSum&) = default;
};

class Expectations {
 public:
  struct Expected {
    RecordSum records;
    std::uint16_t rcode = 0;
    bool known = false;  // there is a line for this question
    bool with_records = false;
  };

  // Nothing is expected.
  Expectations() = default;
  // `source` is named in errors.
  [[nodiscard]] static std::expected<Expectations, std::string> parse(std::string_view text,
                                                                      const std::string& source,
                                                                      const QueryList& questions);

  [[nodiscard]] bool empty() const noexcept { return by_question_.empty(); }
  // Of a question of the list.
  [[nodiscard]] const Expected& of(std::uint32_t question) const noexcept { return by_question_[question]; }
  void prefetch(std::uint32_t question) const noexcept {
    if (!empty()) __builtin_prefetch(&by_question_[question]);
  }
  // Questions of the list that have an expectation, and lines that no question of the list is for.
  [[nodiscard]] std::uint64_t covered() const noexcept { return covered_; }
  [[nodiscard]] std::uint64_t unused() const noexcept { return unused_; }

 private:
  std::vector<Expected> by_question_;
  std::uint64_t covered_ = 0;
  std::uint64_t unused_ = 0;
};

// The hash of a record's RDATA: names decompressed, their case folded. False: RDATA that does not fit its
// type.
[[nodiscard]] bool add_record(const dns::RecordView& record, RecordSum& sum) noexcept;
// The same of uncompressed RDATA by itself.
[[nodiscard]] bool add_rdata(dns::Type type, dns::Bytes rdata, RecordSum& sum) noexcept;

}  // namespace swarmdns::volley
