# shellcheck shell=sh
# Sourced by bin/up and bin/test.

# Set `python` to a Python this project runs on, or say in one sentence which to install.
# Each candidate is run: a name on PATH may be too old, or a version manager's stub for a Python that is not installed.
find_python() {
    seen=""
    for python in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 python; do
        command -v "$python" >/dev/null 2>&1 || continue
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            if "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
                return 0
            fi
            seen="$seen, $python cannot make virtual environments (on Debian and Ubuntu: apt install python3-venv)"
        elif version=$("$python" -c 'import platform; print(platform.python_version())' 2>/dev/null); then
            seen="$seen, $python is $version"
        fi
    done
    cat >&2 <<END
Gatehouse needs Python 3.11 or newer, and none was found${seen:+: ${seen#, }}.
Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python), or set PYTHON to its path.
END
    return 1
}
