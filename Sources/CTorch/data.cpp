// Creation, conversion, random draws, shapes and indexing.
#include <ATen/ATen.h>

#include <cstring>

#include "boundary.h"
#include "parallel.h"
#include "vectors.h"

using namespace ctorch;

namespace {

WIDE void divide_by_255(const uint8_t* bytes, int64_t count, float* out) {
  for (int64_t i = 0; i < count; i++) out[i] = static_cast<float>(bytes[i]) / 255;
}

}  // namespace

int ct_from_channel_bytes(const uint8_t* bytes, const int64_t* sizes, int64_t ndim,
                          CTTensor* out) {
  return guard("from_channel_bytes", {}, [&] {
    auto tensor = at::empty(ints(sizes, ndim), options(CT_FLOAT32));
    float* to = tensor.mutable_data_ptr<float>();
    parallel(tensor.numel(), 1 << 14, [&](int64_t begin, int64_t end) {
      divide_by_255(bytes + begin, end - begin, to + begin);
    });
    *out = give(std::move(tensor));
  });
}

int ct_from_bytes(const void* bytes, const int64_t* sizes, int64_t ndim, int dtype, CTTensor* out) {
  return guard("from_bytes", {}, [&] {
    auto tensor = at::empty(ints(sizes, ndim), options(dtype));
    if (tensor.nbytes()) std::memcpy(tensor.mutable_data_ptr(), bytes, tensor.nbytes());
    *out = give(std::move(tensor));
  });
}

int ct_from_external(void* bytes, const int64_t* sizes, int64_t ndim, int dtype, void* context,
                     void (*release)(void*), CTTensor* out) {
  return guard("from_external", {}, [&] {
    *out = give(at::from_blob(
        bytes, ints(sizes, ndim), [context, release](void*) { release(context); },
        options(dtype)));
  });
}

int ct_copy_bytes(CTTensor a, void* bytes, int64_t capacity) {
  return guard("copy_bytes", {a}, [&] {
    auto tensor = Ref(a)->detach().to(at::kCPU).contiguous();
    TORCH_CHECK(static_cast<int64_t>(tensor.nbytes()) == capacity, "the tensor holds ",
                tensor.nbytes(), " bytes, the buffer ", capacity);
    if (capacity) std::memcpy(bytes, tensor.const_data_ptr(), capacity);
  });
}

int ct_item(CTTensor a, double* floating, int64_t* integer) {
  return guard("item", {a}, [&] {
    auto value = Ref(a)->item();
    *floating = value.toDouble();
    *integer = value.isFloatingPoint() ? 0 : value.toLong();
  });
}

int ct_to(CTTensor a, int dtype, int kind, int index, bool copy, CTTensor* out) {
  return guard("to", {a}, [&] {
    Ref tensor(a);
    auto where = tensor->device();
    if (where.type() != static_cast<c10::DeviceType>(kind) ||
        (index >= 0 && where.has_index() && where.index() != index)) {
      where = device(kind, index);
    }
    *out = give(tensor->to(where, static_cast<at::ScalarType>(dtype), false, copy));
  });
}

int ct_empty(const int64_t* sizes, int64_t ndim, int dtype, int kind, int index, CTTensor* out) {
  return guard("empty", {},
               [&] { *out = give(at::empty(ints(sizes, ndim), options(dtype, kind, index))); });
}

int ct_full(const int64_t* sizes, int64_t ndim, CTScalar value, int dtype, int kind, int index,
            CTTensor* out) {
  return guard("full", {}, [&] {
    *out = give(at::full(ints(sizes, ndim), scalar(value), options(dtype, kind, index)));
  });
}

int ct_arange(CTScalar start, CTScalar end, CTScalar step, int dtype, int kind, int index,
              CTTensor* out) {
  return guard("arange", {}, [&] {
    *out = give(at::arange(scalar(start), scalar(end), scalar(step), options(dtype, kind, index)));
  });
}

int ct_linspace(double start, double end, int64_t steps, int dtype, CTTensor* out) {
  return guard("linspace", {},
               [&] { *out = give(at::linspace(start, end, steps, options(dtype))); });
}

