//! How many lines were added and removed between two texts, as `git log --numstat` counts them: a line is what ends
//! with a newline, or the text; with Myers' algorithm, which is git's default. Whatever both texts begin or end with
//! must not be left out before: how often a line occurs in the whole decides between diffs of the same worth.

use gix_imara_diff::{Algorithm, Diff, InternedInput, sources::byte_lines};

/// Lines added and removed.
pub(crate) fn count(before: &[u8], after: &[u8]) -> (u64, u64) {
    if before.is_empty() || after.is_empty() {
        return (lines(after), lines(before));
    }
    let input = InternedInput::new(byte_lines(before), byte_lines(after));
    let diff = Diff::compute(Algorithm::Myers, &input);
    (diff.count_additions().into(), diff.count_removals().into())
}

fn lines(text: &[u8]) -> u64 {
    let ended = memchr::memchr_iter(b'\n', text).count();
    let last = usize::from(text.last().is_some_and(|last| *last != b'\n'));
    u64::try_from(ended + last).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_line_without_a_newline_is_a_line() {
        assert_eq!(count(b"", b"a\nb"), (2, 0));
        assert_eq!(count(b"a\nb", b"a\nb\n"), (1, 1));
        assert_eq!(count(b"a\r\n", b"a\n"), (1, 1));
        assert_eq!(count(b"a\n", b""), (0, 1));
    }
}
