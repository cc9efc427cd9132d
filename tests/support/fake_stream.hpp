// A program on the other side of an AppStream. The record outlives the stream, so that its end can be looked
// at.
#pragma once

#include "qimux/bridge/app_stream.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

namespace qimux::test {

class FakeStream;

struct Program {
  std::string written;                                         // by the program, not yet read by the bridge
  std::string read;                                            // what the program was given
  std::size_t room = std::numeric_limits<std::size_t>::max();  // for more of it
  bool drained = true;
  bridge::AppStream::Input input = bridge::AppStream::Input::Open;
  bool saw_end = false;    // end of file
  bool was_reset = false;  // ECONNRESET
  FakeStream* stream = nullptr;

  // As the kernel would report them.
  inline void write(std::string_view text);
  inline void shutDown();  // no more will be written
  inline void abort();
  inline void makeRoom(std::size_t size);
  inline void drain();
  bool streamGone() const { return stream == nullptr; }
};

class FakeStream final : public bridge::AppStream {
 public:
  explicit FakeStream(std::shared_ptr<Program> program) : program_(std::move(program)) {
    program_->stream = this;
  }
  ~FakeStream() override { program_->stream = nullptr; }
  FakeStream(const FakeStream&) = delete;
  FakeStream& operator=(const FakeStream&) = delete;

  std::size_t readable() override { return program_->written.size(); }
  std::size_t read(ByteSpan out) override {
    const std::size_t count = std::min(out.size(), program_->written.size());
    std::copy_n(program_->written.begin(), count, out.begin());
    program_->written.erase(0, count);
    return count;
  }
  Input input() override { return program_->input; }
  std::size_t write(ByteView bytes) override {
    const std::size_t count = std::min(bytes.size(), program_->room);
    program_->read += textOf(bytes.first(count));
    if (program_->room != std::numeric_limits<std::size_t>::max()) program_->room -= count;
    writable_ = count == bytes.size();
    return count;
  }
  bool writable() override { return writable_; }
  bool drained() override { return program_->drained; }
  void endOutput() override { program_->saw_end = true; }
  void reset() override { program_->was_reset = true; }

  void report(bool has_room) {
    writable_ = writable_ || has_room;
    changed();
  }

 private:
  std::shared_ptr<Program> program_;
  bool writable_ = true;
};

void Program::write(std::string_view text) {
  written += text;
  if (stream != nullptr) stream->report(false);
}
void Program::shutDown() {
  input = bridge::AppStream::Input::Ended;
  if (stream != nullptr) stream->report(false);
}
void Program::abort() {
  input = bridge::AppStream::Input::Reset;
  written.clear();
  if (stream != nullptr) stream->report(false);
}
void Program::makeRoom(std::size_t size) {
  room = size;
  if (stream != nullptr) stream->report(true);
}
void Program::drain() {
  drained = true;
  if (stream != nullptr) stream->report(false);
}

}  // namespace qimux::test
