#!/bin/sh
# Lays out what a static link against musl needs for one machine architecture, from Debian's packages, and prints
# the directory. It holds bin/cc (a C compiler and linker driver aimed at musl) and lib/libunwind.a.
#
#   packaging/toolchain/musl-sysroot.sh x86_64|aarch64 DIRECTORY
#
# The packages are unpacked below DIRECTORY, never installed: the machine's own architectures and its libunwind
# stay as they are.
set -eu
# shellcheck source=packaging/toolchain/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -eq 2 ] || die "usage: $0 x86_64|aarch64 DIRECTORY"
machine=$1
case $machine in
x86_64) debian=amd64 ;;
aarch64) debian=arm64 ;;
*) die "unknown architecture '$machine': x86_64 and aarch64 are supported" ;;
esac
mkdir -p "$2"
directory=$(cd "$2" && pwd)
gnu=$machine-linux-gnu
musl=$machine-linux-musl

# The compiler for the machine's own architecture comes with gcc; the other one is a package of its own.
if [ "$(uname -m)" = "$machine" ]; then
    need_packages gcc libc6-dev
else
    need_packages "gcc-$(printf %s "$gnu" | tr _ -)"
fi

# Targets of a parallel make take turns. Nothing below outlives this script with the lock.
exec 9>"$directory/lock"
flock --timeout 900 9 || die "another run in $directory does not end"

root=$directory/$machine
# The specs hold the directory's path, so one that was moved is laid out anew.
recipe=$({ cat "$0" && echo "$root"; } | sha256sum)
if [ "$(cat "$root/recipe" 2>/dev/null)" = "$recipe" ]; then
    echo "$root"
    exit 0
fi

say "fetching musl and libunwind for $debian"
work=$(mktemp -d "$directory/.$machine.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/debs" "$work/root/bin" "$work/root/lib"
: >"$work/apt/status"
# The machine's sources and keys, but lists, cache and status of our own.
cat >"$work/apt.conf" <<CONF
APT::Architecture "$debian";
APT::Architectures { "$debian"; };
APT::Sandbox::User "$(id -un)";
Dir::State "$work/apt";
Dir::State::status "$work/apt/status";
Dir::Cache "$work/apt/cache";
Acquire::Languages "none";
CONF
export APT_CONFIG="$work/apt.conf"
apt_get update || die "cannot read Debian's package lists for $debian: $(apt_reason)"
libunwind=$(apt-cache pkgnames libunwind- | grep -E '^libunwind-[0-9]+-dev$' | sort -V | tail -n 1)
[ -n "$libunwind" ] || die "Debian's package lists for $debian have no libunwind-<version>-dev"
(cd "$work/debs" && apt_get download musl-dev "$libunwind") || die "cannot fetch musl-dev and $libunwind for $debian: $(apt_reason)"
for deb in "$work"/debs/*.deb; do
    dpkg-deb -x "$deb" "$work/root"
done

# What musl-gcc's specs do, for any architecture, and for a static position-independent executable too. A blank in a path is
# escaped as gcc wants it.
escaped=$(printf %s "$root" | sed 's/ /\\ /g')
cat >"$work/root/musl.specs" <<SPECS
%rename cpp_options old_cpp_options

*cpp_options:
-nostdinc -isystem $escaped/usr/include/$musl -isystem include%s %(old_cpp_options)

*cc1:
%(cc1_cpu) -nostdinc -isystem $escaped/usr/include/$musl -isystem include%s

*link_libgcc:
-L$escaped/usr/lib/$musl -L .%s

*libgcc:
libgcc.a%s %:if-exists(libgcc_eh.a%s)

*startfile:
%{static-pie:$escaped/usr/lib/$musl/rcrt1.o;:$escaped/usr/lib/$musl/crt1.o} $escaped/usr/lib/$musl/crti.o %{static-pie:crtbeginS.o%s;:crtbegin.o%s}

*endfile:
%{static-pie:crtendS.o%s;:crtend.o%s} $escaped/usr/lib/$musl/crtn.o

*link:
-nostdlib %{static-pie:-static -pie --no-dynamic-linker -z text;:-static}

SPECS
cat >"$work/root/bin/cc" <<CC
#!/bin/sh
exec $gnu-gcc "\$@" -specs "$root/musl.specs"
CC
chmod 0755 "$work/root/bin/cc"

rm -rf "$root"
mv "$work/root" "$root"

# Debian's libunwind was compiled against glibc with _FORTIFY_SOURCE: of glibc's checked functions it calls the first of these in
# Debian 12 and the others in Debian 13.
cp "$(find "$root/usr/lib" -path '*llvm*' -name libunwind.a)" "$root/lib/libunwind.a"
cat >"$work/fortify.c" <<'C'
#include <stdarg.h>
#include <stdio.h>

int __fprintf_chk(FILE *file, int flag, const char *format, ...)
{
    va_list arguments;
    int written;

    (void)flag;
    va_start(arguments, format);
    written = vfprintf(file, format, arguments);
    va_end(arguments);
    return written;
}

int __vfprintf_chk(FILE *file, int flag, const char *format, va_list arguments)
{
    (void)flag;
    return vfprintf(file, format, arguments);
}

int __vsnprintf_chk(char *text, size_t most, int flag, size_t size, const char *format, va_list arguments)
{
    (void)flag;
    (void)size;
    return vsnprintf(text, most, format, arguments);
}
C
"$root/bin/cc" -O2 -fPIC -c -o "$work/fortify.o" "$work/fortify.c"
"$gnu-ar" r "$root/lib/libunwind.a" "$work/fortify.o" 2>/dev/null
echo "$recipe" >"$root/recipe"
echo "$root"
