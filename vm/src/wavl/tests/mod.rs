//! The tree against a naive model, with every invariant checked after every step.

mod edits;
mod sequences;
mod summaries;

use std::sync::Arc;
use std::vec::Vec;

use intrusive_collections::{Bound, KeyAdapter, intrusive_adapter};
use proptest::prelude::*;

use super::node::Node;
use super::*;

/// How many objects there are, how many levels, and the largest weight.
///
/// The number of levels depends on the shape, so it also shows whether rotations are passed on.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Facts {
    count: usize,
    levels: usize,
    heaviest: u32,
}

#[derive(Debug)]
struct Item {
    key: u32,
    weight: std::sync::atomic::AtomicU32,
    link: Link<Facts>,
}

impl Item {
    fn new(key: u32) -> Arc<Self> {
        Arc::new(Self {
            key,
            weight: key.into(),
            link: Link::new(),
        })
    }

    fn weight(&self) -> u32 {
        self.weight.load(std::sync::atomic::Ordering::Relaxed)
    }
}

intrusive_adapter!(ItemAdapter = Arc<Item>: Item { link => Link<Facts> });

impl<'k> KeyAdapter<'k> for ItemAdapter {
    type Key = u32;

    fn get_key(&self, item: &'k Item) -> u32 {
        item.key
    }
}

struct Collect;

impl Augment<ItemAdapter> for Collect {
    fn summarize(item: &Item, left: Option<Facts>, right: Option<Facts>) -> Facts {
        let below = [left, right].into_iter().flatten();
        below.fold(
            Facts {
                count: 1,
                levels: 1,
                heaviest: item.weight(),
            },
            |facts, below| Facts {
                count: facts.count + below.count,
                levels: facts.levels.max(below.levels + 1),
                heaviest: facts.heaviest.max(below.heaviest),
            },
        )
    }
}

type Tree = WavlTree<ItemAdapter, Collect>;

fn tree_of(keys: impl IntoIterator<Item = u32>) -> Tree {
    let mut tree = Tree::default();
    for key in keys {
        tree.insert(Item::new(key));
    }
    check(&tree);
    tree
}

fn keys(tree: &Tree) -> Vec<u32> {
    tree.iter().map(|item| item.key).collect()
}

/// The rank and the facts of a subtree, computed from nothing but its shape and its parities.
fn examine(tree: &Tree, node: Option<Node<ItemAdapter>>) -> (i32, Option<Facts>) {
    let Some(node) = node else { return (-1, None) };
    let children = [Side::Left, Side::Right].map(|side| tree.child(node, side));
    for child in children.into_iter().flatten() {
        assert!(
            tree.parent(child) == Some(node),
            "a child names another parent"
        );
    }
    let [(left_rank, left), (right_rank, right)] = children.map(|child| examine(tree, child));

    let parity = |rank: i32| {
        if rank % 2 == 0 {
            Parity::Even
        } else {
            Parity::Odd
        }
    };
    let lowest = left_rank.max(right_rank) + 1;
    let rank = if parity(lowest) == tree.parity(Some(node)) {
        lowest
    } else {
        lowest + 1
    };
    for child in [left_rank, right_rank] {
        assert!(
            (1..=2).contains(&(rank - child)),
            "a {}-child",
            rank - child
        );
    }
    assert!(
        left.or(right).is_some() || rank == 0,
        "a leaf of rank {rank}"
    );

    let facts = Collect::summarize(tree.value(node), left, right);
    assert_eq!(tree.summary(node), facts, "an outdated summary");
    (rank, Some(facts))
}

fn check(tree: &Tree) {
    let (rank, facts) = examine(tree, tree.root);
    let count = facts.map_or(0, |facts| facts.count);
    assert!(
        rank <= 2 * (count + 1).ilog2().cast_signed(),
        "rank {rank} for {count} objects"
    );
    if let Some(root) = tree.root {
        assert!(tree.parent(root).is_none());
    }
    let forwards = keys(tree);
    assert!(forwards.is_sorted());
    assert_eq!(forwards.len(), count);
    let mut backwards: Vec<u32> = tree.iter().rev().map(|item| item.key).collect();
    backwards.reverse();
    assert_eq!(backwards, forwards);
}

#[test]
fn a_link_is_three_words_and_its_summary() {
    assert_eq!(size_of::<Link>(), 3 * size_of::<usize>());
    assert_eq!(size_of::<Link<u64>>(), 3 * size_of::<usize>() + 8);
}

