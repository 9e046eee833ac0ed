//! Summaries that do not change with every object.

use std::boxed::Box;
use std::vec::Vec;

use intrusive_collections::{KeyAdapter, intrusive_adapter};

use super::super::*;

/// A summary that often stays as it is when an object leaves.
struct Heaviest;

struct Weighed(u32, Link<u32>);

intrusive_adapter!(WeighedAdapter = Box<Weighed>: Weighed { 1 => Link<u32> });

impl<'k> KeyAdapter<'k> for WeighedAdapter {
    type Key = u32;

    fn get_key(&self, object: &'k Weighed) -> u32 {
        object.0
    }
}

impl Augment<WeighedAdapter> for Heaviest {
    const SHAPE: Shape = Shape::IsIrrelevant;

    /// Even keys weigh as much as they say, odd ones nothing.
    fn summarize(object: &Weighed, left: Option<u32>, right: Option<u32>) -> u32 {
        let own = if object.0.is_multiple_of(2) {
            object.0
        } else {
            0
        };
        own.max(left.unwrap_or(0)).max(right.unwrap_or(0))
    }
}

#[test]
fn a_successor_that_moves_up_forgets_who_was_there() {
    for gone in 0..64 {
        let mut tree: WavlTree<WeighedAdapter, Heaviest> = WavlTree::default();
        for key in (0..64).map(|key| key ^ 32) {
            tree.insert(Box::new(Weighed(key, Link::new())));
        }
        let mut keys: Vec<u32> = (0..64).collect();
        for key in [gone, 62, gone ^ 1, 60, 58, 56] {
            drop(tree.find_mut(&key).remove());
            keys.retain(|&other| other != key);
            for object in keys.iter().filter_map(|key| tree.find(key).node()) {
                let below = [object.left(), object.right()].map(|child| child.map(|c| c.summary()));
                assert_eq!(
                    object.summary(),
                    Heaviest::summarize(object.get(), below[0], below[1])
                );
            }
        }
    }
}
