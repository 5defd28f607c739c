#!/usr/bin/env bash
# Installs what the tests need, builds the solution once and runs every test project.
# Ends with a line "N passed, N failed, N skipped"; fails if a test failed, if none ran, and in CI (CI=true) if one was skipped.
# Lists the slowest tests and what failed. TEST_RESULTS=folder keeps what each test took (CTRF, https://ctrf.io).
# usage: tests/run.sh [options of the xunit runner, such as -class '*.ReferenceTests']
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
configuration=${CONFIGURATION:-Release}
results=$(mktemp -d)
beside=
trap '[[ -z $beside ]] || kill "$beside" 2>/dev/null || true; rm -rf "$results"' EXIT

# No process may outlive this run.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
# Nothing here runs long enough to gain from a profile of itself: the compiler with its analysers takes a third less without.
export DOTNET_TieredPGO=0
export PATH="$PATH:/usr/sbin:/sbin"

# command → Debian package
needs=(
  docker-registry:docker-registry
  skopeo:skopeo
  umoci:umoci
  dockerd:docker.io
  containerd:containerd
  runc:runc
  podman:podman
  mmdebstrap:mmdebstrap
  gpg:gnupg
  nginx:nginx-light
  htpasswd:apache2-utils
  jq:jq
  git:git
  clang:clang
  llvm-objcopy:llvm
  qemu-arm:qemu-user
  busybox:busybox-static
  ld:binutils
  chromium:chromium
  node:nodejs
  npm:npm
  curl:curl
  ld-musl-config:musl
  tmux:tmux
)

missing() {
  local need
  for need in "${needs[@]}"; do
    command -v "${need%%:*}" >/dev/null || echo "${need#*:}"
  done
  # Docker's own client: another program of that name may come first on PATH.
  [[ -x /usr/bin/docker ]] || echo docker.io
  # What .NET compiles ahead of time with, besides clang.
  [[ -e /usr/include/zlib.h ]] || echo zlib1g-dev
  # A reader of YAML that is not the one of the package.
  /usr/bin/python3 -c 'import yaml' 2>/dev/null || echo python3-yaml
  # What the key files of cosign are encrypted with.
  /usr/bin/python3 -c 'import nacl' 2>/dev/null || echo python3-nacl
  # A reader of COSE that is not .NET's.
  /usr/bin/python3 -c 'import cbor2' 2>/dev/null || echo python3-cbor2
}

install_missing() {
  local packages as_root=()
  mapfile -t packages < <(missing | sort -u)
  (( ${#packages[@]} )) || return 0
  (( EUID == 0 )) || as_root=(sudo -n)
  echo "Installing ${packages[*]}"
  # Nothing that is installed here may start a service.
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update
  "${apt[@]}" install --no-install-recommends "${packages[@]}" >/dev/null
  packages=($(missing | sort -u))
  if (( ${#packages[@]} )); then
    echo "Still missing: ${packages[*]}" >&2
    return 1
  fi
}

# Two runs in one clone build one after the other; the second finds everything built.
# The projects share one compiler, which starts once and ends with the build.
build() {
  local compiler=imagepublish-build-$$ status=0
  UseSharedCompilation=true SharedCompilationId=$compiler flock "$root/tests/run.sh" dotnet build "$root/ImagePublish.Tasks.sln" \
    --configuration "$configuration" --nologo --verbosity quiet -nodeReuse:false || status=$?
  dotnet "$(dotnet msbuild "$root/tests/ImagePublish.Tests" -nologo -getProperty:RoslynTargetsPath)/bincore/VBCSCompiler.dll" -shutdown "-pipename:$compiler"
  return "$status"
}

# Whole builds wait for registries, engines and each other: with one for each core, a third of the time no core has work. What is left of
# the cores goes to the tests of the core, which are shown afterwards.
run_tests() {
  local failed=0 name
  start ImagePublish.Tests 1 "$@" >"$results/core.log" 2>&1 &
  beside=$!
  (start ImagePublish.Tasks.Tests 2x "$@") || failed=1
  wait "$beside" || failed=1
  beside=
  cat "$results/core.log"
  # A runner that dies writes no results: that is a failure of its own.
  for name in ImagePublish.Tests ImagePublish.Tasks.Tests; do
    [[ -s $results/$name.json ]] || { echo "$name ended without results." >&2; failed=1; }
  done
  return "$failed"
}

start() {
  local name=$1 threads=$2
  shift 2
  exec dotnet "$root/tests/$name/bin/$configuration/net10.0/$name.dll" -maxThreads "$threads" -noLogo -noColor -noAutoReporters \
    -longRunning 120 -result-ctrf "$results/$name.json" "$@" </dev/null
}

total() {
  cat "$results"/*.json | jq -s "map(.results.summary.$1) | add // 0"
}

# Said once more at the end: a CI service may keep only the end of what a run prints.
failures() {
  cat "$results"/*.json | jq -rs '[.[].results.tests[] | select(.status == "failed")]
    | if . == [] then empty else "What failed:", (.[] | "\(.name)\n\(.message[:4000])\n\(.trace)\n") end'
}

slowest() {
  echo "The slowest tests, in seconds:"
  cat "$results"/*.json | jq -rs '[.[].results.tests[]] | sort_by(-.duration)[:10][] | "\(.duration / 100 | round / 10)\t\(.name)"'
}

# Building needs none of the packages.
install_missing &
installing=$!
built=0
build || built=$?
wait "$installing"
(( built == 0 )) || exit "$built"
status=0
run_tests "$@" || status=1

slowest || true
failures || true
[[ -z ${TEST_RESULTS:-} ]] || { mkdir -p "$TEST_RESULTS" && cp "$results"/*.json "$TEST_RESULTS"; }

passed=$(total passed) failed=$(total failed) skipped=$(total skipped)
(( passed + failed > 0 )) || { echo "No test ran." >&2; status=1; }
(( failed == 0 )) || status=1
if [[ ${CI:-} == true ]] && (( skipped > 0 )); then
  echo "In CI no test may be skipped." >&2
  status=1
fi
# A failure that belongs to no test, such as a fixture's, counts as one.
(( status == 0 || failed > 0 )) || failed=1
echo "$passed passed, $failed failed, $skipped skipped"
exit "$status"
