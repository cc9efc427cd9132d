#include "qimux/sim/cell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace qimux::sim {
namespace {

// Shares of the time from power to SMS Ready, from the log of a real module.
constexpr double kRdy = 0.05;
constexpr double kFunction = 0.09;
constexpr double kSim = 0.14;
constexpr double kCallReady = 0.91;
constexpr double kSmsReady = 1.0;
constexpr double kGsm = 2.2;
constexpr double kGprs = 3.0;

constexpr std::string_view kUsualPin = "1234";
constexpr std::string_view kPuk = "12345678";

constexpr int kSimNotInserted = 10;
constexpr int kPinRequired = 11;
constexpr int kPukRequired = 12;
constexpr int kSimFailure = 13;
constexpr int kSimBusy = 14;
constexpr int kWrongPassword = 16;
constexpr int kNotAllowed = 3;

bool fitsPin(std::string_view text) {
  return text.size() >= 4 && text.size() <= 8 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Cell::Cell(async::Loop& loop, const Options& options, Events events)
    : options_(options),
      events_(std::move(events)),
      boot_(loop),
      network_(loop),
      pin_(options.pin.empty() ? kUsualPin : options.pin),
      pin_asked_(!options.pin.empty()),
      card_(!options.no_sim) {}

async::Duration Cell::after(double share) const {
  return async::Duration(
      static_cast<async::Duration::rep>(static_cast<double>(options_.boot_time.count()) * share));
}

async::Duration Cell::timeToReady() const {
  return after(kRdy);
}

void Cell::startBooted() {
  powerOff();
  if (!card_) return;
  sim_ = locked();
  if (sim_ != SimState::Ready) return;
  init_state_ = 3;
  gsm_ = gprs_ = coverage_ ? Registration::Home : Registration::Searching;
  attached_ = true;
}

void Cell::powerOff() {
  boot_.clear();
  network_.clear();
  sim_ = SimState::Absent;
  function_ = Function::Full;
  attached_ = false;
  init_state_ = 0;
  gsm_ = gprs_ = Registration::Idle;
  gsm_reports = gprs_reports = 0;
}

void Cell::boot() {
  powerOff();
  sim_ = !card_ ? SimState::Absent : SimState::Starting;
  boot_.in(after(kRdy), [this] { events_.urc("RDY"); });
  boot_.in(after(kFunction), [this] { events_.urc("+CFUN: 1"); });
  boot_.in(after(kSim), [this] { simStarts(); });
}

void Cell::simStarts() {
  if (!card_) {
    events_.urc("+CPIN: NOT INSERTED");
    return;
  }
  sim_ = locked();
  if (sim_ != SimState::Ready) {
    events_.urc(fmt::format("+CPIN: {}", simText()));
    return;
  }
  simReady();
}

void Cell::simReady() {
  sim_ = SimState::Ready;
  init_state_ = 1;
  events_.urc("+CPIN: READY");
  boot_.in(after(kCallReady - kSim), [this] {
    init_state_ = 2;
    if (call_ready_shown) events_.urc("Call Ready");
  });
  boot_.in(after(kSmsReady - kSim), [this] {
    init_state_ = 3;
    events_.urc("SMS Ready");
  });
  if (function_ == Function::Full) registerSoon(after(kGsm - kSim), after(kGprs - kSim));
}

void Cell::registerSoon(async::Duration gsm, async::Duration gprs) {
  network_.clear();
  setGsm(Registration::Searching);
  setGprs(Registration::Searching);
  attached_ = true;
  if (!coverage_) return;
  const Registration outcome = denied_ ? Registration::Denied : Registration::Home;
  network_.in(gsm, [this, outcome] { setGsm(outcome); });
  network_.in(gprs, [this, outcome] { setGprs(outcome); });
}

void Cell::setGsm(Registration state) {
  if (std::exchange(gsm_, state) == state || gsm_reports == 0) return;
  events_.urc("+CREG: " + describe(state, gsm_reports));
}

void Cell::setGprs(Registration state) {
  if (std::exchange(gprs_, state) == state || gprs_reports == 0) return;
  events_.urc("+CGREG: " + describe(state, gprs_reports));
}

std::string Cell::describe(Registration state, int reports) const {
  const bool in_cell = state == Registration::Home || state == Registration::Roaming;
  if (reports == 2 && in_cell) return fmt::format("{},\"1806\",\"2031\"", static_cast<int>(state));
  return fmt::format("{}", static_cast<int>(state));
}

std::string_view Cell::simText() const {
  switch (sim_) {
    case SimState::Absent:
      return "NOT INSERTED";
    case SimState::Starting:
      return "";
    case SimState::PinNeeded:
      return "SIM PIN";
    case SimState::PukNeeded:
      return "SIM PUK";
    case SimState::Ready:
      return "READY";
    case SimState::Blocked:
      return "SIM failure";
  }
  return "";
}

int Cell::simProblem() const {
  switch (sim_) {
    case SimState::Absent:
      return kSimNotInserted;
    case SimState::Starting:
      return kSimBusy;
    case SimState::PinNeeded:
      return kPinRequired;
    case SimState::PukNeeded:
      return kPukRequired;
    case SimState::Ready:
      // Seen for seconds after the start.
      return init_state_ < 2 ? kSimBusy : 0;
    case SimState::Blocked:
      return kSimFailure;
  }
  return kSimBusy;
}

// How a SIM is after the power has come.
SimState Cell::locked() const {
  if (puk_tries_ == 0) return SimState::Blocked;
  if (tries_ == 0) return SimState::PukNeeded;
  return pin_asked_ ? SimState::PinNeeded : SimState::Ready;
}

// What has not the form of a PIN does not go to the SIM at all, and costs no try.
int Cell::checkPin(std::string_view pin) {
  if (!fitsPin(pin)) return kWrongPassword;
  if (pin == pin_) {
    tries_ = kPinTries;
    return 0;
  }
  if (--tries_ == 0) sim_ = SimState::PukNeeded;
  return kWrongPassword;
}

int Cell::enterPin(std::string_view pin) {
  if (sim_ == SimState::Ready) return kNotAllowed;
  if (sim_ != SimState::PinNeeded) return simProblem();
  if (const int problem = checkPin(pin)) return problem;
  simReady();
  return 0;
}

int Cell::enterPuk(std::string_view puk, std::string_view new_pin) {
  if (sim_ == SimState::Blocked) return kSimFailure;
  if (sim_ != SimState::PukNeeded) return kNotAllowed;
  if (puk.size() != kPuk.size() || !fitsPin(puk)) return kWrongPassword;
  if (puk != kPuk) {
    if (--puk_tries_ == 0) sim_ = SimState::Blocked;
    return kWrongPassword;
  }
  if (!fitsPin(new_pin)) return kWrongPassword;
  pin_ = new_pin;
  tries_ = kPinTries;
  puk_tries_ = kPukTries;
  // It stays ready where it was: three wrong PINs can be given to AT+CLCK, too.
  if (init_state_ == 0) {
    simReady();
  } else {
    sim_ = SimState::Ready;
  }
  return 0;
}

int Cell::askPin(bool asked, std::string_view pin) {
  if (const int problem = simProblem()) return problem;
  if (const int problem = checkPin(pin)) return problem;
  pin_asked_ = asked;
  return 0;
}

int Cell::changePin(std::string_view pin, std::string_view new_pin) {
  if (const int problem = simProblem()) return problem;
  if (!pin_asked_ || !fitsPin(new_pin)) return kNotAllowed;
  if (const int problem = checkPin(pin)) return problem;
  pin_ = new_pin;
  return 0;
}

void Cell::setFunction(Function function) {
  if (std::exchange(function_, function) == function) return;
  if (function == Function::Full) {
    if (sim_ == SimState::Ready) registerSoon(after(kGsm - kSmsReady), after(kGprs - kSmsReady));
    return;
  }
  network_.clear();
  attached_ = false;
  setGsm(Registration::Idle);
  setGprs(Registration::Idle);
  events_.detached();
}

void Cell::attach(bool attached) {
  if (std::exchange(attached_, attached) == attached) return;
  if (attached) {
    if (coverage_ && !denied_ && function_ == Function::Full) setGprs(Registration::Home);
  } else {
    setGprs(Registration::Idle);
    events_.detached();
  }
}

void Cell::loseCoverage() {
  coverage_ = false;
  network_.clear();
  if (function_ != Function::Full || sim_ != SimState::Ready) return;
  setGsm(Registration::Searching);
  setGprs(Registration::Searching);
}

void Cell::denyRegistration() {
  denied_ = true;
  network_.clear();
  if (function_ != Function::Full || sim_ != SimState::Ready) return;
  setGsm(Registration::Denied);
  setGprs(Registration::Denied);
  events_.detached();
}

void Cell::removeCard() {
  card_ = false;
  if (sim_ == SimState::Absent) return;
  boot_.clear();
  network_.clear();
  sim_ = SimState::Absent;
  init_state_ = 0;
  events_.urc("+CPIN: NOT INSERTED");
  setGsm(Registration::Idle);
  setGprs(Registration::Idle);
  events_.detached();
}

void Cell::regainCoverage() {
  coverage_ = true;
  denied_ = false;
  if (function_ != Function::Full || sim_ != SimState::Ready) return;
  setGsm(Registration::Home);
  if (attached_) setGprs(Registration::Home);
}

}  // namespace qimux::sim
