// How what the tap sees is shown in the capture: as it is, or with stand-ins (stand_ins.hpp).
//
// The stand-ins must replay: cores that are given the shown inputs have to put out the shown outputs, byte
// for byte. So each thing is changed in the same way wherever it passes, by what it is and never by what it
// says or where it comes in a chunk; and nothing changes its length.
//
// For the AT dialogue that needs to know what a byte is. The mask reads it on its own (AtMask), by the same
// rules as at::Lexer and at::Channel, and not by hooks in these: so they stay free of it, what they make of
// the bytes cannot hide anything from the capture, and an error of theirs is not an error of the capture's.
// Where the two readings differ nothing personal is shown, since the mask shows only what it knows: any other
// line is filler.
#pragma once

#include "qimux/capture/at_mask.hpp"
#include "qimux/capture/record.hpp"
#include "qimux/capture/stand_ins.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::capture {

class Mask {
 public:
  // Shows everything.
  static Mask none(Surroundings surroundings);
  static Mask withStandIns(Surroundings surroundings);

  // A write to the port; `delivering`: from inside the delivery of what the port gave.
  Bytes toModule(ByteView bytes, bool delivering);
  // What is shown of it now. Half a line is kept back until the rest has come: by itself it says nothing,
  // neither to the cores nor about what it is.
  Bytes fromModule(ByteView bytes);
  // A new port: nothing of the old one's dialogue goes on.
  void portOpened();

  Bytes packet(ByteView packet);
  // Of a program's stream; `names`: it speaks to the gateway's name server. A question that comes in several
  // reads is filler.
  Bytes stream(ByteView bytes, bool names);
  std::string command(std::string_view command);
  std::string name(std::string_view name);
  std::uint32_t address(std::uint32_t address);
  StandIns& standIns() { return *stand_ins_; }
  bool isNameServer(net::Endpoint endpoint) const;
  // Rules records to be written before the next one.
  std::vector<Record> takeRules();

 private:
  Mask(Surroundings surroundings, bool everything);
  void maskIcmp(ByteView original, ByteSpan message);
  Bytes payload(std::uint8_t protocol, const net::FlowKey& flow, ByteView payload);

  bool everything_;
  std::unique_ptr<StandIns> stand_ins_;
  std::unique_ptr<AtMask> at_;
};

}  // namespace qimux::capture
