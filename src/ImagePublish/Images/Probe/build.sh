#!/usr/bin/env bash
# Assembles the probes; with a folder as argument, into that folder. Needs clang and llvm-objcopy.
set -euo pipefail

source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=${1:-$source}
for machine in x64:x86_64-linux-gnu arm64:aarch64-linux-gnu arm:armv7a-linux-gnueabi; do
  name=${machine%%:*}
  object=$(mktemp)
  clang --target="${machine#*:}" -c "$source/probe.$name.S" -o "$object"
  if llvm-objdump --reloc "$object" | grep -q RELOCATION; then
    echo "probe.$name.S needs a linker." >&2
    exit 1
  fi
  llvm-objcopy --output-target=binary --only-section=.text "$object" "$target/probe.$name"
  rm "$object"
done