#[test]
fn ascending_insertions_stay_as_low_as_an_avl_tree() {
    let tree = tree_of(0..1023);
    assert_eq!(tree.root().map(|root| root.summary().levels), Some(10));
}

#[test]
fn removal_in_every_order_keeps_the_rules() {
    for first in 0..40 {
        for stride in [1, 7, 13, 39] {
            let mut tree = tree_of(0..40);
            for step in 0..40 {
                let key = (first + step * stride) % 40;
                let removed = tree.find_mut(&key).remove().expect("each key occurs once");
                assert_eq!(removed.key, key);
                assert!(!removed.link.is_linked());
                check(&tree);
            }
            assert!(tree.is_empty());
        }
    }
}

#[test]
fn bounds_find_the_nearest_key() {
    let tree = tree_of([10, 20, 30]);
    let lower = |bound| tree.lower_bound(bound).get().map(|item| item.key);
    assert_eq!(lower(Bound::Included(&20)), Some(20));
    assert_eq!(lower(Bound::Excluded(&20)), Some(30));
    assert_eq!(lower(Bound::Included(&31)), None);
    assert_eq!(lower(Bound::Unbounded), Some(10));
    let upper = |bound| tree.upper_bound(bound).get().map(|item| item.key);
    assert_eq!(upper(Bound::Included(&20)), Some(20));
    assert_eq!(upper(Bound::Excluded(&20)), Some(10));
    assert_eq!(upper(Bound::Excluded(&10)), None);
    assert_eq!(upper(Bound::Unbounded), Some(30));
}

#[test]
fn equal_keys_stay_in_the_order_of_insertion() {
    let mut tree = tree_of([5, 5, 5, 7]);
    let late = Item::new(5);
    tree.insert(late.clone());
    check(&tree);
    let place = tree.iter().position(|item| core::ptr::eq(item, &*late));
    assert_eq!(place, Some(3));
}

#[test]
fn cursors_go_round_through_the_null_place() {
    let mut tree = tree_of([1, 2, 3]);
    let mut cursor = tree.cursor();
    let mut seen = Vec::new();
    for _ in 0..5 {
        cursor.move_next();
        seen.push(cursor.get().map(|item| item.key));
    }
    assert_eq!(seen, [Some(1), Some(2), Some(3), None, Some(1)]);
    cursor.move_prev();
    assert!(cursor.is_null());
    assert_eq!(cursor.peek_prev().get().map(|item| item.key), Some(3));
    assert!(tree.cursor_mut().remove().is_none());
}

#[test]
fn insertion_beside_a_cursor_goes_exactly_there() {
    let mut tree = tree_of([10, 20, 30]);
    tree.find_mut(&20).insert_before(Item::new(15));
    tree.find_mut(&20).insert_after(Item::new(25));
    tree.cursor_mut().insert_after(Item::new(5));
    tree.cursor_mut().insert_before(Item::new(35));
    check(&tree);
    assert_eq!(keys(&tree), [5, 10, 15, 20, 25, 30, 35]);
    let mut empty = Tree::default();
    empty.cursor_mut().insert_after(Item::new(1));
    check(&empty);
}

#[test]
fn an_entry_is_found_or_filled_in_one_search() {
    let mut tree = tree_of([10, 30]);
    let Entry::Vacant(place) = tree.entry_by(|item| 20.cmp(&item.key)) else {
        panic!("20 is not in the tree")
    };
    assert_eq!(
        place.insert(Item::new(20)).get().map(|item| item.key),
        Some(20)
    );
    check(&tree);
    assert!(matches!(
        tree.entry_by(|item| 20.cmp(&item.key)),
        Entry::Occupied(_)
    ));
}

#[test]
fn an_update_reaches_the_root() {
    let mut tree = tree_of(0..100);
    let mut cursor = tree.find_mut(&3);
    let item = cursor.get().expect("3 is in the tree");
    item.weight
        .store(1000, std::sync::atomic::Ordering::Relaxed);
    cursor.update();
    check(&tree);
    assert_eq!(tree.root().map(|root| root.summary().heaviest), Some(1000));
}

