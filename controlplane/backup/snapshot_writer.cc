#include "controlplane/backup/snapshot_writer.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>

#include "controlplane/backup/chunk.h"
#include "controlplane/backup/chunker.h"
#include "controlplane/backup/encoders.h"
#include "controlplane/backup/stored_chunks.h"

namespace swarmdns::controlplane {
namespace {

using Kind = BackupError::Kind;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadBuffer = 4 * kMostChunk;
constexpr std::int64_t kTickMs = 200;

// What a root key is needed for while parts are read.
struct PartKeys {
  explicit PartKeys(const RootKey& root) : commitment(root.commitment()), chunker(root), keys(root) {}
  Digest commitment;
  Chunker chunker;
  ChunkKeys keys;
};

// One run of write(): what its steps share.
class Run {
 public:
  Run(OpenEpoch& epoch, const WriterOptions& options, Upload& upload)
      : epoch_(epoch), options_(options), upload_(upload) {
    buffer_.resize(kReadBuffer);
  }
  ~Run() { sodium_memzero(buffer_.data(), buffer_.size()); }

  BackupResult<SnapshotResult> write(const SnapshotFacts& facts, std::span<PartSource> sources,
                                     std::span<const Recipient> recipients, const LedgerKey& node);

 private:
  BackupResult<void> prepare_keys(std::span<const PartSource> sources);
  BackupResult<void> read_part(PartSource& source, Encoders& encoders);
  BackupResult<void> take_chunk(const PartKeys& keys, Bytes plain, PartHash& hash, Encoders& encoders);
  void make_manifest(const SnapshotFacts& facts, std::span<const Recipient> recipients, const LedgerKey& node,
                     const Encoders& encoders);
  BackupResult<void> tick();
  std::unexpected<BackupError> no_target();
  const PartKeys& keys_of(const std::string& day) const { return *keys_.at(day); }

