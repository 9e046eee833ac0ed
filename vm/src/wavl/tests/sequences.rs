//! Long and unkind sequences of insertions and removals, with everything checked after every step.

use super::*;

/// A linear congruential generator.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(0x5851_F42D_4C95_7F2D)
            .wrapping_add(0x1405_7B7E_F767_814F);
        (self.0 >> 33) as u32 % limit
    }
}

/// The keys of a full tree; large enough for three levels of repairs.
const KEYS: u32 = 200;

/// Inserts `keys` and checks the tree after each.
fn grown(keys: impl IntoIterator<Item = u32>) -> Tree {
    let mut tree = Tree::default();
    for key in keys {
        tree.insert(Item::new(key));
        check(&tree);
    }
    tree
}

/// Empties `tree` by removing at the cursor that `choose` finds, and checks it after each removal.
fn emptied(
    mut tree: Tree,
    mut choose: impl FnMut(&mut Tree) -> CursorMut<'_, ItemAdapter, Collect>,
) {
    for left in (0..tree.iter().count()).rev() {
        assert!(choose(&mut tree).remove().is_some());
        check(&tree);
        assert_eq!(tree.iter().count(), left);
    }
    assert!(tree.is_empty());
}

/// A cursor at the topmost object.
fn at_root(tree: &mut Tree) -> CursorMut<'_, ItemAdapter, Collect> {
    let key = tree.root().map_or(0, |root| root.get().key);
    tree.find_mut(&key)
}

/// Keys from both ends towards the middle.
fn zigzag() -> impl Iterator<Item = u32> {
    (0..KEYS).map(|step| {
        if step % 2 == 0 {
            step / 2
        } else {
            KEYS - 1 - step / 2
        }
    })
}

#[test]
fn ascending_descending_and_zigzag_trees_can_be_emptied_from_either_end() {
    for order in 0..3 {
        let tree = || match order {
            0 => grown(0..KEYS),
            1 => grown((0..KEYS).rev()),
            _ => grown(zigzag()),
        };
        emptied(tree(), WavlTree::front_mut);
        emptied(tree(), WavlTree::back_mut);
    }
}

#[test]
fn the_root_can_be_removed_until_nothing_is_left() {
    emptied(grown(0..KEYS), at_root);
    emptied(grown(zigzag()), at_root);
}

#[test]
fn removing_the_root_and_an_end_in_turn_keeps_the_rules() {
    let mut step = 0;
    emptied(grown((0..KEYS).rev()), |tree| {
        step += 1;
        match step % 4 {
            0 => tree.front_mut(),
            2 => tree.back_mut(),
            _ => at_root(tree),
        }
    });
}

#[test]
fn a_window_that_moves_through_the_keys_keeps_the_rules() {
    let mut tree = grown(0..50);
    for key in 50..2000 {
        tree.insert(Item::new(key));
        let gone = tree.front_mut().remove();
        assert_eq!(gone.map(|item| item.key), Some(key - 50));
        check(&tree);
    }
}

#[test]
fn a_hundred_thousand_random_steps_agree_with_a_list() {
    let mut random = Random(1);
    let (mut tree, mut model) = (Tree::default(), Vec::new());
    for step in 0..100_000 {
        // The tree is sometimes almost empty, and sometimes full.
        let limit = [8, 40, 20][step / 1000 % 3];
        let key = random.below(64);
        let place = model.partition_point(|&other| other < key);
        if random.below(limit) as usize >= model.len() {
            let place = model.partition_point(|&other| other <= key);
            tree.insert(Item::new(key));
            model.insert(place, key);
        } else if place < model.len() {
            let gone = tree.lower_bound_mut(Bound::Included(&key)).remove();
            assert_eq!(gone.map(|item| item.key), Some(model.remove(place)));
        }
        examine(&tree, tree.root);
        assert!(tree.iter().map(|item| item.key).eq(model.iter().copied()));
    }
}
