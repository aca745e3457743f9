"""Headers of every response beside those of Django's SecurityMiddleware and of django-csp."""

from __future__ import annotations

from functools import cache

from django.urls import reverse

# What a page might ask a browser for; the pages here need none of it. Chromium on Linux warns of `bluetooth` and
# `web-share`, which it has on Windows and macOS only.
POWERFUL_FEATURES = (
    *("accelerometer", "autoplay", "bluetooth", "browsing-topics", "camera", "display-capture", "encrypted-media"),
    *("fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection"),
    *("keyboard-map", "local-fonts", "magnetometer", "microphone", "midi", "otp-credentials", "payment"),
    *("picture-in-picture", "publickey-credentials-create", "publickey-credentials-get", "screen-wake-lock"),
    *("serial", "storage-access", "sync-xhr", "usb", "web-share", "window-management", "xr-spatial-tracking"),
)
PERMISSIONS_POLICY = ", ".join(f"{feature}=()" for feature in POWERFUL_FEATURES)
# As `report-to` of the content security policy names it.
REPORTING_GROUP = "csp"


@cache
def security_headers() -> dict[str, str]:
    """Return the headers a response has unless its view sets them differently."""
    return {
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS_POLICY,
        "Reporting-Endpoints": f'{REPORTING_GROUP}="{reverse("csp_report")}"',
        # Who is signed in changes every page. Static files bring a rule of their own.
        "Cache-Control": "no-store",
    }


@cache
def callback_path() -> str:
    """Return the path at which authorization responses arrive."""
    return reverse("callback")
