// Elementwise operations, reductions and linear algebra.
#include <ATen/ATen.h>

#include "boundary.h"

using namespace ctorch;

#define UNARY(NAME)                                                  \
  int ct_##NAME(CTTensor a, CTTensor* out) {                         \
    return guard(#NAME, {a}, [&] { *out = give(at::NAME(Ref(a))); }); \
  }
CT_UNARY_OPERATIONS(UNARY)

#define BINARY(NAME)                                                             \
  int ct_##NAME(CTTensor a, CTTensor b, CTTensor* out) {                         \
    return guard(#NAME, {a, b}, [&] { *out = give(at::NAME(Ref(a), Ref(b))); }); \
  }
CT_BINARY_OPERATIONS(BINARY)

#define SCALAR(NAME)                                                             \
  int ct_##NAME##_scalar(CTTensor a, CTScalar b, CTTensor* out) {                \
    return guard(#NAME, {a}, [&] { *out = give(at::NAME(Ref(a), scalar(b))); }); \
  }
CT_SCALAR_OPERATIONS(SCALAR)

static std::optional<at::Scalar> bound(const CTScalar* value) {
  if (!value) return std::nullopt;
  return scalar(*value);
}

#define WITH(NAME, PARAMETERS, CALL) \
  int ct_##NAME PARAMETERS { return guard(#NAME, {a}, [&] { *out = give(CALL); }); }

WITH(clamp, (CTTensor a, const CTScalar* low, const CTScalar* high, CTTensor* out),
     at::clamp(Ref(a), bound(low), bound(high)))
WITH(leaky_relu, (CTTensor a, double slope, CTTensor* out), at::leaky_relu(Ref(a), slope))
WITH(elu, (CTTensor a, double alpha, CTTensor* out), at::elu(Ref(a), alpha))
WITH(gelu, (CTTensor a, bool tanh_approximation, CTTensor* out),
     at::gelu(Ref(a), tanh_approximation ? "tanh" : "none"))
WITH(softplus, (CTTensor a, double beta, double threshold, CTTensor* out),
     at::softplus(Ref(a), beta, threshold))
WITH(softmax, (CTTensor a, int64_t dim, CTTensor* out), at::softmax(Ref(a), dim))
WITH(log_softmax, (CTTensor a, int64_t dim, CTTensor* out), at::log_softmax(Ref(a), dim))

int ct_where(CTTensor condition, CTTensor a, CTTensor b, CTTensor* out) {
  return guard("where", {condition, a, b},
               [&] { *out = give(at::where(Ref(condition), Ref(a), Ref(b))); });
}

int ct_lerp(CTTensor a, CTTensor b, double weight, CTTensor* out) {
  return guard("lerp", {a, b}, [&] { *out = give(at::lerp(Ref(a), Ref(b), weight)); });
}

int ct_addcmul(CTTensor a, CTTensor b, CTTensor c, double value, CTTensor* out) {
  return guard("addcmul", {a, b, c},
               [&] { *out = give(at::addcmul(Ref(a), Ref(b), Ref(c), value)); });
}

int ct_addcdiv(CTTensor a, CTTensor b, CTTensor c, double value, CTTensor* out) {
  return guard("addcdiv", {a, b, c},
               [&] { *out = give(at::addcdiv(Ref(a), Ref(b), Ref(c), value)); });
}

// In place ----------------------------------------------------------------------------------------
int ct_add_(CTTensor a, CTTensor b, double alpha) {
  return guard("add_", {a, b}, [&] { Ref(a)->add_(Ref(b), alpha); });
}
int ct_mul_(CTTensor a, CTTensor b) {
  return guard("mul_", {a, b}, [&] { Ref(a)->mul_(Ref(b)); });
}
int ct_div_(CTTensor a, CTTensor b) {
  return guard("div_", {a, b}, [&] { Ref(a)->div_(Ref(b)); });
}
int ct_add_scalar_(CTTensor a, CTScalar b) {
  return guard("add_", {a}, [&] { Ref(a)->add_(scalar(b)); });
}
int ct_mul_scalar_(CTTensor a, CTScalar b) {
  return guard("mul_", {a}, [&] { Ref(a)->mul_(scalar(b)); });
}
int ct_copy_(CTTensor a, CTTensor source) {
  return guard("copy_", {a, source}, [&] { Ref(a)->copy_(Ref(source)); });
}
int ct_fill_(CTTensor a, CTScalar value) {
  return guard("fill_", {a}, [&] { Ref(a)->fill_(scalar(value)); });
}
int ct_clamp_(CTTensor a, const CTScalar* low, const CTScalar* high) {
  return guard("clamp_", {a}, [&] { Ref(a)->clamp_(bound(low), bound(high)); });
}
int ct_lerp_(CTTensor a, CTTensor b, double weight) {
  return guard("lerp_", {a, b}, [&] { Ref(a)->lerp_(Ref(b), weight); });
}
int ct_addcmul_(CTTensor a, CTTensor b, CTTensor c, double value) {
  return guard("addcmul_", {a, b, c}, [&] { Ref(a)->addcmul_(Ref(b), Ref(c), value); });
}
int ct_addcdiv_(CTTensor a, CTTensor b, CTTensor c, double value) {
  return guard("addcdiv_", {a, b, c}, [&] { Ref(a)->addcdiv_(Ref(b), Ref(c), value); });
}

// Reductions --------------------------------------------------------------------------------------
#define DIMS CTTensor a, const int64_t *dims, int64_t count

