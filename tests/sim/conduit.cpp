#include "sim/conduit.hpp"

#include <algorithm>
#include <cassert>

namespace qimux::simtest {

class Conduit::Stream final : public bridge::AppStream {
 public:
  explicit Stream(Conduit& owner) : owner_(owner) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() override {
    owner_.stream_ = nullptr;
    owner_.left_ = true;
    // As close() does: unread input makes it a reset.
    if (!owner_.up_.empty()) loseRest();
    owner_.ended_ = true;
    owner_.tellProgram();
  }

  std::size_t readable() override { return owner_.program_reset_ ? 0 : owner_.up_.size(); }
  std::size_t read(ByteSpan out) override {
    const std::size_t size = std::min(readable(), out.size());
    std::copy_n(owner_.up_.view().begin(), size, out.begin());
    owner_.up_.drop(size);
    if (size > 0) owner_.tellProgram();
    return size;
  }
  Input input() override {
    if (owner_.program_reset_) return Input::Reset;
    return owner_.program_ended_ ? Input::Ended : Input::Open;
  }
  std::size_t write(ByteView bytes) override {
    assert(!owner_.ended_ && !owner_.reset_);
    // Nobody is there: the answer is a reset.
    if (owner_.gone_) owner_.program_reset_ = true;
    if (owner_.program_reset_) return bytes.size();
    const std::size_t size = std::min(bytes.size(), room());
    owner_.down_.append(bytes.first(size));
    full_ = size < bytes.size();
    if (size > 0) owner_.tellProgram();
    return size;
  }
  bool writable() override {
    if (full_ && room() > 0) full_ = false;
    return owner_.program_reset_ || !full_;
  }
  bool drained() override { return owner_.program_reset_ || owner_.down_.size() <= owner_.bounds_.program; }
  void endOutput() override {
    owner_.ended_ = true;
    owner_.tellProgram();
  }
  void reset() override {
    loseRest();
    owner_.tellProgram();
  }
  void tell() { changed(); }

 private:
  std::size_t room() const {
    const std::size_t most = owner_.bounds_.program + owner_.bounds_.bridge;
    return most - std::min(most, owner_.down_.size());
  }
  void loseRest() {
    owner_.reset_ = true;
    owner_.up_.clear();
    const std::size_t kept = std::min(owner_.down_.size(), owner_.bounds_.program);
    const Bytes rest(owner_.down_.view().begin(),
                     owner_.down_.view().begin() + static_cast<std::ptrdiff_t>(kept));
    owner_.down_.clear();
    owner_.down_.append(rest);
  }

  Conduit& owner_;
  bool full_ = false;
};

std::unique_ptr<bridge::AppStream> Conduit::open() {
  assert(stream_ == nullptr && !left_);
  auto stream = std::make_unique<Stream>(*this);
  stream_ = stream.get();
  return stream;
}

void Conduit::tellBridge() {
  if (stream_ != nullptr) stream_->tell();
}

std::size_t Conduit::room() const {
  return bounds_.up - std::min(bounds_.up, up_.size());
}

std::size_t Conduit::put(ByteView bytes) {
  if (left_) {
    // To a closed socket: a reset comes back.
    reset_ = true;
    tellProgram();
    return 0;
  }
  const std::size_t size = std::min(bytes.size(), room());
  up_.append(bytes.first(size));
  tellBridge();
  return size;
}

std::size_t Conduit::get(ByteSpan into) {
  const std::size_t size = std::min(into.size(), down_.size());
  std::copy_n(down_.view().begin(), size, into.begin());
  down_.drop(size);
  if (size > 0) tellBridge();
  return size;
}

void Conduit::shutdown() {
  program_ended_ = true;
  tellBridge();
}

void Conduit::close() {
  gone_ = true;
  program_ended_ = true;
  if (!down_.empty()) program_reset_ = true;
  tellBridge();
}

void Conduit::abort() {
  gone_ = true;
  program_reset_ = true;
  tellBridge();
}

}  // namespace qimux::simtest
