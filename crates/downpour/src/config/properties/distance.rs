//! How many changes lead from one name to another.

/// Insertions, removals, replacements and swaps of neighbours that turn `a` into `b`.
pub(super) fn edits(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, &y) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(x != y);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::edits;

    #[test]
    fn counts_each_kind_of_change_once() {
        assert_eq!(edits("linger.ms", "linger.ms"), 0);
        assert_eq!(edits("linger.m", "linger.ms"), 1);
        assert_eq!(edits("lniger.ms", "linger.ms"), 1);
        assert_eq!(edits("linger-ms", "linger.ms"), 1);
        assert_eq!(edits("", "abc"), 3);
    }
}
