//! Ranges of addresses with pages cut out of them.

use vm::addr::VirtRange;

/// The parts of `whole` outside `guards`, by ascending address.
///
/// `guards` yields the same disjoint ranges, in any order, whenever it is called.
pub(crate) fn parts_between<G: Iterator<Item = VirtRange>>(
    whole: VirtRange,
    guards: impl Fn() -> G,
) -> impl Iterator<Item = VirtRange> {
    let mut base = whole.base();
    core::iter::from_fn(move || {
        while base < whole.end() {
            let next = guards()
                .filter(|guard| guard.base() >= base && guard.base() < whole.end())
                .min_by_key(|guard| guard.base());
            let part = VirtRange::between(base, next.map_or(whole.end(), VirtRange::base));
            base = next.map_or(whole.end(), VirtRange::end);
            if part.is_some() {
                return part;
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use vm::addr::{PageCount, VirtAddr};

    use super::*;

    fn range(first: usize, pages: usize) -> VirtRange {
        VirtRange::new(VirtAddr::new(first << 12), PageCount::new(pages)).expect("a valid range")
    }

    fn parts(guards: &[VirtRange]) -> Vec<VirtRange> {
        parts_between(range(10, 10), || guards.iter().copied()).collect()
    }

    #[test]
    fn without_guards_all_of_it_is_one_part() {
        assert_eq!(parts(&[]), [range(10, 10)]);
    }

    #[test]
    fn guards_divide_it_in_any_order_and_others_do_not_matter() {
        let guards = [range(16, 1), range(30, 1), range(12, 2), range(2, 1)];
        assert_eq!(parts(&guards), [range(10, 2), range(14, 2), range(17, 3)]);
    }

    #[test]
    fn guards_at_the_ends_and_side_by_side_leave_no_empty_parts() {
        let guards = [range(10, 1), range(14, 1), range(15, 1), range(19, 1)];
        assert_eq!(parts(&guards), [range(11, 3), range(16, 3)]);
    }
}
