// A plain-C face over libtorch: opaque handles, an int status, results through out-parameters.
//
// Every function that can fail returns 0 on success. On failure it returns 1, writes nothing to its
// out-parameters, and leaves a sentence for the calling thread in ct_last_error(): the operation,
// the shapes of its tensors and libtorch's own words. No C++ exception and no C++ type gets out.
//
// Ownership: a CTTensor written to an out-parameter belongs to the caller, who frees it once with
// ct_tensor_free. Arguments are borrowed for the call. A NULL handle stands for "no tensor" where a
// comment says so.
#ifndef CTORCH_H
#define CTORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CTTensorOpaque *CTTensor;
typedef struct CTGeneratorOpaque *CTGenerator;
typedef struct CTGraphOpaque *CTGraph;

/// Element types, with libtorch's own numbers.
enum CTDType {
  CT_UINT8 = 0,
  CT_INT64 = 4,
  CT_FLOAT16 = 5,
  CT_FLOAT32 = 6,
  CT_FLOAT64 = 7,
  CT_BOOL = 11,
  CT_BFLOAT16 = 15,
};

/// Device kinds, with libtorch's own numbers.
enum CTDevice { CT_CPU = 0, CT_CUDA = 1, CT_MPS = 13 };

/// A number that keeps whether it was written as an integer, so that integer tensors stay integer.
typedef struct {
  double floating;
  int64_t integer;
  bool is_integer;
} CTScalar;

// Runtime -----------------------------------------------------------------------------------------
const char *ct_last_error(void);
const char *ct_version(void);
const char *ct_build_configuration(void);
const char *ct_library_path(void);  // NULL where it cannot be told
const char *ct_cpu_capability(void);
int64_t ct_live_handles(void);
void ct_prepare(void);
void ct_trim_allocator(void);
int ct_get_threads(void);
int ct_set_threads(int count);
// Of operations that are called from this thread alone; returns how many there were.
int ct_set_threads_here(int count);
bool ct_device_available(int device, int index);
int ct_device_synchronize(int device);

// Graphs: what a GPU is told to do, recorded once ------------------------------------------------
bool ct_graph_available(int device);
// What this thread calls until `end` is recorded, not done. No operation may wait for the device.
int ct_graph_begin(int device, int index, CTGraph *out);
int ct_graph_end(CTGraph graph);
int ct_graph_replay(CTGraph graph);
void ct_graph_free(CTGraph graph);

// Generators --------------------------------------------------------------------------------------
int ct_generator_new(int device, uint64_t seed, CTGenerator *out);
void ct_generator_free(CTGenerator generator);
int ct_generator_seed(CTGenerator generator, uint64_t seed);
int ct_generator_initial_seed(CTGenerator generator, uint64_t *out);
int ct_generator_state(CTGenerator generator, CTTensor *out);
int ct_generator_set_state(CTGenerator generator, CTTensor state);

// Life and properties -----------------------------------------------------------------------------
void ct_tensor_free(CTTensor tensor);
CTTensor ct_tensor_share(CTTensor tensor);  // one more handle of the same tensor
int64_t ct_ndim(CTTensor tensor);
int64_t ct_numel(CTTensor tensor);
void ct_sizes(CTTensor tensor, int64_t *out);
void ct_strides(CTTensor tensor, int64_t *out);
int ct_dtype(CTTensor tensor);
int ct_device(CTTensor tensor, int *index);
bool ct_is_contiguous(CTTensor tensor, bool channels_last);
bool ct_same_storage(CTTensor a, CTTensor b);
int ct_description(CTTensor tensor, char **out);
void ct_string_free(char *string);

// Data in and out ---------------------------------------------------------------------------------
int ct_from_bytes(const void *bytes, const int64_t *sizes, int64_t ndim, int dtype, CTTensor *out);
int ct_from_channel_bytes(const uint8_t *bytes, const int64_t *sizes, int64_t ndim, CTTensor *out);
int ct_from_external(void *bytes, const int64_t *sizes, int64_t ndim, int dtype, void *context,
                     void (*release)(void *context), CTTensor *out);
int ct_copy_bytes(CTTensor tensor, void *out, int64_t capacity);
int ct_item(CTTensor tensor, double *floating, int64_t *integer);
int ct_to(CTTensor tensor, int dtype, int device, int index, bool copy, CTTensor *out);

