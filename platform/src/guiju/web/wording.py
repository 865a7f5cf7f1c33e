"""How values are worded on pages: labels of codes, dates, shares, short values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from babel.dates import format_skeleton
from flask import Flask, current_app, request, url_for
from flask_babel import format_date, format_decimal, format_time, get_locale, to_user_timezone

from guiju.accounts.permissions import role_label
from guiju.activities.leave import LEAVE_REASONS
from guiju.language import gettext
from guiju.language import gettext as _
from guiju.plugins import Plugins
from guiju.rules import vocabulary as v
from guiju.rules.facts import VOCABULARIES
from guiju.rules.periods import Unit, parse
from guiju.rules.subjects import SUBJECTS

#: Verdicts as lists, tiles and bars show them: what needs somebody comes first.
SHOWN_VERDICTS = (
    "not_met",
    "action_due",
    "deviation",
    "needs_judgement",
    "no_data",
    "pending",
    "met",
)

#: Those that are not simply met.
OPEN_VERDICTS = SHOWN_VERDICTS[:-1]

#: The same without what is not due yet.
LACKING_VERDICTS = SHOWN_VERDICTS[:-2]

_VOCABULARIES: Mapping[str, Mapping[str, str]] = {
    **VOCABULARIES,
    **{
        vocabulary.name: vocabulary
        for vocabulary in (
            v.VERDICTS,
            v.STRICTNESS,
            v.AUTOMATION,
            v.ORGANIZATION_KINDS,
            v.SECTORS,
            SUBJECTS,
            LEAVE_REASONS,
        )
    },
}


def init_app(app: Flask) -> None:
    """Let templates use everything here."""
    app.jinja_env.filters.update(
        day=day,
        day_short=day_short,
        moment=moment,
        label=label,
        number=number,
        percent=percent,
        segments=segments,
        short_value=short_value,
        period_short=period_short,
        period_words=period_words,
        month_name=month_name,
        month_text=month_text,
        judged=judged,
        expected=expected,
        lacking=lacking,
        on_time=on_time,
        role=role_label,
        codes=codes,
        notice_title=notice_title,
    )
    app.jinja_env.globals.update(
        SHOWN_VERDICTS=SHOWN_VERDICTS,
        OPEN_VERDICTS=OPEN_VERDICTS,
        due_words=due_words,
        address_with=address_with,
    )


def plugins() -> Plugins:
    """The installed plugins."""
    found: Plugins = current_app.extensions["guiju_plugins"]
    return found


def label(code: str, vocabulary: str, profile: str | None = None) -> str:
    """The label of a code in the visitor's language; codes that a profile adds in its words."""
    known = _VOCABULARIES[vocabulary].get(code)
    if known is not None:
        return gettext(known)
    if profile is not None and profile in plugins().packs:
        return plugins().packs[profile].vocabularies.get(vocabulary, {}).get(code, code)
    return code


def codes(vocabulary: str) -> list[str]:
    """The codes of a vocabulary."""
    return list(_VOCABULARIES[vocabulary])


def notice_title(profile: str) -> str:
    """The title of a profile's notice; its id where the plugin is no longer there."""
    pack = plugins().packs.get(profile)
    return pack.title if pack else profile


def judged(counts: Mapping[str, int]) -> int:
    """Number of findings that ask for anything: those that do not apply are left out."""
    return sum(counts.get(verdict, 0) for verdict in SHOWN_VERDICTS)


def expected(counts: Mapping[str, int]) -> int:
    """Number of findings about what has fallen due: what is still open is no failure yet."""
    return judged(counts) - counts.get("pending", 0)


def lacking(counts: Mapping[str, int]) -> int:
    """Number of findings that fall short or are unclear; what is not due yet is left out."""
    return sum(counts.get(verdict, 0) for verdict in LACKING_VERDICTS)


def on_time(counts: Mapping[str, int]) -> int:
    """Number of findings that are met by nothing that was recorded late."""
    return counts.get("met", 0) - counts.get("late", 0)


def address_with(page: str | None = None, /, **changes: str | None) -> str:
    """The address of this page with parameters changed, or left out where None.

    ``page`` is the endpoint of the page around a part that is asked for by itself.
    """
    values: dict[str, Any] = {**(request.view_args or {}), **request.args.to_dict(flat=False)}
    values.update(changes)
    return url_for(page or request.endpoint or "front.page", **values)


