"""Invented names: common surnames with given names put together at random, never a real person's."""

import random
from typing import Final

_SURNAMES: Final = tuple(
    "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任"
)
_FIRST: Final = tuple("文志海建晓春国秀家明玉小永美红金云德素兴天月思雨子一嘉梦俊佳")
_SECOND: Final = tuple("华芳伟敏静丽强军杰涛霞平刚燕玲桂芬娟超勇琴英辉梅兰波宁宇轩涵怡萱博晨阳")


def surname(rng: random.Random) -> str:
    return rng.choice(_SURNAMES)


def given_name(rng: random.Random) -> str:
    """One or two syllables; two are five times as frequent."""
    return (rng.choice(_FIRST) if rng.random() < 5 / 6 else "") + rng.choice(_SECOND)
