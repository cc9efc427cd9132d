// Bytes in at the end, out at the front, contiguous for whoever looks at them.
#pragma once

#include "qimux/base/bytes.hpp"

#include <algorithm>
#include <cstddef>

namespace qimux::sim {

class ByteQueue {
 public:
  std::size_t size() const { return bytes_.size() - head_; }
  bool empty() const { return size() == 0; }
  // Valid until the next call that is not const.
  ByteView view() const { return ByteView(bytes_).subspan(head_); }

  void append(ByteView more) { bytes_.insert(bytes_.end(), more.begin(), more.end()); }
  // At most size().
  void drop(std::size_t count) {
    head_ += std::min(count, size());
    if (head_ == bytes_.size()) {
      clear();
    } else if (head_ > kSlack && head_ * 2 > bytes_.size()) {
      // Moving at most what was dropped since the last move: constant cost a byte.
      bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
  }
  void clear() {
    bytes_.clear();
    head_ = 0;
  }

 private:
  static constexpr std::size_t kSlack = 4096;
  Bytes bytes_;
  std::size_t head_ = 0;
};

}  // namespace qimux::sim