// Creation ----------------------------------------------------------------------------------------
int ct_empty(const int64_t *sizes, int64_t ndim, int dtype, int device, int index, CTTensor *out);
int ct_full(const int64_t *sizes, int64_t ndim, CTScalar value, int dtype, int device, int index,
            CTTensor *out);
int ct_arange(CTScalar start, CTScalar end, CTScalar step, int dtype, int device, int index,
              CTTensor *out);
int ct_linspace(double start, double end, int64_t steps, int dtype, CTTensor *out);
int ct_eye(int64_t n, int dtype, CTTensor *out);
int ct_empty_like(CTTensor tensor, CTTensor *out);
int ct_rand(const int64_t *sizes, int64_t ndim, int dtype, CTGenerator generator, CTTensor *out);
int ct_randn(const int64_t *sizes, int64_t ndim, int dtype, CTGenerator generator, CTTensor *out);
int ct_randint(int64_t low, int64_t high, const int64_t *sizes, int64_t ndim, int dtype,
               CTGenerator generator, CTTensor *out);
int ct_randperm(int64_t n, CTGenerator generator, CTTensor *out);
int ct_bernoulli(CTTensor probabilities, CTGenerator generator, CTTensor *out);
int ct_multinomial(CTTensor weights, int64_t count, bool replacement, CTGenerator generator,
                   CTTensor *out);
int ct_uniform_(CTTensor tensor, double low, double high, CTGenerator generator);
int ct_bernoulli_(CTTensor tensor, double probability, CTGenerator generator);
int ct_normal_(CTTensor tensor, double mean, double deviation, CTGenerator generator);

// Elementwise -------------------------------------------------------------------------------------
#define CT_UNARY_OPERATIONS(X)                                                                     \
  X(neg) X(abs) X(sign) X(exp) X(expm1) X(log) X(log1p) X(log2) X(log10) X(sqrt) X(rsqrt)         \
  X(square) X(reciprocal) X(sin) X(cos) X(tan) X(asin) X(acos) X(atan) X(sinh) X(cosh) X(tanh)    \
  X(erf) X(erfinv) X(lgamma) X(floor) X(ceil) X(round) X(trunc) X(isnan) X(isfinite)              \
  X(logical_not) X(sigmoid) X(relu) X(silu) X(mish) X(log_sigmoid) X(hardswish)
#define CT_DECLARE_UNARY(NAME) int ct_##NAME(CTTensor a, CTTensor *out);
CT_UNARY_OPERATIONS(CT_DECLARE_UNARY)

#define CT_BINARY_OPERATIONS(X)                                                                    \
  X(add) X(sub) X(mul) X(div) X(pow) X(maximum) X(minimum) X(remainder) X(floor_divide) X(atan2)  \
  X(eq) X(ne) X(lt) X(le) X(gt) X(ge) X(logical_and) X(logical_or) X(matmul) X(bmm)
#define CT_DECLARE_BINARY(NAME) int ct_##NAME(CTTensor a, CTTensor b, CTTensor *out);
CT_BINARY_OPERATIONS(CT_DECLARE_BINARY)

#define CT_SCALAR_OPERATIONS(X)                                                                    \
  X(add) X(sub) X(rsub) X(mul) X(div) X(pow) X(remainder) X(floor_divide) X(eq) X(ne) X(lt) X(le) \
  X(gt) X(ge)
#define CT_DECLARE_SCALAR(NAME) int ct_##NAME##_scalar(CTTensor a, CTScalar b, CTTensor *out);
CT_SCALAR_OPERATIONS(CT_DECLARE_SCALAR)

int ct_clamp(CTTensor a, const CTScalar *low, const CTScalar *high, CTTensor *out);
int ct_leaky_relu(CTTensor a, double slope, CTTensor *out);
int ct_elu(CTTensor a, double alpha, CTTensor *out);
int ct_gelu(CTTensor a, bool tanh_approximation, CTTensor *out);
int ct_softplus(CTTensor a, double beta, double threshold, CTTensor *out);
int ct_softmax(CTTensor a, int64_t dim, CTTensor *out);
int ct_log_softmax(CTTensor a, int64_t dim, CTTensor *out);
int ct_where(CTTensor condition, CTTensor a, CTTensor b, CTTensor *out);
int ct_lerp(CTTensor a, CTTensor b, double weight, CTTensor *out);
int ct_addcmul(CTTensor a, CTTensor b, CTTensor c, double value, CTTensor *out);
int ct_addcdiv(CTTensor a, CTTensor b, CTTensor c, double value, CTTensor *out);

