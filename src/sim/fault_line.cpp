#include "fault_line.hpp"

#include "qimux/sim/module.hpp"

namespace qimux::sim {

Result<void> noise(Module& module, const Words& words) {
  module.wire().setNoise(*words.real(0, 1));
  return {};
}

Result<void> loseBytes(Module& module, const Words& words) {
  module.wire().setOverrun(*words.real(0, 1));
  return {};
}

Result<void> steal(Module& module, const Words& words) {
  module.wire().steal(static_cast<std::size_t>(*words.whole(0, 1'000'000)));
  return {};
}

Result<void> foreign(Module& module, const Words& words) {
  const ByteView text = bytesOf(words.rest);
  Bytes line(text.begin(), text.end());
  line.push_back('\r');
  module.typeForeign(std::move(line));
  return {};
}

Result<void> foreignBytes(Module& module, const Words& words) {
  const auto size = static_cast<std::size_t>(*words.whole(0, 1'000'000));
  module.typeForeign(module.wire().random(size));
  module.wire().print(module.wire().random(size));
  return {};
}

Result<void> echo(Module& module, const Words& words) {
  module.settings().echo = module.terminal().settings().echo = words.rest == "on";
  return {};
}

Result<void> baud(Module& module, const Words& words) {
  const auto rate = static_cast<unsigned>(*words.whole(0, 1'000'000));
  module.stored().baud = rate;
  module.setBaud(rate);
  return {};
}

Result<void> dropByte(Module& module, const Words& words) {
  module.terminal().mishaps().lost_byte = static_cast<std::size_t>(*words.whole(0, 255));
  return {};
}

Result<void> flipByte(Module& module, const Words& words) {
  module.terminal().mishaps().changed_byte = static_cast<std::size_t>(*words.whole(0, 255));
  return {};
}

Result<void> garble(Module& module, const Words& words) {
  module.terminal().mishaps().garbled = *words.count(0);
  return {};
}

Result<void> cutRead(Module& module, const Words& words) {
  module.terminal().mishaps().cut_reads = *words.count(0);
  return {};
}

Result<void> overlong(Module& module, const Words& words) {
  module.terminal().mishaps().overlong_reads = *words.count(0);
  return {};
}

Result<void> noAnswer(Module& module, const Words& words) {
  module.terminal().mishaps().unanswered = *words.count(0);
  return {};
}

Result<void> loseUrc(Module& module, const Words& words) {
  module.terminal().loseUrcs(*words.count(0));
  return {};
}

Result<void> losePrompt(Module& module, const Words& words) {
  module.sendPhase().losePrompts(*words.count(0));
  return {};
}

Result<void> loseSendOk(Module& module, const Words& words) {
  module.terminal().loseSendResults(*words.count(0));
  return {};
}

Result<void> heal(Module& module, const Words&) {
  module.wire().setNoise(0);
  module.wire().setOverrun(0);
  module.wire().steal(0);
  module.terminal().forgetFaults();
  module.sendPhase().losePrompts(0);
  module.stack().connects() = {};
  module.stack().air().setLoss(module.options().loss);
  return {};
}

Result<void> deactHang(Module& module, const Words& words) {
  module.terminal().mishaps().unanswered_deactivations = *words.count(0);
  return {};
}

}  // namespace qimux::sim
