"""Vocabulary and sentence patterns of the sample's languages: enough to look like prose and to be told apart.

A pattern's fixed stretches are short, so that two pages which share a pattern share few five-word shingles.
Slots: A adjective, N noun, M another noun, V verb phrase, P person, C place, D number.
"""

from __future__ import annotations

LANGUAGES: dict[str, dict[str, list[str]]] = {
    "en": {
        "A": ["quiet", "ancient", "narrow", "careful", "bright", "heavy", "patient", "local", "modern", "gentle", "broken", "famous", "hidden", "early", "wooden", "steady", "curious", "simple", "distant", "fragile", "practical", "northern", "public", "private", "honest"],
        "N": ["harbour", "library", "engine", "garden", "market", "bridge", "letter", "orchard", "museum", "river", "clock", "recipe", "archive", "theatre", "village", "satellite", "microscope", "railway", "festival", "kitchen", "forest", "lantern", "hospital", "workshop", "glacier"],
        "M": ["weather", "tradition", "argument", "budget", "journey", "discovery", "mistake", "harvest", "experiment", "neighbour", "apprentice", "committee", "translation", "melody", "painting", "winter", "teacher", "survey", "notebook", "promise", "storm", "shelter", "map"],
        "V": ["was restored after", "had been part of", "that changed with", "to be compared with", "and depended on",
              "that had survived", "was hidden behind", "to be explained by", "and grew out of", "was paid for by",
              "that belonged to", "had nothing to do with", "was measured against", "and reminded them of"],
        "S": ["In {C}, the {A} {N} {V} the {M} of {D} people.", "{P} wrote that every {N} {V} a {A} {M}.",
              "After {D} years, {P} and the {A} {M} {V} one {N} in {C}.", "Nobody in {C} knew if the {N} {V} {P}.",
              "The {M} and {A} {N} {V} {D} visitors from {C}.", "What {P} found was a {A} {N} that {V} the {M}.",
              "To {P}, a {M} with {D} pages {V} any {A} {N}.", "They have kept the {A} {M} near {C} since {P} left."],
    },
    "zh": {
        "A": ["古老", "安静", "明亮", "复杂", "著名", "普通", "温暖", "遥远", "精致", "现代", "朴素", "繁忙", "寒冷", "珍贵", "简单", "公共", "传统", "详细"],
        "N": ["图书馆", "博物馆", "桥梁", "市场", "花园", "铁路", "剧院", "医院", "工厂", "码头", "村庄", "学校", "森林", "实验室", "公园", "书店", "茶馆", "天文台"],
        "M": ["天气", "传统", "预算", "旅行", "发现", "收成", "实验", "邻居", "翻译", "音乐", "绘画", "冬天", "老师", "调查", "笔记", "承诺", "风暴", "地图", "故事"],
        "V": ["改变了", "影响了", "记录了", "超过了", "来自于", "取决于", "解释了", "保存了", "丰富了", "推动了", "依靠着", "见证了"],
        "S": ["在{C}，{A}的{N}{V}{D}个人的{M}。", "{P}写道，每一座{N}都{V}{A}的{M}。", "经过{D}年，{P}和他的{M}为{C}{V}一座{N}。",
              "没有人知道{C}的{N}为什么{V}{P}的{M}。", "这里的{M}和{A}的{N}，{V}{D}位来自{C}的客人。",
              "{P}认为，{M}是{A}的，因为它{V}{C}的{N}。", "到了第{D}天，{C}的人们在{N}里谈论{A}的{M}。"],
    },
    "de": {
        "A": ["ruhige", "alte", "schmale", "helle", "schwere", "örtliche", "moderne", "berühmte", "einfache", "öffentliche"],
        "N": ["Bibliothek", "Brücke", "Werkstatt", "Küche", "Straße", "Schule", "Mühle", "Kirche", "Fabrik", "Bahn", "Zeitung", "Ausstellung"],
        "M": ["Reise", "Ernte", "Entdeckung", "Sitzung", "Übersetzung", "Melodie", "Rechnung", "Frage", "Geschichte", "Arbeit", "Regel"],
        "V": ["wurde nach", "gehörte zu", "entstand aus", "begann mit", "lebte von", "endete vor"],
        "S": ["In {C} {V} der Zeit die {A} {N} und eine {M}.", "{P} schrieb, dass jede {N} eine {A} {M} braucht.",
              "Nach {D} Jahren war die {M} für {P} nicht mehr wichtig.", "Niemand in {C} wusste, warum die {A} {N} fehlte.",
              "Die {M} und die {N} haben {D} Menschen aus {C} geholfen."],
    },
    "fr": {
        "A": ["ancienne", "tranquille", "étroite", "célèbre", "moderne", "simple", "publique", "fragile", "lointaine", "claire"],
        "N": ["bibliothèque", "gare", "école", "usine", "cuisine", "forêt", "rivière", "boutique", "église", "maison", "rue", "librairie"],
        "M": ["récolte", "tempête", "découverte", "réunion", "traduction", "mélodie", "promesse", "enquête", "histoire", "visite", "leçon"],
        "V": ["dépendait de", "venait avec", "ressemblait à", "commençait par", "existait avant", "vivait grâce à"],
        "S": ["À {C}, la {A} {N} {V} une {M} de {D} personnes.", "{P} écrivait que chaque {N} était une {M} {A}.",
              "Après {D} ans, {P} a retrouvé la {N} près de {C}.", "Personne ne savait pourquoi cette {M} {V} la {N}.",
              "Les gens de {C} ont gardé leur {A} {N} pour {P}."],
    },
    "es": {
        "A": ["antigua", "tranquila", "estrecha", "famosa", "moderna", "sencilla", "pública", "frágil", "lejana", "clara"],
        "N": ["biblioteca", "estación", "escuela", "fábrica", "cocina", "selva", "iglesia", "tienda", "casa", "calle", "plaza"],
        "M": ["cosecha", "tormenta", "reunión", "traducción", "melodía", "promesa", "encuesta", "historia", "visita", "lección"],
        "V": ["dependía de", "venía con", "se parecía a", "empezó por", "existía antes de", "vivía gracias a"],
        "S": ["En {C}, la {A} {N} {V} una {M} de {D} personas.", "{P} escribió que cada {N} era una {M} {A}.",
              "Después de {D} años, {P} encontró la {N} cerca de {C}.", "Nadie sabía por qué esa {M} {V} la {N}.",
              "Los vecinos de {C} han guardado su {A} {N} para {P}."],
    },
    "ru": {
        "A": ["старая", "тихая", "узкая", "яркая", "известная", "простая", "новая", "общая", "дальняя", "тёплая"],
        "N": ["библиотека", "фабрика", "школа", "кухня", "улица", "церковь", "станция", "книга", "дорога", "больница"],
        "M": ["погода", "поездка", "встреча", "работа", "история", "мелодия", "ошибка", "зима", "карта", "игра"],
        "V": ["появилась после", "зависела от", "началась с", "стояла возле", "жила без"],
        "S": ["В городе {C} {A} {N} {V} того, что сказал {P}.", "{P} писал, что каждая {N} и {A} {M} похожи.",
              "Через {D} лет {M} уже не была важна для {P}.", "Никто не знал, почему {A} {N} {V} войны.",
              "Эта {M} и {N} помогли {D} людям из {C}."],
    },
    "ja": {
        "A": ["古い", "静かな", "明るい", "有名な", "新しい", "小さな", "大切な", "遠い", "温かい", "簡単な"],
        "N": ["図書館", "博物館", "市場", "庭園", "駅", "劇場", "病院", "工場", "学校", "森", "公園", "本屋"],
        "M": ["天気", "伝統", "旅", "発見", "実験", "翻訳", "音楽", "絵", "冬", "調査", "約束", "嵐", "地図"],
        "V": ["変えた", "記録した", "支えた", "守った", "広げた", "説明した"],
        "S": ["{C}では、{A}{N}が{D}人の{M}を{V}。", "{P}さんは、どの{N}にも{A}{M}があると書きました。",
              "{D}年後、{P}さんと{C}の人々は{N}で{M}について話しました。", "なぜその{N}が{M}を{V}のか、{C}では誰も知りません。"],
    },
    "ko": {
        "A": ["오래된", "조용한", "밝은", "유명한", "새로운", "작은", "소중한", "먼", "따뜻한", "간단한"],
        "N": ["도서관은", "박물관은", "시장은", "정원은", "극장은", "병원은", "공장은", "학교는", "공원은", "서점은"],
        "M": ["날씨를", "전통을", "여행을", "발견을", "실험을", "번역을", "음악을", "그림을", "겨울을", "약속을"],
        "V": ["바꾸었습니다", "기록했습니다", "지켰습니다", "설명했습니다", "보여주었습니다"],
        "S": ["{C}에서 {A} {N} {D}명의 {M} {V}.", "{P} 씨에 따르면 모든 {N} {A} {M} {V}.",
              "{D}년 뒤에 {P} 씨와 {C}의 사람들이 말한 {N} {M} {V}."],
    },
}  # fmt: skip
LOCALES = {"en": "en_US", "zh": "zh_CN", "de": "de_DE", "fr": "fr_FR", "es": "es_ES", "ru": "ru_RU", "ja": "ja_JP",
           "ko": "ko_KR"}  # fmt: skip