int ct_eye(int64_t n, int dtype, CTTensor* out) {
  return guard("eye", {}, [&] { *out = give(at::eye(n, options(dtype))); });
}

int ct_empty_like(CTTensor a, CTTensor* out) {
  return guard("empty_like", {a}, [&] { *out = give(at::empty_like(Ref(a))); });
}

int ct_rand(const int64_t* sizes, int64_t ndim, int dtype, CTGenerator random, CTTensor* out) {
  return guard("rand", {}, [&] {
    *out = give(at::rand(ints(sizes, ndim), generator(random), options(dtype)));
  });
}

int ct_randn(const int64_t* sizes, int64_t ndim, int dtype, CTGenerator random, CTTensor* out) {
  return guard("randn", {}, [&] {
    *out = give(at::randn(ints(sizes, ndim), generator(random), options(dtype)));
  });
}

int ct_randint(int64_t low, int64_t high, const int64_t* sizes, int64_t ndim, int dtype,
               CTGenerator random, CTTensor* out) {
  return guard("randint", {}, [&] {
    *out = give(at::randint(low, high, ints(sizes, ndim), generator(random), options(dtype)));
  });
}

int ct_randperm(int64_t n, CTGenerator random, CTTensor* out) {
  return guard("randperm", {},
               [&] { *out = give(at::randperm(n, generator(random), options(CT_INT64))); });
}

int ct_bernoulli(CTTensor probabilities, CTGenerator random, CTTensor* out) {
  return guard("bernoulli", {probabilities},
               [&] { *out = give(at::bernoulli(Ref(probabilities), generator(random))); });
}

int ct_multinomial(CTTensor weights, int64_t count, bool replacement, CTGenerator random,
                   CTTensor* out) {
  return guard("multinomial", {weights}, [&] {
    *out = give(at::multinomial(Ref(weights), count, replacement, generator(random)));
  });
}

int ct_uniform_(CTTensor a, double low, double high, CTGenerator random) {
  return guard("uniform_", {a}, [&] { Ref(a)->uniform_(low, high, generator(random)); });
}

int ct_bernoulli_(CTTensor a, double probability, CTGenerator random) {
  return guard("bernoulli_", {a}, [&] { Ref(a)->bernoulli_(probability, generator(random)); });
}

int ct_normal_(CTTensor a, double mean, double deviation, CTGenerator random) {
  return guard("normal_", {a}, [&] { Ref(a)->normal_(mean, deviation, generator(random)); });
}

// Shapes ------------------------------------------------------------------------------------------
#define SHAPED(NAME, PARAMETERS, CALL) \
  int ct_##NAME PARAMETERS { return guard(#NAME, {a}, [&] { *out = give(CALL); }); }

SHAPED(reshape, (CTTensor a, const int64_t* sizes, int64_t ndim, CTTensor* out),
       at::reshape(Ref(a), ints(sizes, ndim)))
SHAPED(view, (CTTensor a, const int64_t* sizes, int64_t ndim, CTTensor* out),
       Ref(a)->view(ints(sizes, ndim)))
SHAPED(flatten, (CTTensor a, int64_t start, int64_t end, CTTensor* out),
       at::flatten(Ref(a), start, end))
SHAPED(permute, (CTTensor a, const int64_t* dims, int64_t count, CTTensor* out),
       at::permute(Ref(a), ints(dims, count)))
SHAPED(transpose, (CTTensor a, int64_t dim0, int64_t dim1, CTTensor* out),
       at::transpose(Ref(a), dim0, dim1))
SHAPED(squeeze, (CTTensor a, int64_t dim, CTTensor* out), at::squeeze(Ref(a), dim))
SHAPED(unsqueeze, (CTTensor a, int64_t dim, CTTensor* out), at::unsqueeze(Ref(a), dim))
SHAPED(expand, (CTTensor a, const int64_t* sizes, int64_t ndim, CTTensor* out),
       Ref(a)->expand(ints(sizes, ndim)))
SHAPED(repeat, (CTTensor a, const int64_t* counts, int64_t ndim, CTTensor* out),
       Ref(a)->repeat(ints(counts, ndim)))