WITH(sum, (DIMS, bool keep, CTTensor* out), at::sum(Ref(a), dims_or_all(dims, count), keep))
WITH(mean, (DIMS, bool keep, CTTensor* out), at::mean(Ref(a), dims_or_all(dims, count), keep))
WITH(amax, (DIMS, bool keep, CTTensor* out), at::amax(Ref(a), ints(dims, count), keep))
WITH(amin, (DIMS, bool keep, CTTensor* out), at::amin(Ref(a), ints(dims, count), keep))
WITH(var, (DIMS, double correction, bool keep, CTTensor* out),
     at::var(Ref(a), dims_or_all(dims, count), at::Scalar(correction), keep))
WITH(std, (DIMS, double correction, bool keep, CTTensor* out),
     at::std(Ref(a), dims_or_all(dims, count), at::Scalar(correction), keep))
WITH(norm, (CTTensor a, double p, const int64_t* dims, int64_t count, bool keep, CTTensor* out),
     at::linalg_vector_norm(Ref(a), p, dims_or_all(dims, count), keep))
WITH(prod, (CTTensor a, int64_t dim, bool keep, CTTensor* out), at::prod(Ref(a), dim, keep))
WITH(argmax, (CTTensor a, int64_t dim, bool keep, CTTensor* out), at::argmax(Ref(a), dim, keep))
WITH(argmin, (CTTensor a, int64_t dim, bool keep, CTTensor* out), at::argmin(Ref(a), dim, keep))
WITH(all, (CTTensor a, CTTensor* out), at::all(Ref(a)))
WITH(any, (CTTensor a, CTTensor* out), at::any(Ref(a)))
WITH(cumsum, (CTTensor a, int64_t dim, CTTensor* out), at::cumsum(Ref(a), dim))
WITH(cumprod, (CTTensor a, int64_t dim, CTTensor* out), at::cumprod(Ref(a), dim))
WITH(quantile, (CTTensor a, double q, int64_t dim, bool keep, CTTensor* out),
     at::quantile(Ref(a), q, dim, keep))
WITH(bincount, (CTTensor a, int64_t minimum_length, CTTensor* out),
     at::bincount(Ref(a), {}, minimum_length))

int ct_logsumexp(DIMS, bool keep, CTTensor* out) {
  return guard("logsumexp", {a}, [&] {
    std::vector<int64_t> over(dims, dims + count);
    if (over.empty()) {
      for (int64_t i = 0; i < Ref(a)->dim(); i++) over.push_back(i);
    }
    *out = give(at::logsumexp(Ref(a), over, keep));
  });
}

int ct_sort(CTTensor a, int64_t dim, bool descending, CTTensor* values, CTTensor* indices) {
  return guard("sort", {a}, [&] {
    auto [sorted, order] = at::sort(Ref(a), /*stable=*/true, dim, descending);
    *values = give(std::move(sorted));
    *indices = give(std::move(order));
  });
}

int ct_topk(CTTensor a, int64_t k, int64_t dim, bool largest, CTTensor* values, CTTensor* indices) {
  return guard("topk", {a}, [&] {
    auto [top, order] = at::topk(Ref(a), k, dim, largest, true);
    *values = give(std::move(top));
    *indices = give(std::move(order));
  });
}

int ct_cdist(CTTensor a, CTTensor b, double p, CTTensor* out) {
  return guard("cdist", {a, b}, [&] { *out = give(at::cdist(Ref(a), Ref(b), p)); });
}

// Linear algebra ----------------------------------------------------------------------------------
int ct_addmm(CTTensor input, CTTensor a, CTTensor b, double beta, double alpha, CTTensor* out) {
  return guard("addmm", {input, a, b},
               [&] { *out = give(at::addmm(Ref(input), Ref(a), Ref(b), beta, alpha)); });
}

int ct_einsum(const char* equation, const CTTensor* tensors, int64_t count, CTTensor* out) {
  return guard("einsum", {}, [&] { *out = give(at::einsum(equation, list(tensors, count))); });
}

int ct_eigh(CTTensor a, CTTensor* values, CTTensor* vectors) {
  return guard("eigh", {a}, [&] {
    auto [w, v] = at::linalg_eigh(Ref(a));
    *values = give(std::move(w));
    *vectors = give(std::move(v));
  });
}

int ct_svd(CTTensor a, CTTensor* u, CTTensor* s, CTTensor* vh) {
  return guard("svd", {a}, [&] {
    auto [left, singular, right] = at::linalg_svd(Ref(a), /*full_matrices=*/false);
    *u = give(std::move(left));
    *s = give(std::move(singular));
    *vh = give(std::move(right));
  });
}

int ct_qr(CTTensor a, CTTensor* q, CTTensor* r) {
  return guard("qr", {a}, [&] {
    auto [orthogonal, upper] = at::linalg_qr(Ref(a));
    *q = give(std::move(orthogonal));
    *r = give(std::move(upper));
  });
}

WITH(cholesky, (CTTensor a, CTTensor* out), at::linalg_cholesky(Ref(a)))
WITH(inverse, (CTTensor a, CTTensor* out), at::linalg_inv(Ref(a)))
WITH(rfft2, (CTTensor a, CTTensor* out), at::view_as_real(at::fft_rfft2(Ref(a))))

int ct_solve(CTTensor a, CTTensor b, CTTensor* out) {
  return guard("solve", {a, b}, [&] { *out = give(at::linalg_solve(Ref(a), Ref(b))); });
}
