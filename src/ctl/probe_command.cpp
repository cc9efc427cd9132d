// probe: the port is opened, asked, and given back as it was.
#include "qimux/async/uv_loop.hpp"
#include "qimux/base/bytes.hpp"
#include "qimux/ctl/command.hpp"
#include "qimux/ctl/probe.hpp"
#include "qimux/ctl/value.hpp"
#include "qimux/serial/tty_port.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <filesystem>

namespace qimux::ctl {
namespace {

Json report(const Found& found, const Command& command, const Tty& tty) {
  const auto text = [](const std::string& value) { return value.empty() ? Json() : Json(value); };
  Json json;
  json["device"] = command.argument;
  json["baud"] = found.baud;
  json["identity"] = text(found.identity);
  json["model"] = text(found.model);
  json["revision"] = text(found.revision);
  json["imei"] = text(found.imei);
  json["sim"] = text(found.sim);
  json["stack"] = found.stack;
  json["packet_sizes"] = found.packet_sizes ? Json(*found.packet_sizes) : Json();
  const auto rule = udevRule(tty, command.instance);
  json["udev_rule"] = rule ? Json(*rule) : Json();
  return json;
}

async::Task<void> search(async::UvLoop& loop, serial::Port& port, std::span<const int> rates, bool ask_imei,
                         std::optional<Found>& found) {
  found = co_await findModule(loop, port, rates, ask_imei);
  loop.stop();
}

}  // namespace

ExitCode probe(const Command& command, Console& console) {
  std::error_code error;
  if (!std::filesystem::exists(command.argument, error))
    return complain(command, console, kNo, command.argument + ": there is no such device");
  if (!isTty(command.argument)) return complain(command, console, kNo, command.argument + ": is no tty");
  // Root may open what another process has to itself, so it is not left to the kernel to say no.
  const std::string held = text(holders(command.argument));
  if (!held.empty()) return complain(command, console, kNo, command.argument + ": in use by " + held);
  async::UvLoop loop;
  auto port = serial::TtyPort::open(loop, serial::TtySettings{.device = command.argument});
  if (!port) return complain(command, console, kNo, port.error().what + ": " + port.error().reply);
  (*port)->onLost([&loop](const Error&) { loop.stop(); });
  const std::array chosen{command.baud.value_or(0)};
  const std::span<const int> rates = command.baud ? std::span<const int>(chosen) : kProbeRates;
  std::optional<Found> found;
  async::Scope scope(loop);
  scope.spawn(search(loop, **port, rates, command.imei, found));
  loop.run();
  scope.cancel();
  if (!found)
    return complain(command, console, kNo,
                    command.argument + ": nothing answers AT at any rate that was tried");
  const Tty tty = describeTty(command.argument);
  console.out(command.json ? report(*found, command, tty).dump(-1, ' ', true) + "\n"
                           : renderFound(*found, command.argument, tty, command.instance));
  return kOk;
}

}  // namespace qimux::ctl