SHAPED(repeat_interleave, (CTTensor a, int64_t count, int64_t dim, CTTensor* out),
       at::repeat_interleave(Ref(a), count, dim))
SHAPED(narrow, (CTTensor a, int64_t dim, int64_t start, int64_t length, CTTensor* out),
       at::narrow(Ref(a), dim, start, length))
SHAPED(slice, (CTTensor a, int64_t dim, int64_t start, int64_t end, int64_t step, CTTensor* out),
       at::slice(Ref(a), dim, start, end, step))
SHAPED(select, (CTTensor a, int64_t dim, int64_t index, CTTensor* out),
       at::select(Ref(a), dim, index))
SHAPED(flip, (CTTensor a, const int64_t* dims, int64_t count, CTTensor* out),
       at::flip(Ref(a), ints(dims, count)))
SHAPED(roll,
       (CTTensor a, const int64_t* shifts, const int64_t* dims, int64_t count, CTTensor* out),
       at::roll(Ref(a), ints(shifts, count), ints(dims, count)))
SHAPED(tril, (CTTensor a, int64_t diagonal, CTTensor* out), at::tril(Ref(a), diagonal))
SHAPED(triu, (CTTensor a, int64_t diagonal, CTTensor* out), at::triu(Ref(a), diagonal))
SHAPED(diagonal, (CTTensor a, CTTensor* out), at::diagonal(Ref(a)))
SHAPED(one_hot, (CTTensor a, int64_t classes, CTTensor* out), at::one_hot(Ref(a), classes))
SHAPED(contiguous, (CTTensor a, bool channels_last, CTTensor* out),
       Ref(a)->contiguous(channels_last ? at::MemoryFormat::ChannelsLast
                                        : at::MemoryFormat::Contiguous))
SHAPED(clone, (CTTensor a, CTTensor* out), at::clone(Ref(a)))

int ct_cat(const CTTensor* tensors, int64_t count, int64_t dim, CTTensor* out) {
  return guard("cat", {}, [&] { *out = give(at::cat(list(tensors, count), dim)); });
}

int ct_stack(const CTTensor* tensors, int64_t count, int64_t dim, CTTensor* out) {
  return guard("stack", {}, [&] { *out = give(at::stack(list(tensors, count), dim)); });
}

int ct_chunk(CTTensor a, int64_t chunks, int64_t dim, CTTensor* out, int64_t* out_count) {
  return guard("chunk", {a}, [&] {
    auto parts = at::chunk(Ref(a), chunks, dim);
    *out_count = static_cast<int64_t>(parts.size());
    for (size_t i = 0; i < parts.size(); i++) out[i] = give(std::move(parts[i]));
  });
}

int ct_index_select(CTTensor a, int64_t dim, CTTensor indices, CTTensor* out) {
  return guard("index_select", {a, indices},
               [&] { *out = give(at::index_select(Ref(a), dim, Ref(indices))); });
}

int ct_gather(CTTensor a, int64_t dim, CTTensor indices, CTTensor* out) {
  return guard("gather", {a, indices},
               [&] { *out = give(at::gather(Ref(a), dim, Ref(indices))); });
}

int ct_scatter(CTTensor a, int64_t dim, CTTensor indices, CTTensor source, CTTensor* out) {
  return guard("scatter", {a, indices, source},
               [&] { *out = give(at::scatter(Ref(a), dim, Ref(indices), Ref(source))); });
}

int ct_index_add(CTTensor a, int64_t dim, CTTensor indices, CTTensor source, CTTensor* out) {
  return guard("index_add", {a, indices, source},
               [&] { *out = give(at::index_add(Ref(a), dim, Ref(indices), Ref(source))); });
}

int ct_masked_fill(CTTensor a, CTTensor mask, CTScalar value, CTTensor* out) {
  return guard("masked_fill", {a, mask},
               [&] { *out = give(at::masked_fill(Ref(a), Ref(mask), scalar(value))); });
}

int ct_masked_select(CTTensor a, CTTensor mask, CTTensor* out) {
  return guard("masked_select", {a, mask},
               [&] { *out = give(at::masked_select(Ref(a), Ref(mask))); });
}
