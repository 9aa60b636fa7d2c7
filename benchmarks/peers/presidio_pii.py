"""What Microsoft Presidio's recognisers find in texts, run by the interpreter of Presidio's environment.

python presidio_pii.py LEAST_SCORE < texts.jsonl > spans.jsonl     (a JSON string a line; lists of [start, end, type])

Its patterns, checksums and context words for English are those it ships; the language model under it is spaCy's blank
English tokeniser with lower-cased words as lemmas, so that names and places, which need a trained model, are not found.
"""

import json
import sys

import spacy
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from spacy.language import Language


@Language.component("lower_lemmas")
def lower_lemmas(doc):
    for token in doc:
        token.lemma_ = token.lower_
    return doc


class Blank(SpacyNlpEngine):
    """spaCy's blank English pipeline in place of a trained one."""

    def load(self):
        self.nlp = {"en": spacy.blank("en")}
        self.nlp["en"].add_pipe("lower_lemmas")


def main():
    engine = Blank()
    engine.load()
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"], default_score_threshold=float(sys.argv[1]))
    for line in sys.stdin:
        hits = analyzer.analyze(json.loads(line), language="en")
        print(json.dumps([[hit.start, hit.end, hit.entity_type] for hit in hits]))


if __name__ == "__main__":
    main()
