#include "controlplane/chain/cosigner.h"

#include <algorithm>

#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::size_t kVoterSetsKept = 64;
constexpr std::size_t kHeadersKept = 4096;
constexpr std::size_t kAheadKept = 16;

}  // namespace

Cosigner::Cosigner(Reactor& reactor, PeerLink& link, Chain& chain, Options options)
    : reactor_(reactor),
      link_(link),
      chain_(chain),
      options_(std::move(options)),
      pace_(reactor),
      patience_(reactor) {
  begin();
  chain_.subscribe([this](const AppliedBlock& block) { applied(block); });
}

void Cosigner::begin() {
  if (!chain_.tip()) return;
  headers_[chain_.height()] = *chain_.tip();
  note_voters(chain_.height());
  if (auto kept = chain_.store().checkpoint(chain_.height()); kept && *kept) {
    if (const auto parsed = parse_checkpoint_note(**kept);
        parsed && parsed->checkpoint.height > newest_height_) {
      newest_height_ = parsed->checkpoint.height;
      newest_note_ = std::move(**kept);
      if (told_) told_(newest_height_, newest_note_);
    }
  }
}

void Cosigner::reopened() {
  headers_.clear();
  voters_.clear();
  round_.reset();
  patience_.stop();
  begin();
  catch_up();
}

void Cosigner::set_leader(bool leader) {
  leader_ = leader;
  round_.reset();
  patience_.stop();
  pace_.stop();
  if (leader_) begin_round();
}

// A change of the log's members takes effect for checkpoints with the block that records it.
void Cosigner::note_voters(std::uint64_t height) {
  const StateView state = chain_.state();
  const auto log = read<v1::LogMembers>(state, keys::kLogMembers);
  if (!log) return;
  std::vector<Voter> voters;
  for (const std::uint64_t id : log->voters()) {
    const auto member = read<v1::MemberRecord>(state, keys::of(keys::kMembers, id));
    const auto key = member ? array_from<std::tuple_size_v<PublicKey>>(member->ledger_key()) : std::nullopt;
    if (key) voters.push_back({id, {member->name(), *key}});
  }
  const auto same = [&](const std::vector<Voter>& other) {
    return std::ranges::equal(voters, other,
                              [](const Voter& a, const Voter& b) { return a.id == b.id && a.key == b.key; });
  };
  if (!voters_.empty() && same(voters_.rbegin()->second)) return;
  voters_[height] = std::move(voters);
  if (voters_.size() > kVoterSetsKept) voters_.erase(voters_.begin());
}

const std::vector<Cosigner::Voter>* Cosigner::voters_of(std::uint64_t height) const {
  auto at = voters_.upper_bound(height);
  return at == voters_.begin() ? nullptr : &std::prev(at)->second;
}

std::optional<std::vector<VerifierKey>> Cosigner::voters_at(std::uint64_t height) const {
  const auto* voters = voters_of(height);
  if (voters == nullptr || height > chain_.height()) return std::nullopt;
  std::vector<VerifierKey> voter_keys;
  for (const Voter& voter : *voters) voter_keys.push_back(voter.key);
  return voter_keys;
}

bool Cosigner::votes(std::uint64_t height) const {
  const auto* voters = voters_of(height);
  return voters != nullptr &&
         std::ranges::any_of(*voters, [this](const Voter& voter) { return voter.id == options_.self; });
}

std::optional<BlockHeader> Cosigner::header_at(std::uint64_t height) const {
  const auto at = headers_.find(height);
  if (at == headers_.end()) return std::nullopt;
  return at->second;
}

void Cosigner::applied(const AppliedBlock& block) {
  const std::uint64_t height = block.header.height;
  headers_[height] = block.header;
  if (headers_.size() > kHeadersKept) headers_.erase(headers_.begin());
  note_voters(height);
  catch_up();
}

// Answers what was asked, and believes what was told, before its block was here.
void Cosigner::catch_up() {
  const std::uint64_t height = chain_.height();
  for (auto asked = asked_.begin(); asked != asked_.end();) {
    if (asked->second.height > height) {
      ++asked;
      continue;
    }
    const auto [from, what] = *asked;
    asked = asked_.erase(asked);
    v1::PeerMessage message;
    message.set_request(what.request);
    *message.mutable_cosign_response() = sign(what.height, what.block_hash);
    link_.send(from, Channel::kConsensus, std::move(message));
  }
  if (const auto beyond = ahead_.upper_bound(height); beyond != ahead_.begin()) {
    const std::string newest = std::move(std::prev(beyond)->second);
    ahead_.erase(ahead_.begin(), beyond);
    consider(newest);
  }
  if (leader_ && !round_ && !pace_.running()) begin_round();
}

