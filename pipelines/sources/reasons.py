"""Every reason for which a record never becomes a document. `docs/fates.md` lists the same, by test."""

REASONS: dict[str, str] = {
    "warc.damaged": "bytes that are no valid WARC record; reading went on at the next valid one",
    "warc.truncated": "the file ends before the record does",
    "warc.too_large": "the record is larger than 64 MiB",
    "warc.revisit": "a revisit record: the page itself was stored earlier, elsewhere",
    "arc.damaged": "the ARC file cannot be read beyond this point",
    "http.damaged": "the HTTP response has no valid status line and headers",
    "http.status": "the server did not answer 200",
    "http.not_html": "the content type is neither HTML nor plain text",
    "http.empty": "the body is empty",
    "http.too_large": "the body, decompressed, is larger than 64 MiB",
    "http.bad_encoding": "the body cannot be decompressed as its Content-Encoding says",
    "jsonl.damaged": "the line is no JSON object",
    "jsonl.no_text": "the line has no text, content, raw_content or html",
    "parquet.no_text": "the row has no text, content or html",
    "file.unreadable": "the file or row group cannot be read",
    "extract.empty": "the extractor found no main text",
    "extract.timeout": "the page took longer than the recipe's timeout_s",
    "extract.too_large": "the page is larger than the recipe's max_bytes",
    "extract.memory": "the extractor ran out of its memory limit on this page",
    "extract.crash": "the extractor died or failed on this page",
}