// In place ----------------------------------------------------------------------------------------
int ct_add_(CTTensor a, CTTensor b, double alpha);
int ct_mul_(CTTensor a, CTTensor b);
int ct_div_(CTTensor a, CTTensor b);
int ct_add_scalar_(CTTensor a, CTScalar b);
int ct_mul_scalar_(CTTensor a, CTScalar b);
int ct_copy_(CTTensor a, CTTensor source);
int ct_fill_(CTTensor a, CTScalar value);
int ct_clamp_(CTTensor a, const CTScalar *low, const CTScalar *high);
int ct_lerp_(CTTensor a, CTTensor b, double weight);
int ct_addcmul_(CTTensor a, CTTensor b, CTTensor c, double value);
int ct_addcdiv_(CTTensor a, CTTensor b, CTTensor c, double value);

// Reductions (no dims: over everything) -----------------------------------------------------------
int ct_sum(CTTensor a, const int64_t *dims, int64_t count, bool keep, CTTensor *out);
int ct_mean(CTTensor a, const int64_t *dims, int64_t count, bool keep, CTTensor *out);
int ct_amax(CTTensor a, const int64_t *dims, int64_t count, bool keep, CTTensor *out);
int ct_amin(CTTensor a, const int64_t *dims, int64_t count, bool keep, CTTensor *out);
int ct_var(CTTensor a, const int64_t *dims, int64_t count, double correction, bool keep,
           CTTensor *out);
int ct_std(CTTensor a, const int64_t *dims, int64_t count, double correction, bool keep,
           CTTensor *out);
int ct_logsumexp(CTTensor a, const int64_t *dims, int64_t count, bool keep, CTTensor *out);
int ct_norm(CTTensor a, double p, const int64_t *dims, int64_t count, bool keep, CTTensor *out);
int ct_prod(CTTensor a, int64_t dim, bool keep, CTTensor *out);
int ct_argmax(CTTensor a, int64_t dim, bool keep, CTTensor *out);
int ct_argmin(CTTensor a, int64_t dim, bool keep, CTTensor *out);
int ct_all(CTTensor a, CTTensor *out);
int ct_any(CTTensor a, CTTensor *out);
int ct_cumsum(CTTensor a, int64_t dim, CTTensor *out);
int ct_cumprod(CTTensor a, int64_t dim, CTTensor *out);
int ct_sort(CTTensor a, int64_t dim, bool descending, CTTensor *values, CTTensor *indices);
int ct_topk(CTTensor a, int64_t k, int64_t dim, bool largest, CTTensor *values, CTTensor *indices);
int ct_quantile(CTTensor a, double q, int64_t dim, bool keep, CTTensor *out);
int ct_bincount(CTTensor a, int64_t minimum_length, CTTensor *out);
int ct_cdist(CTTensor a, CTTensor b, double p, CTTensor *out);

