// The files of a copy of the ledger: their list, and putting them in place. Blocking file I/O: any thread but
// the reactor's.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "swarmdns/v1/peer.pb.h"

namespace swarmdns::controlplane {

// All regular files of a folder without subfolders, with sizes and BLAKE2b-256.
std::expected<std::vector<v1::StateFile>, std::string> list_state_files(const std::string& folder);
// A name that can only be a file of the folder itself.
bool is_state_file_name(const std::string& name);
// That the folder holds exactly these files; the error names the first that differs.
std::expected<void, std::string> check_state_files(const std::string& folder,
                                                   const std::vector<v1::StateFile>& files);

}  // namespace swarmdns::controlplane
