#include "tests/bench/query_traces.h"

#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>

#include "dataplane/volley/distribution.h"
#include "dataplane/volley/query_list.h"
#include "dataplane/volley/random.h"
#include "proto/dns/fold.h"
#include "tests/bench/worker_mix.h"

namespace swarmdns::bench {
namespace {

void add_question(Trace& trace, std::span<const std::byte> name, std::uint16_t qtype) {
  trace.questions.push_back({trace.octets.size(), static_cast<std::uint8_t>(name.size()), qtype});
  trace.octets.insert(trace.octets.end(), name.begin(), name.end());
}

// zlib passes through what is not compressed.
std::expected<std::string, std::string> read_text(const std::string& path) {
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> file(gzopen(path.c_str(), "rb"), &gzclose);
  if (!file) return std::unexpected(path + " cannot be read: " + std::strerror(errno));
  std::string text;
  std::array<char, 65'536> part;
  int got = 0;
  while ((got = gzread(file.get(), part.data(), part.size())) > 0)
    text.append(part.data(), static_cast<std::size_t>(got));
  int error = Z_OK;
  const char* why = gzerror(file.get(), &error);
  if (got < 0 || error != Z_OK) return std::unexpected(path + " cannot be read: " + why);
  return text;
}

}  // namespace

Trace zipf_trace(const ZipfLoad& load, std::uint64_t seed) {
  const Mix mix(seed);
  Trace trace;
  trace.name = load.name;
  trace.distinct = load.names;
  const auto add = [&] {
    const std::uint64_t index = trace.questions.size();
    const Mix::Name name = mix.name(index);
    add_question(trace, {name.wire.data(), name.length}, mix.qtype(index));
  };
  for (std::uint32_t i = 0; i < load.names; ++i) add();
  volley::Distribution popular(volley::Order::Zipf, load.names, load.exponent, seed);
  volley::Random random(seed);
  const auto scanned = static_cast<std::uint32_t>(load.scan * 0x1p32);
  trace.asked.reserve(load.queries);
  while (trace.asked.size() < load.queries) {
    if (random.u32() < scanned) {
      trace.asked.push_back(trace.names());
      add();
    } else {
      trace.asked.push_back(popular.next());
    }
  }
  return trace;
}

std::expected<Trace, std::string> list_trace(const std::string& path) {
  const auto text = read_text(path);
  if (!text) return std::unexpected(text.error());
  const auto list = volley::QueryList::parse(*text, path);
  if (!list) return std::unexpected(list.error());
  Trace trace;
  trace.name = "list";
  std::unordered_map<std::string, NameNumber> numbers;
  for (std::uint32_t i = 0; i < list->size(); ++i) {
    if (dns::is_meta_type(list->type(i))) continue;  // no cache keeps an answer to these
    const auto wire = list->question(i);
    std::array<std::byte, volley::kMaxQuestionSize> folded;
    const std::size_t length = wire.size() - 4;
    dns::fold_copy(folded.data(), wire.data(), length);
    std::memcpy(folded.data() + length, wire.data() + length, 4);
    const auto [at, fresh] = numbers.try_emplace(
        std::string(reinterpret_cast<const char*>(folded.data()), wire.size()), trace.names());
    if (fresh) add_question(trace, std::span(folded).first(length), dns::to_u16(list->type(i)));
    trace.asked.push_back(at->second);
  }
  trace.distinct = trace.names();
  return trace;
}

}  // namespace swarmdns::bench
