"""What pages and sites say of their use: opt-outs from machine learning, and licences. Evidence, not judgement.

`page` and `licences` read a parsed page and run in the sandbox, so they import next to nothing; the rest reads what
sites say in files of their own (`robots`, `tdm`, `aitxt`), in headers (`directives`, `usage`) and in lists of domains
(`domains`). `judge` puts the evidence of one document together; `spdx` names licences.
"""
