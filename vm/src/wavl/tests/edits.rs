//! The edits and looks that `RBTree` has too.

use super::*;

fn key_of(item: Option<&Item>) -> Option<u32> {
    item.map(|item| item.key)
}

#[test]
fn replace_with_gives_the_old_object_back_and_keeps_the_place() {
    for key in 0..20 {
        let mut tree = tree_of(0..20);
        let heavy = Item::new(key);
        heavy
            .weight
            .store(1000, std::sync::atomic::Ordering::Relaxed);
        let mut cursor = tree.find_mut(&key);
        let old = cursor
            .replace_with(heavy.clone())
            .expect("the key is there");
        assert_eq!(old.key, key);
        assert!(!old.link.is_linked() && heavy.link.is_linked());
        assert_eq!(key_of(cursor.get()), Some(key));
        check(&tree);
        assert_eq!(tree.root().map(|root| root.summary().heaviest), Some(1000));
    }
    let mut tree = tree_of(0..3);
    let refused = tree.cursor_mut().replace_with(Item::new(7));
    assert_eq!(refused.map_err(|item| item.key).map(|_| ()), Err(7));
}

#[test]
fn a_range_holds_what_is_within_both_bounds() {
    let tree = tree_of([10, 20, 20, 30]);
    let count = |low, high| tree.range(low, high).count();
    assert_eq!(count(Bound::Unbounded, Bound::<&u32>::Unbounded), 4);
    assert_eq!(count(Bound::Included(&20), Bound::Included(&20)), 2);
    assert_eq!(count(Bound::Excluded(&20), Bound::Included(&20)), 0);
    assert_eq!(count(Bound::Excluded(&10), Bound::Excluded(&30)), 2);
    assert_eq!(count(Bound::Included(&31), Bound::Unbounded), 0);
    assert_eq!(count(Bound::Included(&25), Bound::Excluded(&15)), 0);
    let backwards = tree.range(Bound::Included(&20), Bound::<&u32>::Unbounded);
    assert!(backwards.rev().map(|item| item.key).eq([30, 20, 20]));
}

#[test]
fn an_entry_inserts_only_what_is_missing() {
    let mut tree = tree_of([10, 30]);
    assert_eq!(
        key_of(tree.entry(&20).or_insert(Item::new(20)).get()),
        Some(20)
    );
    let found = tree.entry(&20).or_insert_with(|| panic!("20 is there"));
    assert_eq!(key_of(found.into_ref()), Some(20));
    check(&tree);
    let Entry::Vacant(place) = tree.entry(&25) else {
        panic!("25 is not in the tree")
    };
    assert_eq!(key_of(place.previous()), Some(20));
    assert_eq!(key_of(place.next()), Some(30));
    let mut cursor = tree.front_mut();
    assert_eq!(key_of(cursor.insert(Item::new(40)).get()), Some(40));
    assert_eq!(key_of(cursor.get()), Some(10));
    assert_eq!(keys(&tree), [10, 20, 30, 40]);
}

#[test]
fn gaps_at_the_ends_have_one_neighbour() {
    let mut tree = tree_of([10, 20]);
    let low = tree.place_after(|item| item.key < 5);
    assert_eq!(
        (key_of(low.previous()), key_of(low.next())),
        (None, Some(10))
    );
    let high = tree.place_after(|_| true);
    assert_eq!(
        (key_of(high.previous()), key_of(high.next())),
        (Some(20), None)
    );
    let mut empty = Tree::default();
    let only = empty.place_after(|_| true);
    assert_eq!((key_of(only.previous()), key_of(only.next())), (None, None));
}

#[test]
fn a_cursor_from_a_pointer_is_at_that_very_object() {
    let twin = Item::new(5);
    let mut tree = tree_of([5, 5, 7]);
    tree.insert(twin.clone());
    // SAFETY: `twin` was inserted above.
    let cursor = unsafe { tree.cursor_from_ptr(&raw const *twin) };
    assert_eq!(key_of(cursor.peek_next().get()), Some(7));
    // SAFETY: As above.
    let removed = unsafe { tree.cursor_mut_from_ptr(&raw const *twin) }.remove();
    assert!(removed.is_some_and(|removed| Arc::ptr_eq(&removed, &twin)));
    check(&tree);
}

