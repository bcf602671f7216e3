// Files that only their owner may read. Blocking file I/O: not from the reactor thread.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "controlplane/certs/secret.h"

namespace swarmdns::controlplane {

// Nothing: there is no such file. An error when it is no regular file, is of somebody else, is open to group
// or others (mode & 077), or is larger than `most` octets; the sentence says how to mend it.
inline constexpr std::size_t kPrivateFileMost = std::size_t{64} << 10;
std::expected<std::optional<Secret>, std::string> read_private_file(const std::string& path,
                                                                    std::size_t most = kPrivateFileMost);

// Whole or not at all, mode 0600: written beside, synced, renamed.
std::expected<void, std::string> write_private_file(const std::string& path, const Secret& contents);

}  // namespace swarmdns::controlplane
