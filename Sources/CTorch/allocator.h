// How libtorch's memory is managed.
#pragma once

namespace ctorch {

/// Tensors' memory is kept and given out again from now on.
void reuse_memory();

/// Gives back what is kept.
void forget_memory();

}  // namespace ctorch
