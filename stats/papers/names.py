"""Names that people read for the codes of the tables, in English and Chinese; a code without one stays as it is."""

from __future__ import annotations

LANGUAGES = {
    "en": ("English", "英语"), "zh": ("Chinese", "汉语"), "de": ("German", "德语"),
    "fr": ("French", "法语"), "es": ("Spanish", "西班牙语"), "ru": ("Russian", "俄语"),
    "ja": ("Japanese", "日语"), "ko": ("Korean", "韩语"), "it": ("Italian", "意大利语"),
    "pt": ("Portuguese", "葡萄牙语"), "nl": ("Dutch", "荷兰语"), "pl": ("Polish", "波兰语"),
    "ar": ("Arabic", "阿拉伯语"), "tr": ("Turkish", "土耳其语"), "vi": ("Vietnamese", "越南语"),
    "th": ("Thai", "泰语"), "id": ("Indonesian", "印度尼西亚语"), "fa": ("Persian", "波斯语"),
    "cs": ("Czech", "捷克语"), "uk": ("Ukrainian", "乌克兰语"), "yue": ("Cantonese", "粤语"),
    "wuu": ("Wu Chinese", "吴语"), "la": ("Latin", "拉丁语"), "hi": ("Hindi", "印地语"),
    "bn": ("Bengali", "孟加拉语"), "fi": ("Finnish", "芬兰语"), "hu": ("Hungarian", "匈牙利语"),
    "lv": ("Latvian", "拉脱维亚语"), "ms": ("Malay", "马来语"), "sv": ("Swedish", "瑞典语"), "da": ("Danish", "丹麦语"),
    "ro": ("Romanian", "罗马尼亚语"), "el": ("Greek", "希腊语"), "he": ("Hebrew", "希伯来语"),
    "und": ("undetermined", "未判定"), "bo": ("Tibetan", "藏语"), "ug": ("Uyghur", "维吾尔语"),
    "mn": ("Mongolian", "蒙古语"),
}  # fmt: skip
KIND_NAMES = {
    "private_key": ("private key", "私钥"), "secret": ("API key or token", "API 密钥或令牌"),
    "email": ("e-mail address", "电子邮箱"), "mac": ("hardware (MAC) address", "网卡 MAC 地址"),
    "ipv6": ("public IPv6 address", "公网 IPv6 地址"), "ipv4": ("public IPv4 address", "公网 IPv4 地址"),
    "bitcoin": ("Bitcoin address", "比特币地址"), "ethereum": ("Ethereum address", "以太坊地址"),
    "iban": ("bank account (IBAN)", "国际银行账号"), "swift": ("bank code (SWIFT)", "银行代码（SWIFT）"),
    "cn_id": ("Chinese identity number", "居民身份证号"),
    "national_id": ("national identity number", "其他国家身份号码"),
    "us_ssn": ("US social security number", "美国社会安全号"), "us_itin": ("US taxpayer number", "美国个人纳税号"),
    "uk_nino": ("UK national insurance number", "英国国民保险号"), "passport": ("passport number", "护照号"),
    "cn_bank_card": ("UnionPay card number", "银联卡号"), "credit_card": ("payment card number", "支付卡号"),
    "cn_mobile": ("Chinese mobile number", "中国大陆手机号"), "hk_mobile": ("Hong Kong mobile number", "香港手机号"),
    "tw_mobile": ("Taiwanese mobile number", "台湾手机号"), "cn_landline": ("Chinese fixed line", "中国大陆座机号"),
    "phone": ("telephone number", "电话号码"), "qq": ("QQ number", "QQ 号"), "wechat": ("WeChat id", "微信号"),
    "plate": ("vehicle registration plate", "车牌号"), "person": ("name of a person", "人名"),
    "address": ("street address", "街道地址"),
}  # fmt: skip
REPLACED = ("placeholder", "pseudonym", "surrogate")
POLICIES = {
    "placeholder": ("replaced", "已替换"), "pseudonym": ("replaced by a keyed pseudonym", "已替换为带密钥的化名"),
    "surrogate": ("replaced by a made-up value", "已替换为虚构值"), "leave": ("left", "保留原文"),
}  # fmt: skip
BY_NAMES = {
    "lang": ("language", "语言"), "domain": ("domain", "域名"), "tld": ("top-level domain", "顶级域"),
    "year": ("year", "年份"),
}  # fmt: skip
CHINESE_STAGES = {
    "documents": "抽取后", "pass the rules": "通过规则", "after dedup": "去重后", "kept": "保留", "tokens": "词元",
}  # fmt: skip
STAGES = {
    "kept": ("kept", "保留"), "rejected": ("rejected", "拒收"), "filtered": ("filtered by a rule", "规则过滤"),
    "duplicate": ("duplicate", "重复"), "removed": ("removed on request", "应请求删除"),
}  # fmt: skip


def language(code: str, zh: bool) -> str:
    """A language's name with its code.

    >>> language("zh", True), language("xx", False)
    ('汉语 zh', 'xx')
    """
    names = LANGUAGES.get(code)
    return f"{names[int(zh)]} {code}" if names else code


def stage_of(fate: str, zh: bool) -> str:
    """What kind of fate this is, in words."""
    kind = fate.partition(":")[0]
    return STAGES.get(kind, (kind, kind))[int(zh)]


def stage_name(stage: str, zh: bool) -> str:
    """A stage of `stats.diversity` in words."""
    return CHINESE_STAGES.get(stage, stage) if zh else stage
