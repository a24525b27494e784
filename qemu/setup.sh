#!/bin/sh
# Installs what is missing, or says what to type. Usage: qemu/setup.sh GROUP...
#
# Debian packages come from packages.txt (group, package, a file or program that shows it is there,
# what for), Node packages from package-lock.json. Nothing is done when nothing is missing.
set -eu
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin

missing=
for group in "$@"; do
    while IFS='	' read -r in_group package shows _; do
        [ "$in_group" = "$group" ] || continue
        case $shows in
        /*) [ -e "$shows" ] || missing="$missing $package" ;;
        *) command -v "$shows" >/dev/null 2>&1 || missing="$missing $package" ;;
        esac
    done <qemu/packages.txt
done

if [ -n "$missing" ]; then
    install="apt-get install -y --no-install-recommends$missing"
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "setup: this machine lacks, by their Debian names:$missing. Install them and try again." >&2
        exit 1
    elif [ "$(id -u)" = 0 ]; then
        as_root=
    elif command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        as_root=sudo
    else
        echo "setup: packages are missing. As root, type:" >&2
        echo "  apt-get update && $install" >&2
        exit 1
    fi
    echo "setup: installing$missing"
    mkdir -p build
    log=build/apt.log
    # shellcheck disable=SC2086
    if ! { $as_root env DEBIAN_FRONTEND=noninteractive apt-get update &&
           $as_root env DEBIAN_FRONTEND=noninteractive $install; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "setup: apt-get failed; the whole of what it said is in $log." >&2
        exit 1
    fi
fi

if [ ! -e node_modules/.ready ] || [ package-lock.json -nt node_modules/.ready ]; then
    echo "setup: installing the Node packages of package-lock.json"
    mkdir -p build
    # Native addons are compiled against the headers of Debian's Node, where they are.
    [ -e /usr/include/node/node_api.h ] && export npm_config_nodedir=/usr
    if ! npm ci --no-fund --no-audit >build/npm.log 2>&1; then
        tail -n 20 build/npm.log >&2
        echo "setup: npm failed; the whole of what it said is in build/npm.log." >&2
        exit 1
    fi
    touch node_modules/.ready
fi
