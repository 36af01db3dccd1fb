"""Adds up what `perf report --sort sym` prints, by the part of the program that a function belongs to."""

import collections
import re
import sys

# The first that fits; what is called from everywhere (copying, comparing, allocating) cannot be told apart by name.
PARTS = [
    ("the embedded table: SQLite", r"sqlite|rusqlite|^(balance|vdbe|btree|pcache|walkExpr|yy_)"),
    ("the embedded table: DynamoDB on it", r"dynoxide"),
    ("the AWS SDK", r"aws_s|aws_(config|runtime|credential|types)|http::(header|uri|request)|sha2|hmac|hybrid_array"),
    ("JSON", r"serde"),
    ("GitHub's answers: HTTP, gzip, TLS", r"hyper|reqwest|h2::|rustls|zlib_rs|miniz|flate2|async_compression|aws_lc"),
    ("our own: the engine and what it asks with", r"\b(engine|github|aws|git|sei_github)::"),
    ("tokio and futures", r"tokio|futures|mio::"),
    ("allocating and freeing", r"malloc|_int_free|free\b|realloc|calloc|alloc::|drop_in_place|unlink_chunk"),
    ("copying and comparing memory", r"memmove|memcpy|memset|memcmp"),
    ("maps and text", r"hashbrown|indexmap|BTree|core::|alloc::|std::"),
    ("the system", r"^\[k\]"),
]


def main():
    sums = collections.Counter()
    for line in sys.stdin:
        found = re.match(r"\s*([0-9.]+)%\s+(\[.\])\s+(.*)", line)
        if found:
            name = f"{found[2]} {found[3]}" if found[2] == "[k]" else found[3]
            sums[next((part for part, pattern in PARTS if re.search(pattern, name)), "else")] += float(found[1])
    print("| where | % of the time |\n|---|--:|")
    for part, share in sums.most_common():
        print(f"| {part} | {share:.1f} |")


if __name__ == "__main__":
    main()
