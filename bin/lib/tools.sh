# shellcheck shell=sh
# Sourced by bin/test.

# Set CHROMIUM, NGINX and REDIS_SERVER to what the tests drive and pip cannot install; install what is missing where
# that needs no questions, or say how.
find_tools() {
    locate_tools
    if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing for the tests:$missing"
        mkdir -p .local/log
        install_packages >.local/log/apt.log 2>&1 || echo "apt-get could not install it all, see .local/log/apt.log" >&2
        locate_tools
    fi
    if [ -z "$missing" ]; then
        return 0
    fi
    cat >&2 <<END
The browser tests need Chromium or Chrome, those of the proxy and of the fleet nginx, and Redis or Valkey. Not found:$missing.
Install them (Debian, Ubuntu: sudo apt install$missing; Fedora: sudo dnf install chromium nginx valkey;
macOS: brew install --cask google-chrome), or set CHROMIUM, NGINX, REDIS_SERVER to their paths.
END
    # Elsewhere the tests that need them are skipped; in CI a skipped test is a failure.
    [ "${CI:-}" != true ]
}

# Set `missing` to the Debian packages of what cannot be found, each with a space before it.
locate_tools() {
    missing=""
    CHROMIUM=$(first "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
        "/Applications/Chromium.app/Contents/MacOS/Chromium") || missing="$missing chromium"
    NGINX=$(first "${NGINX:-}" nginx /usr/sbin/nginx) || missing="$missing nginx"
    REDIS_SERVER=$(first "${REDIS_SERVER:-}" redis-server valkey-server) || missing="$missing redis-server"
    export CHROMIUM NGINX REDIS_SERVER
}

# first COMMAND...: print the path of the first there is.
first() {
    for candidate; do
        if [ -n "$candidate" ] && command -v "$candidate"; then
            return 0
        fi
    done
    return 1
}

# Install the packages in `missing`, and start none of the services some of them bring, neither now nor at the next boot.
install_packages() {
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
    else
        policy=""
    fi
    status=0
    # shellcheck disable=SC2086  # one argument for each package
    { apt-get update && apt-get install --yes --no-install-recommends $missing; } || status=$?
    if [ -n "$policy" ]; then
        rm -f "$policy"
    fi
    if [ -d /run/systemd/system ]; then
        # shellcheck disable=SC2086
        systemctl disable $missing || true # not all of them have one
    fi
    return "$status"
}
