"""What went wrong, in plain words, with a way back."""

from dataclasses import dataclass

import structlog
from flask import render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from guiju.language import gettext
from guiju.web.security import FORM_TYPE

log = structlog.get_logger()


def _(text: str) -> str:
    """Mark ``text`` for translation; the translation itself happens on display."""
    return text


@dataclass(frozen=True)
class _Page:
    title: str
    text: str


_STALE_FORM = _Page(
    _("表单已失效"),
    _("页面打开太久，或登录状态已变化，刚才的提交没有生效。请返回上一页，刷新后再提交。"),
)

_TOO_LARGE = _Page(
    _("内容太大"), _("提交的内容超过了 {most} MB 的上限，没有保存。请缩小文件后重试。")
)
_TOO_LONG = _Page(
    _("内容太大"), _("填写的文字超过了 {most} MB 的上限，没有保存。请减少文字后重试。")
)

_PAGES = {
    400: _Page(_("请求有误"), _("服务器看不懂这个请求，没有作任何改动。请返回上一页重试。")),
    403: _Page(_("没有权限"), _("您的角色不能进行这项操作。如确有需要，请联系本单位的管理员。")),
    404: _Page(_("找不到页面"), _("地址可能有误，内容可能已移走，也可能不在您的管辖范围内。")),
    405: _Page(_("请求有误"), _("这个地址不接受这种请求。请从页面上的链接或按钮进入。")),
    413: _Page(_("内容太大"), _("提交的内容超过了上限，没有保存。请缩小文件后重试。")),
    429: _Page(_("操作太频繁"), _("尝试次数过多，请稍候几分钟再试。")),
    500: _Page(
        _("系统出错"), _("这是系统的问题，已经记录。请稍后重试；如一直这样，请联系管理员。")
    ),
    503: _Page(_("暂时不可用"), _("系统正在维护或过于繁忙，请稍后重试。")),
}


def answer(
    error: Exception,
) -> HTTPException | tuple[str, int] | tuple[str, int, list[tuple[str, str]]]:
    """The page that answers an error."""
    if isinstance(error, CSRFError):
        return _stale_form(error)
    return _known(error) if isinstance(error, HTTPException) else _unknown(error)


def _stale_form(error: CSRFError) -> tuple[str, int]:
    log.info("stale_form", reason=error.description)
    return _render(_STALE_FORM, 400), 400


def _known(
    error: HTTPException,
) -> HTTPException | tuple[str, int] | tuple[str, int, list[tuple[str, str]]]:
    status = error.code
    if status is None or status < 400:
        return error
    if status == 413 and (most := _limit_passed()):
        page = _TOO_LONG if request.mimetype == FORM_TYPE else _TOO_LARGE
        return _render(page, status, most=most // 1024**2), status
    page = _PAGES.get(status) or _PAGES[400 if status < 500 else 500]
    kept = [
        (name, value) for name, value in error.get_headers() if name in {"Allow", "Retry-After"}
    ]
    return _render(page, status), status, kept


def _limit_passed() -> int | None:
    """The bytes a request may have, where this one has more; else its fields were too many."""
    most, size = request.max_content_length, request.content_length
    return most if most is not None and (size is None or size > most) else None


def _unknown(error: Exception) -> tuple[str, int]:
    log.error("request_failed", endpoint=request.endpoint, exc_info=error)
    return _render(_PAGES[500], InternalServerError.code), InternalServerError.code


def _render(page: _Page, status: int, **values: int) -> str:
    # Inside another page there is room for the message alone.
    part = "HX-Request" in request.headers
    return render_template(
        "parts/error.html" if part else "error.html",
        title=gettext(page.title),
        text=gettext(page.text).format(**values),
        status=status,
    )
