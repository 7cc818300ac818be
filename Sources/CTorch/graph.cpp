// What a GPU is told to do, recorded once and started as one piece afterwards: CUDA graphs.
#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "boundary.h"

// From 2.13 on libtorch records without headers of CUDA's; before, its class for CUDA needs them.
#if __has_include(<ATen/accelerator/Graph.h>)
#include <ATen/accelerator/Graph.h>
#define CT_GRAPHS 1
using Graph = at::accelerator::Graph;
constexpr auto this_thread = at::GraphCaptureMode::ThreadLocal;
static bool is_registered() { return at::has_graph_impl(at::kCUDA); }
#elif defined(LATENT_CUDA) && __has_include(<cuda_runtime_api.h>)
#include <ATen/cuda/CUDAGraph.h>
#define CT_GRAPHS 1
using Graph = at::cuda::CUDAGraph;
constexpr auto this_thread = cudaStreamCaptureModeThreadLocal;
static bool is_registered() { return true; }
#endif

using namespace ctorch;

#ifdef CT_GRAPHS

namespace {

/// A graph, and while it is recorded the stream that it is recorded on: CUDA records nothing of the one
/// that is there by default.
struct Recording {
  Graph graph;
  std::optional<c10::StreamGuard> here;
};

/// One stream for all recordings of a device: cuBLAS keeps memory for each that it has seen.
c10::Stream stream_of(const c10::impl::VirtualGuardImpl& guard, at::Device device) {
  static std::mutex mutex;
  static std::map<c10::DeviceIndex, c10::Stream> streams;
  std::lock_guard<std::mutex> lock(mutex);
  auto found = streams.find(device.index());
  if (found == streams.end()) {
    found = streams.emplace(device.index(), guard.getStreamFromGlobalPool(device)).first;
  }
  return found->second;
}

Recording& recording(CTGraph handle) { return *reinterpret_cast<Recording*>(handle); }

}  // namespace

bool ct_graph_available(int kind) {
  // To see what graphs are worth, or whether they are to blame.
  static const char* wish = std::getenv("LATENT_GRAPHS");
  if (wish && std::string_view(wish) == "0") return false;
  return kind == CT_CUDA && at::globalContext().hasCUDA() && is_registered();
}

int ct_graph_begin(int kind, int index, CTGraph* out) {
  return guard("graph.begin", {}, [&] {
    auto made = std::make_unique<Recording>();
    at::Device where = device(kind, index);
    c10::impl::VirtualGuardImpl guard(where.type());
    // What was started before has to be through: the other stream does not wait for it. And memory that
    // is kept for later, that of earlier graphs too, can be given back now, but not while recording.
    guard.synchronizeDevice(where.index());
    at::getDeviceAllocator(where.type())->emptyCache();
    made->here.emplace(stream_of(guard, where));
    made->graph.capture_begin({0, 0}, this_thread);
    *out = reinterpret_cast<CTGraph>(made.release());
  });
}

int ct_graph_end(CTGraph handle) {
  return guard("graph.end", {}, [&] {
    recording(handle).graph.capture_end();
    recording(handle).here.reset();
  });
}

int ct_graph_replay(CTGraph handle) {
  return guard("graph.replay", {}, [&] { recording(handle).graph.replay(); });
}

void ct_graph_free(CTGraph handle) { delete reinterpret_cast<Recording*>(handle); }

#else

static int none() {
  return guard("graph", {}, [] { TORCH_CHECK(false, "this libtorch records no graphs"); });
}

bool ct_graph_available(int) { return false; }
int ct_graph_begin(int, int, CTGraph*) { return none(); }
int ct_graph_end(CTGraph) { return none(); }
int ct_graph_replay(CTGraph) { return none(); }
void ct_graph_free(CTGraph) {}

#endif
