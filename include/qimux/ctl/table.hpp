// Tables and lists of fields: what is shown of a piece of JSON, where, and how wide.
#pragma once

#include "qimux/ctl/value.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace qimux::ctl {

enum class Align { Left, Right };
// Whether a column gives way where the table is too wide for the terminal.
enum class Elastic { No, Yes };

struct Column {
  std::string_view title;
  std::string_view path;  // in a row
  Format format = Format::Text;
  Align align = Align::Left;
  Elastic elastic = Elastic::No;
};

// A line of titles and one for each item of `rows`; every line ends with a line end, and none is longer than
// `width` (0: unbounded). `rows` that are no array are none.
std::string renderTable(std::span<const Column> columns, const Json& rows, std::size_t width);

struct Field {
  std::string_view label;
  // One or more, with blanks between; what is there of them is shown in this order, with blanks between.
  std::string_view paths;
  Format format = Format::Text;
};

// A line for each field, values in one column.
std::string renderFields(std::span<const Field> fields, const Json& json);

}  // namespace qimux::ctl
