"""Adds up samples of perf by the part of the program that a function belongs to.

    perf report --sort sym | parts.py time      by the function that was running
    perf script | parts.py memory               by the innermost function of a part that asked for the page; what can be called
                                                from everywhere is not one
"""

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


# What says where, and not who.
ANYBODY = {"allocating and freeing", "copying and comparing memory", "maps and text", "tokio and futures", "the system"}


def part(name):
    return next((part for part, pattern in PARTS if re.search(pattern, name)), "else")


def time(lines):
    sums = collections.Counter()
    for line in lines:
        found = re.match(r"\s*([0-9.]+)%\s+(\[.\])\s+(.*)", line)
        if found:
            sums[part(f"{found[2]} {found[3]}" if found[2] == "[k]" else found[3])] += float(found[1])
    return sums


def memory(lines):
    """A sample is a line about it, then a line for each frame from the innermost on, then an empty one."""
    counts, frames = collections.Counter(), []
    for line in [*lines, ""]:
        found = re.match(r"\s+[0-9a-f]+ (.*)\+0x[0-9a-f]+ \(", line)
        if found:
            frames.append(found[1])
        elif not line.strip() and frames:
            counts[next((part(frame) for frame in frames if part(frame) not in ANYBODY | {"else"}), "else")] += 1
            frames = []
    return collections.Counter({name: 100 * count / counts.total() for name, count in counts.items()})


def main():
    what = sys.argv[1]
    print(f"| where | % of the {what} |\n|---|--:|")
    for name, share in {"time": time, "memory": memory}[what](sys.stdin).most_common():
        print(f"| {name} | {share:.1f} |")


if __name__ == "__main__":
    main()
