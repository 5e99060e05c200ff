#!/bin/sh
# Installs the Debian packages given that are missing, where that starts nothing but what the tests start.
set -eu

missing=
for package; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=
    test "$status" = installed || missing="$missing $package"
done
test -n "$missing" || exit 0

refuse() {
    echo "tests will be skipped: $1; missing:$missing"
    exit 0
}
command -v apt-get >/dev/null || refuse "no apt-get here"
test "$(id -u)" = 0 || refuse "only root can install packages"
# their services would be enabled, which is for the machine's owner to decide
test ! -d /run/systemd/system || refuse "not installed on a machine that systemd runs"

# told so, packages start no services
policy=/usr/sbin/policy-rc.d
if ! test -e "$policy"; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # words
{ apt-get update -q && apt-get install -qy --no-install-recommends $missing; } ||
    refuse "apt-get failed"
