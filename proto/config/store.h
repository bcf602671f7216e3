// STATE_DIR/dataplane.json: the data plane's last applied configuration, as Protobuf's JSON.
// Blocking file I/O: not from a worker.
#pragma once

#include <expected>
#include <string>

#include "swarmdns/v1/config.pb.h"

namespace swarmdns::config {

// The error is a sentence that names the file. Unknown fields are refused: they come from another version.
std::expected<v1::DataplaneConfig, std::string> read_dataplane_config(const std::string& path);

// Whole or not at all: written beside, synced, renamed.
std::expected<void, std::string> write_dataplane_config(const std::string& path,
                                                        const v1::DataplaneConfig& config);

// The same for any contents; `mode` of the new file.
std::expected<void, std::string> write_file_atomically(const std::string& path, const std::string& contents,
                                                       unsigned mode = 0644);
// At most `limit` bytes; more is an error.
std::expected<std::string, std::string> read_file(const std::string& path, size_t limit = 16u << 20);

}  // namespace swarmdns::config
