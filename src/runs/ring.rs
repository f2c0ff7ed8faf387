//! In which order a fleet is gone over: one account, then a tenth, then all.

/// The ring of each of `accounts`, first to last. Without rings all are in the first.
pub fn rings(accounts: usize, in_rings: bool) -> Vec<i16> {
    let tenth = accounts.div_ceil(10);
    (0..accounts)
        .map(|place| match place {
            _ if !in_rings => 0,
            0 => 0,
            place if place < 1 + tenth => 1,
            _ => 2,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::rings;

    #[test]
    fn one_then_a_tenth_then_all() {
        let sizes = |accounts| {
            let rings = rings(accounts, true);
            [0, 1, 2].map(|ring| rings.iter().filter(|of| **of == ring).count())
        };
        assert_eq!(sizes(0), [0, 0, 0]);
        assert_eq!(sizes(1), [1, 0, 0]);
        assert_eq!(sizes(2), [1, 1, 0]);
        assert_eq!(sizes(5), [1, 1, 3]);
        assert_eq!(sizes(800), [1, 80, 719]);
        assert!(rings(800, true).is_sorted(), "in the order in which they are done");
        assert_eq!(rings(3, false), [0, 0, 0]);
    }
}
