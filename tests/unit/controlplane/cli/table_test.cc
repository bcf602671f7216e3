#include "controlplane/cli/table.h"

#include <gtest/gtest.h>

namespace swarmdns::controlplane {
namespace {

TEST(Table, AlignsLeftAndRightWithoutTrailingBlanks) {
  Table table({"NAME", ">COUNT", "NOTE"});
  table.add({"a", "5", "x"});
  table.add({"longer name", "12,345"});
  EXPECT_EQ(table.render(Style()),
            "NAME          COUNT  NOTE\n"
            "a                 5  x\n"
            "longer name  12,345\n");
}

TEST(Table, ColoursAndUtf8DoNotShiftColumns) {
  Table table({"A", "B"});
  const Style colours(true);
  table.add({colours.good("up"), "x"});
  table.add({"gr\xc3\xbcn", "y"});
  EXPECT_EQ(table.render(Style()),
            "A     B\n"
            "\033[32mup\033[0m    x\n"
            "gr\xc3\xbcn  y\n");
}

TEST(Style, SilentWithoutColours) {
  EXPECT_EQ(Style(false).bad("x"), "x");
}

}  // namespace
}  // namespace swarmdns::controlplane
