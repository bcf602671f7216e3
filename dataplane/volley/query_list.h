// The questions of a run, as they lie on the wire, from a text file:
//
//   www.example.com. A        a name and a type on each line; the final dot may be left out
//   # or ; begins a comment line; empty lines are passed over
//
// A question may stand there more than once. Built at start, then immutable: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "proto/dns/bytes.h"
#include "proto/dns/name.h"
#include "proto/dns/types.h"

namespace swarmdns::volley {

// Name, type and class.
inline constexpr std::size_t kMaxQuestionSize = dns::kMaxNameSize + 4;

// The words of a line that is no comment; a double-quoted part keeps its spaces and its quotes.
[[nodiscard]] std::vector<std::string_view> words_of(std::string_view line);

// Calls `visit(line number, line)` for every line of a text.
template <class Visit>
void for_each_line(std::string_view text, Visit&& visit) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    visit(number, text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

// The whole of a file. The error says why not.
[[nodiscard]] std::expected<std::string, std::string> read_file(const std::string& path);

class QueryList {
 public:
  // `source` is named in errors: "queries.txt:7: ...". An empty list is an error.
  [[nodiscard]] static std::expected<QueryList, std::string> parse(std::string_view text,
                                                                   const std::string& source);

  [[nodiscard]] std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(places_.size()); }
  // Name as written in the file, type, class IN.
  [[nodiscard]] dns::Bytes question(std::uint32_t i) const noexcept {
    return {octets_.data() + places_[i].at, places_[i].length};
  }
  [[nodiscard]] dns::NameView name(std::uint32_t i) const noexcept {
    return dns::NameView::trusted({octets_.data() + places_[i].at, places_[i].length - std::size_t{4}});
  }
  [[nodiscard]] dns::Type type(std::uint32_t i) const noexcept {
    return static_cast<dns::Type>(dns::load_be16(octets_.data() + places_[i].at + places_[i].length - 4));
  }
  // The partial sum of the question (net/checksum.h).
  [[nodiscard]] std::uint16_t sum(std::uint32_t i) const noexcept { return places_[i].sum; }

  void prefetch(std::uint32_t i) const noexcept { __builtin_prefetch(&places_[i]); }
  void prefetch_question(std::uint32_t i) const noexcept {
    __builtin_prefetch(octets_.data() + places_[i].at);
  }

 private:
  struct Place {
    std::uint64_t at;
    std::uint16_t length;
    std::uint16_t sum;
  };
  void add(dns::NameView name, dns::Type type);

  std::vector<std::byte> octets_;
  std::vector<Place> places_;
};

}  // namespace swarmdns::volley
