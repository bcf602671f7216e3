// What is asked of a cache, one question after the other: the real lists and the made-up loads that hit
// ratios are measured on.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "dataplane/cache/key.h"
#include "tests/bench/replacement_policies.h"

namespace swarmdns::bench {

struct Trace {
  std::string name;
  std::vector<NameNumber> asked;
  // Of a list: the questions that differ. Else: the names that are drawn from, without those of a scan.
  NameNumber distinct = 0;

  // What each number stands for.
  struct Question {
    std::uint64_t at = 0;  // in `octets`
    std::uint8_t length = 0;
    std::uint16_t qtype = 0;
  };
  std::vector<Question> questions;
  std::vector<std::byte> octets;  // names, folded

  [[nodiscard]] NameNumber names() const { return static_cast<NameNumber>(questions.size()); }
  [[nodiscard]] cache::Key key(NameNumber number) const {
    const Question& question = questions[number];
    return {octets.data() + question.at, question.length, 0, 0, question.qtype};
  }
};

struct ZipfLoad {
  std::string name;
  std::uint32_t names = 0;    // of the mix (worker_mix.h), the most popular first
  std::uint32_t queries = 0;  // all of them
  double exponent = 1;
  double scan = 0;  // this share of the queries is for names that nobody asks for twice
};
[[nodiscard]] Trace zipf_trace(const ZipfLoad& load, std::uint64_t seed);

// A list as dnsvolley reads it ("name type" a line), gzipped or not, in its own order. The error names file
// and line.
[[nodiscard]] std::expected<Trace, std::string> list_trace(const std::string& path);

}  // namespace swarmdns::bench
