// A whole message, checked once and then walked without further errors. No allocation; the octets must
// outlive it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>

#include "proto/dns/edns.h"
#include "proto/dns/header.h"
#include "proto/dns/question.h"
#include "proto/dns/record.h"

namespace swarmdns::dns {

// Walks the records of a section that Message::parse has checked.
class RecordIterator {
 public:
  using value_type = RecordView;
  using difference_type = std::ptrdiff_t;
  using iterator_concept = std::input_iterator_tag;

  RecordIterator(Bytes message, std::size_t offset, std::size_t left);
  const RecordView& operator*() const { return record_; }
  const RecordView* operator->() const { return &record_; }
  RecordIterator& operator++();
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const { return left_ == 0; }

 private:
  void load(std::size_t offset);
  Bytes message_;
  std::size_t left_;   // records from here on, this one included
  RecordView record_;  // empty at the end
};

class RecordRange {
 public:
  RecordRange(Bytes message, std::size_t offset, std::size_t count)
      : message_(message), offset_(offset), count_(count) {}
  RecordIterator begin() const { return {message_, offset_, count_}; }
  std::default_sentinel_t end() const { return {}; }
  std::size_t size() const { return count_; }  // records
  bool empty() const { return count_ == 0; }
  std::size_t offset() const { return offset_; }  // where the section starts in the message

 private:
  Bytes message_;
  std::size_t offset_;
  std::size_t count_;
};

struct ParseRules {
  bool allow_trailing_bytes = false;  // octets behind the last record are let pass (and not part of wire())
  bool check_rdata = true;            // every RDATA must fit its type (rdata.h)
};

class Message {
 public:
  // Checks the whole: header, every name (followed), every record's bounds, RDATA by `rules`, at most one
  // OPT, and that only in the additional section and well-formed. Names of questions are not compressed.
  // Errors: all of error.h that are about reading.
  static Expected<Message> parse(Bytes wire, const ParseRules& rules = {});

  Bytes wire() const { return wire_; }
  HeaderView header() const { return HeaderView(wire_.data()); }
  std::uint16_t id() const { return header().id(); }
  Flags flags() const { return header().flags(); }

  // The first question, if there is one.
  const std::optional<Question>& question() const { return question_; }
  std::size_t question_count() const { return header().qdcount(); }
  // The i-th question, i < question_count().
  Question question(std::size_t i) const;

  RecordRange section(Section section) const;  // Answer, Authority or Additional; empty for Question
  RecordRange answers() const { return section(Section::Answer); }
  RecordRange authority() const { return section(Section::Authority); }
  RecordRange additional() const { return section(Section::Additional); }  // OPT included

  const std::optional<Opt>& opt() const { return opt_; }
  // The whole rcode, with OPT's upper bits if there is one.
  Rcode rcode() const { return opt_ ? opt_->rcode(flags()) : flags().rcode(); }

 private:
  explicit Message(Bytes wire) : wire_(wire) {}
  Expected<void> parse_questions();
  Expected<std::size_t> parse_section(Section section, std::size_t offset, const ParseRules& rules);
  Expected<void> take_opt(Section section, const RecordView& record);

  Bytes wire_;
  std::array<std::size_t, 4> offsets_{};  // of each section
  std::optional<Question> question_;
  std::optional<Opt> opt_;
};

}  // namespace swarmdns::dns
