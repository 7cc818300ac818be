# Sourced by ./latent and ./test: brings what they need, once, and says what it does.
#
# libtorch comes out of its Python wheel into the cache folder (LATENT_CACHE, or XDG_CACHE_HOME/latent,
# or ~/.cache/latent), headers and libraries only; no Python is left in it and none runs later.
# LATENT_LIBTORCH=DIR uses a libtorch that is there already (a folder with include and lib).

torch_version=2.13.0
cache="${LATENT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/latent}"
libtorch="${LATENT_LIBTORCH:-$cache/libtorch-$torch_version/torch}"

say() { printf 'latent: %s\n' "$*" >&2; }
stop() { printf 'error: %s\n' "$*" >&2; exit 1; }

set_up() {
  need_swift
  need_system_libraries
  need_libtorch
}

need_swift() {
  command -v swift >/dev/null || stop "Swift is missing: install Swift 6.2 or later (swift.org/install) and run this again."
  local version
  version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+)\.([0-9]+).*/\1 \2/p' | head -n 1)
  set -- $version
  if [ -n "${2:-}" ] && [ $(($1 * 100 + $2)) -lt 602 ]; then
    stop "Swift $1.$2 is too old: install Swift 6.2 or later (swift.org/install) and run this again."
  fi
}

need_system_libraries() {
  if [ "$(uname)" = Darwin ]; then
    pkg-config --exists libpng libjpeg libwebp 2>/dev/null ||
      stop "libpng, libjpeg and libwebp are missing: run 'brew install pkgconf libpng jpeg-turbo webp' and this again."
    return
  fi
  command -v dpkg-query >/dev/null || {
    pkg-config --exists libpng libjpeg libwebp zlib 2>/dev/null ||
      stop "the development files of libpng, libjpeg, libwebp and zlib are missing: install them with your package manager and run this again."
    return
  }
  local missing=() package
  for package in pkg-config libpng-dev libjpeg-dev libwebp-dev zlib1g-dev; do
    installed "$package" || missing+=("$package")
  done
  # Fashion-MNIST is what the tour trains on; it can go without.
  local data=()
  installed dataset-fashion-mnist || [ -n "${LATENT_DATA:-}" ] || data=(dataset-fashion-mnist)
  [ ${#missing[@]} -eq 0 ] && [ ${#data[@]} -eq 0 ] && return
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    say "installing ${missing[*]} ${data[*]} with apt-get"
    {
      apt-get update -q
      DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
    } >"$log" 2>&1 || stop "apt-get could not install ${missing[*]}; its words are in $log"
    if [ ${#data[@]} -gt 0 ]; then
      DEBIAN_FRONTEND=noninteractive apt-get install -y -q "${data[@]}" >>"$log" 2>&1 ||
        say "Debian's dataset-fashion-mnist is not to be had here; the tour uses drawn shapes instead"
    fi
  elif [ ${#missing[@]} -gt 0 ]; then
    stop "system libraries are missing: run 'sudo apt-get install ${missing[*]} ${data[*]}' and this again."
  fi
}

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

need_libtorch() {
  if [ -n "${LATENT_LIBTORCH:-}" ]; then
    [ -f "$libtorch/include/ATen/ATen.h" ] && ls "$libtorch"/lib/libtorch_cpu.* >/dev/null 2>&1 ||
      stop "LATENT_LIBTORCH=$libtorch holds no libtorch: a folder with include/ATen/ATen.h and lib/libtorch_cpu is needed."
    return
  fi
  [ -f "$cache/libtorch-$torch_version/complete" ] && return
  command -v python3 >/dev/null && python3 -m pip --version >/dev/null 2>&1 ||
    stop "python3 with pip is needed once, to fetch libtorch's wheel: run 'apt-get install python3-pip' (or set LATENT_LIBTORCH to a libtorch) and this again."
  mkdir -p "$cache"
  local work
  work=$(mktemp -d "$cache/fetching.XXXXXX") || stop "the cache folder $cache cannot be written; set LATENT_CACHE to another one."
  trap 'rm -rf "$work"' EXIT
  say "fetching libtorch $torch_version (about 200 MB) into $cache"
  fetch_wheels "$work/wheels" || stop "pip could not fetch torch $torch_version; its words are in $log"
  say "unpacking libtorch"
  python3 - "$work" "$torch_version" <<'PYTHON' || stop "the wheel of torch could not be unpacked into $cache"
import pathlib, re, sys, zipfile

work, version = pathlib.Path(sys.argv[1]), sys.argv[2]
# Headers, libraries, and the CUDA libraries where a CUDA wheel brings them; nothing of Python.
wanted = re.compile(r"(torch/(include|lib)/|nvidia/.*\.so|torch\.libs/)")
unwanted = re.compile(r"libtorch_python|/(include/pybind11)/|jitbackend_test|torchbind_test|backend_with_compiler")
for wheel in (work / "wheels").glob("*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if wanted.match(name) and not unwanted.search(name):
                archive.extract(name, work / "libtorch")
header = (work / "libtorch/torch/include/torch/headeronly/version.h").read_text()
found = ".".join(re.search(rf"TORCH_VERSION_{p} (\d+)", header)[1] for p in ("MAJOR", "MINOR", "PATCH"))
sys.exit(0 if found == version else f"error: the wheel holds libtorch {found}, not {version}")
PYTHON
  : >"$work/libtorch/complete"
  rm -rf "$cache/libtorch-$torch_version"
  mv "$work/libtorch" "$cache/libtorch-$torch_version"
  rm -rf "$work"
  trap - EXIT
}

# The CPU build has a version of its own on Linux/x86-64 where the index knows it; elsewhere the plain
# version is the CPU build, or a CUDA build that needs the libraries of its dependencies.
fetch_wheels() {
  local pip=(python3 -m pip download -q --disable-pip-version-check --only-binary :all: -d "$1")
  if [ "$(uname -sm)" != "Linux x86_64" ]; then
    "${pip[@]}" --no-deps "torch==$torch_version" >>"$log" 2>&1
    return
  fi
  "${pip[@]}" --no-deps "torch==$torch_version+cpu" >>"$log" 2>&1 && return
  say "this package index has no CPU-only torch; fetching the CUDA build with its libraries (about 3 GB)"
  "${pip[@]}" "torch==$torch_version" >>"$log" 2>&1
}
