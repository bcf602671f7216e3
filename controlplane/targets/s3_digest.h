// Digests as S3's headers spell them.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace swarmdns::controlplane {

std::string sha256_hex(std::span<const std::byte> octets);  // x-amz-content-sha256
std::string md5_hex(std::span<const std::byte> octets);     // ETag of what came in one PUT
std::string md5_base64(std::span<const std::byte> octets);  // Content-MD5 (RFC 1864)

}  // namespace swarmdns::controlplane
