#include "proto/dns/error.h"

namespace swarmdns::dns {

std::string_view to_text(Error error) {
  switch (error) {
    case Error::Truncated:
      return "Truncated";
    case Error::BadLabelType:
      return "BadLabelType";
    case Error::PointerLoop:
      return "PointerLoop";
    case Error::ForwardPointer:
      return "ForwardPointer";
    case Error::PointerIntoHeader:
      return "PointerIntoHeader";
    case Error::CompressionForbidden:
      return "CompressionForbidden";
    case Error::NameTooLong:
      return "NameTooLong";
    case Error::LabelTooLong:
      return "LabelTooLong";
    case Error::EmptyLabel:
      return "EmptyLabel";
    case Error::BadEscape:
      return "BadEscape";
    case Error::BadAddress:
      return "BadAddress";
    case Error::TrailingBytes:
      return "TrailingBytes";
    case Error::BadOpt:
      return "BadOpt";
    case Error::DuplicateOpt:
      return "DuplicateOpt";
    case Error::BadOption:
      return "BadOption";
    case Error::BadRdata:
      return "BadRdata";
    case Error::NoSpace:
      return "NoSpace";
    case Error::WrongSection:
      return "WrongSection";
    case Error::CountOverflow:
      return "CountOverflow";
  }
  return "Unknown";
}

}  // namespace swarmdns::dns