  OpenEpoch& epoch_;
  const WriterOptions& options_;
  Upload& upload_;
  std::map<std::string, std::unique_ptr<PartKeys>> keys_;  // by day; "": the epoch's
  StoredChunks stored_;
  std::vector<SnapshotPart> parts_;
  std::vector<std::uint32_t> numbers_;  // of the known chunks, in the order of the parts
  std::vector<std::byte> buffer_;
  SnapshotResult result_;
  Encoders* encoders_ = nullptr;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point told_ = begin_;
};

std::unexpected<BackupError> Run::no_target() {
  std::string what = "no target could be written";
  for (const TargetOutcome& outcome : upload_.outcomes()) what += "; " + outcome.error;
  return backup_error(Kind::kTarget, what);
}

BackupResult<void> Run::tick() {
  if (!options_.progress) return {};
  const auto now = Clock::now();
  SnapshotProgress& total = result_.total;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  if (now - told_ < std::chrono::milliseconds(kTickMs) && total.reading) return {};
  told_ = now;
  if (encoders_ != nullptr) total.octets_stored = encoders_->octets_stored();
  total.octets_sent = upload_.octets_sent();
  total.rate = seconds > 0 ? static_cast<double>(total.octets_in) / seconds : 0;
  if (!options_.progress(total)) return backup_error(Kind::kStopped, "the snapshot was stopped");
  return {};
}

BackupResult<void> Run::prepare_keys(std::span<const PartSource> sources) {
  keys_.emplace("", std::make_unique<PartKeys>(epoch_.key()));
  for (const PartSource& source : sources) {
    if (keys_.contains(source.day)) continue;
    const auto key = epoch_.day(source.day);
    if (!key) return backup_error(Kind::kInput, "part " + source.name + ": " + key.error());
    keys_.emplace(source.day, std::make_unique<PartKeys>(**key));
  }
  return {};
}

BackupResult<void> Run::take_chunk(const PartKeys& keys, Bytes plain, PartHash& hash, Encoders& encoders) {
  const Digest id = chunk_id(keys.keys, plain);
  const auto size = static_cast<std::uint32_t>(plain.size());
  std::uint32_t number = stored_.chunks.find(id);
  if (number == KnownChunks::kNone) {
    number = stored_.chunks.add({.id = id, .plain_bytes = size});
    ++result_.chunks_new;
    const bool pushed = encoders.push({.number = number,
                                       .id = id,
                                       .keys = &keys.keys,
                                       .key = key_id(keys.commitment),
                                       .plain = {plain.begin(), plain.end()}});
    if (!pushed) return no_target();
  } else {
    result_.total.octets_reused += size;
  }
  if (numbers_.size() == kMostChunks)
    return backup_error(Kind::kInput, "the snapshot is too large: more than 4,194,304 chunks, about 1 TiB");
  numbers_.push_back(number);
  hash.add(id, size);
  return {};
}

BackupResult<void> Run::read_part(PartSource& source, Encoders& encoders) {
  const PartKeys& keys = keys_of(source.day);
  SnapshotPart part{.name = source.name,
                    .kind = source.kind,
                    .bytes = 0,
                    .hash = {},
                    .day = source.day,
                    .key = source.day.empty() ? Digest{} : keys.commitment,
                    .first_chunk = numbers_.size(),
                    .chunks = 0};
  PartHash hash;
  std::size_t begin = 0, end = 0;  // of what is in the buffer
  bool ended = false;
  while (!ended || begin < end) {
    if (end - begin < kMostChunk && !ended) {
      std::memmove(buffer_.data(), buffer_.data() + begin, end - begin);
      end -= begin;
      begin = 0;
      while (!ended && end < buffer_.size()) {
        const auto got = source.read(std::span(buffer_).subspan(end));
        if (!got)
          return backup_error(Kind::kInput, "part " + source.name + " cannot be read: " + got.error());
        ended = *got == 0;
        end += std::min(*got, buffer_.size() - end);
        part.bytes += *got;
        result_.total.octets_in += *got;
        if (auto done = tick(); !done) return done;
      }
      continue;
    }
    const Bytes waiting = Bytes(buffer_).subspan(begin, end - begin);
    const std::size_t size = keys.chunker.cut(waiting);
    if (auto done = take_chunk(keys, waiting.first(size), hash, encoders); !done) return done;
    begin += size;
  }
  part.hash = hash.finish();
  part.chunks = numbers_.size() - part.first_chunk;
  parts_.push_back(std::move(part));
  return {};
}

void Run::make_manifest(const SnapshotFacts& facts, std::span<const Recipient> recipients,
                        const LedgerKey& node, const Encoders& encoders) {
  for (const auto& placed : encoders.placed()) {
    KnownChunk& chunk = stored_.chunks[placed.number];
    chunk.pack = static_cast<std::uint32_t>(stored_.packs.size()) + placed.pack;
    chunk.offset = placed.offset;
    chunk.sealed_bytes = placed.sealed_bytes;
  }
  std::vector<PackRef> all = stored_.packs;
  all.insert(all.end(), encoders.packs().begin(), encoders.packs().end());

  ManifestHeader header;
  header.swarm = facts.swarm;
  header.incarnation = facts.incarnation;
  header.node = facts.node;
  randombytes_buf(header.id.data(), header.id.size());
  header.created_ms = facts.created_ms;
  header.ledger = facts.ledger;
  header.epoch = epoch_.key().commitment();
  for (const Recipient& recipient : recipients) header.recipients.push_back(recipient.id());
  std::ranges::sort(header.recipients);
  header.previous = facts.previous;
  std::vector<std::uint32_t> place(all.size(), UINT32_MAX);  // in the header's list, of those that are needed
  std::vector<ChunkRef> chunks;
  chunks.reserve(numbers_.size());
  for (const std::uint32_t number : numbers_) {
    const KnownChunk& chunk = stored_.chunks[number];
    std::uint32_t& pack = place[chunk.pack];
    if (pack == UINT32_MAX) {
      pack = static_cast<std::uint32_t>(header.packs.size());
      header.packs.push_back(all[chunk.pack]);
      header.stored_bytes += all[chunk.pack].bytes;
    }
    chunks.push_back({chunk.id, pack, chunk.offset, chunk.sealed_bytes, chunk.plain_bytes});
  }
  result_.manifest = write_manifest(std::move(header), parts_, chunks, epoch_.key(), node);
}

BackupResult<SnapshotResult> Run::write(const SnapshotFacts& facts, std::span<PartSource> sources,
                                        std::span<const Recipient> recipients, const LedgerKey& node) {
  if (auto done = prepare_keys(sources); !done) return std::unexpected(done.error());
  if (!upload_.wait_until_ready(options_.listing_patience_ms)) return no_target();
  std::set<KeyId> ids;
  for (const auto& [day, keys] : keys_) ids.insert(key_id(keys->commitment));
  stored_ =
      read_stored_chunks(upload_, epoch_.key(), ids, options_.bases, options_.avoid, options_.most_known);
  result_.notes = stored_.notes;

  Encoders encoders(epoch_.key(), upload_, options_.encoders, options_.level, options_.pack_bytes);
  encoders_ = &encoders;
  for (PartSource& source : sources)
    if (auto done = read_part(source, encoders); !done) return std::unexpected(done.error());
  if (!encoders.finish()) return no_target();
  make_manifest(facts, recipients, node, encoders);
  if (result_.manifest.octets.size() > kMaxObjectBytes)
    return backup_error(Kind::kInput, "the snapshot is too large: its manifest would be more than 256 MiB");
  result_.total.reading = false;
  upload_.finish(result_.manifest);
  while (!upload_.wait_until_done(kTickMs)) {
    if (auto done = tick(); !done) {
      upload_.stop();
      upload_.wait_until_done(INT32_MAX);  // result_.manifest is theirs until then
      return std::unexpected(done.error());
    }
  }
  if (upload_.all_dead()) return no_target();
  if (auto done = tick(); !done) return std::unexpected(done.error());
  result_.total.octets_stored = encoders.octets_stored();
  result_.total.octets_sent = upload_.octets_sent();
  result_.targets = upload_.outcomes();
  return std::move(result_);
}

BackupResult<void> check_input(std::span<const PartSource> parts, const SnapshotFacts& facts,
                               const WriterOptions& options) {
  const auto refuse = [](const std::string& what) { return backup_error(Kind::kInput, what); };
  if (parts.empty()) return refuse("there is nothing to save: no part was given");
  if (parts.size() > kMostParts) return refuse("there are more than 65,536 parts");
  std::set<std::string_view> names;
  for (const PartSource& part : parts) {
    if (!valid_part_name(part.name) || !valid_part_name(part.kind))
      return refuse("part \"" + part.name + "\" of kind \"" + part.kind +
                    "\": a name or a kind that is not allowed");
    if (!names.insert(part.name).second) return refuse("part " + part.name + " is given twice");
    if (!part.day.empty() && !valid_day(part.day))
      return refuse("part " + part.name + ": \"" + part.day + "\" is not a day as 2026-11-22");
  }
  if (facts.created_ms <= 0) return refuse("the time of the snapshot is not set");
  if (!facts.previous.empty() && facts.previous.size() != 32)
    return refuse("the hash of the manifest before has 32 octets");
  if (options.encoders < 1 || options.encoders > 64) return refuse("encoders: 1 to 64");
  if (options.level < 1 || options.level > 19) return refuse("level: 1 to 19");
  if (options.pack_bytes < kLeastChunk || options.pack_bytes > (32u << 20))
    return refuse("pack_bytes: 64 KiB to 32 MiB");
  return {};
}

}  // namespace

SnapshotWriter::SnapshotWriter(OpenEpoch& epoch, std::span<const Recipient> recipients, const LedgerKey& node,
                               std::span<Target* const> targets, WriterOptions options)
    : epoch_(epoch), recipients_(recipients), node_(node), targets_(targets), options_(std::move(options)) {}

BackupResult<SnapshotResult> SnapshotWriter::write(const SnapshotFacts& facts, std::span<PartSource> parts) {
  if (auto done = check_input(parts, facts, options_); !done) return std::unexpected(done.error());
  if (targets_.empty()) return backup_error(Kind::kInput, "no target is set: there is nowhere to save to");
  const Digest& epoch = epoch_.key().commitment();
  std::vector<Envelope> envelopes;
  std::set<std::string> days = {""};
  for (const PartSource& part : parts) days.insert(part.day);
  for (const std::string& day : days) {
    const auto key =
        day.empty() ? std::expected<const RootKey*, std::string>(&epoch_.key()) : epoch_.day(day);
    if (!key) return backup_error(Kind::kInput, key.error());
    auto envelope = seal_envelope(epoch, day, **key, recipients_);
    if (!envelope) return backup_error(Kind::kInput, envelope.error());
    envelopes.push_back(std::move(*envelope));
  }
  // The manifest lives in the run until the upload has ended.
  auto upload = std::make_unique<Upload>(targets_, epoch, std::move(envelopes), options_.queue_packs);
  Run run(epoch_, options_, *upload);
  auto result = run.write(facts, parts, recipients_, node_);
  upload.reset();
  return result;
}

}  // namespace swarmdns::controlplane
