"""One document or one Arrow batch at a time: language, signals, rules, personal data, rights."""
