#include "qimux/ctl/table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <numeric>
#include <vector>

namespace qimux::ctl {
namespace {

// Narrower than this an elastic column says nothing.
constexpr std::size_t kLeast = 8;

using Cells = std::vector<std::string>;

std::vector<std::size_t> widthsOf(const std::vector<Cells>& lines, std::size_t columns) {
  std::vector<std::size_t> widths(columns, 0);
  for (const Cells& line : lines) {
    for (std::size_t i = 0; i < columns; ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  return widths;
}

// Takes from the widest elastic column, one character at a time, so that they end up alike.
void squeeze(std::vector<std::size_t>& widths, std::span<const Column> columns, std::size_t width) {
  if (width == 0) return;
  std::size_t total = std::accumulate(widths.begin(), widths.end(), columns.size() - 1);
  while (total > width) {
    std::size_t widest = columns.size();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].elastic == Elastic::No || widths[i] <= kLeast) continue;
      if (widest == columns.size() || widths[i] > widths[widest]) widest = i;
    }
    if (widest == columns.size()) return;
    --widths[widest];
    --total;
  }
}

std::string lineOf(const Cells& cells, std::span<const Column> columns,
                   const std::vector<std::size_t>& widths, std::size_t width) {
  std::string line;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string cell = shorten(cells[i], widths[i]);
    if (i > 0) line += ' ';
    line += columns[i].align == Align::Right ? fmt::format("{:>{}}", cell, widths[i])
                                             : fmt::format("{:<{}}", cell, widths[i]);
  }
  if (width > 0 && line.size() > width) line.resize(width);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

std::string renderTable(std::span<const Column> columns, const Json& rows, std::size_t width) {
  std::vector<Cells> lines(1);
  for (const Column& column : columns) lines.front().emplace_back(column.title);
  if (rows.is_array()) {
    for (const Json& row : rows) {
      Cells& cells = lines.emplace_back();
      for (const Column& column : columns) cells.push_back(render(find(row, column.path), column.format));
    }
  }
  std::vector<std::size_t> widths = widthsOf(lines, columns.size());
  squeeze(widths, columns, width);
  std::string out;
  for (const Cells& cells : lines) out += lineOf(cells, columns, widths, width);
  return out;
}

std::string renderFields(std::span<const Field> fields, const Json& json) {
  std::size_t label_width = 0;
  for (const Field& field : fields) label_width = std::max(label_width, field.label.size());
  std::string out;
  for (const Field& field : fields) {
    std::string value;
    std::string_view rest = field.paths;
    while (!rest.empty()) {
      const std::string_view path = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(rest.size(), path.size() + 1));
      const std::string part = render(find(json, path), field.format);
      if (part == "-") continue;
      if (!value.empty()) value += ' ';
      value += part;
    }
    out += fmt::format("{:<{}}  {}\n", field.label, label_width, value.empty() ? "-" : value);
  }
  return out;
}

}  // namespace qimux::ctl
