// Numbers that only have to be spread well and come back with the seed: xoshiro256++ (Blackman, Vigna). Not
// for secrets. One thread each.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace swarmdns::volley {

// One step of SplitMix64: a good mix of any 64 bits, bijective.
[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t value) noexcept {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) noexcept {
    for (std::size_t i = 0; i < state_.size(); ++i) state_[i] = mix64(seed + i * 0x9e3779b97f4a7c15);
  }

  constexpr std::uint64_t u64() noexcept {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }
  constexpr std::uint32_t u32() noexcept { return static_cast<std::uint32_t>(u64() >> 32); }
  // 0 to n-1; n at least 1. The bias is below n / 2^32.
  constexpr std::uint32_t below(std::uint32_t n) noexcept {
    return static_cast<std::uint32_t>((std::uint64_t{u32()} * n) >> 32);
  }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace swarmdns::volley