#[test]
fn taking_a_tree_leaves_an_empty_one() {
    struct Number(u8, Link);
    intrusive_adapter!(NumberAdapter = Box<Number>: Number { 1 => Link });
    let mut tree: WavlTree<NumberAdapter> = WavlTree::default();
    tree.cursor_mut()
        .insert_after(Box::new(Number(3, Link::new())));
    let taken = tree.take();
    assert!(tree.is_empty());
    assert_eq!(taken.front().get().map(|number| number.0), Some(3));
}

#[test]
fn a_forgotten_object_is_free_only_after_it_was_unlinked() {
    let item = Item::new(1);
    let mut tree = tree_of([]);
    tree.insert(item.clone());
    tree.fast_clear();
    assert!(tree.is_empty() && item.link.is_linked());
    // SAFETY: The tree has forgotten the item.
    unsafe { item.link.force_unlink() };
    tree.insert(item.clone());
    check(&tree);
    // The pointer that was forgotten still counts.
    assert_eq!(Arc::strong_count(&item), 3);
    // SAFETY: It is the one that `fast_clear` leaked.
    unsafe { Arc::decrement_strong_count(&raw const *item) };
}

#[test]
fn a_tree_can_be_taken_apart_from_both_ends() {
    let items: Vec<_> = (0..20).map(Item::new).collect();
    let mut tree = Tree::default();
    for item in &items {
        tree.insert(item.clone());
    }
    let mut rest = tree.into_iter();
    assert_eq!(rest.next().map(|item| item.key), Some(0));
    assert_eq!(rest.next_back().map(|item| item.key), Some(19));
    assert!(!items[0].link.is_linked() && items[1].link.is_linked());
    let middle: Vec<u32> = rest.by_ref().take(10).map(|item| item.key).collect();
    assert!(middle.into_iter().eq(1..11));
    drop(rest);
    assert!(items.iter().all(|item| !item.link.is_linked()));
    assert!(items.iter().all(|item| Arc::strong_count(item) == 1));
}

/// An object that remembers how far the one before it is.
struct Stop {
    place: u32,
    distance: std::cell::Cell<u32>,
    link: Link<u32>,
}

intrusive_adapter!(StopAdapter = Box<Stop>: Stop { link => Link<u32> });

/// The largest distance below a node.
struct Longest;

impl Augment<StopAdapter> for Longest {
    const SHAPE: Shape = Shape::IsIrrelevant;

    fn summarize(stop: &Stop, left: Option<u32>, right: Option<u32>) -> u32 {
        let below = left.unwrap_or(0).max(right.unwrap_or(0));
        stop.distance.get().max(below)
    }
}

type Line = WavlTree<StopAdapter, Longest>;

fn insert_stop(line: &mut Line, place: u32) {
    let gap = line.place_after(|stop| stop.place < place);
    let distance = gap.previous().map_or(place, |before| place - before.place);
    let stop = Stop {
        place,
        distance: distance.into(),
        link: Link::new(),
    };
    gap.insert_with(Box::new(stop), |stop, next| {
        if let Some(next) = next {
            next.distance.set(next.place - stop.place);
        }
    });
}

fn remove_stop(line: &mut Line, place: u32) {
    let mut cursor = line.find_by_mut(|stop| place.cmp(&stop.place));
    let removed = cursor.remove_with(|stop, next| {
        if let Some(next) = next {
            next.distance.set(next.distance.get() + stop.distance.get());
        }
    });
    assert!(removed.is_some());
}

fn check_line(line: &Line) {
    let mut last = 0;
    for stop in line {
        assert_eq!(stop.distance.get(), stop.place - last);
        last = stop.place;
    }
    let mut cursor = line.front();
    while let Some(node) = cursor.node() {
        let [left, right] = [node.left(), node.right()].map(|child| child.map(NodeRef::summary));
        assert_eq!(node.summary(), Longest::summarize(node.get(), left, right));
        cursor.move_next();
    }
}

#[test]
fn a_neighbour_that_changes_is_summarised_in_the_same_step() {
    for stride in [1, 7, 11, 23, 47] {
        let places = (0..97).map(|step| 1 + step * stride % 97);
        let mut line = Line::default();
        for place in places.clone() {
            insert_stop(&mut line, place * place);
            check_line(&line);
        }
        for place in places
            .map(|place| place * 5 % 97)
            .filter(|&place| place > 0)
        {
            remove_stop(&mut line, place * place);
            check_line(&line);
        }
    }
}
