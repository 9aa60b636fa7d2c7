"""The facts that people state, section by section, each with who has to state it; see `stats.papers.facts`."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal, get_args

from pydantic import Field as _Field
from pydantic import StringConstraints

from recipes.strict import Strict

SourceKind = Literal["public_dataset", "licensed", "third_party", "crawled", "user", "synthetic", "other"]
Told = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"


def fact(en: str, zh: str, **bounds: Any) -> Any:
    """A fact that may be missing: who has to state what, in both languages."""
    return _Field(default=None, description=en, json_schema_extra={"zh": zh}, **bounds)


class Dataset(Strict):
    """The whole that the run is a part of, or is."""

    name: Told | None = fact("the publisher: the dataset's name", "发布者：数据集名称")
    version: Told | None = fact("the publisher: the dataset's version", "发布者：数据集版本")
    description: Told | None = fact("the publisher: what the dataset is, in a few sentences", "发布者：数据集说明")
    homepage: Told | None = fact(
        "the publisher: where it is described", "发布者：说明页面网址", pattern=r"^https?://\S+$"
    )
    download: Told | None = fact("the publisher: where it can be had", "发布者：获取地址", pattern=r"^https?://\S+$")
    licence: Told | None = fact(
        "the publisher: licence of the whole, as an SPDX expression", "发布者：整体许可证（SPDX 表达式）"
    )
    citation: Told | None = fact("the publisher: how to cite it", "发布者：引用格式")
    created: dt.datetime | None = fact("the publisher: when these papers were made", "发布者：本文件的制作时间")
    released: dt.date | None = fact("the publisher: date of release", "发布者：发布日期")
    intended_use: Told | None = fact("the publisher: what it is meant for", "发布者：预期用途")
    out_of_scope: Told | None = fact("the publisher: what it must not be used for", "发布者：不适用的用途")
    maintenance: Told | None = fact("the publisher: who keeps it up, how, until when", "发布者：维护方式与期限")
    biases: tuple[Told, ...] | None = fact("the publisher: known biases", "发布者：已知偏差")
    social_impact: Told | None = fact("the publisher: effects on people, good and bad", "发布者：社会影响")
    funding: Told | None = fact("the publisher: who paid for it", "发布者：资金来源")


class Provider(Strict):
    """Who answers for the dataset and the model."""

    name: Told | None = fact("the provider: its legal name", "提供者：法定名称")
    contact: Told | None = fact("the provider: contact", "提供者：联系方式")
    representative: Told | None = fact("the provider: authorised representative in the Union", "提供者：欧盟授权代表")
    sme: bool | None = fact("the provider: whether it is a small or medium enterprise", "提供者：是否为中小企业")


class Model(Strict):
    """The model that is trained on the dataset."""

    name: Told | None = fact("the provider: the model's name and version", "提供者：模型名称与版本")
    dependencies: Told | None = fact("the provider: models that it was made from", "提供者：所依赖的模型")
    placed_on_market: dt.date | None = fact("the provider: date of placing on the market", "提供者：投放市场日期")
    training_tokens: int | None = fact(
        "the provider: tokens of the whole training, where this run is not all", "提供者：全部训练词元数", ge=0
    )
    continuous: bool | None = fact("the provider: whether training goes on with newer data", "提供者：是否持续训练")


class Crawler(Strict):
    """One crawler that fetched pages."""

    name: Told
    operator: Told | None = fact("the provider: who runs the crawler", "提供者：爬虫运营者")
    purpose: Told | None = fact("the provider: what the crawler is for", "提供者：爬虫用途")


class Collection(Strict):
    """How pages were fetched."""

    crawlers: tuple[Crawler, ...] | None = fact("the provider: the crawlers' names", "提供者：爬虫名称")
    robots: Told | None = fact("the provider: what the crawlers do about robots.txt", "提供者：对 robots.txt 的处理")
    captchas: Told | None = fact("the provider: what they do about captchas", "提供者：对验证码的处理")
    paywalls: Told | None = fact("the provider: what they do about paywalls", "提供者：对付费墙的处理")
    consent: Told | None = fact("the provider: whether people were told or asked", "提供者：是否告知或征得同意")


class Legal(Strict):
    """Grounds and measures."""

    personal_data_basis: Told | None = fact(
        "the provider: legal basis for personal data", "提供者：处理个人信息的法律依据"
    )
    code_of_practice: bool | None = fact(
        "the provider: whether it signed the code of practice with its copyright chapter", "提供者：是否签署行为准则"
    )
    opt_out_measures: Told | None = fact(
        "the provider: measures before collection for reservations of rights", "提供者：采集前对权利保留的措施"
    )
    illegal_content: Told | None = fact(
        "the provider: measures against illegal content beyond the run's rules", "提供者：规则之外的违法内容处置措施"
    )
    erasure: Told | None = fact("the provider: how people have their data erased", "提供者：个人信息删除渠道")


class Source(Strict):
    """One source of the run, by its name in the run (`winnow sql RUN "SELECT DISTINCT source FROM documents"`)."""

    name: str
    kind: SourceKind | None = fact(f"the provider: one of {', '.join(get_args(SourceKind))}", "提供者：来源类型")
    description: Told | None = fact("the provider: what it is", "提供者：来源说明")
    link: Told | None = fact("the provider: where it is published", "提供者：公开地址", pattern=r"^https?://\S+$")
    licence: Told | None = fact("the provider: its licence or contract", "提供者：许可证或合同")
    legal_basis: Told | None = fact("the provider: legal basis", "提供者：合法来源依据")
    record: Told | None = fact("the provider: record of the collection", "提供者：采集记录")
    personal_information: bool | None = fact("the provider: whether it holds personal data", "提供者：是否含个人信息")
    origin: Literal["domestic", "foreign", "both"] | None = fact(
        "the provider: domestic (China), foreign or both", "提供者：境内或境外"
    )
    collected_from: Told | None = fact("the provider: first month, YYYY-MM", "提供者：采集起始年月", pattern=MONTH)
    collected_to: Told | None = fact("the provider: last month, YYYY-MM", "提供者：采集截止年月", pattern=MONTH)
    generator: Told | None = fact("the provider: the model that wrote synthetic text", "提供者：合成数据的生成模型")
