// Choices that the compiler is to make without branches: what comes by chance is mispredicted by half.
#pragma once

#include <cstddef>

namespace swarmdns::simd {

// The value, of which the compiler knows nothing from here on: it would make branches of what it knows.
[[nodiscard, gnu::always_inline]] inline std::size_t opaque(std::size_t value) noexcept {
  asm("" : "+r"(value));
  return value;
}
// The lesser of the two.
[[nodiscard, gnu::always_inline]] inline std::size_t least(std::size_t a, std::size_t b) noexcept {
  const std::size_t other = opaque(b);
  return a < other ? a : other;
}

}  // namespace swarmdns::simd
