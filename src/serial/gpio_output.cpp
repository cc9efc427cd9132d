// libgpiod changed its interface from 1.x to 2.0 altogether; both are here, and which one is used is decided
// by the header: only 2.x has line settings.
#include "qimux/base/error.hpp"
#include "qimux/serial/reset_line.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <utility>

#ifdef QIMUX_GPIOD
#include <gpiod.h>
#endif

namespace qimux::serial {
namespace {

#ifdef QIMUX_GPIOD
constexpr const char* kConsumer = "qimuxd";

std::string chipPath(const std::string& chip) {
  return chip.starts_with('/') ? chip : "/dev/" + chip;
}

template <typename Thing, void (*Free)(Thing*)>
struct Freed {
  void operator()(Thing* thing) const { Free(thing); }
};

Error gpioError(const std::string& chip, unsigned line) {
  return systemError(fmt::format("gpio:{}:{}", chip, line), errno);
}

// `consumer` is null where the kernel itself holds the line.
std::unexpected<Error> inUse(const std::string& chip, unsigned line, const char* consumer) {
  return std::unexpected(Error{ErrorKind::System, fmt::format("gpio:{}:{}", chip, line),
                               fmt::format("in use by {}", consumer == nullptr ? "the kernel" : consumer)});
}
#endif

#if defined(QIMUX_GPIOD) && QIMUX_GPIOD >= 2

using Chip = std::unique_ptr<gpiod_chip, Freed<gpiod_chip, gpiod_chip_close>>;
using Settings = std::unique_ptr<gpiod_line_settings, Freed<gpiod_line_settings, gpiod_line_settings_free>>;
using LineConfig = std::unique_ptr<gpiod_line_config, Freed<gpiod_line_config, gpiod_line_config_free>>;
using RequestConfig =
    std::unique_ptr<gpiod_request_config, Freed<gpiod_request_config, gpiod_request_config_free>>;
using Info = std::unique_ptr<gpiod_line_info, Freed<gpiod_line_info, gpiod_line_info_free>>;
using Request = std::unique_ptr<gpiod_line_request, Freed<gpiod_line_request, gpiod_line_request_release>>;

class Output final : public GpioOutput {
 public:
  Output(Request request, std::string chip, unsigned line)
      : request_(std::move(request)), chip_(std::move(chip)), line_(line) {}

  Result<void> set(bool high) override {
    const auto value = high ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE;
    if (gpiod_line_request_set_value(request_.get(), line_, value) == 0) return {};
    return std::unexpected(gpioError(chip_, line_));
  }

 private:
  Request request_;
  std::string chip_;
  unsigned line_;
};

Result<std::unique_ptr<GpioOutput>> openOutput(const std::string& chip, unsigned line) {
  const Chip opened(gpiod_chip_open(chipPath(chip).c_str()));
  if (opened == nullptr) return std::unexpected(gpioError(chip, line));
  const Settings settings(gpiod_line_settings_new());
  const LineConfig lines(gpiod_line_config_new());
  const RequestConfig who(gpiod_request_config_new());
  if (settings == nullptr || lines == nullptr || who == nullptr)
    return std::unexpected(gpioError(chip, line));
  gpiod_line_settings_set_direction(settings.get(), GPIOD_LINE_DIRECTION_OUTPUT);
  gpiod_line_settings_set_output_value(settings.get(), GPIOD_LINE_VALUE_INACTIVE);
  gpiod_request_config_set_consumer(who.get(), kConsumer);
  if (gpiod_line_config_add_line_settings(lines.get(), &line, 1, settings.get()) != 0)
    return std::unexpected(gpioError(chip, line));
  Request request(gpiod_chip_request_lines(opened.get(), who.get(), lines.get()));
  if (request == nullptr) return std::unexpected(gpioError(chip, line));
  return std::make_unique<Output>(std::move(request), chip, line);
}

Result<void> checkOutput(const std::string& chip, unsigned line) {
  const Chip opened(gpiod_chip_open(chipPath(chip).c_str()));
  if (opened == nullptr) return std::unexpected(gpioError(chip, line));
  const Info info(gpiod_chip_get_line_info(opened.get(), line));
  if (info == nullptr) return std::unexpected(gpioError(chip, line));
  if (gpiod_line_info_is_used(info.get())) return inUse(chip, line, gpiod_line_info_get_consumer(info.get()));
  return {};
}

#elif defined(QIMUX_GPIOD)

using Chip = std::unique_ptr<gpiod_chip, Freed<gpiod_chip, gpiod_chip_close>>;

class Output final : public GpioOutput {
 public:
  // The line is the chip's, and released with it.
  Output(Chip opened, gpiod_line* line, std::string chip, unsigned offset)
      : opened_(std::move(opened)), line_(line), chip_(std::move(chip)), offset_(offset) {}

  Result<void> set(bool high) override {
    if (gpiod_line_set_value(line_, high ? 1 : 0) == 0) return {};
    return std::unexpected(gpioError(chip_, offset_));
  }

 private:
  Chip opened_;
  gpiod_line* line_;
  std::string chip_;
  unsigned offset_;
};

Result<std::unique_ptr<GpioOutput>> openOutput(const std::string& chip, unsigned offset) {
  Chip opened(gpiod_chip_open(chipPath(chip).c_str()));
  if (opened == nullptr) return std::unexpected(gpioError(chip, offset));
  gpiod_line* line = gpiod_chip_get_line(opened.get(), offset);
  if (line == nullptr || gpiod_line_request_output(line, kConsumer, 0) != 0)
    return std::unexpected(gpioError(chip, offset));
  return std::make_unique<Output>(std::move(opened), line, chip, offset);
}

Result<void> checkOutput(const std::string& chip, unsigned offset) {
  const Chip opened(gpiod_chip_open(chipPath(chip).c_str()));
  if (opened == nullptr) return std::unexpected(gpioError(chip, offset));
  gpiod_line* line = gpiod_chip_get_line(opened.get(), offset);
  if (line == nullptr) return std::unexpected(gpioError(chip, offset));
  if (gpiod_line_is_used(line)) return inUse(chip, offset, gpiod_line_consumer(line));
  return {};
}

#else

Error noGpio(const std::string& chip, unsigned line) {
  return Error{ErrorKind::System, fmt::format("gpio:{}:{}", chip, line),
               "this qimuxd was built without libgpiod"};
}

Result<std::unique_ptr<GpioOutput>> openOutput(const std::string& chip, unsigned line) {
  return std::unexpected(noGpio(chip, line));
}

Result<void> checkOutput(const std::string& chip, unsigned line) {
  return std::unexpected(noGpio(chip, line));
}

#endif

}  // namespace

Result<std::unique_ptr<GpioOutput>> GpioOutput::open(const std::string& chip, unsigned line) {
  return openOutput(chip, line);
}

Result<void> GpioOutput::check(const std::string& chip, unsigned line) {
  return checkOutput(chip, line);
}

}  // namespace qimux::serial
