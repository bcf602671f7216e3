#include "controlplane/backup/encoders.h"

#include "controlplane/backup/chunker.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::size_t kJobsPerThread = 16;

}  // namespace

Encoders::Encoders(const RootKey& epoch, Upload& upload, unsigned threads, int level, std::size_t pack_bytes)
    : epoch_(epoch), upload_(upload), pack_bytes_(pack_bytes) {
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this, level] { run(level); });
}

Encoders::~Encoders() {
  {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    changed_.notify_all();
  }
  join();
}

void Encoders::join() {
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

bool Encoders::push(Job job) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failed_ || jobs_.size() < kJobsPerThread * threads_.size(); });
  if (failed_) return false;
  jobs_.push_back(std::move(job));
  changed_.notify_all();
  return true;
}

bool Encoders::finish() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  join();
  return !failed_;
}

std::uint64_t Encoders::octets_stored() {
  const std::lock_guard lock(mutex_);
  return stored_;
}

bool Encoders::close_pack(PackWriter& writer, std::vector<Placed>& waiting) {
  auto finished = writer.finish();
  const PackRef pack{.hash = finished.hash, .bytes = static_cast<std::uint32_t>(finished.octets.size())};
  const bool taken =
      upload_.offer(std::make_shared<const Upload::Pack>(finished.hash, std::move(finished.octets)));
  const std::lock_guard lock(mutex_);
  for (Placed& chunk : waiting) {
    chunk.pack = static_cast<std::uint32_t>(packs_.size());
    placed_.push_back(chunk);
  }
  waiting.clear();
  packs_.push_back(pack);
  stored_ += pack.bytes;
  if (!taken) failed_ = true;
  changed_.notify_all();
  return taken;
}

void Encoders::run(int level) {
  ChunkCodec codec(level);
  PackWriter writer(epoch_, pack_bytes_ + 2 * kMostChunk);
  std::vector<Placed> waiting;  // for the number of their pack
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return failed_ || closed_ || !jobs_.empty(); });
      if (failed_) return;
      if (jobs_.empty()) break;
      job = std::move(jobs_.front());
      jobs_.pop_front();
      changed_.notify_all();
    }
    const std::size_t size = codec.seal(*job.keys, job.id, job.plain, writer.octets());
    const std::uint32_t offset = writer.add(job.id, job.key, size, job.plain.size());
    sodium_memzero(job.plain.data(), job.plain.size());
    waiting.push_back({job.number, 0, offset, static_cast<std::uint32_t>(size)});
    const bool full = writer.bytes() >= pack_bytes_ || writer.chunks() == kMostPackChunks;
    if (full && !close_pack(writer, waiting)) return;
  }
  if (!writer.empty()) close_pack(writer, waiting);
}

}  // namespace swarmdns::controlplane
