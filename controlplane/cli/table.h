// Columns for a terminal.
#pragma once

#include <string>
#include <vector>

namespace swarmdns::controlplane {

// Colours where the output is a terminal that wants them (NO_COLOR unset), else nothing.
class Style {
 public:
  explicit Style(bool colours = false) : colours_(colours) {}
  std::string bold(const std::string& text) const { return paint("1", text); }
  std::string dim(const std::string& text) const { return paint("2", text); }
  std::string good(const std::string& text) const { return paint("32", text); }
  std::string warn(const std::string& text) const { return paint("33", text); }
  std::string bad(const std::string& text) const { return paint("31", text); }

 private:
  std::string paint(const char* code, const std::string& text) const {
    return colours_ ? std::string("\033[") + code + "m" + text + "\033[0m" : text;
  }
  bool colours_;
};

class Table {
 public:
  // A heading that starts with '>' is of a column aligned right.
  explicit Table(std::vector<std::string> headings);
  // As many cells as headings; fewer are filled up.
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  // Each line ended, no trailing blanks. Widths count characters of UTF-8, and no escape sequences.
  std::string render(const Style& style) const;

 private:
  std::vector<std::string> headings_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

// Characters of UTF-8 text as a terminal shows them, escape sequences not counted.
size_t shown_width(const std::string& text);

}  // namespace swarmdns::controlplane
