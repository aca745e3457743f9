# shellcheck shell=sh
# Sourced by bin/test.

# Set CHROMIUM to the browser the browser tests drive; install one where that needs no questions, or say how.
find_chromium() {
    if ! locate_chromium && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing Chromium for the browser tests"
        mkdir -p .local/log
        { apt-get update && apt-get install --yes --no-install-recommends chromium; } >.local/log/apt.log 2>&1 ||
            echo "apt-get could not install it, see .local/log/apt.log" >&2
        locate_chromium || true
    fi
    if [ -n "${CHROMIUM:-}" ]; then
        return 0
    fi
    cat >&2 <<'END'
The browser tests need Chromium or Chrome, and none was found. Install one (Debian, Ubuntu: sudo apt install chromium;
Fedora: sudo dnf install chromium; macOS: brew install --cask google-chrome), or set CHROMIUM to its path.
END
    # Elsewhere the tests that need it are skipped; in CI a skipped test is a failure.
    [ "${CI:-}" != true ]
}

locate_chromium() {
    if [ -z "${CHROMIUM:-}" ]; then
        for candidate in chromium chromium-browser google-chrome google-chrome-stable \
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
            "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
            if CHROMIUM=$(command -v "$candidate"); then
                break
            fi
        done
    fi
    export CHROMIUM
    [ -n "$CHROMIUM" ]
}
