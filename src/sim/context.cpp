#include "qimux/sim/context.hpp"

namespace qimux::sim {

std::string_view name(StackState state) {
  switch (state) {
    case StackState::Initial:
      return "IP INITIAL";
    case StackState::Start:
      return "IP START";
    case StackState::Config:
      return "IP CONFIG";
    case StackState::Ind:
      return "IP IND";
    case StackState::GprsAct:
      return "IP GPRSACT";
    case StackState::Status:
      return "IP STATUS";
    case StackState::TcpConnecting:
      return "TCP CONNECTING";
    case StackState::UdpConnecting:
      return "UDP CONNECTING";
    case StackState::ConnectOk:
      return "CONNECT OK";
    case StackState::Close:
      return "IP CLOSE";
    case StackState::Processing:
      return "IP PROCESSING";
    case StackState::PdpDeact:
      return "PDP DEACT";
  }
  return "IP INITIAL";
}

int digit(StackState state) {
  switch (state) {
    case StackState::Initial:
      return 0;
    case StackState::Start:
      return 1;
    case StackState::Config:
      return 2;
    case StackState::Ind:
      return 3;
    case StackState::GprsAct:
      return 4;
    case StackState::Status:
      return 5;
    case StackState::TcpConnecting:
    case StackState::UdpConnecting:
    case StackState::Processing:
      return 6;
    case StackState::Close:
      return 7;
    case StackState::ConnectOk:
      return 8;
    case StackState::PdpDeact:
      return 9;
  }
  return 0;
}

bool isActive(StackState state) {
  switch (state) {
    case StackState::Initial:
    case StackState::Start:
    case StackState::Config:
    case StackState::Ind:
    case StackState::PdpDeact:
      return false;
    default:
      return true;
  }
}

bool mayOpen(StackState state, bool mux) {
  switch (state) {
    case StackState::Initial:
    case StackState::Status:
    case StackState::Close:
    case StackState::Processing:
      return true;
    // The activation that an earlier AT+QIOPEN has begun.
    case StackState::Config:
    case StackState::Ind:
      return mux;
    default:
      return false;
  }
}

}  // namespace qimux::sim
