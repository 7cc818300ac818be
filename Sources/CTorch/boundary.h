// What every file behind the C boundary shares: borrowing handles, giving results, catching.
#pragma once

#include <ATen/Functions.h>
#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <atomic>
#include <initializer_list>
#include <string>
#include <vector>

#include "CTorch.h"

namespace ctorch {

extern std::atomic<int64_t> live_handles;

/// A tensor borrowed from its handle for one call: no reference count is touched.
class Ref {
 public:
  explicit Ref(CTTensor handle) {
    if (handle) {
      tensor_ = at::Tensor(c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>::reclaim(
          reinterpret_cast<c10::TensorImpl*>(handle)));
    }
  }
  ~Ref() {
    if (tensor_.defined()) tensor_.unsafeReleaseTensorImpl();
  }
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;

  operator const at::Tensor&() const { return tensor_; }
  const at::Tensor& operator*() const { return tensor_; }
  const at::Tensor* operator->() const { return &tensor_; }

 private:
  at::Tensor tensor_;
};

/// An owning copy, or nothing for a NULL handle.
inline std::optional<at::Tensor> optional(CTTensor handle) {
  if (!handle) return std::nullopt;
  return *Ref(handle);
}

/// Owning copies of an array of handles.
inline std::vector<at::Tensor> list(const CTTensor* handles, int64_t count) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(count);
  for (int64_t i = 0; i < count; i++) tensors.push_back(*Ref(handles[i]));
  return tensors;
}

/// Hands a result over to the caller of the C function; NULL for an undefined tensor.
inline CTTensor give(at::Tensor tensor) {
  if (!tensor.defined()) return nullptr;
  live_handles.fetch_add(1, std::memory_order_relaxed);
  return reinterpret_cast<CTTensor>(tensor.unsafeReleaseTensorImpl());
}

inline c10::IntArrayRef ints(const int64_t* values, int64_t count) {
  return {values, static_cast<size_t>(count)};
}

/// The dims of a reduction: none given means all.
inline at::OptionalIntArrayRef dims_or_all(const int64_t* values, int64_t count) {
  if (count == 0) return std::nullopt;
  return ints(values, count);
}

/// Whether a kernel of our own can read it: float32 in the processor's memory.
inline bool is_plain(const at::Tensor& x) {
  return x.device().is_cpu() && x.scalar_type() == at::kFloat && x.layout() == at::kStrided;
}

/// A tensor's numbers, taken for those of a type, as bfloat16 may be for its bits; `nullptr` of none.
template <typename T>
const T* numbers(const at::Tensor& x) {
  return x.defined() ? static_cast<const T*>(x.const_data_ptr()) : nullptr;
}

inline at::Scalar scalar(CTScalar value) {
  return value.is_integer ? at::Scalar(value.integer) : at::Scalar(value.floating);
}

inline at::Device device(int kind, int index) {
  return {static_cast<c10::DeviceType>(kind), static_cast<c10::DeviceIndex>(index)};
}

inline at::TensorOptions options(int dtype, int kind = CT_CPU, int index = -1) {
  return at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype)).device(device(kind, index));
}

at::Generator& generator(CTGenerator handle);

/// Writes "operation([2, 3], [4]): reason" where ct_last_error finds it.
void report(const char* operation, std::initializer_list<CTTensor> tensors,
            const char* reason) noexcept;

/// Runs `body`; whatever it throws becomes status 1 and a sentence.
template <typename Body>
int guard(const char* operation, std::initializer_list<CTTensor> tensors, Body&& body) noexcept {
  try {
    body();
    return 0;
  } catch (const c10::Error& error) {
    report(operation, tensors, error.what_without_backtrace());
  } catch (const std::exception& error) {
    report(operation, tensors, error.what());
  } catch (...) {
    report(operation, tensors, "an exception of an unknown kind");
  }
  return 1;
}

}  // namespace ctorch
