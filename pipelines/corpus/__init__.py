"""A corpus: run folders made one after another, each without what the ones before hold, and one manifest over all.

CORPUS/
  corpus.json          which inputs each run took, and how far it has come
  manifest.json        the newest version: its rename is the moment of publication
  manifest-0001.json   every version under a name that is its own; each names its parent's sha256
  runs/0001/           an ordinary run folder, one for each extension
  inputs/0001/         links to the files that this run took, under the names that its documents' ids are made of
  index/  register/    what later runs are compared with, and what they must leave out
  log/                 hashes of inputs already read, what was announced; not part of the result
"""
