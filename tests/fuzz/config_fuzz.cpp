// Any bytes as a configuration file: an error in words, or a configuration that keeps its promises and prints
// itself as a file that means the same.
#include "qimux/daemon/config.hpp"

#include <algorithm>
#include <cstdlib>

using namespace qimux;
using namespace qimux::daemon;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool printableText(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void checkErrors(const ConfigErrors& errors) {
  require(!errors.empty());
  for (const ConfigError& error : errors) {
    require(!error.message.empty() && error.text().starts_with("fuzz"));
    require(printableText(error.text()));
  }
  require(std::ranges::is_sorted(errors, {}, &ConfigError::line));
}

void checkModule(const Config::Module& module) {
  for (const std::string* text : {&module.apn, &module.user, &module.password, &module.pin}) {
    require(text->size() <= 100 && printableText(*text) && text->find('"') == std::string::npos);
  }
  require(module.pin.find_first_not_of("0123456789") == std::string::npos);
  require(module.reset.kind != serial::ResetSettings::Kind::Command ||
          module.reset.command.at(0).starts_with('/'));
}

void checkRest(const Config& config) {
  require(config.tun.mtu >= 576 && config.tun.mtu <= 1488);
  require(!config.tun.name.empty() && config.tun.name.size() < 16);
  require(config.tun.address.contains(config.tun.gateway()));
  require(config.control.socket.starts_with('/'));
  require(config.sockets.per_destination >= 1 && config.sockets.per_destination <= 6);
  for (const Probe& probe : config.keepalive.probes) {
    require(probe.port != 0 && !probe.payload.empty() && probe.payload.size() <= 1460);
  }
  for (const Listen& listen : config.listen) require(listen.port != 0 && listen.to.port != 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto config = parseConfig(textOf({data, size}), "fuzz");
  if (!config) {
    checkErrors(config.error());
    return 0;
  }
  checkModule(config->module);
  checkRest(*config);
  config->module.password.clear();
  config->module.pin.clear();
  // Long lists may print themselves longer than a file may be.
  const std::string text = describe(*config);
  if (text.size() > kMaxConfigFile) return 0;
  const auto again = parseConfig(text, "fuzz");
  require(again && *again == *config);
  return 0;
}