CHROME = {
    "en": (
        "Home | News | About us | Contact",
        "We use cookies to improve this site. Accept all",
        "All rights reserved",
    ),
    "zh": ("首页 | 新闻 | 关于我们 | 联系我们", "本网站使用 Cookie，点击接受。", "版权所有"),
    "de": (
        "Startseite | Nachrichten | Über uns",
        "Wir verwenden Cookies. Alle akzeptieren",
        "Alle Rechte vorbehalten",
    ),
    "fr": (
        "Accueil | Actualités | À propos",
        "Nous utilisons des cookies. Tout accepter",
        "Tous droits réservés",
    ),
    "es": ("Inicio | Noticias | Acerca de", "Usamos cookies. Aceptar todo", "Todos los derechos reservados"),
    "ru": ("Главная | Новости | О нас", "Мы используем файлы cookie. Принять", "Все права защищены"),
    "ja": ("ホーム | ニュース | 会社概要", "当サイトはクッキーを使用しています。", "無断転載を禁じます"),
    "ko": ("홈 | 뉴스 | 소개", "이 사이트는 쿠키를 사용합니다.", "모든 권리 보유"),
}
CHARSETS = {"zh": ("gb18030",), "ja": ("shift_jis", "euc-jp"), "ru": ("windows-1251", "koi8-r"), "ko": ("euc-kr",),
            "de": ("iso-8859-1",), "fr": ("windows-1252",), "es": ("iso-8859-1",), "en": ("utf-8",)}  # fmt: skip