// Shapes and indexing -----------------------------------------------------------------------------
int ct_reshape(CTTensor a, const int64_t *sizes, int64_t ndim, CTTensor *out);
int ct_view(CTTensor a, const int64_t *sizes, int64_t ndim, CTTensor *out);
int ct_flatten(CTTensor a, int64_t start, int64_t end, CTTensor *out);
int ct_permute(CTTensor a, const int64_t *dims, int64_t count, CTTensor *out);
int ct_transpose(CTTensor a, int64_t dim0, int64_t dim1, CTTensor *out);
int ct_squeeze(CTTensor a, int64_t dim, CTTensor *out);
int ct_unsqueeze(CTTensor a, int64_t dim, CTTensor *out);
int ct_expand(CTTensor a, const int64_t *sizes, int64_t ndim, CTTensor *out);
int ct_repeat(CTTensor a, const int64_t *counts, int64_t ndim, CTTensor *out);
int ct_repeat_interleave(CTTensor a, int64_t count, int64_t dim, CTTensor *out);
int ct_cat(const CTTensor *tensors, int64_t count, int64_t dim, CTTensor *out);
int ct_stack(const CTTensor *tensors, int64_t count, int64_t dim, CTTensor *out);
int ct_chunk(CTTensor a, int64_t chunks, int64_t dim, CTTensor *out, int64_t *out_count);
int ct_narrow(CTTensor a, int64_t dim, int64_t start, int64_t length, CTTensor *out);
int ct_slice(CTTensor a, int64_t dim, int64_t start, int64_t end, int64_t step, CTTensor *out);
int ct_select(CTTensor a, int64_t dim, int64_t index, CTTensor *out);
int ct_index_select(CTTensor a, int64_t dim, CTTensor indices, CTTensor *out);
int ct_gather(CTTensor a, int64_t dim, CTTensor indices, CTTensor *out);
int ct_scatter(CTTensor a, int64_t dim, CTTensor indices, CTTensor source, CTTensor *out);
int ct_index_add(CTTensor a, int64_t dim, CTTensor indices, CTTensor source, CTTensor *out);
int ct_masked_fill(CTTensor a, CTTensor mask, CTScalar value, CTTensor *out);
int ct_masked_select(CTTensor a, CTTensor mask, CTTensor *out);
int ct_flip(CTTensor a, const int64_t *dims, int64_t count, CTTensor *out);
int ct_roll(CTTensor a, const int64_t *shifts, const int64_t *dims, int64_t count, CTTensor *out);
int ct_tril(CTTensor a, int64_t diagonal, CTTensor *out);
int ct_triu(CTTensor a, int64_t diagonal, CTTensor *out);
int ct_diagonal(CTTensor a, CTTensor *out);
int ct_one_hot(CTTensor a, int64_t classes, CTTensor *out);
int ct_contiguous(CTTensor a, bool channels_last, CTTensor *out);
int ct_clone(CTTensor a, CTTensor *out);

// Linear algebra ----------------------------------------------------------------------------------
int ct_addmm(CTTensor input, CTTensor a, CTTensor b, double beta, double alpha, CTTensor *out);
int ct_einsum(const char *equation, const CTTensor *tensors, int64_t count, CTTensor *out);
int ct_eigh(CTTensor a, CTTensor *values, CTTensor *vectors);
int ct_svd(CTTensor a, CTTensor *u, CTTensor *s, CTTensor *vh);
int ct_qr(CTTensor a, CTTensor *q, CTTensor *r);
int ct_cholesky(CTTensor a, CTTensor *out);
int ct_solve(CTTensor a, CTTensor b, CTTensor *out);
int ct_inverse(CTTensor a, CTTensor *out);
/// Real and imaginary parts side by side in one more dimension.
int ct_rfft2(CTTensor a, CTTensor *out);

// Networks (bias, weight, mask and running statistics may be NULL) --------------------------------
int ct_linear(CTTensor input, CTTensor weight, CTTensor bias, CTTensor *out);
/// x · Wᵀ + b for each of `count` layers in turn, with a rectifier between two.
int ct_perceptron(CTTensor input, const CTTensor *weights, const CTTensor *biases, int64_t count,
                  CTTensor *out);
/// `added`, of the output's shape or NULL, is added to it, in the same pass where a kernel can.
int ct_conv2d(CTTensor input, CTTensor weight, CTTensor bias, const int64_t stride[2],
              const int64_t padding[2], const int64_t dilation[2], int64_t groups, CTTensor added,
              CTTensor *out);
int ct_conv_transpose2d(CTTensor input, CTTensor weight, CTTensor bias, const int64_t stride[2],
                        const int64_t padding[2], const int64_t output_padding[2],
                        const int64_t dilation[2], int64_t groups, CTTensor *out);
/// A weight laid out for inputs like this one, to be used by `ct_packed_conv2d` without gradients;
/// NULL where that does not pay or cannot be.
int ct_pack_conv2d(CTTensor input, CTTensor weight, const int64_t stride[2],
                   const int64_t padding[2], const int64_t dilation[2], int64_t groups,
                   CTTensor* out);
/// `added`, of the output's shape and type or NULL, is added to it.
int ct_packed_conv2d(CTTensor input, CTTensor packed, CTTensor bias, const int64_t stride[2],
                     const int64_t padding[2], const int64_t dilation[2], int64_t groups,
                     CTTensor added, CTTensor* out);
