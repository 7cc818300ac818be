// How convolutions move.
#pragma once

#include <cstdint>

namespace ctorch {

/// How a convolution moves over its input.
struct Window {
  int64_t stride[2], padding[2], dilation[2];
};

inline Window window(const int64_t stride[2], const int64_t padding[2], const int64_t dilation[2]) {
  return {{stride[0], stride[1]}, {padding[0], padding[1]}, {dilation[0], dilation[1]}};
}

}  // namespace ctorch
