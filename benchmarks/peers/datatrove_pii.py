"""What datatrove's PII formatter replaces in texts, run by the interpreter of datatrove's environment.

python datatrove_pii.py < texts.jsonl > spans.jsonl     (a JSON string a line; lists of [start, end, type])
"""

import json
import sys

from datatrove.pipeline.formatters import PIIFormatter


def main():
    formatter = PIIFormatter()
    for line in sys.stdin:
        text, spans = json.loads(line), []
        for kind, replacer in (("EMAIL_ADDRESS", formatter.emails_replacer), ("IP_ADDRESS", formatter.ip_replacer)):
            for match in replacer.regex.finditer(text):
                if not replacer.validator or replacer.validator(match.group(0)):
                    spans.append([*match.span(), kind])
        print(json.dumps(spans))


if __name__ == "__main__":
    main()