int ct_pack_linear(CTTensor input, CTTensor weight, CTTensor* out);
int ct_packed_linear(CTTensor input, CTTensor packed, CTTensor bias, CTTensor added, CTTensor* out);
int ct_embedding(CTTensor weight, CTTensor indices, CTTensor *out);
int ct_group_norm(CTTensor input, int64_t groups, CTTensor weight, CTTensor bias, double eps,
                  CTTensor *out);
/// silu(group_norm(input + added)); in one kernel for channels-last float32 or bfloat16 on the CPU,
/// where `added` is NULL or [N, C, 1, 1].
int ct_group_norm_silu(CTTensor input, CTTensor added, int64_t groups, CTTensor weight,
                       CTTensor bias, double eps, CTTensor *out);
int ct_layer_norm(CTTensor input, const int64_t *shape, int64_t ndim, CTTensor weight,
                  CTTensor bias, double eps, CTTensor *out);
int ct_batch_norm(CTTensor input, CTTensor weight, CTTensor bias, CTTensor running_mean,
                  CTTensor running_variance, bool training, double momentum, double eps,
                  CTTensor *out);
/// leaky_relu(batch_norm(input)); in one kernel for channels-last float32 in training on the CPU.
int ct_batch_norm_leaky_relu(CTTensor input, CTTensor weight, CTTensor bias,
                             CTTensor running_mean, CTTensor running_variance, bool training,
                             double momentum, double eps, double slope, CTTensor *out);
/// `scale` may be NULL: one over the root of the width.
int ct_attention(CTTensor query, CTTensor key, CTTensor value, CTTensor mask, const double *scale,
                 bool causal, CTTensor *out);
int ct_max_pool2d(CTTensor input, const int64_t kernel[2], const int64_t stride[2],
                  const int64_t padding[2], CTTensor *out);
int ct_avg_pool2d(CTTensor input, const int64_t kernel[2], const int64_t stride[2],
                  const int64_t padding[2], bool count_padding, CTTensor *out);
int ct_adaptive_avg_pool2d(CTTensor input, const int64_t size[2], CTTensor *out);
enum CTInterpolation { CT_NEAREST, CT_BILINEAR, CT_BICUBIC };
int ct_interpolate(CTTensor input, const int64_t size[2], int mode, bool antialias, CTTensor *out);
int ct_pixel_shuffle(CTTensor input, int64_t factor, CTTensor *out);
int ct_pixel_unshuffle(CTTensor input, int64_t factor, CTTensor *out);
enum CTPadding { CT_PAD_CONSTANT, CT_PAD_REFLECT, CT_PAD_REPLICATE };
int ct_pad(CTTensor input, const int64_t *widths, int64_t count, int mode, double value,
           CTTensor *out);

// Losses ------------------------------------------------------------------------------------------
enum CTReduction { CT_REDUCE_NONE, CT_REDUCE_MEAN, CT_REDUCE_SUM };
int ct_mse_loss(CTTensor input, CTTensor target, int reduction, CTTensor *out);
int ct_l1_loss(CTTensor input, CTTensor target, int reduction, CTTensor *out);
int ct_huber_loss(CTTensor input, CTTensor target, int reduction, double delta, CTTensor *out);
int ct_bce_with_logits(CTTensor input, CTTensor target, int reduction, CTTensor *out);
int ct_cross_entropy(CTTensor input, CTTensor target, int reduction, double label_smoothing,
                     CTTensor *out);

/// z = μ + σ · noise, [N, D], and the mean over N of KL(N(μ, σ²) ‖ N(0, 1)), [D], of moments
/// [N, 2 D]: μ, then log σ².
int ct_gaussian_draw(CTTensor moments, CTTensor noise, CTTensor *z, CTTensor *kl);

