// The SIM, the cell and the start: from power to GPRS registration.
//
// The order of events at the start is that of a real module: RDY, +CFUN: 1, +CPIN: READY, Call Ready,
// SMS Ready, then registration. A SIM with a PIN stops after +CPIN: SIM PIN until it is given.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/sim/options.hpp"
#include "qimux/sim/timeline.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace qimux::sim {

// Blocked: ten wrong PUKs, for good.
enum class SimState { Absent, Starting, PinNeeded, PukNeeded, Ready, Blocked };

// The numbers of +CREG and +CGREG.
enum class Registration { Idle = 0, Home = 1, Searching = 2, Denied = 3, Unknown = 4, Roaming = 5 };

// +CFUN
enum class Function { Minimum = 0, Full = 1, Flight = 4 };

class Cell {
 public:
  static constexpr int kPinTries = 3;
  static constexpr int kPukTries = 10;

  struct Events {
    // A line that the module says by itself.
    std::move_only_function<void(std::string)> urc;
    // GPRS is gone: AT+CGATT=0, AT+CFUN=0 or 4. Not called when merely the registration is lost.
    std::move_only_function<void()> detached;
  };

  Cell(async::Loop& loop, const Options& options, Events events);

  // Long since up and registered; a PIN is still wanted where there is one.
  void startBooted();
  // Plays the start from RDY on.
  void boot();
  // From power to RDY.
  async::Duration timeToReady() const;
  void powerOff();

  SimState sim() const { return sim_; }
  // The answer to AT+CPIN?: "READY", "SIM PIN", ... Empty while the SIM is starting.
  std::string_view simText() const;
  // The code of +CME ERROR that stands in the way of a command that needs the SIM; 0 where nothing does.
  int simProblem() const;
  // The SIM takes it; 0, or the code of +CME ERROR. Three wrong ones ask for the PUK.
  int enterPin(std::string_view pin);
  // The PUK is 12345678. Ten wrong ones block the SIM.
  int enterPuk(std::string_view puk, std::string_view new_pin);
  // AT+CLCK="SC" and AT+CPWD="SC" ask for the PIN too, which is 1234 where options name none, and count the
  // tries. AT+CPWD works only while the PIN is asked for, as on any SIM (3GPP 51.011, 11.3.2).
  bool pinAsked() const { return pin_asked_; }
  int askPin(bool asked, std::string_view pin);
  int changePin(std::string_view pin, std::string_view new_pin);
  int pinTriesLeft() const { return tries_; }
  int pukTriesLeft() const { return puk_tries_; }

  Function function() const { return function_; }
  void setFunction(Function function);
  bool attached() const { return attached_; }
  void attach(bool attached);
  // 0 to 3 by AT+QINISTAT: nothing, commands, phone book, all.
  int initState() const { return init_state_; }
  // Between the power and SMS Ready; one that waits for a PIN is not.
  bool starting() const { return sim_ == SimState::Starting || (sim_ == SimState::Ready && init_state_ < 3); }

  Registration gsm() const { return gsm_; }
  Registration gprs() const { return gprs_; }
  bool registered() const { return gsm_ == Registration::Home || gsm_ == Registration::Roaming; }
  bool online() const { return attached_ && (gprs_ == Registration::Home || gprs_ == Registration::Roaming); }
  // AT+CREG=n, AT+CGREG=n: 0 mute, 1 state, 2 state and cell.
  int gsm_reports = 0;
  int gprs_reports = 0;
  // "2,1,"1806","2031"" for the query.
  std::string describe(Registration state, int reports) const;
  // AT+QIURC=0 mutes Call Ready.
  bool call_ready_shown = true;
  // By a fault: as if out of coverage, and back.
  void loseCoverage();
  void regainCoverage();
  // Until regainCoverage(); the context goes with it.
  void denyRegistration();
  // Out of its slot, and back: found at the next start.
  void removeCard();
  void insertCard() { card_ = true; }

  int signal() const { return gsm_ == Registration::Idle || gsm_ == Registration::Searching ? 99 : 22; }

 private:
  async::Duration after(double share) const;
  void simStarts();
  void simReady();
  SimState locked() const;
  int checkPin(std::string_view pin);
  void registerSoon(async::Duration gsm, async::Duration gprs);
  void setGsm(Registration state);
  void setGprs(Registration state);

  const Options& options_;
  Events events_;
  Timeline boot_;
  Timeline network_;
  SimState sim_ = SimState::Absent;
  std::string pin_;
  bool pin_asked_ = false;
  int tries_ = kPinTries;
  int puk_tries_ = kPukTries;
  Function function_ = Function::Full;
  bool attached_ = false;
  bool coverage_ = true;
  bool denied_ = false;
  bool card_ = true;
  int init_state_ = 0;
  Registration gsm_ = Registration::Idle;
  Registration gprs_ = Registration::Idle;
};

}  // namespace qimux::sim
