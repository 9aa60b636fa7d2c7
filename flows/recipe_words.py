"""The words in which recipes are shown, in English and in Chinese: headings, classes, evidence, bounds, samplers.

What recipes say of themselves in both languages (titles, notices, assumptions) is in their files; step notes and
sources are shown as they are written. Traded away: no translation catalogue, two columns of a table are enough.
"""

from __future__ import annotations

from filters.rules import bound_text
from filters.samplers import sampler_bound
from recipes.steps import Rule, Sample

HEADINGS = {
    "recipe": ("recipe", "配方"),
    "class": ("class", "类别"),
    "title": ("title", "名称"),
    "needs": ("files", "所需文件"),
    "steps": ("Steps, in order", "步骤（按顺序）"),
    "step": ("step", "步骤"),
    "what": ("keeps a document when / changes", "保留条件或所作修改"),
    "languages": ("languages", "语种"),
    "evidence": ("evidence", "依据"),
    "source": ("source", "出处"),
    "note": ("note", "说明"),
    "scores": ("Models and lists to give with --file ID=PATH", "需以 --file ID=PATH 提供的模型与词表"),
    "score": ("score", "分数"),
    "give": ("what to give", "提供什么"),
    "without": ("without it", "若不提供"),
    "rest": ("Extraction, duplicates, personal data", "正文抽取、去重、个人信息"),
    "extract": ("extraction", "正文抽取"),
    "exact": ("exact duplicates", "完全重复"),
    "minhash": ("near duplicates", "近似重复"),
    "url": ("the same address", "地址相同"),
    "simhash": ("near duplicates", "近似重复"),
    "lines": ("repeated lines", "重复的行"),
    "bloom": ("repeated paragraphs", "重复的段落"),
    "substring": ("repeated stretches", "重复的片段"),
    "keep": ("stays of a cluster", "簇内保留"),
    "decontaminate": ("evaluation sets", "评测集去污染"),
    "sets": ("without a set", "若无评测集"),
    "rights": ("opt-outs honoured", "尊重的退出声明"),
    "scrub": ("personal data", "个人信息"),
    "mixture": ("Mixture, as published", "混合比例（按公布数值）"),
    "mixed": ("source", "来源"),
    "sources": ("Sources", "出处"),
    "assumptions": ("Assumptions", "假设"),
    "not_done": ("Published, and not done here", "已公布而此处未做"),
    "notice": ("NOTICE", "注意"),
    "extends": ("extends", "继承自"),
}
FIDELITY = {
    "R1": ("exact logic: every step and threshold is public", "逻辑完全公开：每一步骤与阈值均已公布"),
    "R2": ("near: public logic, with a component substituted", "接近：逻辑公开，有部件以替代品代替"),
    "R3": ("sketch: steps are public, thresholds are not", "草图：步骤公开，阈值未公布"),
    "R0": ("not published: a generic recipe under an honest name", "未公布：以如实署名的通用配方代替"),
}
EVIDENCE = {
    "C": ("read in code", "读自代码"),
    "P": ("in the paper", "见于论文"),
    "S": ("secondary source", "二手来源"),
    "M": ("from memory, unverified", "凭记忆，未核实"),
    "A": ("assumed by us", "我们的假设"),
}
EMPTY = ("none: every document that is measured passes", "无：度量过的文档全部保留")
NEEDED = ("the recipe refuses to run", "拒绝运行")
SKIPPED = ("skipped, and said so", "跳过，并给出提示")
READERS = ("left out with it: {}", "随之省去：{}")
IN_RECIPE = ("nothing to give: the list is in the recipe", "无需提供：列表已在配方中")
COLUMN_ONLY = ("a column only: no step reads it", "仅作一列：没有步骤读取")
NEEDS, TAKES, NOTHING = ("needs {}", "必需 {}"), ("takes {}", "可选 {}"), ("-", "-")
AND, COLON = ("; ", "；"), (": ", "：")
EXACT = {
    "none": ("the same text, as it stands", "文本完全相同"),
    "nfkc_lower_space": ("the same text after NFKC, lower case and one-space blanks", "NFKC、小写、空白合一后文本相同"),
}
URL = {
    "exact": ("documents of one address, as it stands", "地址逐字相同的文档"),
    "plain": ("documents of one host, path and query", "主机、路径与查询相同的文档"),
    "c4": ("documents of one address without scheme, www., ?utm_|ref|feed and last slashes",
           "去掉协议、www.、?utm_|ref|feed 与末尾斜杠后地址相同的文档"),
}  # fmt: skip
SIMHASH = (
    "SimHash of 64 bits over {window}-{unit} shingles, {blocks} blocks, at most {distance} bits apart",
    "64 位 SimHash，{window} {unit}片段，{blocks} 块，至多相差 {distance} 位",
)
PARTS = {
    "line": ("lines that are the same", "相同的行"),
    "paragraph": ("paragraphs between blank lines that are the same", "以空行分隔的相同段落"),
    "span3": ("three sentences in a row that are the same", "相同的连续三句"),
}
LEVELLED = {
    "none": ("as they stand", "逐字比较"),
    "lower_strip": ("in lower case, stripped", "小写并去首尾空白后"),
    "ccnet": ("in lower case, digits as 0, without CCNet's marks", "小写、数字变 0、去 CCNet 所列标点后"),
}
FIRST = {
    "doc_id": ("; the lowest doc_id's copy stays", "；保留 doc_id 最小者的一份"),
    "url": ("; the copy whose address has the lowest MD5 stays", "；保留地址 MD5 最小者的一份"),
    "none": ("; no document's copy stays", "；各文档的副本均不保留"),
}
LEAST_WORDS = ("; a cut document needs {} words", "；被删减的文档至少留 {} 词")
LEAST_SENTENCES = ("; a cut document needs {} sentences", "；被删减的文档至少留 {} 句")
WHOLE = ("lines seen before, as they stand", "此前出现过的行（逐字）")
GRAMS = (
    "lines of whose {ngram}-grams more than {threshold:g} stand before them",
    "其 {ngram}-gram 有超过 {threshold:g} 此前已出现的行",
)
BOTH = ("; so do documents, by all their n-grams", "；文档按其全部 n-gram 同样处理")
EXACTLY = ("; exactly, in place of a Bloom filter", "；以精确比较代替 Bloom 过滤器")
STRETCH = ("stretches of {} tokens and more that are the same", "{} 词元及以上的相同片段")
ACTIONS = {"cut": ("cut: ", "删去："), "drop": ("documents go that have: ", "删除含有下列内容的文档：")}
EDIT = ("changes the text: {}", "修改文本：{}")
ALL = ("all", "全部")
MINHASH = (
    "{bands} bands x {rows} rows = {hashes} hashes over {ngram}-{unit} shingles; J {half:.3f} finds half of the pairs",
    "{bands} 段 × {rows} 行 = {hashes} 个哈希，{ngram} {unit}片段；J 为 {half:.3f} 时找到一半",
)
UNITS = {"word": ("word", "词"), "char": ("character", "字符")}
VERIFIED = ("; verified at {}", "；以 {} 验证")
SCOPES = {"corpus": ("; over the whole run", "；作用于整次运行"), "language": ("; language by language", "；逐语种")}
NO_SETS = {"refuse": NEEDED, "skip": SKIPPED}
EVALUATION = ("evaluation sets", "评测集")
GIVE_SETS = ("{}; give each with --decontaminate FILE. {}", "{}；以 --decontaminate FILE 提供。{}")
ON_HIT = {
    "cut": (
        "cut out with {window} characters on each side; pieces under {min_piece} go, texts in over {max_pieces} pieces "
        "go whole",
        "连同两侧各 {window} 字符切除；删除短于 {min_piece} 的碎片，碎成 {max_pieces} 块以上则整篇删除",
    ),
    "drop": ("the document goes", "整篇删除"),
}
DECONTAMINATE = {
    "ngrams": (
        "any {n} words of an item ({n_cjk} characters in Chinese; items down to {shortest} words, {shortest_cjk} "
        "characters){common}",
        "条目中任意连续 {n} 词（中文 {n_cjk} 字；条目至少 {shortest} 词或 {shortest_cjk} 字）{common}",
    ),
    "substrings": (
        "any of {count} random runs of {length} letters and digits of an item",
        "条目中随机 {count} 段 {length} 个字母或数字",
    ),
    "overlap": (
        "{share:g} of an item's {n}-grams ({n_cjk} characters in Chinese){stretch}",
        "条目 {n}-gram（中文 {n_cjk} 字）的 {share:g}{stretch}",
    ),
    "jaccard": ("Jaccard of {n}-grams with an item {share:g} or more", "与条目的 {n}-gram Jaccard 不低于 {share:g}"),
    "paragraphs": (
        "a line of an item, of {min_words} words or more, that is a line of the document",
        "条目中不少于 {min_words} 词的一行与文档的一行相同",
    ),
}
IGNORED = (", those of more than {} documents ignored", "，忽略出现于 {} 篇以上文档者")
NEARBY = (" within {:g} times its length", "，且位于其长度 {:g} 倍之内")
SIGNS = {"min": "≥", "max": "≤", "above": ">", "below": "<", "equals": "="}
WORDS = {"true": ("yes", "是"), "false": ("no", "否")}
FIGURES = {
    "weight": ("weight, %", "权重 %"),
    "copies": ("copies", "份数"),
    "multiplier": ("multiplier", "倍数"),
    "tokens": ("tokens", "词元"),
    "trained_tokens": ("tokens trained on", "训练词元"),
    "size": ("size", "大小"),
    "documents": ("documents", "文档数"),
    "epochs": ("epochs", "轮数"),
}
COUNTS = (" (the one that counts)", "（采用此列）")
OFF = ("off unless it is named", "未指明时不用")
BUDGET = ("budget: {} ({})", "预算：{}（{}）")
TOKENS = ("tokens", "词元")
PER_PARAMETER = ("{:g} tokens a parameter", "每个参数 {:g} 词元")
INSTRUCTIONS = ("instruction data: {:g} of the budget", "指令数据：占预算 {:g}")
REHYDRATE = ("clusters of {}: {:g} copies ({})", "簇大小 {}：{:g} 份（{}）")
LOWEST = ("the lowest doc_id", "doc_id 最小者")


