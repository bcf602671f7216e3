#include "controlplane/member/state_files.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

namespace swarmdns::controlplane {
namespace {

constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kNameMost = 128;

std::expected<std::string, std::string> hash_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, kHashBytes);
  std::vector<char> buffer(std::size_t{1} << 20);
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(buffer.data()),
                              static_cast<unsigned long long>(file.gcount()));
  }
  if (!file.eof()) return std::unexpected("cannot read " + path);
  std::array<unsigned char, kHashBytes> hash;
  crypto_generichash_final(&state, hash.data(), hash.size());
  return std::string(reinterpret_cast<const char*>(hash.data()), hash.size());
}

}  // namespace

bool is_state_file_name(const std::string& name) {
  return !name.empty() && name.size() <= kNameMost && name != "." && name != ".." &&
         std::ranges::all_of(
             name, [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '-' || c == '_'; });
}

std::expected<std::vector<v1::StateFile>, std::string> list_state_files(const std::string& folder) {
  std::vector<v1::StateFile> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (!entry.is_regular_file()) return std::unexpected(entry.path().string() + " is no file");
    auto hash = hash_of(entry.path().string());
    if (!hash) return std::unexpected(hash.error());
    v1::StateFile& file = files.emplace_back();
    file.set_name(entry.path().filename().string());
    file.set_size(entry.file_size());
    file.set_hash(*hash);
  }
  if (error) return std::unexpected("cannot read " + folder + ": " + error.message());
  std::ranges::sort(files, {}, &v1::StateFile::name);
  return files;
}

std::expected<void, std::string> check_state_files(const std::string& folder,
                                                   const std::vector<v1::StateFile>& files) {
  const auto there = list_state_files(folder);
  if (!there) return std::unexpected(there.error());
  if (there->size() != files.size()) return std::unexpected("files are missing from the copy");
  for (const v1::StateFile& file : files) {
    const auto at = std::ranges::find(*there, file.name(), &v1::StateFile::name);
    if (at == there->end() || at->size() != file.size() || at->hash() != file.hash())
      return std::unexpected(file.name() + " of the copy is not what was announced");
  }
  return {};
}

}  // namespace swarmdns::controlplane
