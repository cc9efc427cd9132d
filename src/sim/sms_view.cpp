#include "qimux/sim/sms_view.hpp"

#include "qimux/sim/sms_alphabet.hpp"

#include <fmt/format.h>

namespace qimux::sim {
namespace {

// Quectel's modules write the name from the phone book as "", where there is none.
constexpr std::string_view kNoName = "\"\"";

bool delivered(const StoredSms& sms) {
  return sms.message.kind() == SmsKind::Deliver;
}

std::string stamp(const StoredSms& sms) {
  return fmt::format("\"{}\"", shownTime(sms.message.time));
}

// <tooa>,<fo>,<pid>,<dcs>,<sca>,<tosca>,<length>; <vp> behind <dcs> of a message to send.
std::string more(const SmsSettings& settings, const StoredSms& sms) {
  const SmsMessage& message = sms.message;
  std::string validity;
  if (message.validity.size() == 1) validity = fmt::format(",{}", message.validity.front());
  if (message.validity.size() == 7) validity = fmt::format(",\"{}\"", hexOf(message.validity));
  if (!delivered(sms) && message.validity.empty()) validity = ",";
  return fmt::format(",{},{},{},{}{},{},{},{}", message.peer.type, message.first_octet, message.pid,
                     message.dcs, validity, quoted(settings, sms.centre), sms.centre.type, message.length);
}

std::string pduLine(const StoredSms& sms) {
  return fmt::format("{},{}", kNoName, encodeTpdu(sms.message).size());
}

}  // namespace

std::string quoted(const SmsSettings& settings, const SmsAddress& address) {
  return fmt::format("\"{}\"", shownAs(settings.charset, bytesOf(address.shown())));
}

std::string readLine(const SmsSettings& settings, const StoredSms& sms) {
  if (!settings.text_mode) return fmt::format("{},{}", static_cast<int>(sms.state), pduLine(sms));
  std::string line =
      fmt::format("\"{}\",{},{}", name(sms.state), quoted(settings, sms.message.peer), kNoName);
  if (delivered(sms)) line += "," + stamp(sms);
  if (settings.show_more) line += more(settings, sms);
  return line;
}

std::string listLine(const SmsSettings& settings, const StoredSms& sms, int place) {
  if (!settings.text_mode) {
    return fmt::format("{},{},{}", place, static_cast<int>(sms.state), pduLine(sms));
  }
  std::string line =
      fmt::format("{},\"{}\",{},{},{}", place, name(sms.state), quoted(settings, sms.message.peer), kNoName,
                  delivered(sms) ? stamp(sms) : "");
  if (settings.show_more) line += fmt::format(",{},{}", sms.message.peer.type, sms.message.length);
  return line;
}

std::string directLine(const SmsSettings& settings, const StoredSms& sms) {
  if (!settings.text_mode) return pduLine(sms);
  std::string line = fmt::format("{},{},{}", quoted(settings, sms.message.peer), kNoName, stamp(sms));
  if (settings.show_more) line += more(settings, sms);
  return line;
}

std::string bodyLine(const SmsSettings& settings, const StoredSms& sms) {
  if (!settings.text_mode) return hexOf(encodeServiceCentre(sms.centre)) + hexOf(encodeTpdu(sms.message));
  const bool plain = alphabetOf(sms.message.dcs) == SmsAlphabet::Default && !sms.message.hasHeader();
  return plain ? shownAs(settings.charset, sms.message.septets()) : hexOf(sms.message.data);
}

}  // namespace qimux::sim