#[test]
fn owners_are_counted_through_insertion_cloning_and_clearing() {
    let item = Item::new(7);
    let mut tree = tree_of(0..20);
    tree.insert(item.clone());
    assert_eq!(Arc::strong_count(&item), 2);
    let clone = tree.back().clone_pointer();
    let last = tree.find(&7).clone_pointer();
    assert_eq!(clone.map(|clone| clone.key), Some(19));
    drop(last);
    tree.clear();
    assert!(tree.is_empty());
    assert_eq!(Arc::strong_count(&item), 1);
    assert!(!item.link.is_linked());
    tree.insert(item.clone());
    drop(tree);
    assert_eq!(Arc::strong_count(&item), 1);
}

#[test]
#[should_panic(expected = "already linked")]
fn an_object_cannot_be_in_two_trees() {
    let item = Item::new(1);
    let mut tree = tree_of([]);
    tree.insert(item.clone());
    // Not dropped while the panic unwinds: it does not own the object.
    let mut other = core::mem::ManuallyDrop::new(tree_of([]));
    other.insert(item);
}

#[test]
fn a_plain_tree_needs_no_augmentation() {
    struct Number(u8, Link);
    intrusive_adapter!(NumberAdapter = Box<Number>: Number { 1 => Link });
    let mut tree: WavlTree<NumberAdapter> = WavlTree::default();
    for number in [3, 1, 2] {
        match tree.entry_by(|other| number.cmp(&other.0)) {
            Entry::Vacant(place) => drop(place.insert(Box::new(Number(number, Link::new())))),
            Entry::Occupied(_) => panic!("{number} is new"),
        }
    }
    assert_eq!(
        tree.iter().map(|number| number.0).collect::<Vec<_>>(),
        [1, 2, 3]
    );
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u32),
    Remove(u32),
    RemoveFrom(u32, usize),
    InsertBefore(u32),
    Reweigh(u32, u32),
    Replace(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0_u32..200;
    let step = prop_oneof![
        4 => key.clone().prop_map(Step::Insert),
        3 => key.clone().prop_map(Step::Remove),
        1 => (key.clone(), 0_usize..5).prop_map(|(key, count)| Step::RemoveFrom(key, count)),
        1 => key.clone().prop_map(Step::InsertBefore),
        1 => key.clone().prop_map(Step::Replace),
        1 => (key, 0_u32..1000).prop_map(|(key, weight)| Step::Reweigh(key, weight)),
    ];
    prop::collection::vec(step, 0..300)
}

/// Does the same step to the tree and to a sorted list of keys.
fn apply(step: Step, tree: &mut Tree, model: &mut Vec<u32>) {
    match step {
        Step::Insert(key) => {
            tree.insert(Item::new(key));
            model.insert(model.partition_point(|&other| other <= key), key);
        }
        Step::Remove(key) => {
            let removed = tree.find_mut(&key).remove();
            let place = model.binary_search(&key).ok();
            assert_eq!(
                removed.map(|item| item.key),
                place.map(|place| model.remove(place))
            );
        }
        Step::RemoveFrom(key, count) => {
            let mut cursor = tree.lower_bound_mut(Bound::Included(&key));
            let place = model.partition_point(|&other| other < key);
            for _ in 0..count {
                let expected = (place < model.len()).then(|| model.remove(place));
                assert_eq!(cursor.remove().map(|item| item.key), expected);
            }
            assert_eq!(cursor.get().map(|item| item.key), model.get(place).copied());
        }
        Step::InsertBefore(key) => {
            tree.lower_bound_mut(Bound::Included(&key))
                .insert_before(Item::new(key));
            model.insert(model.partition_point(|&other| other < key), key);
        }
        Step::Reweigh(key, weight) => {
            let mut cursor = tree.find_mut(&key);
            if let Some(item) = cursor.get() {
                item.weight
                    .store(weight, std::sync::atomic::Ordering::Relaxed);
            }
            cursor.update();
        }
        Step::Replace(key) => {
            let replaced = tree.find_mut(&key).replace_with(Item::new(key));
            assert_eq!(replaced.is_ok(), model.binary_search(&key).is_ok());
        }
    }
}

proptest! {
    #[test]
    fn any_sequence_of_steps_agrees_with_a_sorted_list(steps in steps()) {
        let mut tree = Tree::default();
        let mut model = Vec::new();
        for step in steps {
            apply(step, &mut tree, &mut model);
            check(&tree);
            prop_assert_eq!(keys(&tree), model.clone());
        }
    }
}
