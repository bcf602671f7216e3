#include "controlplane/membership/directory.h"

#include <algorithm>
#include <charconv>

#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {

std::vector<v1::MemberRecord> all_members(const StateView& state) {
  std::vector<v1::MemberRecord> members;
  state.scan(keys::kMembers, [&](std::string_view, std::string_view value) {
    v1::MemberRecord record;
    if (record.ParseFromString(std::string(value))) members.push_back(std::move(record));
    return true;
  });
  return members;
}

std::vector<v1::MemberRecord> live_members(const StateView& state) {
  std::vector<v1::MemberRecord> members = all_members(state);
  std::erase_if(members, [](const v1::MemberRecord& record) { return record.removed_height() != 0; });
  return members;
}

std::optional<v1::MemberRecord> member(const StateView& state, std::uint64_t id) {
  return read<v1::MemberRecord>(state, keys::of(keys::kMembers, id));
}

std::expected<v1::MemberRecord, std::string> find_member(const StateView& state, std::string_view who) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(who.data(), who.data() + who.size(), number);
  const bool is_number = parsed.ec == std::errc() && parsed.ptr == who.data() + who.size();
  std::string names;
  std::optional<v1::MemberRecord> found;
  for (const v1::MemberRecord& record : live_members(state)) {
    names += (names.empty() ? "" : ", ") + record.name();
    if (record.name() != who && (!is_number || record.id() != number)) continue;
    if (found) {
      return std::unexpected("\"" + std::string(who) +
                             "\" is the name of one member and the number of another (" + found->name() +
                             ", number " + std::to_string(found->id()) + ", and " + record.name() +
                             ", number " + std::to_string(record.id()) + "); say the other of the two");
    }
    found = record;
  }
  if (found) return *found;
  return std::unexpected("there is no member \"" + std::string(who) + "\"; " + names + " are");
}

std::optional<v1::MemberRecord> member_with_key(const StateView& state, std::string_view ledger_key) {
  for (v1::MemberRecord& record : live_members(state)) {
    if (record.ledger_key() == ledger_key) return std::move(record);
  }
  return std::nullopt;
}

std::vector<VerifierKey> voters_in(const StateView& state) {
  std::vector<VerifierKey> voters;
  const auto log = read<v1::LogMembers>(state, keys::kLogMembers);
  if (!log) return voters;
  for (const std::uint64_t id : log->voters()) {
    const auto record = member(state, id);
    const auto key = record ? array_from<std::tuple_size_v<PublicKey>>(record->ledger_key()) : std::nullopt;
    if (key) voters.push_back({record->name(), *key});
  }
  return voters;
}

}  // namespace swarmdns::controlplane