def day(value: date | str | None) -> str:
    """2021年3月5日; empty without a date."""
    if value is None:
        return ""
    return str(format_date(date.fromisoformat(value) if isinstance(value, str) else value, "long"))


def day_short(value: date) -> str:
    """3月5日: a date whose year is plain from what stands around it."""
    return format_skeleton("MMMd", value, locale=get_locale())


def moment(value: datetime | None) -> str:
    """A time of day on a date, in the time zone of the place."""
    if value is None:
        return ""
    return f"{day(to_user_timezone(value).date())} {format_time(value, 'short')}"


def number(value: int) -> str:
    """A number with its thousands apart, as the visitor's language writes it."""
    # Pages of figures have hundreds of these, nearly all of them small.
    return str(value) if 0 <= value < 1000 else str(format_decimal(value))


def percent(part: int, whole: int) -> str:
    """A share without decimals; nothing is rounded up to all or down to none."""
    if whole == 0:
        return "–"
    share = 100 * part / whole
    if 0 < share < 1:
        return "<1%"
    if 99 < share < 100:
        return ">99%"
    return f"{share:.0f}%"


def segments(counts: Mapping[str, int]) -> list[tuple[str, float, float]]:
    """Verdict, start and width (of 100) of each part of a bar made of ``counts``."""
    whole = sum(counts.get(verdict, 0) for verdict in SHOWN_VERDICTS)
    found: list[tuple[str, float, float]] = []
    start = 0.0
    for verdict in SHOWN_VERDICTS:
        number = counts.get(verdict, 0)
        if number:
            width = 100 * number / whole
            found.append((verdict, round(start, 2), round(width, 2)))
            start += width
    return found


def short_value(value: Any) -> str:
    """What was required or observed, as people write it."""
    if value is None:
        return _("没有")
    if value is True:
        return _("是")
    if value is False:
        return _("否")
    if isinstance(value, Mapping):
        return "；".join(f"{key} {short_value(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _("、").join(short_value(item) for item in value) or _("没有")
    return str(value)


def months_of(period: str | None) -> tuple[int, int] | None:
    """First month (1–12) of a period and its length in months; None without a period."""
    if period is None:
        return None
    found, unit = parse(period)
    return found * unit.value % 12 + 1, unit.value


def period_short(period: str) -> str:
    """A period within its year: 3月, 1—2月, 第一季度, 上半年, 全年."""
    found, unit = parse(period)
    place = found % (12 // unit.value)
    if unit is Unit.YEAR:
        return _("全年")
    if unit is Unit.MONTH:
        return month_name(place + 1)
    if unit is Unit.BIMONTH:
        first = month_name(place * 2 + 1)
        return _("{first}—{last}").format(first=first, last=month_name(place * 2 + 2))
    if unit is Unit.QUARTER:
        return (_("第一季度"), _("第二季度"), _("第三季度"), _("第四季度"))[place]
    return (_("上半年"), _("下半年"))[place]


def period_words(period: str | None) -> str:
    """A period with its year: 2021年3月, 2021年第一季度, 2021年; empty without one."""
    if period is None:
        return ""
    _index, unit = parse(period)
    if unit is Unit.MONTH:
        return month_text(period)
    year = period[:4]
    if unit is Unit.YEAR:
        return _("{year}年").format(year=year)
    return _("{year}年{part}").format(year=year, part=period_short(period))


def is_month(period: str) -> bool:
    """Whether a period is a month: 2021-03."""
    return parse(period)[1] is Unit.MONTH


def month_name(month: int) -> str:
    """1月 … 12月."""
    return str(format_date(date(2000, month, 1), "LLL"))


def month_text(month: str) -> str:
    """2021年3月, of the month 2021-03."""
    return format_skeleton("yMMM", date.fromisoformat(f"{month}-01"), locale=get_locale())


def due_words(due: date | None, today: date | None) -> str:
    """How far off a day is, seen from ``today``."""
    if due is None or today is None:
        return ""
    days = (due - today).days
    if days < 0:
        return _("已过 {days} 天").format(days=-days)
    if days == 0:
        return _("今天")
    return _("还有 {days} 天").format(days=days)
