#!/bin/sh
# Installs what this machine lacks: venv, bubblewrap, a JDK with javatuples, Node.js.
# Without the right to install it prints the one command to run.
set -eu

missing=""
need() {  # need PACKAGE TEST...: PACKAGE is missing if TEST fails
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

need python3-venv "${PYTHON:-python3}" -c "import ensurepip"
need bubblewrap command -v bwrap
need default-jdk-headless command -v javac
need libjavatuples-java test -e /usr/share/java/javatuples.jar
need nodejs command -v node
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Please install:$missing (names of Debian's packages)" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    sudo=""
elif sudo -n true 2>/dev/null; then
    sudo="sudo"
else
    echo "Please run: sudo apt-get update && sudo apt-get install -y$missing" >&2
    exit 1
fi
echo "installing$missing"
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
