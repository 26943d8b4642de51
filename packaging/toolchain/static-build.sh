#!/bin/sh
# Builds binaries that are statically linked against musl and therefore run on any Linux, whatever its C library.
# They end up in <target directory>/<triple>/<profile>.
#
#   packaging/toolchain/static-build.sh x86_64|aarch64 PROFILE [cargo build's options, such as -p kaiwudb-agent]
#
# A toolchain that has the musl target is used as it is. Otherwise Debian's compiler builds the standard library
# from Debian's sources of it, so nothing has to be fetched from anywhere else but the crates themselves.
# STATIC_BUILD_STD=1 asks for the second way in any case.
set -eu
# shellcheck source=packaging/toolchain/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -ge 2 ] || die "usage: $0 x86_64|aarch64 PROFILE [cargo build's options]"
machine=$1
profile=$2
shift 2
triple=$machine-unknown-linux-musl
sysroot=$("$repository/packaging/toolchain/musl-sysroot.sh" "$machine" "${CARGO_TARGET_DIR:-$repository/target}/musl")
use_cargo

# No path of the machine that builds ends up in the binaries: they are the same wherever they were built.
# The flags are separated by this character: a path may have a blank.
separator=$(printf '\037')
flags="--remap-path-prefix=$repository=/usr/src/kaiwudb-ha$separator--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/usr/src/cargo"
if [ "${STATIC_BUILD_STD:-0}" = 1 ] || [ ! -d "$(rustc --print target-libdir --target "$triple")" ]; then
    use_debian_cargo
    # Debian's source of the standard library goes with one compiler, but is not rebuilt with it.
    need_packages "rust-web-src>=$(installed_version rustc-web | sed 's/+b[0-9]*$//')"
    # -Z needs the bootstrap switch with a stable compiler. musl's start files and libunwind are Debian's.
    export RUSTC_BOOTSTRAP=1
    flags="$flags$separator-Clink-self-contained=no$separator-Lnative=$sysroot/lib"
    set -- -Z build-std=std,panic_unwind "$@"
fi

lower=$(printf %s "$triple" | tr - _)
upper=$(printf %s "$lower" | tr '[:lower:]' '[:upper:]')
export "CC_$lower=$sysroot/bin/cc" "AR_$lower=$machine-linux-gnu-ar"
export "CARGO_TARGET_${upper}_LINKER=$sysroot/bin/cc" CARGO_ENCODED_RUSTFLAGS="$flags"
cd "$repository"
exec cargo build --locked --profile "$profile" --target "$triple" "$@"