void Cosigner::begin_round() {
  if (!leader_ || !chain_.tip() || chain_.height() <= newest_height_) return;
  const auto* voters = voters_of(chain_.height());
  if (voters == nullptr || voters->empty()) return;
  ++counters_.rounds;
  const Checkpoint checkpoint = checkpoint_of(*chain_.tip());
  round_.emplace();
  round_->checkpoint.checkpoint = checkpoint;
  round_->checkpoint.note.text = format_checkpoint(checkpoint);
  round_->voters = *voters;
  round_->needed = majority_of(voters->size());
  patience_.start(options_.round_ms, [this] {
    round_.reset();
    begin_round();
  });
  // Whoever answers at once finds the round standing.
  const std::string hash = as_string(chain_.tip_hash());
  for (const Voter& voter : std::vector<Voter>(round_->voters)) {
    if (voter.id == options_.self) {
      take(voter.id,
           cosign(round_->checkpoint.note.text, voter.key.name, options_.keys, reactor_.wall_ms() / 1000));
      if (!round_) return;  // a majority of one
      continue;
    }
    v1::PeerMessage message;
    message.mutable_cosign_request()->set_height(checkpoint.height);
    message.mutable_cosign_request()->set_block_hash(hash);
    link_.send(voter.id, Channel::kConsensus, std::move(message));
  }
}

v1::CosignResponse Cosigner::sign(std::uint64_t height, const std::string& hash) const {
  v1::CosignResponse response;
  response.set_height(height);
  const auto header = header_at(height);
  if (!header) {
    response.set_text("block " + std::to_string(height) + " is too old here");
  } else if (as_string(block_hash(*header)) != hash) {
    response.set_text("block " + std::to_string(height) + " is another one here");
  } else if (!votes(height)) {
    response.set_text("no voter at height " + std::to_string(height));
  } else {
    const auto* voters = voters_of(height);
    const auto self = std::ranges::find(*voters, options_.self, &Voter::id);
    const std::string text = format_checkpoint(checkpoint_of(*header));
    Note line{text, {cosign(text, self->key.name, options_.keys, reactor_.wall_ms() / 1000)}};
    response.set_signature_line(format_note(line));
  }
  return response;
}

void Cosigner::receive(NodeId from, std::uint64_t request, const v1::CosignRequest& message) {
  if (message.height() > chain_.height()) {
    asked_[from] = {request, message.height(), message.block_hash()};
    return;
  }
  v1::PeerMessage answer;
  answer.set_request(request);
  *answer.mutable_cosign_response() = sign(message.height(), message.block_hash());
  link_.send(from, Channel::kConsensus, std::move(answer));
}

void Cosigner::receive(NodeId from, const v1::CosignResponse& message) {
  if (!round_ || message.height() != round_->checkpoint.checkpoint.height) return;
  if (message.signature_line().empty()) {
    ++counters_.refused;
    return;
  }
  const auto note = parse_note(message.signature_line());
  if (!note || note->text != round_->checkpoint.note.text || note->signatures.size() != 1) {
    ++counters_.refused;
    return;
  }
  take(from, note->signatures.front());
}

void Cosigner::take(NodeId from, NoteSignature signature) {
  const auto voter = std::ranges::find(round_->voters, from, &Voter::id);
  Note& note = round_->checkpoint.note;
  const auto has_it = [&](const NoteSignature& other) {
    return other.name == signature.name && other.key_id == signature.key_id;
  };
  if (voter == round_->voters.end() || std::ranges::any_of(note.signatures, has_it) ||
      !verify_cosignature(note.text, signature, voter->key)) {
    ++counters_.refused;
    return;
  }
  note.signatures.push_back(std::move(signature));
  if (note.signatures.size() >= round_->needed) finish_round();
}

void Cosigner::finish_round() {
  patience_.stop();
  const std::uint64_t height = round_->checkpoint.checkpoint.height;
  std::string note = format_note(round_->checkpoint.note);
  round_.reset();
  ++counters_.checkpoints;
  v1::PeerMessage message;
  message.mutable_checkpoint()->set_note(note);
  chain_.state().scan(keys::kMembers, [&](std::string_view, std::string_view value) {
    v1::MemberRecord member;
    if (member.ParseFromString(std::string(value)) && member.removed_height() == 0 &&
        member.id() != options_.self)
      link_.send(member.id(), Channel::kConsensus, message);
    return true;
  });
  keep(height, std::move(note));
  pace_.start(options_.interval_ms, [this] { begin_round(); });
}

void Cosigner::receive(NodeId, const v1::CheckpointNotice& message) {
  consider(message.note());
}

void Cosigner::consider(const std::string& text) {
  const auto note = parse_checkpoint_note(text);
  if (!note) {
    ++counters_.refused;
    return;
  }
  const std::uint64_t height = note->checkpoint.height;
  if (height <= newest_height_) return;
  if (height > chain_.height()) {
    // Newer than this node; looked at when its block is here.
    ahead_[height] = text;
    if (ahead_.size() > kAheadKept) ahead_.erase(std::prev(ahead_.end()));
    return;
  }
  const auto header = header_at(height);
  const auto voters = voters_at(height);
  if (!header || !voters || checkpoint_of(*header) != note->checkpoint ||
      !check_cosigned(note->note, *voters, majority_of(voters->size()))) {
    ++counters_.refused;
    return;
  }
  keep(height, text);
}

void Cosigner::keep(std::uint64_t height, std::string note) {
  if (height <= newest_height_) return;
  // Kept or not, it holds; the next one is tried again.
  if (auto kept = chain_.store().put_checkpoint(height, note); !kept) ++counters_.refused;
  newest_height_ = height;
  newest_note_ = std::move(note);
  if (told_) told_(newest_height_, newest_note_);
}

}  // namespace swarmdns::controlplane
