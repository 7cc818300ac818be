// Processes that train together: c10d's store, its process group over Gloo, and its reducer.
#define USE_C10D_GLOO
#include <netdb.h>
#include <signal.h>
#include <sys/socket.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "boundary.h"

C10_DECLARE_int(caffe2_log_level);

using namespace ctorch;

namespace {

using Group = c10::intrusive_ptr<c10d::ProcessGroup>;
using Backend = c10d::ProcessGroup::BackendType;

Group& group(CTProcessGroup handle) { return *reinterpret_cast<Group*>(handle); }

/// As `guard`, with status 2 for what is no matter of the other ranks or of the network.
template <typename Body>
int exchange(const char* operation, Body&& body) noexcept {
  bool is_local = false;
  int status = guard(operation, {}, [&] {
    try {
      body();
    } catch (const c10::DistError&) {
      throw;
    } catch (const c10::Error&) {
      // Gloo's own exceptions are none of c10's.
      is_local = true;
      throw;
    }
  });
  return status != 0 && is_local ? 2 : status;
}

/// The address of this machine that traffic to `host` leaves from: where the others reach it.
/// Connecting a datagram socket sends nothing; it only looks up the route. A name that is not known
/// yet is asked for until the time is over, as a new pod's may be.
std::string own_address(const std::string& host, int port, std::chrono::milliseconds timeout) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_DGRAM;
  auto end = std::chrono::steady_clock::now() + timeout;
  int status;
  while ((status = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found)) != 0 &&
         std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  TORCH_CHECK(status == 0, "the address ", host, " is not known (", gai_strerror(status), ")");
  std::string own;
  for (addrinfo* one = found; one && own.empty(); one = one->ai_next) {
    int socket = ::socket(one->ai_family, one->ai_socktype, one->ai_protocol);
    if (socket < 0) continue;
    sockaddr_storage name{};
    socklen_t length = sizeof name;
    char text[NI_MAXHOST];
    if (connect(socket, one->ai_addr, one->ai_addrlen) == 0 &&
        getsockname(socket, reinterpret_cast<sockaddr*>(&name), &length) == 0 &&
        getnameinfo(reinterpret_cast<sockaddr*>(&name), length, text, sizeof text, nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      own = text;
    }
    close(socket);
  }
  freeaddrinfo(found);
  TORCH_CHECK(!own.empty(), "there is no way to the address ", host);
  return own;
}

/// Whether an address leads to the machine itself alone.
bool is_loopback(const std::string& address) {
  return address.rfind("127.", 0) == 0 || address == "::1";
}

std::vector<at::Tensor> detached(const CTTensor* tensors, int64_t count) {
  auto all = list(tensors, count);
  for (auto& tensor : all) tensor = tensor.detach();
  return all;
}

}  // namespace

int ct_process_group_new(const char* host, int port, int rank, int size, bool hosts_store,
                         bool spans_machines, const char* prefix, int64_t timeout_ms,
                         CTProcessGroup* out) {
  return guard("process_group", {}, [&] {
    // Writing to a rank that is gone is an error of the write, not the end of this process.
    struct sigaction former;
    if (sigaction(SIGPIPE, nullptr, &former) == 0 && former.sa_handler == SIG_DFL) {
      signal(SIGPIPE, SIG_IGN);
    }
    // What goes wrong is told once, by the caller, instead of at every try.
    FLAGS_caffe2_log_level = 3;
    std::chrono::milliseconds timeout(timeout_ms);
    std::string own = own_address(host, port, timeout);
    bool names_interface = std::getenv("GLOO_SOCKET_IFNAME") != nullptr;
    TORCH_CHECK(names_interface || !spans_machines || !is_loopback(own), host, " is ", own,
                " here, an address that no other machine reaches, so name an address in ",
                "MASTER_ADDR or a network interface in GLOO_SOCKET_IFNAME");
    c10d::TCPStoreOptions at;
    at.port = static_cast<uint16_t>(port);
    at.isServer = hosts_store;
    at.timeout = timeout;
    at.numWorkers = size;
    // The group's own meeting below waits for everyone.
    at.waitWorkers = false;
    at.multiTenant = true;
    c10::intrusive_ptr<c10d::Store> store = c10::make_intrusive<c10d::TCPStore>(host, at);
    store = c10::make_intrusive<c10d::PrefixStore>(prefix, store);
    auto options = c10d::ProcessGroupGloo::Options::create(timeout);
    if (names_interface) {
      options = c10d::ProcessGroupGloo::Options::create_default(timeout);
    } else {
      options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(own));
    }
    auto gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, size, options);
    auto made = c10::make_intrusive<c10d::ProcessGroup>(store, rank, size);
    for (auto type : {c10::DeviceType::CPU, c10::DeviceType::CUDA}) {
      made->setBackend(type, Backend::GLOO, gloo);
    }
    made->setDefaultBackend(Backend::GLOO);
    *out = reinterpret_cast<CTProcessGroup>(new Group(std::move(made)));
  });
}

void ct_process_group_free(CTProcessGroup handle) { delete &group(handle); }

int ct_all_reduce_(CTProcessGroup handle, const CTTensor* tensors, int64_t count) {
  return exchange("all_reduce_", [&] {
    auto all = detached(tensors, count);
    bool is_host = std::all_of(all.begin(), all.end(), [](auto& x) { return x.is_cpu(); });
    if (is_host) {
      group(handle)->allreduce_coalesced(all)->wait();
      return;
    }
    // Gloo takes other devices' tensors one by one alone.
    for (at::Tensor& one : all) {
      std::vector<at::Tensor> single = {one};
      group(handle)->allreduce(single)->wait();
    }
  });
}

int ct_broadcast_(CTProcessGroup handle, const CTTensor* tensors, int64_t count) {
  return exchange("broadcast_", [&] {
    auto all = detached(tensors, count);
    c10d::broadcast_coalesced(group(handle), all, c10d::kDefaultBucketBytesCap, /*rank=*/0);
  });
}

int ct_reducer_new(CTProcessGroup handle, const CTTensor* parameters, int64_t count,
                   CTReducer* out) {
  return guard("reducer", {}, [&] {
    auto all = list(parameters, count);
    std::vector<bool> sparse(count, false);
    auto [buckets, limits] = c10d::compute_bucket_assignment_by_size(
        all, {c10d::kDefaultFirstBucketBytes, c10d::kDefaultBucketBytesCap}, sparse);
    // The last layers' gradients are there first.
    std::reverse(buckets.begin(), buckets.end());
    *out = reinterpret_cast<CTReducer>(new c10d::Reducer(
        all, buckets, group(handle), sparse, c10d::kDefaultBucketBytesCap,
        /*find_unused_parameters=*/false, /*gradient_as_bucket_view=*/false, {},
        c10d::kDefaultFirstBucketBytes, /*skip_all_reduce_unused_params=*/false,
        /*use_python_reducer=*/false, {}));
  });
}

void ct_reducer_free(CTReducer reducer) { delete reinterpret_cast<c10d::Reducer*>(reducer); }

int ct_reducer_backward(CTReducer handle, CTTensor loss) {
  return exchange("reducer_backward", [&] {
    auto* reducer = reinterpret_cast<c10d::Reducer*>(handle);
    reducer->prepare_for_forward();
    reducer->rebuild_buckets();
    reducer->prepare_for_backward({});
    torch::autograd::backward({*Ref(loss)}, {});
    // A parameter without a gradient would leave all of its bucket as it was.
    reducer->check_finalized();
  });
}
