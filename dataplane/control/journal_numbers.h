// The numbers of mutations over restarts: STATE_DIR/journal.reserved says below which number all may have
// been given, so that the next start goes on from there and no number comes twice.
//
// One line: "swarmdns-journal 1 NUMBERING NEXT CHECK". NUMBERING: 16 hex digits at random, made with the
// first number; NEXT: decimal, where the next start begins; CHECK: BLAKE2b-64 of what stands before it
// (without the space between), in hex. Replaced as a whole (written aside, fsync, rename).
//
// | file at the start  | first number                                       | numbering |
// |--------------------|----------------------------------------------------|-----------|
// | good               | NEXT                                               | as before |
// | missing            | 1                                                  | new       |
// | damaged, unreadable| seconds since 1970 * 2^16: above all given, unless | new       |
// |                    | more than 65,536 a second were in the mean         |           |
// | cannot be written  | the greater of NEXT and that of the clock          | as above  |
//
// An origin (node 0, number) in a dump means this node only with this numbering (load.h). One thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace swarmdns::control {

class JournalNumbers {
 public:
  static constexpr std::uint64_t kReserve = std::uint64_t{1} << 28;
  static constexpr std::uint64_t kMost = (std::uint64_t{1} << 48) - 1;  // cache::Origin

  // Reserves the first kReserve numbers. `now`: Unix seconds. Never fails; warning() says what is wrong.
  [[nodiscard]] static JournalNumbers open(const std::string& state_dir, std::int64_t now);

  [[nodiscard]] std::uint64_t first() const noexcept { return first_; }
  [[nodiscard]] std::uint64_t numbering() const noexcept { return numbering_; }
  [[nodiscard]] const std::string& warning() const noexcept { return warning_; }  // empty: all is well

  // `next`: the number the next mutation will have. Reserves more when half is used up: at a million a second
  // that leaves two minutes. About once a second. Error: the file cannot be written; it is tried again.
  [[nodiscard]] std::expected<void, std::string> keep_ahead(std::uint64_t next);
  // At an orderly end: what was not given is the next start's.
  [[nodiscard]] std::expected<void, std::string> give_back(std::uint64_t next);

 private:
  explicit JournalNumbers(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] std::expected<void, std::string> write(std::uint64_t next) const;

  std::string path_;
  std::uint64_t first_ = 1;
  std::uint64_t reserved_ = 0;  // numbers below may be given; 0: none is reserved
  std::uint64_t numbering_ = 0;
  std::string warning_;
};

[[nodiscard]] std::string journal_numbers_path(const std::string& state_dir);

}  // namespace swarmdns::control
