// From the tree of a file to a Config, with every error on the way.
#include "qimux/base/fd.hpp"
#include "qimux/daemon/config.hpp"
#include "qimux/daemon/config_keys.hpp"
#include "qimux/daemon/config_toml.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace qimux::daemon {

namespace {

constexpr std::array<std::string_view, 3> kLists = {"keepalive.probe", "listen", "policy"};

std::string_view lastPart(std::string_view path) {
  return path.substr(path.rfind('.') + 1);
}

class Reader {
 public:
  explicit Reader(std::string_view file) : file_(file) {}

  void readDocument(const TomlValue& document) {
    for (const TomlMember& member : document.members) {
      // A dot in one key is a quoted one: not the list of a section.
      if (isList(member.key) && member.key.find('.') == std::string::npos) {
        readListNamed(member.key, member);
      } else if (isSection(member.key)) {
        readSection(member);
      } else {
        complainUnknown(member, member.key, "");
      }
    }
  }

  void syntaxError(const TomlError& error) {
    errors_.push_back({file_, error.line, error.column, {}, "is no TOML: " + printable(error.message)});
  }

  std::expected<Config, ConfigErrors> finish() {
    if (errors_.empty()) return std::move(config_);
    std::ranges::sort(errors_, {}, [](const ConfigError& each) { return std::pair(each.line, each.column); });
    return std::unexpected(std::move(errors_));
  }

 private:
  static bool isList(std::string_view path) { return std::ranges::find(kLists, path) != kLists.end(); }

  static bool isSection(std::string_view name) {
    return std::ranges::any_of(settingKeys(), [name](const auto& key) {
      return key.name.size() > name.size() && key.name.starts_with(name) && key.name[name.size()] == '.';
    });
  }

  void complain(unsigned line, unsigned column, std::string key, std::string message) {
    errors_.push_back({file_, line, column, std::move(key), std::move(message)});
  }

  // `path` without control bytes or the like: it is the file's.
  void complainUnknown(const TomlMember& member, std::string_view path, std::string_view section) {
    complain(member.line, member.column, printable(path), unknownKey(member.key, section));
  }

  // Near in the section, or the same in another one.
  static std::string unknownKey(std::string_view key, std::string_view section) {
    std::vector<std::string_view> here;
    std::optional<std::string_view> elsewhere;
    const auto consider = [&](std::string_view path) {
      const std::size_t dot = path.find('.');
      const std::string_view owner = dot == std::string_view::npos ? "" : path.substr(0, dot);
      if (section.empty()) here.push_back(path.substr(0, dot));
      if (!section.empty() && owner == section) here.push_back(path.substr(dot + 1));
      if (lastPart(path) == key) elsewhere = path;
    };
    for (const auto& each : settingKeys()) consider(each.name);
    for (const std::string_view list : kLists) consider(list);
    if (const auto near = nearest(key, here)) return fmt::format("is not known; did you mean \"{}\"?", *near);
    if (!elsewhere) return "is not known; remove it";
    return fmt::format("is not known here; did you mean \"{}\"?", *elsewhere);
  }

  void readSection(const TomlMember& section) {
    if (section.value.kind != TomlValue::Kind::Table) {
      complain(section.line, section.column, section.key,
               fmt::format("is {}; write a section, [{}]", name(section.value.kind), section.key));
      return;
    }
    for (const TomlMember& member : section.value.members) {
      const std::string path = section.key + "." + member.key;
      if (isList(path)) {
        readListNamed(path, member);
        continue;
      }
      const auto& keys = settingKeys();
      const auto found = std::ranges::find(keys, std::string_view(path), &ConfigKey<Config>::name);
      if (found == keys.end()) {
        complainUnknown(member, path, section.key);
      } else if (auto problem = found->read(member.value, config_)) {
        complain(member.value.line, member.value.column, path, std::move(*problem));
      }
    }
  }

  void readListNamed(std::string_view path, const TomlMember& list) {
    if (path == "listen") {
      readList(path, list, listenKeys(), config_.listen);
      complainTwice(path, list, config_.listen,
                    [](const Listen& l) { return std::pair(l.protocol, l.port); });
    } else if (path == "policy") {
      readList(path, list, policyKeys(), config_.policy);
    } else {
      readList(path, list, probeKeys(), config_.keepalive.probes);
      complainTwice(path, list, config_.keepalive.probes, [](const Probe& p) { return p.port; });
    }
  }

