//! Comparing names regardless of their spelling.

/// A name in lower case without `-`, `_` and `.`: equal for QEMU's `sse4.1` and Linux's `sse4_1`.
pub(super) fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    folded.extend(name.chars().filter(|c| !matches!(c, '-' | '_' | '.')).map(|c| c.to_ascii_lowercase()));
    folded
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn case_and_separators_are_ignored() {
        assert_eq!(fold("SSE4.1"), fold("sse4_1"));
        assert_eq!(fold("tsc-deadline"), "tscdeadline");
    }
}
