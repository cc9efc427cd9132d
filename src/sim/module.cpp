#include "qimux/sim/module.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace qimux::sim {
namespace {

Options withFirmware(Options options) {
  options.quirks.add(quirksOf(options.firmware));
  options.quirks.remove(options.without);
  return options;
}

// AT+QSCLK=2: asleep after so much silence. AT+QSCLK=1 with DTR off: at once when a command has ended; when
// the network has woken it, no manual says when, so as late as the other.
// How often the line is looked at, whether it has said all.
constexpr auto kLineBeat = std::chrono::milliseconds(1);
constexpr auto kFallsAsleep = std::chrono::seconds(5);
constexpr auto kSettles = std::chrono::milliseconds(100);
// From the first byte, or from DTR on (application note 9), until it hears.
constexpr auto kWakesUp = std::chrono::milliseconds(20);
// A supply that breaks down: from its warning to the end, from there to its return, and to the next time.
constexpr auto kSags = std::chrono::seconds(1);
constexpr auto kSupplyBack = std::chrono::seconds(2);
constexpr auto kSagsAgain = std::chrono::seconds(20);

// +CME ERROR
constexpr int kNotAllowed = 3;
constexpr int kNotSupported = 4;

}  // namespace

Module::Module(async::Loop& loop, Options options, Network& network, Host host, Transcript::Sink transcript)
    : loop_(loop),
      options_(withFirmware(std::move(options))),
      host_(std::move(host)),
      timing_(options_),
      transcript_(loop, std::move(transcript)),
      lines_(loop, transcript_, std::move(host_.lines)),
      wire_(loop, options_, transcript_,
            [this](ByteView bytes) {
              speaks();
              host_.write(bytes);
            }),
      terminal_(loop, options_, timing_, transcript_, wire_, *this, std::move(host_.hold)),
      cell_(loop, options_,
            Cell::Events{[this](std::string line) { terminal_.urc(std::move(line)); },
                         [this] {
                           for (int context = 0; context < kContexts; ++context) stack_.losePdp(context);
                         }}),
      stack_(loop, options_, timing_, network, transcript_, terminal_, cell_, settings_, data_mode_),
      send_phase_(*this),
      data_mode_(*this),
      clock_(loop),
      sms_(loop, options_, transcript_, terminal_, cell_, clock_),
      sms_phase_(*this),
      later_(loop),
      outside_(loop),
      last_input_(loop.now()) {
  stack_.backlog = std::move(host_.backlog);
  stack_.unsaid = [this] { return wire_.pending(); };
  terminal_.unheard = [this] { return wire_.pending() + (stack_.backlog ? stack_.backlog() : 0); };
  lines_.onDtr([this](bool on) { dtrChanged(on); });
  // Application note 4: what comes during a transparent session is told by RI, and said later.
  terminal_.onHeldOnline([this] { lines_.ring(); });
  stored_.baud = options_.autobaud ? 0 : options_.baud;
  settings_ = stored_;
  if (options_.power_on) {
    powerOn();
  } else {
    synced_ = !options_.autobaud;
    terminal_.mute(!synced_);
    cell_.startBooted();
  }
}

int Module::highestIndi() const {
  return options_.highest_indi.value_or(highestIndiOf(options_.firmware));
}

void Module::fromHost(ByteView bytes) {
  if (!powered_ || loop_.now() < deaf_until_ || misses(bytes.size())) return;
  bytes = wire_.heard(bytes);
  bytes = withoutXonXoff(bytes);
  if (!synchronized(bytes)) return;
  terminal_.input(bytes);
}

// AT+IFC=1: these two bytes are no data, in either mode of the line.
ByteView Module::withoutXonXoff(ByteView bytes) {
  constexpr Byte kXon = 0x11;
  constexpr Byte kXoff = 0x13;
  if (settings_.flow[0] != static_cast<int>(FlowControl::XonXoff)) return bytes;
  unstuffed_.clear();
  for (const Byte byte : bytes) {
    if (byte == kXon || byte == kXoff) {
      wire_.hold(Wire::Hold::Xoff, byte == kXoff);
    } else {
      unstuffed_.push_back(byte);
    }
  }
  return unstuffed_;
}

bool Module::asleep() const {
  // Not while a command runs or data is typed.
  if (settings_.sleep == 0 || terminal_.busy()) return false;
  const async::TimePoint now = loop_.now();
  return settings_.sleep == 1 ? !lines_.dtr() && now >= awake_until_ : now - last_input_ >= kFallsAsleep;
}

bool Module::misses(std::size_t bytes) {
  const async::TimePoint now = loop_.now();
  const bool sleeping = asleep();
  last_input_ = now;
  if (sleeping && settings_.sleep == 1) {
    transcript_.note(fmt::format("asleep, DTR is high: {} bytes lost", bytes));
    return true;
  }
  if (sleeping) waking_until_ = now + kWakesUp;
  if (now >= waking_until_) {
    awake_until_ = std::max(awake_until_, now + kSettles);
    return false;
  }
  transcript_.note(fmt::format("waking up: {} bytes lost", bytes));
  return true;
}

