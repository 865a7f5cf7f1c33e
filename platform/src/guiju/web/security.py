"""What every answer says about itself to the browser, and how the session's cookie is kept."""

from flask import Flask, Response, request

from guiju.config import Settings

#: Nothing from elsewhere, nothing inline.  ``data:`` is for the small images in the
#: stylesheet of the component library.
_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}

#: How a form without a file is sent.
FORM_TYPE = "application/x-www-form-urlencoded"

#: A form without a file is small; more bytes are a mistake or an attack.
_LARGEST_FORM = 1024 * 1024

_HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def configuration(settings: Settings) -> dict[str, object]:
    """Flask's settings that concern the session's cookie."""
    secure = settings.secure_cookies
    return {
        # The prefix makes browsers refuse the cookie from anything but this very host.
        "SESSION_COOKIE_NAME": "__Host-guiju" if secure else "guiju",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        # The form's token lives as long as the session does.
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_SSL_STRICT": secure,
        # What is beside the files of a form with files.
        "MAX_FORM_MEMORY_SIZE": _LARGEST_FORM,
    }


def init_app(app: Flask) -> None:
    """Put the headers on every answer, and limit what is read of a form."""
    app.before_request(_limit)
    app.after_request(_describe)


def _limit() -> None:
    if request.mimetype == FORM_TYPE:
        request.max_content_length = _LARGEST_FORM


def _describe(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static":
        # What a signed-in person saw is not kept in a browser that others use.
        response.headers.setdefault("Cache-Control", "no-store")
    return response
