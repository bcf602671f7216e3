#include "proto/dns/message.h"

#include "proto/dns/rdata.h"

namespace swarmdns::dns {

RecordIterator::RecordIterator(Bytes message, std::size_t offset, std::size_t left)
    : message_(message), left_(left) {
  load(offset);
}

RecordIterator& RecordIterator::operator++() {
  --left_;
  load(record_.end());
  return *this;
}

void RecordIterator::load(std::size_t offset) {
  record_ = RecordView();
  if (left_ == 0) return;
  // Checked before by Message::parse; were it not so, the walk would end here.
  if (const auto record = RecordView::parse(message_, offset); record) {
    record_ = *record;
  } else {
    left_ = 0;
  }
}

Expected<Message> Message::parse(Bytes wire, const ParseRules& rules) {
  auto header = HeaderView::parse(wire);
  if (!header) return fail(header.error());
  Message message(wire);
  if (auto ok = message.parse_questions(); !ok) return fail(ok.error());
  std::size_t end = message.offsets_[static_cast<std::size_t>(Section::Answer)];
  for (const Section section : {Section::Answer, Section::Authority, Section::Additional}) {
    message.offsets_[static_cast<std::size_t>(section)] = end;
    auto next = message.parse_section(section, end, rules);
    if (!next) return fail(next.error());
    end = *next;
  }
  if (end != wire.size()) {
    if (!rules.allow_trailing_bytes) return fail(Error::TrailingBytes);
    message.wire_ = wire.first(end);
  }
  return message;
}

Expected<void> Message::parse_questions() {
  std::size_t at = kHeaderSize;
  offsets_[static_cast<std::size_t>(Section::Question)] = at;
  for (std::size_t i = 0; i < question_count(); ++i) {
    auto question = parse_question(wire_, at);
    if (!question) return fail(question.error());
    at += question->size();
    if (i == 0) question_ = *question;
  }
  offsets_[static_cast<std::size_t>(Section::Answer)] = at;
  return {};
}

Expected<std::size_t> Message::parse_section(Section section, std::size_t offset, const ParseRules& rules) {
  const std::size_t count = this->section(section).size();
  for (std::size_t i = 0; i < count; ++i) {
    if (auto owner = check_name(wire_, offset); !owner) return fail(owner.error());
    auto record = RecordView::parse(wire_, offset);
    if (!record) return fail(record.error());
    if (record->type() == Type::OPT) {
      if (auto ok = take_opt(section, *record); !ok) return fail(ok.error());
    } else if (rules.check_rdata) {
      if (auto ok = dns::check_rdata(*record); !ok) return fail(ok.error());
    }
    offset = record->end();
  }
  return offset;
}

Expected<void> Message::take_opt(Section section, const RecordView& record) {
  if (section != Section::Additional) return fail(Error::BadOpt);
  if (opt_) return fail(Error::DuplicateOpt);
  auto opt = Opt::parse(record);
  if (!opt) return fail(opt.error());
  opt_ = *opt;
  return {};
}

Question Message::question(std::size_t i) const {
  std::size_t at = kHeaderSize;
  for (;; --i) {
    auto question = parse_question(wire_, at);
    if (!question) return {};
    if (i == 0) return *question;
    at += question->size();
  }
}

RecordRange Message::section(Section section) const {
  const std::size_t offset = offsets_[static_cast<std::size_t>(section)];
  switch (section) {
    case Section::Answer:
      return {wire_, offset, header().ancount()};
    case Section::Authority:
      return {wire_, offset, header().nscount()};
    case Section::Additional:
      return {wire_, offset, header().arcount()};
    case Section::Question:
      break;
  }
  return {wire_, offset, 0};
}

}  // namespace swarmdns::dns
