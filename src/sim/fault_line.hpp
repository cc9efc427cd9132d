// The faults of the line between host and module: what becomes of commands and answers. They run with
// arguments that fit.
#pragma once

#include "fault_words.hpp"

namespace qimux::sim {

class Module;

Result<void> noise(Module& module, const Words& words);
Result<void> loseBytes(Module& module, const Words& words);
Result<void> steal(Module& module, const Words& words);
Result<void> foreign(Module& module, const Words& words);
Result<void> foreignBytes(Module& module, const Words& words);
Result<void> echo(Module& module, const Words& words);
Result<void> baud(Module& module, const Words& words);
Result<void> dropByte(Module& module, const Words& words);
Result<void> flipByte(Module& module, const Words& words);
Result<void> garble(Module& module, const Words& words);
Result<void> cutRead(Module& module, const Words& words);
Result<void> overlong(Module& module, const Words& words);
Result<void> noAnswer(Module& module, const Words& words);
Result<void> loseUrc(Module& module, const Words& words);
Result<void> losePrompt(Module& module, const Words& words);
Result<void> loseSendOk(Module& module, const Words& words);
Result<void> heal(Module& module, const Words& words);
Result<void> deactHang(Module& module, const Words& words);

}  // namespace qimux::sim
