#include "controlplane/ledger/trust.h"

#include <algorithm>

namespace swarmdns::controlplane {
namespace {

constexpr std::string_view kMagic = "swarmdns/trust@v1";

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

// "voters from HEIGHT needed N"
std::expected<VoterSet, std::string> parse_set(std::span<const std::string_view> words) {
  const auto height =
      words.size() == 5 && words[1] == "from" && words[3] == "needed" ? from_decimal(words[2]) : std::nullopt;
  const auto needed = height ? from_decimal(words[4], kNoteSignaturesMost) : std::nullopt;
  if (!needed || *needed == 0)
    return std::unexpected("write \"voters from HEIGHT needed NUMBER\", the number from 1");
  return VoterSet{*height, *needed, {}};
}

}  // namespace

const VoterSet* Trust::at(std::uint64_t height) const {
  const VoterSet* found = nullptr;
  for (const VoterSet& set : sets) {
    if (set.from_height <= height) found = &set;
  }
  return found;
}

std::string format_trust(const Trust& trust) {
  std::string text = std::string(kMagic) + "\norigin " + trust.origin + "\n";
  for (const VoterSet& set : trust.sets) {
    text += "voters from " + std::to_string(set.from_height) + " needed " + std::to_string(set.needed) + "\n";
    for (const VerifierKey& voter : set.voters) text += "voter " + format_vkey(voter) + "\n";
  }
  return text;
}

std::expected<Trust, std::string> parse_trust(std::string_view text) {
  Trust trust;
  unsigned number = 0;
  bool begun = false;
  const auto wrong = [&](const std::string& what) {
    return std::unexpected("trust file, line " + std::to_string(number) + ": " + what);
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    if (!begun) {
      if (line != kMagic) return wrong("it begins with " + std::string(kMagic));
      begun = true;
      continue;
    }
    const auto words = words_of(line);
    if (words[0] == "origin" && words.size() == 2) {
      if (!trust.origin.empty()) return wrong("there is an origin already; one file is for one log");
      trust.origin = words[1];
    } else if (words[0] == "voters") {
      auto set = parse_set(words);
      if (!set) return wrong(set.error());
      if (!trust.sets.empty() && set->from_height <= trust.sets.back().from_height)
        return wrong("the heights of voters rise from set to set");
      trust.sets.push_back(std::move(*set));
    } else if (words[0] == "voter" && words.size() == 2) {
      auto key = parse_vkey(words[1]);
      if (!key) return wrong(key.error());
      if (trust.sets.empty()) return wrong("a line \"voters from HEIGHT needed NUMBER\" comes before it");
      auto& voters = trust.sets.back().voters;
      if (std::ranges::any_of(voters, [&](const VerifierKey& other) { return other.key == key->key; }))
        return wrong("this voter's key is listed twice");
      voters.push_back(std::move(*key));
    } else {
      return wrong("lines are \"origin ORIGIN\", \"voters from HEIGHT needed NUMBER\", \"voter VKEY\"");
    }
  }
  if (trust.origin.empty()) return std::unexpected("trust file: there is no line \"origin ORIGIN\"");
  if (trust.sets.empty()) return std::unexpected("trust file: there are no voters");
  for (const VoterSet& set : trust.sets) {
    if (set.voters.size() < set.needed) {
      return std::unexpected("trust file: voters from " + std::to_string(set.from_height) + ": " +
                             std::to_string(set.needed) + " are needed, " +
                             std::to_string(set.voters.size()) + " are listed");
    }
  }
  return trust;
}

std::expected<std::vector<std::string>, std::string> check_trusted(const CheckpointNote& checkpoint,
                                                                   const Trust& trust) {
  const Checkpoint& body = checkpoint.checkpoint;
  const std::string origin = checkpoint_origin(body.swarm, body.incarnation);
  if (origin != trust.origin)
    return std::unexpected("it is of the log " + origin + ", the trust file of " + trust.origin);
  const VoterSet* set = trust.at(body.height);
  if (set == nullptr) {
    return std::unexpected("the trust file has no voters for height " + std::to_string(body.height));
  }
  return check_cosigned(checkpoint.note, set->voters, set->needed);
}

}  // namespace swarmdns::controlplane
