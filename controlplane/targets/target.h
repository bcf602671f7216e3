// A target: a place that keeps objects for backups (a directory, a bucket, a peer). An object has a name and
// octets; it is there whole or not at all; but for what `replace` says it never changes once it is there.
//
// Calls block. One thread at a time for each Target; several Targets of one place may be used side by side.
// A Target retries nothing by itself: see RetryingTarget.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace swarmdns::controlplane {

struct TargetError {
  enum class Kind : std::uint8_t {
    kNotFound,     // no object of that name
    kExists,       // put without replace: there is one with other octets
    kRefused,      // the credential does not allow it (403), or the place is read-only to us
    kFull,         // no space, or a quota
    kUnavailable,  // no answer, an answer cut short, 5xx, 429: worth another try
    kBroken,       // an answer that makes no sense: half an object, a wrong checksum
    kInvalid,      // a name or a size that the place does not take; a setting that is wrong
    kUnsupported,  // the place cannot do this (object lock, for one)
    kCancelled,    // whoever opened the target asked it to stop
  };
  Kind kind;
  std::string what;  // a sentence that names the target, the object and the mend
};

template <typename T>
using TargetResult = std::expected<T, TargetError>;

struct ObjectInfo {
  std::string name;
  std::uint64_t bytes = 0;
  std::int64_t modified_ms = 0;  // Unix time as the place tells it; 0: it does not
};

struct PutOptions {
  bool replace = false;              // of small mutable objects (envelopes, day keys)
  std::int64_t locked_until_ms = 0;  // Unix time; 0: no lock. kUnsupported where the place has none
};

// Names: 1 to 200 characters of [a-z0-9._/-], no empty, "." or ".." component, no leading or trailing slash.
bool valid_object_name(std::string_view name);

inline constexpr std::uint64_t kMaxObjectBytes = 256u << 20;

class Target {
 public:
  virtual ~Target() = default;

  // For people: "s3 eu-backup (https://…, bucket swarm)".
  virtual const std::string& description() const = 0;

  // Durable when it returns. Without `replace` an object that is there with the same size and octets is
  // success.
  virtual TargetResult<void> put(const std::string& name, std::span<const std::byte> octets,
                                 const PutOptions& options = {}) = 0;

  // Exactly `bytes` octets from `offset`; kBroken when the object ends before them.
  virtual TargetResult<std::vector<std::byte>> get(const std::string& name, std::uint64_t offset,
                                                   std::uint64_t bytes) = 0;
  virtual TargetResult<ObjectInfo> head(const std::string& name) = 0;

  // Every object whose name begins with `prefix`, in the order of the octets of their names; `each` says
  // false to stop. What is put or removed meanwhile may or may not be seen.
  virtual TargetResult<void> list(const std::string& prefix,
                                  const std::function<bool(const ObjectInfo&)>& each) = 0;

  // An object that is not there is success. Wants the delete credential where the place has one.
  virtual TargetResult<void> remove(const std::string& name) = 0;

  // What a crash left half-done (parts of uploads, temporary files) and is older than `age_ms` goes; with 0
  // also what is under way just now. The number of what went.
  virtual TargetResult<std::uint64_t> sweep(std::int64_t age_ms) = 0;
};

}  // namespace swarmdns::controlplane
