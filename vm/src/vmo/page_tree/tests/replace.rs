//! Replacing the pages of a range with memory that is there before.

use super::*;

/// Replaces `range` by new pages at every third index, and answers what is expected there.
fn replace(tree: &mut Tree, counts: &Counts, range: Range<u64>) -> Vec<(u64, u32)> {
    let mut stock = NodeStock::new();
    stock.fill().expect("memory is plenty");
    let mut expected = Vec::new();
    let guard = crate::try_alloc::fault::fail_after(0);
    tree.replace(pages(range), counts, &mut stock, |index| {
        if index.number() % 3 != 0 {
            return None;
        }
        let new = counts.make();
        expected.push((index.number(), new.number()));
        Some(new)
    });
    assert!(!guard.has_struck(), "no memory was asked for");
    expected
}

#[test]
fn one_stock_is_enough_wherever_the_range_lies_and_whoever_shares_the_tree() {
    let counts = Counts::default();
    let far = 1 << 51;
    let places = [
        0,
        1,
        63,
        64,
        100,
        4000,
        4096 - 256,
        (1 << 24) - 3,
        (1 << 36) - 500,
        far - 255,
    ];
    for first in places {
        for others in [
            vec![],
            vec![0],
            vec![0, far + 600],
            (first..first + 700).step_by(2).collect(),
        ] {
            let mut tree = tree_of(&counts, others.iter().copied());
            let shared = tree.snapshot(ALL, &counts).expect("memory is plenty");
            let before = contents(&shared, ALL);
            let range = first..first + MOST_REPLACED as u64;
            let mut expected = replace(&mut tree, &counts, range.clone());
            expected.extend(before.iter().filter(|(index, _)| !range.contains(index)));
            expected.sort_unstable();
            assert_eq!(contents(&tree, ALL), expected, "{first}");
            assert_eq!(contents(&shared, ALL), before, "{first}");
            dissolve(shared, &counts);
            // Nobody shares it now, and everything there goes.
            let second = replace(&mut tree, &counts, range.clone());
            assert_eq!(contents(&tree, pages(range)), second);
            dissolve(tree, &counts);
        }
    }
    assert_eq!(counts.len(), 0);
}
