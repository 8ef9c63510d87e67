#!/bin/sh
# Installs what this machine lacks.
#   system-packages.sh        what flextune's demo needs: venv, bubblewrap, a JDK with javatuples, Node.js
#   system-packages.sh test   also the toolchains of the languages that the tests cover, and a browser
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
if [ "${1:-}" = test ]; then
    need g++ command -v g++
    need golang-go command -v go
    need node-typescript command -v tsc
    need perl command -v perl
    need libtest-deep-perl perl -MTest::Deep -e 1
    need ruby command -v ruby
    need ruby-test-unit ruby -e "require 'test/unit/version'"
    need lua5.4 command -v lua5.4
    need lua-unit lua5.4 -e "require 'luaunit'"
    need php-cli command -v php
    need postgresql test -d /usr/lib/postgresql
    # Ubuntu's package of this name wants snapd; there, any Chrome on the path serves the tests as well.
    command -v google-chrome >/dev/null 2>&1 || need chromium command -v chromium
fi
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
$sudo env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get install -y -qq --no-install-recommends $missing >/dev/null
