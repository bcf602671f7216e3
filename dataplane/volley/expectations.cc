#include "dataplane/volley/expectations.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "dataplane/volley/random.h"
#include "dataplane/volley/rdata_parse.h"
#include "proto/dns/fold.h"
#include "proto/dns/name_text.h"
#include "proto/dns/rdata.h"

namespace swarmdns::volley {
namespace {

std::uint64_t hash(dns::Bytes octets) noexcept {
  std::uint64_t state = mix64(octets.size());
  for (std::size_t i = 0; i < octets.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, octets.data() + i, std::min<std::size_t>(8, octets.size() - i));
    state = mix64(state ^ word);
  }
  return state;
}

// A question, folded: what expectations are looked up by.
std::string key_of(dns::NameView name, dns::Type type) {
  std::string key(name.size() + 2, '\0');
  auto* const at = reinterpret_cast<std::byte*>(key.data());
  dns::fold_copy(at, name.data(), name.size());
  dns::store_be16(at + name.size(), dns::to_u16(type));
  return key;
}

using Words = std::span<const std::string_view>;

// Adds what a line says behind its response code.
std::expected<void, std::string> add_words(Words words, dns::Type type, Expectations::Expected& expected) {
  if (words.empty()) return {};
  expected.with_records = true;
  if (words.size() == 1 && words[0] == "-") return {};
  while (!words.empty()) {
    const auto bar = static_cast<std::size_t>(std::ranges::find(words, "|") - words.begin());
    const auto rdata = parse_rdata(type, words.first(bar));
    if (!rdata) return std::unexpected(rdata.error());
    if (!add_rdata(type, *rdata, expected.records)) return std::unexpected("RDATA does not fit its type");
    if (bar == words.size()) break;
    words = words.subspan(bar + 1);
    if (words.empty()) return std::unexpected("nothing stands behind the last \"|\"");
  }
  return {};
}

std::expected<void, std::string> add_line(Words words,
                                          std::unordered_map<std::string, Expectations::Expected>& by_key) {
  if (words.size() < 3)
    return std::unexpected("a line is a name, a type, a response code and perhaps records");
  const auto name = dns::name_from_text(words[0]);
  if (!name) return std::unexpected("\"" + std::string(words[0]) + "\" is no name");
  const auto type = dns::type_from_text(words[1]);
  if (!type) return std::unexpected("\"" + std::string(words[1]) + "\" is no type");
  const auto rcode = dns::rcode_from_text(words[2]);
  if (!rcode) return std::unexpected("\"" + std::string(words[2]) + "\" is no response code");
  auto& expected = by_key[key_of(*name, *type)];
  if (expected.known && expected.rcode != dns::to_u16(*rcode))
    return std::unexpected("an earlier line expects another response code for this name and type");
  expected.known = true;
  expected.rcode = dns::to_u16(*rcode);
  return add_words(words.subspan(3), *type, expected);
}

}  // namespace

std::expected<Expectations, std::string> Expectations::parse(std::string_view text, const std::string& source,
                                                             const QueryList& questions) {
  std::unordered_map<std::string, Expected> by_key;
  std::string problem;
  for_each_line(text, [&](std::size_t number, std::string_view line) {
    const auto words = words_of(line);
    if (words.empty() || !problem.empty()) return;
    if (const auto done = add_line(words, by_key); !done)
      problem = source + ":" + std::to_string(number) + ": " + done.error();
  });
  if (!problem.empty()) return std::unexpected(problem);
  if (by_key.empty()) return std::unexpected(source + " has no expectation in it");

  Expectations out;
  out.by_question_.resize(questions.size());
  std::unordered_map<std::string, bool> used;
  for (std::uint32_t i = 0; i < questions.size(); ++i) {
    const auto found = by_key.find(key_of(questions.name(i), questions.type(i)));
    if (found == by_key.end()) continue;
    out.by_question_[i] = found->second;
    ++out.covered_;
    used[found->first] = true;
  }
  out.unused_ = by_key.size() - used.size();
  return out;
}

bool add_rdata(dns::Type type, dns::Bytes rdata, RecordSum& sum) noexcept {
  std::array<std::byte, 1024> buffer;
  const dns::RdataLayout layout = dns::rdata_layout(type);
  ++sum.count;
  if (layout.rule == dns::NameRule::None) {
    sum.sum += hash(rdata);
    return true;
  }
  // Names are short and stand before what may be long (the salt of nothing, the signature of RRSIG): what
  // does not fit the buffer is hashed behind it.
  const dns::detail::RdataSpan span(rdata);
  auto at = dns::detail::first_name_offset(span, layout);
  if (!at) return false;
  std::size_t end = *at;
  for (unsigned i = 0; i < layout.names; ++i) {
    const auto name = dns::view_name(rdata, end);
    if (!name) return false;
    end += name->size();
  }
  if (end > buffer.size()) return false;
  std::memcpy(buffer.data(), rdata.data(), *at);
  dns::fold_copy(buffer.data() + *at, rdata.data() + *at, end - *at);
  sum.sum += mix64(hash({buffer.data(), end}) + hash(rdata.subspan(end)));
  return true;
}

bool add_record(const dns::RecordView& record, RecordSum& sum) noexcept {
  if (dns::rdata_layout(record.type()).rule == dns::NameRule::None)
    return add_rdata(record.type(), record.rdata(), sum);
  // A UDP datagram's record and two names fit.
  std::array<std::byte, 4096> expanded;
  const auto size = dns::expand_rdata(record, expanded);
  return size && add_rdata(record.type(), dns::Bytes(expanded).first(*size), sum);
}

}  // namespace swarmdns::volley
