// What goes wrong with a backup: a kind that programs decide by, and a sentence that names the object and
// the mend.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace swarmdns::controlplane {

struct BackupError {
  enum class Kind : std::uint8_t {
    kMissing,    // an object or a part that should be there is not
    kCut,        // it ends too early, or goes on behind its end
    kAltered,    // its octets are not those that were written
    kReordered,  // a right piece in a wrong place
    kReplayed,   // a whole, right object under another's name
    kForeign,    // of another swarm, another node, another key
    kWrongKey,   // the key at hand is not one that opens it
    kErased,     // its day key was destroyed, on purpose
    kTarget,     // the place could not be read or written
    kInput,      // what was to be saved could not be read; a setting that is wrong
    kStopped,    // the caller said so
  };
  Kind kind;
  std::string what;
};

template <typename T>
using BackupResult = std::expected<T, BackupError>;

inline std::unexpected<BackupError> backup_error(BackupError::Kind kind, std::string what) {
  return std::unexpected(BackupError{kind, std::move(what)});
}

// "altered", as reports and JSON name it.
constexpr const char* kind_text(BackupError::Kind kind) {
  switch (kind) {
    case BackupError::Kind::kMissing:
      return "missing";
    case BackupError::Kind::kCut:
      return "cut";
    case BackupError::Kind::kAltered:
      return "altered";
    case BackupError::Kind::kReordered:
      return "reordered";
    case BackupError::Kind::kReplayed:
      return "replayed";
    case BackupError::Kind::kForeign:
      return "foreign";
    case BackupError::Kind::kWrongKey:
      return "wrong-key";
    case BackupError::Kind::kErased:
      return "erased";
    case BackupError::Kind::kTarget:
      return "target";
    case BackupError::Kind::kInput:
      return "input";
    case BackupError::Kind::kStopped:
      return "stopped";
  }
  return "";
}

}  // namespace swarmdns::controlplane
