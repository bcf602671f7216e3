// Any octets as a consensus message of a peer. What decoding accepts is what C-raft will trust: it must be
// sound and mean the same again after encoding.
#include <cstdint>
#include <set>
#include <span>

#include "controlplane/consensus/message_codec.h"
#include "controlplane/consensus/raft_members.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace swarmdns;
using namespace swarmdns::controlplane;

constexpr MessageLimits kLimits{.max_entry_bytes = 4096, .max_message_bytes = 8192};

void check_entries(const struct raft_append_entries& entries) {
  std::uint64_t term = entries.prev_log_term;
  for (unsigned i = 0; i < entries.n_entries; ++i) {
    const struct raft_entry& entry = entries.entries[i];
    FUZZ_CHECK(entry.term >= term && entry.term <= entries.term);
    FUZZ_CHECK(entry.buf.len > 0 && entry.buf.len % 8 == 0);
    FUZZ_CHECK(reinterpret_cast<std::uintptr_t>(entry.buf.base) % 8 == 0);
    FUZZ_CHECK(entry.batch == entries.entries[0].batch);
    FUZZ_CHECK(entry.type != RAFT_CHANGE || i == 0);
    if (entry.type == RAFT_CHANGE) {
      struct raft_configuration members;
      FUZZ_CHECK(raft_configuration_decode(&entry.buf, &members) == 0);
      raft_configuration_close(&members);
    }
    term = entry.term;
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The members of a change of their own: within a message hardly any input gets that far.
  const auto octets = std::as_bytes(std::span(data, size));
  if (encoded_members_are_sound(octets)) {
    std::vector<std::byte> copy(octets.begin(), octets.end());
    const struct raft_buffer buffer = {.base = copy.data(), .len = copy.size()};
    struct raft_configuration members;
    FUZZ_CHECK(raft_configuration_decode(&buffer, &members) == 0);
    FUZZ_CHECK(members.n > 0);
    raft_configuration_close(&members);
  }

  v1::RaftMessage message;
  if (!message.ParseFromArray(data, static_cast<int>(size))) return 0;
  const auto parts = decode_message(7, message, kLimits);
  if (!parts) {
    FUZZ_CHECK(!parts.error().empty());
    return 0;
  }
  FUZZ_CHECK(!parts->empty());
  for (const DecodedMessage& part : *parts) {
    if (part->type == RAFT_APPEND_ENTRIES) check_entries(part->append_entries);
    for (const v1::RaftMessage& again : encode_message(*part, kLimits))
      FUZZ_CHECK(decode_message(7, again, kLimits).has_value());
  }
  return 0;
}
