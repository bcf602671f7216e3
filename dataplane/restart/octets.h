// Numbers in a file, little-endian, at any alignment.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace swarmdns::restart {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie in memory");

template <class T>
T load_number(const void* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
inline std::uint32_t load32(const void* from) noexcept {
  return load_number<std::uint32_t>(from);
}
inline std::uint64_t load64(const void* from) noexcept {
  return load_number<std::uint64_t>(from);
}
inline void store32(void* to, std::uint32_t value) noexcept {
  std::memcpy(to, &value, sizeof value);
}
inline void store64(void* to, std::uint64_t value) noexcept {
  std::memcpy(to, &value, sizeof value);
}

}  // namespace swarmdns::restart