// Autograd ----------------------------------------------------------------------------------------
bool ct_grad_enabled(void);
void ct_set_grad_enabled(bool enabled);
// Matrix products and convolutions of this thread in bfloat16, from float32 and bfloat16 alike.
bool ct_bfloat16_products(void);
void ct_set_bfloat16_products(bool enabled);
// Whether the processor has a matrix unit of bfloat16 that this process may use.
bool ct_has_matrix_unit(void);
// Whether float32 products of this thread may be sums of three products of bfloat16 halves.
bool ct_products_by_halves(void);
void ct_set_products_by_halves(bool enabled);
int ct_set_requires_grad(CTTensor a, bool required);
bool ct_requires_grad(CTTensor a);
bool ct_is_leaf(CTTensor a);
int ct_grad(CTTensor a, CTTensor *out);         // NULL where there is none
int ct_set_grad(CTTensor a, CTTensor gradient);  // NULL clears it
int ct_detach(CTTensor a, CTTensor *out);
int ct_backward(CTTensor a, CTTensor gradient, bool retain_graph, bool create_graph);
int ct_gradients(const CTTensor *outputs, int64_t output_count, const CTTensor *inputs,
                 int64_t input_count, const CTTensor *output_gradients, bool retain_graph,
                 bool create_graph, CTTensor *out);  // NULL where an input has no part in it

/// A part of a network: takes over the handles of its inputs, hands over those of its outputs.
typedef void (*CTSegment)(void *context, CTTensor *inputs, CTTensor *outputs);

/// Calls `body` without a graph, and again with one in every backward pass. `context` is released
/// with the last graph that may still call it, at the latest when this fails.
int ct_recomputed(CTSegment body, void (*release)(void *), void *context, const CTTensor *inputs,
                  int64_t input_count, CTTensor *out, int64_t output_count);

// Processes that train together --------------------------------------------------------------------
typedef struct CTProcessGroupOpaque *CTProcessGroup;
typedef struct CTReducerOpaque *CTReducer;

/// Meets the other ranks at `host:port`, where the rank with `hosts_store` keeps the store that they
/// find each other by, under keys that begin with `prefix`. With `spans_machines` an address that
/// only this machine knows is refused.
int ct_process_group_new(const char *host, int port, int rank, int size, bool hosts_store,
                         bool spans_machines, const char *prefix, int64_t timeout_ms,
                         CTProcessGroup *out);
void ct_process_group_free(CTProcessGroup group);
// The functions below give status 2 where neither the other ranks nor the network are the reason.
/// Adds up each tensor over the ranks, in place; all of one dtype.
int ct_all_reduce_(CTProcessGroup group, const CTTensor *tensors, int64_t count);
/// Gives every rank rank 0's tensors, in place.
int ct_broadcast_(CTProcessGroup group, const CTTensor *tensors, int64_t count);
/// Batch normalisation in training by mean and variance over all ranks' pictures.
int ct_synchronized_batch_norm(CTProcessGroup group, CTTensor input, CTTensor weight, CTTensor bias,
                               CTTensor running_mean, CTTensor running_variance, double momentum,
                               double eps, CTTensor *out);
/// Averages the gradients of `parameters` over the ranks during ct_reducer_backward, in buckets,
/// while the rest of the gradients is still being computed. Every parameter has to take part.
int ct_reducer_new(CTProcessGroup group, const CTTensor *parameters, int64_t count,
                   CTReducer *out);
void ct_reducer_free(CTReducer reducer);
int ct_reducer_backward(CTReducer reducer, CTTensor loss);

// Many tensors in one call ------------------------------------------------------------------------
int ct_foreach_norm(const CTTensor *tensors, int64_t count, double p, CTTensor *out);
int ct_foreach_mul_(const CTTensor *tensors, int64_t count, CTTensor factor);
int ct_foreach_add_(const CTTensor* tensors, int64_t count, double number);
int ct_foreach_lerp_(const CTTensor *tensors, const CTTensor *ends, int64_t count, double weight);
/// A step along `factor` times the gradients, which may be changed by it; then `averages`, where it is
/// not NULL, move towards the parameters by `average_share`. `steps` count this step already.
int ct_fused_adam_(const CTTensor *parameters, const CTTensor *gradients, const CTTensor *means,
                   const CTTensor *squares, const CTTensor *steps, int64_t count, double rate,
                   double beta1, double beta2, double weight_decay, double eps, bool decoupled,
                   double factor, const CTTensor *averages, double average_share);
int ct_fused_sgd_(const CTTensor *parameters, const CTTensor *gradients, const CTTensor *momenta,
                  int64_t count, double rate, double momentum, double weight_decay, double dampening,
                  bool nesterov, bool first_step);

#ifdef __cplusplus
}
#endif
#endif
