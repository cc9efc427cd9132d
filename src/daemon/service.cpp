#include "qimux/daemon/service.hpp"

#include "qimux/base/log.hpp"

#include <fmt/format.h>
#include <time.h>

#include <cstdint>
#include <utility>

#ifdef QIMUX_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

namespace qimux::daemon {
namespace {

// The manager compares it with its own clock: that of the kernel, not that of the loop.
std::uint64_t kernelMicroseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

}  // namespace

Service::Manager Service::manager() {
  Manager manager;
#ifdef QIMUX_SYSTEMD
  std::uint64_t watchdog = 0;
  if (sd_watchdog_enabled(1, &watchdog) > 0) manager.watchdog = async::Duration(watchdog);
  manager.tell = [](const std::string& what) { sd_notify(0, what.c_str()); };
#endif
  return manager;
}

Service::Service(async::Loop& loop, Manager manager, std::function<Engine()> engine,
                 std::function<std::string()> status)
    : loop_(loop),
      manager_(std::move(manager)),
      engine_(std::move(engine)),
      status_(std::move(status)),
      timer_(loop) {}

void Service::tell(const std::string& what) {
  if (manager_.tell) manager_.tell(what);
}

void Service::ready() {
  if (std::exchange(ready_, true)) return;
  said_ = status_();
  tell("READY=1\nSTATUS=" + said_);
  if (manager_.watchdog > async::Duration{}) beat();
}

void Service::refresh() {
  std::string status = status_();
  if (status == said_) return;
  said_ = std::move(status);
  tell("STATUS=" + said_);
}

void Service::reloading() {
  tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", kernelMicroseconds()));
}

void Service::reloaded() {
  tell("READY=1");
}

void Service::stopping(async::Duration patience) {
  tell(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}", patience.count()));
}

// Twice in the time that it has.
void Service::beat() {
  refresh();
  const bool stuck = !pulse_.beats(loop_.now(), engine_());
  if (!stuck) tell("WATCHDOG=1");
  if (stuck && !stuck_)
    log::error("service: no command to the module makes progress: the watchdog will restart this");
  stuck_ = stuck;
  timer_.start(manager_.watchdog / 2, [this] { beat(); });
}

}  // namespace qimux::daemon
