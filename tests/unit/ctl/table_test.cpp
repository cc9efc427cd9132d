#include "qimux/ctl/table.hpp"

#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <string>

using namespace qimux::ctl;

namespace {

constexpr auto kColumns = std::to_array<Column>({
    {"N", "n", Format::Text, Align::Right},
    {"WHERE", "where", Format::Text, Align::Left, Elastic::Yes},
    {"SIZE", "size", Format::Size, Align::Right},
    {"NOTE", "note"},
});

}  // namespace

TEST_CASE("columns are as wide as what is in them, and lines end where their text does") {
  const Json rows = {{{"n", 1}, {"where", "here"}, {"size", 1500}, {"note", "x"}},
                     {{"n", 12}, {"where", "elsewhere"}, {"size", 7}, {"note", "long"}}};
  CHECK(renderTable(kColumns, rows, 0) ==
        " N WHERE     SIZE NOTE\n"
        " 1 here      1.5k x\n"
        "12 elsewhere    7 long\n");
}

TEST_CASE("rows of another daemon do not disturb") {
  const Json rows = {nullptr, 7, Json::object(), {{"n", {1, 2}}, {"extra", 1}}};
  CHECK(renderTable(kColumns, rows, 0) ==
        "   N WHERE SIZE NOTE\n"
        "   - -        - -\n"
        "   - -        - -\n"
        "   - -        - -\n"
        "1, 2 -        - -\n");
  CHECK(renderTable(kColumns, Json("none"), 0) == "N WHERE SIZE NOTE\n");
  CHECK(renderTable(kColumns, Json(), 0) == "N WHERE SIZE NOTE\n");
}

TEST_CASE("an elastic column gives way to the terminal, down to what still says something") {
  const Json rows = {{{"n", 1}, {"where", "198.51.100.7:8080"}, {"size", 5}, {"note", "abcdef"}}};
  CHECK(renderTable(kColumns, rows, 26) ==
        "N WHERE        SIZE NOTE\n"
        "1 198.51~:8080    5 abcdef\n");
  CHECK(renderTable(kColumns, rows, 18) ==
        "N WHERE    SIZE NO\n"
        "1 198.~080    5 ab\n");
}

TEST_CASE("fields stand in two columns, and join what belongs together") {
  constexpr auto kFields = std::to_array<Field>(
      {{"link", "link"}, {"module", "module.maker module.model"}, {"bytes", "bytes", Format::Bytes}});
  const Json json = {{"link", "online"}, {"module", {{"model", "M95"}, {"maker", "Quectel"}}}, {"bytes", 3}};
  CHECK(renderFields(kFields, json) ==
        "link    online\n"
        "module  Quectel M95\n"
        "bytes   3 B\n");
  const Json other = {{"module", {{"model", "M66"}}}};
  CHECK(renderFields(kFields, other) ==
        "link    -\n"
        "module  M66\n"
        "bytes   -\n");
}
