// The threads that make packs of chunks: compress, encrypt, append, hash, offer for upload. Each fills a pack
// of its own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "controlplane/backup/chunk.h"
#include "controlplane/backup/manifest.h"
#include "controlplane/backup/pack.h"
#include "controlplane/backup/upload.h"

namespace swarmdns::controlplane {

class Encoders {
 public:
  struct Job {
    std::uint32_t number = 0;  // of the known chunk
    Digest id{};
    const ChunkKeys* keys = nullptr;
    KeyId key{};
    std::vector<std::byte> plain;
  };
  // Where a chunk has come to lie.
  struct Placed {
    std::uint32_t number = 0;
    std::uint32_t pack = 0;  // in packs()
    std::uint32_t offset = 0;
    std::uint32_t sealed_bytes = 0;
  };

  Encoders(const RootKey& epoch, Upload& upload, unsigned threads, int level, std::size_t pack_bytes);
  ~Encoders();  // stops and joins
  Encoders(const Encoders&) = delete;
  Encoders& operator=(const Encoders&) = delete;

  // Waits while too much is waiting. False: the upload takes nothing more.
  bool push(Job job);
  // Seals what is left and joins. False as above.
  bool finish();

  // After finish().
  const std::vector<PackRef>& packs() const { return packs_; }
  const std::vector<Placed>& placed() const { return placed_; }
  std::uint64_t octets_stored();

 private:
  void run(int level);
  bool close_pack(PackWriter& writer, std::vector<Placed>& waiting);
  void join();

  const RootKey& epoch_;
  Upload& upload_;
  const std::size_t pack_bytes_;
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool closed_ = false;
  bool failed_ = false;
  std::vector<PackRef> packs_;
  std::vector<Placed> placed_;
  std::uint64_t stored_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace swarmdns::controlplane