def heading(key: str, zh: bool) -> str:
    """A heading in one of the two languages."""
    return HEADINGS[key][zh]


def step_text(step: Rule | Sample, zh: bool) -> str:
    """What a rule or a sampler keeps, for people.

    >>> step_text(Rule(id="a.b.v1", signal="word_count", min=50, evidence="C"), zh=False)
    'word_count ≥ 50'
    >>> step_text(Sample(kind="sample", id="a.b.v1", method="random", p=0.25, evidence="C"), zh=True)
    '随机保留 0.25'
    """
    if isinstance(step, Sample):
        return _sampled(step) if zh else sampler_bound(step)
    value = step.threshold
    if isinstance(value, tuple):
        return f"{step.signal} {'属于' if zh else 'in'} {', '.join(value)}"
    if isinstance(value, bool):
        return f"{step.signal} = {WORDS[str(value).lower()][zh]}"
    text = bound_text(step)
    return f"{step.signal} {SIGNS[step.bound]} {text.partition(' ')[2]}"


def _sampled(step: Sample) -> str:
    per = "（各语种分别）" if step.per == "language" else ""
    shares = "，".join(f"自 {least:g} 起 {share:g}" for least, share in step.weights or ())
    return {
        "random": f"随机保留 {step.p or 0:g}",
        "proportional": f"以 {step.signal} 为概率保留",
        "pareto": f"pareto({step.alpha or 0:g}) > 1 - {step.signal} 时保留",
        "resample": f"按 {step.signal}：{shares}",
        "top": f"{step.signal} 最高的 {step.fraction or 0:g}{per}",
        "percentiles": f"{step.signal} 的第 {step.low or 0:g} 至 {step.high or 0:g} 百分位{per}",
        "domain_cap": f"每个域名至多 {step.cap} 篇",
    }[step.method]
