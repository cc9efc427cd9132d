#include "qimux/daemon/config.hpp"

#include "qimux/daemon/config_keys.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace qimux::daemon {

namespace {

std::string_view sectionOf(std::string_view key) {
  return key.substr(0, key.find('.'));
}

void printKey(std::string& out, std::string_view key, std::string value, bool secret) {
  if (value.empty()) return;
  if (secret && value != "\"\"") value = "\"***\"";
  fmt::format_to(std::back_inserter(out), "{} = {}\n", key, value);
}

template <typename Item>
void printList(std::string& out, std::string_view path, const std::vector<ConfigKey<Item>>& keys,
               const std::vector<Item>& items) {
  for (const Item& item : items) {
    fmt::format_to(std::back_inserter(out), "\n[[{}]]\n", path);
    for (const auto& key : keys) printKey(out, key.name, key.print(item), key.secret);
  }
}

template <typename Item>
void documentList(std::vector<KeyDoc>& docs, std::string_view path,
                  const std::vector<ConfigKey<Item>>& keys) {
  for (const auto& key : keys) {
    docs.push_back({fmt::format("{}.{}", path, key.name), std::string(key.type),
                    key.required ? std::string() : key.print(Item{}), std::string(key.help)});
  }
}

}  // namespace

std::string_view name(OnMissing what) {
  return what == OnMissing::Wait ? "wait" : "exit";
}

std::string_view name(Acknowledge whose) {
  switch (whose) {
    case Acknowledge::Remote:
      return "remote";
    case Acknowledge::Module:
      return "module";
    case Acknowledge::Local:
      return "local";
  }
  return "unknown";
}

std::string_view name(SystemDns who) {
  switch (who) {
    case SystemDns::Auto:
      return "auto";
    case SystemDns::Resolved:
      return "resolved";
    case SystemDns::Resolvconf:
      return "resolvconf";
    case SystemDns::Off:
      return "off";
  }
  return "unknown";
}

std::string_view name(UsageBy what) {
  switch (what) {
    case UsageBy::Destination:
      return "destination";
    case UsageBy::Program:
      return "program";
    case UsageBy::Off:
      return "off";
  }
  return "unknown";
}

std::string text(const serial::ResetSettings& reset) {
  switch (reset.kind) {
    case serial::ResetSettings::Kind::None:
      return "none";
    case serial::ResetSettings::Kind::Dtr:
      return "dtr";
    case serial::ResetSettings::Kind::Rts:
      return "rts";
    case serial::ResetSettings::Kind::Gpio:
      return fmt::format("gpio:{}:{}", reset.chip, reset.line);
    case serial::ResetSettings::Kind::Command:
      return fmt::format("command:{}", fmt::join(reset.command, " "));
  }
  return "unknown";
}

std::string ConfigError::text() const {
  std::string out = file;
  if (line > 0) out += fmt::format(":{}", line);
  if (!key.empty()) out += ": " + key;
  return out + ": " + message;
}

std::optional<std::string> setConfigKey(Config& config, std::string_view key, std::string_view value) {
  const auto& keys = settingKeys();
  const auto found = std::ranges::find(keys, key, &ConfigKey<Config>::name);
  if (found == keys.end()) return "is no key of the configuration";
  TomlValue given;
  given.kind = TomlValue::Kind::String;
  given.text = value;
  return found->read(given, config);
}

std::string describe(const Config& config) {
  std::string out;
  std::string_view section;
  for (const auto& key : settingKeys()) {
    if (sectionOf(key.name) != section) {
      section = sectionOf(key.name);
      fmt::format_to(std::back_inserter(out), "{}[{}]\n", out.empty() ? "" : "\n", section);
    }
    printKey(out, key.name.substr(section.size() + 1), key.print(config), key.secret);
  }
  printList(out, "keepalive.probe", probeKeys(), config.keepalive.probes);
  printList(out, "listen", listenKeys(), config.listen);
  printList(out, "policy", policyKeys(), config.policy);
  return out;
}

std::vector<KeyDoc> configKeys() {
  std::vector<KeyDoc> docs;
  const Config defaults;
  for (const auto& key : settingKeys()) {
    docs.push_back(
        {std::string(key.name), std::string(key.type), key.print(defaults), std::string(key.help)});
  }
  documentList(docs, "keepalive.probe", probeKeys());
  documentList(docs, "listen", listenKeys());
  documentList(docs, "policy", policyKeys());
  return docs;
}

}  // namespace qimux::daemon
