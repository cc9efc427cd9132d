#include "qimux/bridge/trouble.hpp"

#include "support/catch.hpp"

#include <set>
#include <string>

using namespace qimux;
using namespace qimux::bridge;

namespace {

module::Settings withApn(std::string apn, std::string pin = {}) {
  module::Settings settings;
  settings.apn = std::move(apn);
  settings.pin = std::move(pin);
  return settings;
}

Diagnosis of(Cause cause, Error error, const module::Settings& settings = withApn("internet"),
             int registration = 2) {
  module::Radio radio;
  radio.registration = registration;
  return diagnose(Loss{cause, std::move(error)}, settings, radio).value();
}

bool says(const Diagnosis& diagnosis, std::string_view text) {
  return diagnosis.message.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a device that is not there is named with its reason") {
  const auto found = of(Cause::Device, Error{ErrorKind::System, "/dev/gsm0", "No such file or directory"});
  CHECK(found.trouble == Trouble::DeviceMissing);
  CHECK(says(found, "/dev/gsm0"));
  CHECK(says(found, "No such file or directory"));
}

TEST_CASE("the SIM: missing, with a PIN that nobody knows, with a wrong one, locked") {
  CHECK(of(Cause::Sim, Error{ErrorKind::Timeout, "SIM", "is NOT INSERTED"}).trouble == Trouble::SimMissing);
  CHECK(says(of(Cause::Sim, Error{ErrorKind::Timeout, "SIM", "is NOT INSERTED"}), "is NOT INSERTED"));
  const Error pin{ErrorKind::Invalid, "module.pin", "the SIM refused this PIN"};
  CHECK(of(Cause::Person, pin).trouble == Trouble::SimPinNeeded);
  const auto wrong = of(Cause::Person, pin, withApn("internet", "1234"));
  CHECK(wrong.trouble == Trouble::SimPinWrong);
  CHECK_FALSE(says(wrong, "1234"));
  const auto locked =
      of(Cause::Person, Error{ErrorKind::Invalid, "SIM", "asks for its PUK"}, withApn("", "1234"));
  CHECK(locked.trouble == Trouble::SimPuk);
}

TEST_CASE("no network is not the same as a network that refuses the SIM") {
  const Error error{ErrorKind::Timeout, "registration", "no network was found"};
  CHECK(of(Cause::Registration, error, withApn("internet"), 2).trouble == Trouble::NotRegistered);
  CHECK(of(Cause::Registration, error, withApn("internet"), 3).trouble == Trouble::RegistrationDenied);
}

TEST_CASE("a refused activation shows the access point, and what the module said; never the password") {
  module::Settings settings = withApn("intrenet");
  settings.password = "secret";
  const auto found =
      of(Cause::Activation, Error{ErrorKind::Refused, "AT+QIACT", "+CME ERROR: 148"}, settings);
  CHECK(found.trouble == Trouble::ActivationRefused);
  CHECK(says(found, "intrenet"));
  CHECK(says(found, "+CME ERROR: 148"));
  CHECK(says(found, "credit"));
  CHECK_FALSE(says(found, "secret"));
  CHECK(
      says(of(Cause::Activation, Error{ErrorKind::Refused, "AT+QIACT", "ERROR"}, withApn("")), "is not set"));
}

TEST_CASE("what just happens, and is being mended, troubles nobody") {
  for (const auto cause : {Cause::Context, Cause::Started, Cause::Stack, Cause::PowerDown, Cause::Stop}) {
    CHECK_FALSE(diagnose(Loss{cause, Error{ErrorKind::Closed, "module", "x"}}, {}, {}));
  }
}

TEST_CASE("each trouble has its own name") {
  using enum Trouble;
  std::set<std::string_view> names;
  for (const auto trouble : {DeviceMissing, Silent, SimMissing, SimPinNeeded, SimPinWrong, SimPuk,
                             NotRegistered, RegistrationDenied, ActivationRefused, UnderVoltage, NamesDead})
    names.insert(name(trouble));
  CHECK(names.size() == 11);
}