  template <typename Item>
  void readList(std::string_view path, const TomlMember& list, const std::vector<ConfigKey<Item>>& keys,
                std::vector<Item>& out) {
    const bool tables = list.value.kind == TomlValue::Kind::Array &&
                        std::ranges::all_of(list.value.items, [](const TomlValue& item) {
                          return item.kind == TomlValue::Kind::Table;
                        });
    if (!tables) {
      complain(list.line, list.column, std::string(path),
               fmt::format("is a list of tables; write [[{}]]", path));
      return;
    }
    for (const TomlValue& table : list.value.items) out.push_back(readItem(path, table, keys));
  }

  template <typename Item>
  Item readItem(std::string_view path, const TomlValue& table, const std::vector<ConfigKey<Item>>& keys) {
    Item item;
    std::vector<std::string_view> names;
    for (const auto& key : keys) names.push_back(key.name);
    for (const TomlMember& member : table.members) {
      const std::string key = fmt::format("{}.{}", path, member.key);
      const auto found = std::ranges::find(keys, std::string_view(member.key), &ConfigKey<Item>::name);
      if (found == keys.end()) {
        const auto near = nearest(member.key, names);
        complain(member.line, member.column, printable(key),
                 near ? fmt::format("is not known; did you mean \"{}\"?", *near)
                      : fmt::format("is not known; choose one of {}", fmt::join(names, ", ")));
      } else if (auto problem = found->read(member.value, item)) {
        complain(member.value.line, member.value.column, key, std::move(*problem));
      }
    }
    for (const auto& key : keys) {
      if (!key.required ||
          std::ranges::find(table.members, key.name, &TomlMember::key) != table.members.end())
        continue;
      complain(table.line, table.column, fmt::format("{}.{}", path, key.name), "is missing; add it");
    }
    return item;
  }

  // Only the first of two could ever be used.
  template <typename Item, typename Identity>
  void complainTwice(std::string_view path, const TomlMember& list, const std::vector<Item>& items,
                     Identity identity) {
    for (std::size_t later = 1; later < items.size(); ++later) {
      const auto end = items.begin() + static_cast<std::ptrdiff_t>(later);
      if (items[later].port == 0) continue;  // has its error already
      if (std::find_if(items.begin(), end,
                       [&](const Item& each) { return identity(each) == identity(items[later]); }) == end) {
        continue;
      }
      const TomlValue& table = list.value.items[later];
      complain(table.line, table.column, fmt::format("{}.port", path),
               fmt::format("{} is there twice; remove one", items[later].port));
    }
  }

  std::string file_;
  Config config_;
  ConfigErrors errors_;
};

// Not more than one byte beyond what is allowed.
Result<std::string> readFile(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return std::unexpected(systemError(path, errno));
  std::string text(kMaxConfigFile + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(systemError(path, errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

std::unexpected<ConfigErrors> fileError(std::string_view file, std::string message) {
  return std::unexpected(ConfigErrors{{std::string(file), 0, 0, {}, std::move(message)}});
}

}  // namespace

std::expected<Config, ConfigErrors> parseConfig(std::string_view toml, std::string_view file) {
  if (toml.size() > kMaxConfigFile) {
    return fileError(file, fmt::format("is larger than {} bytes; is it the configuration?", kMaxConfigFile));
  }
  Reader reader(file);
  const auto document = parseToml(toml);
  if (document) {
    reader.readDocument(*document);
  } else {
    reader.syntaxError(document.error());
  }
  return reader.finish();
}

std::expected<Config, ConfigErrors> loadConfig(const std::optional<std::string>& file) {
  const std::string path = file.value_or(std::string(kDefaultConfigFile));
  const auto text = readFile(path);
  if (text) return parseConfig(*text, path);
  // Only what nobody asked for may be missing.
  if (!file && ::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return Config{};
  return fileError(
      path, fmt::format("cannot be read: {}; create it, or name another with --config", text.error().reply));
}

}  // namespace qimux::daemon
