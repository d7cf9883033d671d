"""The columns of each kind of sheet, and the names that property offices give them.

The guides' tables are made from here, an export writes the first Chinese name, and an
import understands all of them.
"""

import enum
import re
import unicodedata
from dataclasses import dataclass
from typing import Final


class SheetKind(enum.StrEnum):
    """What a row of a sheet is about."""

    DWELLINGS = "dwellings"
    PEOPLE = "people"
    VEHICLES = "vehicles"
    ORGANISATIONS = "organisations"
    CARDS = "cards"


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `names` begin with the one that exports write, `key` is its English name."""

    key: str
    names: tuple[str, ...]
    example: str
    # Characters of a cell at most.
    limit: int = 64


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _column(key: str, names: str, example: str, limit: int = 64) -> Column:
    return Column(key, tuple(names.split()), example, limit)


# ── where ─────────────────────────────────────────────────────────────────────
_ADDRESS = _column(
    "address", "房屋地址 地址 住址 现住址 住房地址 门牌 房屋 房产 现住地 address", "3号楼2单元1801室", 128
)
_BUILDING = _column("building", "楼栋 楼栋号 幢号 楼号 栋号 幢 栋 楼幢 楼栋名称 building", "3号楼", 32)
_UNIT = _column("unit", "单元 单元号 unit", "2单元", 16)
_ROOM = _column("room", "房号 室号 房间号 房间 门牌号 室 户室 房屋号 room room_no", "1801", 32)
_PLACE = (_ADDRESS, _BUILDING, _UNIT, _ROOM)

# ── who ───────────────────────────────────────────────────────────────────────
_PERSON = _column("person_id", "人员编号 外部编号 住户编号 业主编号 编号 person_id external_id", "P000123")
_NAME = _column("name", "姓名 住户姓名 业主姓名 人员姓名 name", "张三")
_PHONE = _column("phone", "联系电话 手机号 手机号码 电话 联系方式 手机 电话号码 phone mobile", "10012345678")
_ID_NUMBER = _column(
    "id_number",
    "身份证号 公民身份号码 身份证号码 身份证 证件号码 身份号码 id_number id_card",
    "11010519491231002X",
)
_HOUSEHOLD = _column("household", "户号 家庭编号 户编号 household household_id", "H0042")

COLUMNS: Final[dict[SheetKind, tuple[Column, ...]]] = {
    SheetKind.DWELLINGS: (
        _column("dwelling_id", "房屋编号 房产编号 房间编号 dwelling_id external_id", "D3-2-1801"),
        *_PLACE,
        _column("floor", "楼层 所在楼层 层 floor", "18", 16),
        _column("state", "房屋状态 使用状态 房态 状态 state", "自住", 32),
        _column("grid", "网格 网格编号 所属网格 网格号 grid", "01", 128),
    ),
    SheetKind.PEOPLE: (
        _PERSON,
        _NAME,
        _PHONE,
        _ID_NUMBER,
        *_PLACE,
        _HOUSEHOLD,
        _column("relation", "与户主关系 户主关系 关系 relation", "配偶", 32),
        _column("head", "是否户主 户主 户长 is_head head", "是", 16),
        _column(
            "residence_kind",
            "居住类型 人员类别 人员类型 住户类型 居住方式 住户类别 residence_kind kind",
            "业主",
            32,
        ),
        _column("since", "入住日期 入住时间 迁入日期 开始日期 合同开始 租期开始 since", "2026-01-05", 32),
        _column(
            "until",
            "到期日期 合同到期 合同到期日 租期到期 迁出日期 搬离日期 结束日期 到期时间 until",
            "2026-12-31",
            32,
        ),
        _column("verified_on", "核实日期 登记日期 核查日期 登记时间 核实时间 verified_on", "2026-03-01", 32),
        _column("verified_by", "核实人 登记人 核查人 网格员 verified_by", "网格员01"),
        _column("hukou", "户籍是否本地 是否本地户籍 本地户籍 户籍 户籍类型 hukou_here", "是", 32),
        _column("birth_date", "出生日期 出生年月日 birth_date", "2015-06-01", 32),
        _column("guardian", "监护人编号 监护人人员编号 guardian_id", "P000122"),
        _column("plates", "车牌号 车牌 车牌号码 车辆 plate plates", "云M12345", 128),
        _column("card", "卡号 门禁卡号 IC卡号 门禁卡 card card_no", "0012345678"),
    ),
    SheetKind.VEHICLES: (
        _column("vehicle_id", "车辆编号 vehicle_id external_id", "V0001"),
        _column("plate", "车牌号 车牌 车牌号码 号牌号码 plate", "云M12345", 32),
        _column("vehicle_kind", "车辆类型 车辆性质 停车类型 vehicle_kind kind", "月卡车", 32),
        _column("person_id", "车主编号 人员编号 owner_id person_id", "P000123"),
        _column("name", "车主姓名 车主 姓名 业主姓名 owner name", "张三"),
        _column("phone", "车主电话 联系电话 手机号 电话 owner_phone phone", "10012345678"),
        _HOUSEHOLD,
        *_PLACE,
        _column("organisation", "所属单位 单位编号 单位名称 organisation", "O0007", 128),
        _column("driver_id", "驾驶人编号 授权驾驶人编号 driver_id", "P000124"),
        _column("driver", "驾驶人姓名 授权驾驶人 驾驶人 driver", "李四"),
        _column("driver_phone", "驾驶人电话 授权驾驶人电话 driver_phone", "10012345679"),
        _column("granted_by", "授权人编号 授权人 granted_by", "P000123"),
        _column("since", "授权开始 授权日期 开始日期 since", "2026-01-05", 32),
        _column("until", "授权截止 授权到期 结束日期 到期日期 until", "2026-12-31", 32),
    ),
    SheetKind.ORGANISATIONS: (
        _column("organisation_id", "单位编号 商户编号 organisation_id external_id", "O0007"),
        _column(
            "organisation", "单位名称 商户名称 名称 企业名称 店铺名称 organisation name", "红花便利店", 128
        ),
        _column("organisation_kind", "单位类型 商户类型 类型 organisation_kind kind", "个体工商户", 32),
        _column("registration_no", "统一社会信用代码 信用代码 registration_no", "91530502MA6XXXXXXX", 32),
        *_PLACE,
        _column("since", "入驻日期 进驻日期 开始日期 since", "2026-01-05", 32),
        _column("until", "迁出日期 退租日期 结束日期 到期日期 until", "", 32),
        _column("staff_id", "员工编号 人员编号 staff_id", "S0001"),
        _column("staff", "员工姓名 从业人员 从业人员姓名 姓名 staff", "王五"),
        _column("staff_phone", "员工电话 从业人员电话 联系电话 手机号 staff_phone", "10012345670"),
        _column("staff_id_number", "员工身份证号 身份证号 公民身份号码 staff_id_number", ""),
        _column("staff_since", "入职日期 到岗日期 staff_since", "2026-02-01", 32),
        _column("staff_until", "离职日期 staff_until", "", 32),
    ),
    SheetKind.CARDS: (
        _column("credential_id", "凭证编号 credential_id external_id", "C0001"),
        _column("card", "卡号 门禁卡号 IC卡号 凭证号 card card_no ref", "0012345678"),
        _column("card_kind", "凭证类型 卡类型 credential_kind kind", "门禁卡", 32),
        _column("card_status", "卡状态 状态 凭证状态 status", "正常", 32),
        _column("person_id", "人员编号 持卡人编号 住户编号 person_id", "P000123"),
        _column("name", "姓名 持卡人 持卡人姓名 name", "张三"),
        _PHONE,
        _ID_NUMBER,
        *_PLACE,
        _column("since", "生效日期 有效期起 开始日期 发卡日期 since", "2026-01-05", 32),
        _column("until", "有效期至 有效期止 到期日期 失效日期 until", "2027-01-04", 32),
    ),
}
"""All columns by kind of sheet, in the order in which an export writes them."""

_HERE: Final = (("address",), ("building", "room"))
REQUIRED: Final[dict[SheetKind, tuple[tuple[tuple[str, ...], ...], ...]]] = {
    SheetKind.DWELLINGS: (_HERE,),
    SheetKind.PEOPLE: ((("name",),), _HERE),
    SheetKind.VEHICLES: ((("plate",),),),
    SheetKind.ORGANISATIONS: ((("organisation",),),),
    SheetKind.CARDS: ((("card",),), (("person_id",), ("name",), ("id_number",))),
}
"""What a sheet must have: of each group one alternative, of an alternative all columns."""

TITLES: Final = {
    SheetKind.DWELLINGS: "房屋",
    SheetKind.PEOPLE: "人员",
    SheetKind.VEHICLES: "车辆",
    SheetKind.ORGANISATIONS: "单位",
    SheetKind.CARDS: "门禁卡",
}
"""What an export calls its sheets, and which sheet of several an import takes."""

# There is no column for these in the registry, and there shall be none (L-13). GB/T 31000 has them,
# so offices do too.
_SENSITIVE: Final = _words(
    "民族 宗教 宗教信仰 政治面貌 党员 学历 文化程度 婚姻 婚姻状况 职业 性别 健康状况 血型 籍贯 工作单位 "
    "服务处所 兵役状况 年龄 ethnicity religion politics education marriage occupation gender sex health"
)
_HINTS: Final = re.compile(r"[(\[【<][^)\]】>]*[)\]】>]")
_NOISE: Final = re.compile(r"[\s*:;,.、。/\\_-]+")


def header_key(text: str) -> str:
    """A column's name without width, case, blanks, stars and what stands in brackets."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _NOISE.sub("", _HINTS.sub("", folded)) or _NOISE.sub("", folded)


BY_NAME: Final = {
    kind: {header_key(name): column for column in reversed(columns) for name in (*column.names, column.key)}
    for kind, columns in COLUMNS.items()
}
"""From `header_key` to the column; where two columns share a name, the first one has it."""


def is_sensitive(text: str) -> bool:
    """Whether a column holds what the registry does not keep, by its name."""
    return header_key(text) in _SENSITIVE
