"""The words that sheets use for kinds and states, each with what the registry calls it."""

import unicodedata
from collections.abc import Mapping
from typing import Final, TypeVar

from registry.models import (
    CredentialKind,
    CredentialStatus,
    DwellingState,
    OrganisationKind,
    ResidenceKind,
    VehicleKind,
)

Meaning = TypeVar("Meaning")


def _table(meanings: Mapping[Meaning, str]) -> dict[str, Meaning]:
    table = {spell(word): meaning for meaning, words in meanings.items() for word in words.split()}
    # The registry's own words are understood everywhere.
    return table | {spell(str(meaning)): meaning for meaning in meanings}


def _set(text: str) -> frozenset[str]:
    return frozenset(spell(word) for word in text.split())


def spell(word: str) -> str:
    """A word without width, case and blanks."""
    return "".join(unicodedata.normalize("NFKC", word).casefold().split())


# The first word of each is the one that an export writes.
RESIDENCE_WORDS: Final = {
    ResidenceKind.OWNER_OCCUPIER: "业主 自住 业主自住 自购 自有 产权人 房主 户主 01",
    ResidenceKind.TENANT: "租客 租户 租赁 承租人 租住 租房 02",
    ResidenceKind.LODGER: "寄住 寄居 借住 投靠 03 04",
    ResidenceKind.FAMILY_MEMBER: "家属 家庭成员 家人 亲属 业主家属 同住人",
    ResidenceKind.REGISTERED_ELSEWHERE: "人户分离 户籍在外 人在户不在 流动人口 外来人口",
    ResidenceKind.REGISTERED_ABSENT: "空挂户 挂户 户在人不在 户籍在册不在住",
    ResidenceKind.DORMITORY: "宿舍 单位宿舍 集体宿舍 员工宿舍 公司员工 集体户 05 06 07",
}
DWELLING_WORDS: Final = {
    DwellingState.OCCUPIED: "自住 已入住 入住 居住 在住 业主自住",
    DwellingState.VACANT: "空置 空房 未入住 闲置 空",
    DwellingState.LET: "出租 租赁 已出租 出租房 租住",
    DwellingState.UNDER_REPAIR: "装修 装修中 维修 在装修",
    DwellingState.SHOP: "商铺 店铺 门面 商用 经营",
}
VEHICLE_WORDS: Final = {
    VehicleKind.RESIDENT: "月卡车 月租车 业主车 业主车辆 住户车辆 固定车 产权车位 长期",
    VehicleKind.ORGANISATION: "单位车 公司车 商户车 公车 单位车辆",
    VehicleKind.TEMPORARY: "临时车 临停车 访客车 临时",
}
ORGANISATION_WORDS: Final = {
    OrganisationKind.COMPANY: "企业 公司",
    OrganisationKind.SHOP: "个体工商户 商户 商铺 店铺 个体户 个体",
    OrganisationKind.PUBLIC_BODY: "机关事业单位 机关 事业单位 政府 学校 医院",
    OrganisationKind.ASSOCIATION: "社会组织 协会 社团",
}
CREDENTIAL_WORDS: Final = {
    CredentialKind.CARD: "门禁卡 ic卡 id卡 卡 卡片 cpu卡 nfc 钥匙扣",
    CredentialKind.PIN: "密码 pin码 开门密码",
    CredentialKind.QR: "二维码 qr码",
    CredentialKind.PHONE: "手机 手机开门 蓝牙 电话",
    CredentialKind.PLATE: "车牌",
}
STATUS_WORDS: Final = {
    CredentialStatus.ACTIVE: "正常 启用 在用 有效 激活",
    CredentialStatus.SUSPENDED: "停用 冻结 禁用 暂停",
    CredentialStatus.LOST: "挂失 丢失 遗失",
    CredentialStatus.ENDED: "注销 已注销 退卡 失效 过期 作废",
}

RESIDENCE_KINDS: Final = _table(RESIDENCE_WORDS)
DWELLING_STATES: Final = _table(DWELLING_WORDS)
VEHICLE_KINDS: Final = _table(VEHICLE_WORDS)
ORGANISATION_KINDS: Final = _table(ORGANISATION_WORDS)
CREDENTIAL_KINDS: Final = _table(CREDENTIAL_WORDS)
CREDENTIAL_STATUSES: Final = _table(STATUS_WORDS)

YES_NO: Final = _table(
    {
        True: "是 有 对 y yes true 1 √ ✓ 本地 本市 本地户籍 户籍",
        False: "否 无 不是 n no false 0 × ✗ 外地 非本地 外市 流动",
    }
)
HEADS: Final = _set("户主 本人 户长 户主本人 本人或户主 01 head")
# GB/T 4761; what exactly is not kept, it only says that somebody lives with family.
FAMILY: Final = _set(
    "配偶 妻 妻子 夫 丈夫 子 儿子 长子 次子 独生子 女 女儿 长女 次女 独生女 父 父亲 母 母亲 公公 婆婆 岳父 "
    "岳母 儿媳 女婿 孙子 孙女 外孙 外孙女 祖父 祖母 爷爷 奶奶 外公 外婆 外祖父 外祖母 兄 弟 姐 妹 哥哥 弟弟 "
    "姐姐 妹妹 兄弟 姐妹 继子 继女 养子 养女 曾孙 侄子 侄女 家属 亲属 其他亲属 "
    "family spouse son daughter father mother"
)


def first_word(table: Mapping[Meaning, str], meaning: Meaning) -> str:
    """The word that an export writes."""
    return table[meaning].split()[0]
