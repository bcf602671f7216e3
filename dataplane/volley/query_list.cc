#include "dataplane/volley/query_list.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>

#include "dataplane/net/checksum.h"
#include "proto/dns/name_text.h"

namespace swarmdns::volley {
namespace {

constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

}  // namespace

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while (at < line.size()) {
    if (is_space(line[at])) {
      ++at;
      continue;
    }
    if (words.empty() && (line[at] == '#' || line[at] == ';')) return {};
    const std::size_t begin = at;
    for (bool quoted = false; at < line.size() && (quoted || !is_space(line[at])); ++at) {
      if (line[at] == '"') quoted = !quoted;
      if (line[at] == '\\' && at + 1 < line.size()) ++at;
    }
    words.push_back(line.substr(begin, at - begin));
  }
  return words;
}

std::expected<std::string, std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) {
    // An empty file makes the stream fail as well, and is none of read_file's errors.
    if (in.is_open() && in.peek() == std::ifstream::traits_type::eof()) return std::string();
    return std::unexpected(path + " cannot be read: " + std::strerror(errno));
  }
  return std::move(text).str();
}

std::expected<QueryList, std::string> QueryList::parse(std::string_view text, const std::string& source) {
  QueryList list;
  std::string problem;
  for_each_line(text, [&](std::size_t number, std::string_view line) {
    if (!problem.empty()) return;
    const auto words = words_of(line);
    if (words.empty()) return;
    const auto wrong = [&](std::string what) {
      problem = source + ":" + std::to_string(number) + ": " + std::move(what);
    };
    if (words.size() != 2) return wrong("a line is a name and a type, as in \"www.example.com. A\"");
    const auto name = dns::name_from_text(words[0]);
    if (!name)
      return wrong("\"" + std::string(words[0]) +
                   "\" is no name: " + std::string(dns::to_text(name.error())));
    const auto type = dns::type_from_text(words[1]);
    if (!type) return wrong("\"" + std::string(words[1]) + "\" is no type; write A, AAAA, ... or TYPE123");
    if (list.places_.size() == std::numeric_limits<std::uint32_t>::max())
      return wrong("more than 2^32 - 1 questions");
    list.add(*name, *type);
  });
  if (!problem.empty()) return std::unexpected(problem);
  if (list.places_.empty()) return std::unexpected(source + " has no question in it");
  list.octets_.shrink_to_fit();
  list.places_.shrink_to_fit();
  return list;
}

void QueryList::add(dns::NameView name, dns::Type type) {
  const std::size_t at = octets_.size();
  const std::size_t length = name.size() + 4;
  octets_.resize(at + length);
  std::byte* const to = octets_.data() + at;
  std::memcpy(to, name.data(), name.size());
  dns::store_be16(to + name.size(), dns::to_u16(type));
  dns::store_be16(to + name.size() + 2, dns::to_u16(dns::Class::IN));
  places_.push_back({at, static_cast<std::uint16_t>(length), net::sum_bytes(to, length)});
}

}  // namespace swarmdns::volley
