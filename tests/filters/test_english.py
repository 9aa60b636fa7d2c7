"""English words and sentences: what spaCy 3.8.18 (`spacy.blank("en")`, sentencizer) gave for the same texts."""

import numpy as np
import pytest

from filters.english import SHORT_WORDS, TABLE, UNIT_WORDS, words
from filters.signals.sentences import ENGLISH_STOPS, english_sentences

# Recorded with: [t.text for t in spacy.blank("en")(text) if t.text.strip()]
WORDS = {
    "He said: \"I don't know (10:30).\"": ["He", "said", ":", '"', "I", "do", "n't", "know", "(", "10:30", ")", ".", '"'],
    "it's we’re you've he'll I'd I'm": ["it", "'s", "we", "’re", "you", "'ve", "he", "'ll", "I", "'d", "I", "'m"],
    "a well-known 4-night stay, covid-19": ["a", "well", "-", "known", "4", "-", "night", "stay", ",", "covid-19"],
    "1/2 either/or x=y a<b foo.bar end.Start": ["1/2", "either", "/", "or", "x", "=", "y", "a", "<", "b", "foo.bar", "end", ".", "Start"],
    "U.S. laws, e.g. Dr. No; Ph.D. etc. at 5 p.m.": ["U.S.", "laws", ",", "e.g.", "Dr.", "No", ";", "Ph.D.", "etc", ".", "at", "5", "p.m."],
    "$5 50% 10km 3GB 1,000 3.14 v2.0": ["$", "5", "50", "%", "10", "km", "3", "GB", "1,000", "3.14", "v2.0"],
    "wait... what?! No--yes — so…": ["wait", "...", "what", "?", "!", "No", "--", "yes", "—", "so", "…"],
    "foo(bar) array[0] x_y _z_ C++ #tag @me": ["foo(bar", ")", "array[0", "]", "x_y", "_", "z", "_", "C++", "#", "tag", "@me"],
    "/usr/share/doc --option -x a@b": ["/usr", "/", "share", "/", "doc", "--option", "-x", "a@b"],
    "see https://example.com/c-d/e=f. (http://example.org/a-b)": ["see", "https://example.com/c-d/e=f", ".", "(", "http://example.org/a-b", ")"],
    "5-6 a+b 2+2 2*-3": ["5", "-", "6", "a+b", "2", "+", "2", "2", "*", "-3"],
}  # fmt: skip
SENTENCES = {
    "One. Two! Three? Four": 4,
    "It costs 3.5, e.g. at Dr. No's.": 1,
    "He left (at last.) Then what?!": 2,
    "No end": 1,
    "”": 1,
    "It ends.\n“": 2,
    "Dots... do not end it… here": 1,
    "First line\nsecond line\n\n": 2,
    "1. 2. 3.": 3,
    "": 0,
}


def count(text: str) -> int:
    raw = text.encode()
    data = np.frombuffer(raw + bytes(8), np.uint8)
    return int(english_sentences(data, np.array([0, len(raw)]), TABLE, UNIT_WORDS, SHORT_WORDS, ENGLISH_STOPS)[0])


@pytest.mark.parametrize("text", WORDS)
def test_words_are_spacys(text: str) -> None:
    assert words(text) == WORDS[text]


@pytest.mark.parametrize("text", SENTENCES)
def test_sentences_are_spacys(text: str) -> None:
    assert count(text) == SENTENCES[text]


@pytest.mark.parametrize(
    "text", ["." * 20_000, "((" * 9_000, "a-" * 9_000, "'s" * 9_000, "é" * 9_001, "\x00\U0001f600" * 3]
)
def test_nothing_is_lost_of_a_chunk_without_blanks(text: str) -> None:
    assert "".join(words(text)) == text
