"""tc260_report: what the two samples say against TC260-003 section 8.1, in Chinese and in English.

Rates stand with Wilson's 95 % interval. Whether a bar is met is told of the rate itself, as the standard asks, and only
when every item was judged; the interval says how far the rate may lie from that of the whole corpus. A source of which
more than 5 % failed goes into source_blacklist.csv (section 5.1 a).
"""

from __future__ import annotations

from collections.abc import Iterable

from stats.intervals import wilson
from stats.papers.page import Blank, Block, Cell, Grid, Heading, Page, Share, Text
from stats.papers.risks import GROUPS, LIBRARY, PER_RISK, RISKS
from stats.papers.safe import csv_text, short
from stats.papers.samples import ITEMS
from stats.papers.sheet import Manual, Rate, Technical

MANUAL_BAR, TECHNICAL_BAR, SOURCE_BAR = 0.96, 0.98, 0.05
FEW = 30  # items of a source, below which its rate says little


def report(manual: Manual, technical: Technical | None, zh: bool = True) -> Page:
    """The report in one language."""
    return Report(manual, technical, zh).page()


class Report:
    """Sections of the report in one language."""

    def __init__(self, manual: Manual, technical: Technical | None, zh: bool) -> None:
        self.manual, self.technical, self.zh = manual, technical, zh

    def say(self, en: str, zh: str) -> str:
        """The edition's own text."""
        return zh if self.zh else en

    def page(self) -> Page:
        """The whole report."""
        title = self.say("Corpus safety assessment (TC260-003, section 8.1)", "语料安全评估报告（TC260-003 第 8.1 节）")
        return Page(
            title, self.say("en", "zh-CN"), [*self.head(), *self.by_people(), *self.by_keywords(), *self.risks()]
        )

    def head(self) -> list[Block]:
        """Which corpus, which samples."""
        h = self.manual.header
        rows: list[tuple[str, Cell]] = [
            (self.say("recipe", "配方"), f"{h.recipe} ({h.recipe_hash})"),
            (self.say("manifest, sha256", "清单 sha256"), h.manifest_sha256),
            (self.say("documents of the corpus", "语料文档数"), h.population),
            (self.say("sample for people", "人工抽检样本"), h.items),
            (self.say("seed", "随机种子"), h.seed),
        ]
        told = self.say(
            f"The standard asks for at least {ITEMS:,} random items that people judge, {MANUAL_BAR:.0%} of them fit, "
            f"and for a random sample of at least 10 % by keywords and classifiers, {TECHNICAL_BAR:.0%} fit.",
            f"标准要求：人工随机抽检不少于 {ITEMS:,} 条，合格率不低于 {MANUAL_BAR:.0%}；"
            f"结合关键词、分类模型等技术抽检不少于总量的 10%，合格率不低于 {TECHNICAL_BAR:.0%}。",
        )
        return [Text(told), Grid((self.say("what", "项目"), self.say("value", "内容")), rows)]

    def by_people(self) -> list[Block]:
        """Judged by people."""
        m = self.manual
        enough = m.header.items >= min(ITEMS, m.header.population)
        lacking = "" if enough else self.say("The sample is smaller than the standard asks.", "样本量小于标准要求。")
        blocks: list[Block] = [
            Heading(self.say("Judged by people", "人工抽检")),
            self.verdict(m.whole, MANUAL_BAR, lacking),
        ]
        if not m.whole.reviewed:
            return blocks
        reviewers = ", ".join(f"{short(name)} {count:,}" for name, count in sorted(m.reviewers.items()))
        told = self.say(f"Reviewers and items: {reviewers}.", f"审核人与条数：{reviewers}。")
        return [*blocks, Text(told), self.sources(m.sources)]

    def verdict(self, rate: Rate, bar: float, lacking: str) -> Text:
        """The rate against the bar, or what is still to do; `lacking` says why no rate could meet it."""
        if rate.share is None or rate.reviewed < rate.items:
            left = rate.items - rate.reviewed
            return Text(Blank(self.say(f"[to be reviewed: {left:,} of {rate.items:,} items have no verdict yet]",
                                       f"【待审核：{rate.items:,} 条中尚有 {left:,} 条未判定】")))  # fmt: skip
        low, high = wilson(rate.passed, rate.reviewed)
        met = rate.share >= bar and not lacking
        return Text(self.say(
            f"{rate.passed:,} of {rate.reviewed:,} items fit: {rate.share:.2%} (95 % interval {low:.2%} to "
            f"{high:.2%}). The bar of {bar:.0%} is {'met' if met else 'NOT met'}."
            + (f" {lacking}" if lacking else ""),
            f"{rate.reviewed:,} 条中 {rate.passed:,} 条合格，合格率 {rate.share:.2%}"
            f"（95% 置信区间 {low:.2%}—{high:.2%}），{'达到' if met else '未达到'} {bar:.0%} 的要求。"
            + lacking,
        ))  # fmt: skip

    def sources(self, rates: dict[str, Rate]) -> Grid:
        """Rates by source."""
        header = (self.say("source", "来源"), self.say("items", "条数"), self.say("fit", "合格"),
                  self.say("rate", "合格率"), self.say("95 % low", "区间下限"), self.say("95 % high", "区间上限"),
                  self.say("remark", "备注"))  # fmt: skip
        rows = []
        for name, rate in sorted(rates.items()):
            low, high = wilson(rate.passed, rate.reviewed)
            over = rate.share is not None and 1 - rate.share > SOURCE_BAR
            remark = self.say("over 5 % unfit", "不合格超过 5%") if over else ""
            few = self.say("few", "样本少") if rate.reviewed < FEW else ""
            rows.append((short(name), rate.reviewed, rate.passed, Share(rate.share), Share(low), Share(high),
                         "; ".join(filter(None, (remark, few)))))  # fmt: skip
        return Grid(header, rows)

    def by_keywords(self) -> list[Block]:
        """Judged by the keyword library."""
        heading = Heading(self.say("Judged by keywords", "技术抽检（关键词）"))
        t = self.technical
        if t is None:
            blank = self.say("[to be run: winnow sheet SHEET.jsonl --keywords LIBRARY; no keyword library was given]",
                             "【待执行：winnow sheet SHEET.jsonl --keywords 关键词库；尚未提供关键词库】")  # fmt: skip
            return [heading, Text(Blank(blank))]
        size = sum(t.library.values())
        told = self.say(
            f"Sample: {t.whole.items:,} of {t.population:,} documents, seed {t.seed}. The library has {size:,} "
            f"entries; the standard asks for {LIBRARY:,}, for each risk of A.1 200, of A.2 100, updated every week. A "
            "document with any entry counts as unfit: no one looked whether it is.",
            f"样本：{t.population:,} 篇中抽取 {t.whole.items:,} 篇，随机种子 {t.seed}。关键词库共 {size:,} 条；"
            f"标准要求不少于 {LIBRARY:,} 条，A.1 每种风险不少于 200 条，A.2 每种不少于 100 条，每周更新。"
            "命中任一关键词即计为不合格，未经人工复核。",
        )
        codes = ", ".join(code for code in RISKS if t.library[code] < PER_RISK.get(code[:3], 0))
        too_small = "" if size >= LIBRARY and not codes else self.say(
            f"The library is smaller than the standard asks{f'; too few entries for {codes}' if codes else ''}.",
            f"关键词库未达标准要求的规模{f'；条数不足的风险：{codes}' if codes else ''}。")  # fmt: skip
        verdict = self.verdict(t.whole, TECHNICAL_BAR, too_small)
        blocks: list[Block] = [heading, Text(told), verdict, self.sources(t.sources)]
        rows = [(short(name), n, Share(n / t.whole.items)) for name, n in sorted(t.categories.items())]
        if rows:
            head = (self.say("category", "类别"), self.say("documents", "文档"), self.say("share", "占比"))
            blocks.append(Grid(head, rows))
        return blocks

    def risks(self) -> list[Block]:
        """Unfit items by risk."""
        m = self.manual
        if not m.whole.reviewed:
            return []
        rows = []
        for code, said in RISKS.items():
            low, high = wilson(m.risks[code], m.whole.reviewed)
            group = GROUPS[code[:3]]
            rows.append((code, self.say(said.en, said.zh), self.say(group.en, group.zh), m.risks[code],
                         Share(m.risks[code] / m.whole.reviewed), Share(low), Share(high)))  # fmt: skip
        header = (self.say("risk", "编号"), self.say("what", "安全风险"), self.say("group", "类别"),
                  self.say("unfit", "不合格"), self.say("share", "占比"), self.say("95 % low", "区间下限"),
                  self.say("95 % high", "区间上限"))  # fmt: skip
        return [Heading(self.say("Unfit items by risk", "各类风险的不合格条数")), Grid(header, rows)]


def blacklist_csv(manual: Manual) -> Iterable[str]:
    """Lines of source_blacklist.csv: sources of which more than 5 % of the judged items failed."""
    rows = []
    for name, rate in sorted(manual.sources.items()):
        if rate.share is not None and 1 - rate.share > SOURCE_BAR:
            low, high = wilson(rate.reviewed - rate.passed, rate.reviewed)
            rows.append((name, rate.reviewed, rate.reviewed - rate.passed, round(1 - rate.share, 6), round(low, 6),
                         round(high, 6)))  # fmt: skip
    return csv_text(("source", "items", "unfit", "share_unfit", "low", "high"), rows)
