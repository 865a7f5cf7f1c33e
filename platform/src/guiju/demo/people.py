"""Generated people: a name and a few dates each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜谢邹喻柏水窦章云苏潘"
    "葛范彭郎鲁韦昌马苗方"
)
_GIVEN = (
    "安本彬博超辰成崇川达丹德东恩凡方芳飞枫刚光国海涵航浩禾恒宏华欢辉佳嘉建健江杰金锦"
    "晶景静娟军俊凯康可兰乐磊丽林玲龙璐茂梅美敏明宁鹏平琪强青清秋然荣瑞若山诗书淑双思"
    "松涛天婷薇文希夏晓欣新星旭雪雅妍燕阳洋怡艺英勇宇雨玉元媛远月悦云泽哲珍志智忠子"
)


@dataclass(frozen=True)
class Person:
    """One invented person; ``joined_on`` is the day of joining as a probationary member."""

    id: str
    name: str
    joined_on: date
    full_member_on: date | None
    leading_cadre: bool = False


class People:
    """Makes people with ids ``<prefix>00001`` and so on."""

    def __init__(self, random: Random, prefix: str, as_of: date) -> None:
        self._random = random
        self._prefix = prefix
        self._as_of = as_of
        self._made = 0

    def make(self, *, probationary: bool = False, leading_cadre: bool = False) -> Person:
        """One more person; a probationary member joined within the last year."""
        self._made += 1
        draw = self._random
        given = "".join(draw.sample(_GIVEN, draw.choice((1, 2, 2))))
        if probationary:
            joined = self._as_of - timedelta(days=draw.randint(20, 330))
            full = None
        else:
            joined = self._as_of - timedelta(days=draw.randint(3 * 365, 34 * 365))
            full = joined + timedelta(days=365)
        return Person(
            id=f"{self._prefix}{self._made:05d}",
            name=draw.choice(_SURNAMES) + given,
            joined_on=joined,
            full_member_on=full,
            leading_cadre=leading_cadre,
        )
