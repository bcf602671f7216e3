#include "controlplane/targets/s3_digest.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <vector>

namespace swarmdns::controlplane {
namespace {

std::vector<unsigned char> digest(const EVP_MD* kind, std::span<const std::byte> octets) {
  std::vector<unsigned char> result(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  EVP_Digest(octets.data(), octets.size(), result.data(), &size, kind, nullptr);
  result.resize(size);
  return result;
}

std::string hex(const std::vector<unsigned char>& octets) {
  std::string text(octets.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), octets.data(), octets.size());
  text.pop_back();
  return text;
}

}  // namespace

std::string sha256_hex(std::span<const std::byte> octets) {
  return hex(digest(EVP_sha256(), octets));
}

std::string md5_hex(std::span<const std::byte> octets) {
  return hex(digest(EVP_md5(), octets));
}

std::string md5_base64(std::span<const std::byte> octets) {
  const auto octets_of_digest = digest(EVP_md5(), octets);
  std::string text(sodium_base64_ENCODED_LEN(octets_of_digest.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), octets_of_digest.data(), octets_of_digest.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();
  return text;
}

}  // namespace swarmdns::controlplane