void Module::dtrChanged(bool on) {
  if (!powered_) return;
  if (!on) {
    data_mode_.dtrDropped();
  } else if (settings_.sleep == 1 && !terminal_.busy() && loop_.now() >= awake_until_) {
    // It was asleep.
    waking_until_ = loop_.now() + kWakesUp;
  }
}

// What is said out of sleep comes from the network, and the host may be asleep, too.
void Module::speaks() {
  if (!asleep()) return;
  transcript_.note("woken by the network");
  lines_.ring();
  last_input_ = loop_.now();
  awake_until_ = loop_.now() + kFallsAsleep;
}

// With AT+IPR=0 nothing counts before AT or at; `bytes` then begins with it.
bool Module::synchronized(ByteView& bytes) {
  if (synced_) return true;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char byte = static_cast<char>(bytes[i]);
    const char before = std::exchange(last_byte_, byte);
    if (!((before == 'A' && byte == 'T') || (before == 'a' && byte == 't'))) continue;
    synced_ = true;
    terminal_.mute(false);
    transcript_.note("rate of the line found");
    terminal_.input(bytesOf("AT"));
    bytes = bytes.subspan(i + 1);
    return true;
  }
  if (quirk(Quirk::GarbageBeforeSync)) {
    // An echo at the wrong rate.
    for (const Byte byte : bytes) {
      const auto garbled = static_cast<Byte>(byte * 37 | 0x80);
      wire_.print(ByteView(&garbled, 1));
    }
  }
  return false;
}

Reply Module::execute(std::string_view command) {
  const auto call = parseCall(command, name_store_);
  if (call) {
    if (call->form == Form::Test) {
      if (const auto answer = testAnswer(call->name)) {
        if (!answer->empty()) terminal_.info(fmt::format("{}: {}", call->name, *answer));
        return Reply::ok();
      }
    }
    if (const Handler handler = allCommands().find(call->name)) {
      const Reply reply = handler(*this, *call);
      const bool numbered = reply.kind == Reply::Kind::Error && call->name.starts_with("+QI");
      return numbered && quirk(Quirk::StackCme) ? Reply::cme(kNotAllowed) : reply;
    }
  }
  transcript_.note("unknown command");
  return quirk(Quirk::UnknownCme) ? Reply::cme(kNotSupported) : Reply::error();
}

void Module::idle() {
  last_input_ = loop_.now();
  awake_until_ = std::max(awake_until_, loop_.now() + kSettles);
  stack_.push();
}

void Module::forgetEverything() {
  settings_ = stored_;
  later_.clear();
  send_phase_.reset();
  sms_.reset();
  // Before the stack, whose sessions end: what is in the FIFO is not to be heard any more.
  terminal_.reset(Terminal::Settings{settings_.echo, settings_.verbose, settings_.cmee,
                                     static_cast<FlowControl>(settings_.flow[1]), settings_.modem.quiet});
  stack_.reset();
  stack_.air().keepalive.reset();
  lines_.reset();
  wire_.clear();
  cell_.call_ready_shown = settings_.call_ready;
  waking_until_ = awake_until_ = {};
  last_input_ = loop_.now();
  synced_ = settings_.baud != 0;
  last_byte_ = 0;
  terminal_.mute(!synced_);
  if (synced_) setBaud(settings_.baud);
}

void Module::powerOn() {
  powered_ = true;
  forgetEverything();
  transcript_.note("power on");
  lines_.setDcdAlways(settings_.modem.carrier == 0);
  // It does not even echo before RDY.
  deaf_until_ = loop_.now() + cell_.timeToReady();
  cell_.boot();
}

void Module::powerOff() {
  forgetEverything();
  cell_.powerOff();
  powered_ = false;
  transcript_.note("power off");
}

void Module::reboot() {
  powerOff();
  powerOn();
}

void Module::underVoltage(int times) {
  if (times == 0) return;
  terminal_.urc("UNDER_VOLTAGE WARNING ");
  outside_.in(kSags, [this] { terminal_.urc("UNDER_VOLTAGE POWER DOWN"); });
  outside_.in(kSags + kSettles, [this] { powerOff(); });
  outside_.in(kSags + kSupplyBack, [this] { powerOn(); });
  outside_.in(kSagsAgain, [this, times] { underVoltage(times - 1); });
}

void Module::typeForeign(Bytes bytes) {
  // Also a command that runs may be about to ask for data.
  if (terminal_.busy()) {
    outside_.in(kLineBeat, [this, kept = std::move(bytes)]() mutable { typeForeign(std::move(kept)); });
    return;
  }
  transcript_.note(fmt::format("another process types {} bytes", bytes.size()));
  fromHost(bytes);
}

void Module::setBaudSoon(unsigned baud) {
  later_.in(kLineBeat, [this, baud] {
    const bool speaking = terminal_.busy() || terminal_.unheard() > 0;
    speaking ? setBaudSoon(baud) : setBaud(baud);
  });
}

void Module::setBaud(unsigned baud) {
  settings_.baud = baud;
  if (host_.baud) host_.baud(baud);
}

}  // namespace qimux::sim
