//! Calls on VMOs that have pages in common.

use super::*;
use crate::pages::OwnerKind;

/// Writes to all pages, one after the other.
fn write(vmo: &Memory, value: u8) {
    for page in PAGES {
        vmo.write(page * P, &[value]).expect("memory");
    }
}

/// What a VMO holds when `value` has been written to so many of its pages.
fn written(value: u8, pages: usize) -> Bytes {
    let mut bytes = [[OLD; 2]; PAGES.len()];
    for page in &mut bytes[..pages] {
        page[0] = value;
    }
    bytes
}

fn all(value: u8) -> Bytes {
    written(value, PAGES.len())
}

/// Checks that each VMO has all of [`PAGES`], and that nobody else has them.
#[track_caller]
fn assert_apart(world: &World, before: usize, vmos: &[&Memory]) {
    for vmo in vmos {
        let memory = vmo.info().memory_use;
        let bytes = PAGES.len() as u64 * P;
        assert_eq!(
            (memory.committed_bytes, memory.private_bytes),
            (bytes, bytes)
        );
    }
    assert_eq!(vmo_frames(world) - before, PAGES.len() * vmos.len());
}

fn vmo_frames(world: &World) -> usize {
    world.pages.counts().owned_by(OwnerKind::Vmo).get()
}

/// How many of [`PAGES`] are there, if all that are have something in them.
fn present(bytes: &Bytes) -> usize {
    bytes.iter().filter(|page| **page != [0; 2]).count()
}

fn committed_pages(vmo: &Memory) -> usize {
    (vmo.info().memory_use.committed_bytes / P) as usize
}

#[test]
fn clones_show_one_moment_of_a_vmo_that_is_being_written() {
    explore(|world| {
        let parent = filled(world);
        let (mut one, mut other) = (None, None);
        together(
            world,
            [
                &mut || one = Some(look(&parent)),
                &mut || other = Some(look(&parent)),
                &mut || write(&parent, NEW),
            ],
        );
        assert_eq!(bytes(&parent), all(NEW));
        for (child, seen) in [one, other].into_iter().flatten() {
            let is_moment = (0..=PAGES.len()).any(|pages| seen == written(NEW, pages));
            assert!(is_moment, "{seen:?} was never there");
            assert_eq!(bytes(&child), seen, "a clone has changed");
        }
    });
}

#[test]
fn sharers_that_write_and_end_keep_what_is_theirs() {
    explore(|world| {
        let before = vmo_frames(world);
        let parent = filled(world);
        let child = snapshot(&parent);
        let mut third = Some(snapshot(&child));
        together(
            world,
            [
                &mut || write(&parent, 2),
                &mut || write(&child, 3),
                &mut || third = None,
            ],
        );
        assert_eq!((bytes(&parent), bytes(&child)), (all(2), all(3)));
        assert_apart(world, before, &[&parent, &child]);
    });
}

#[test]
fn a_page_whose_last_sharer_ends_is_written_in_place_or_copied() {
    explore(|world| {
        let before = vmo_frames(world);
        let parent = filled(world);
        let mut child = Some(snapshot(&parent));
        together(world, [&mut || child = None, &mut || write(&parent, NEW)]);
        assert_eq!(bytes(&parent), all(NEW));
        assert_apart(world, before, &[&parent]);
    });
}

#[test]
fn sharers_that_end_together_leave_nothing() {
    explore(|world| {
        let parent = filled(world);
        let mut sharers = [
            Some(snapshot(&parent)),
            Some(snapshot(&parent)),
            Some(parent),
        ];
        let [one, other, last] = &mut sharers;
        together(
            world,
            [&mut || *one = None, &mut || *other = None, &mut || {
                *last = None
            }],
        );
    });
}

#[test]
fn clones_come_and_go_while_the_parent_is_resized_and_asked_for_its_memory() {
    explore(|world| {
        let before = vmo_frames(world);
        let parent = filled(world);
        // What is left when all but the first page and a byte is cut off.
        let short = [[OLD; 2], [OLD, 0], [0; 2]];
        together(
            world,
            [
                &mut || {
                    for _ in 0..2 {
                        let (child, seen) = look(&parent);
                        assert!(
                            seen == all(OLD) || seen == short,
                            "{seen:?} was never there"
                        );
                        assert_eq!(committed_pages(&child), present(&seen));
                        assert_eq!(bytes(&child), seen, "a clone has changed");
                    }
                },
                &mut || {
                    for size in [P + 1, SIZE] {
                        parent.set_size(size).expect("memory");
                    }
                },
                &mut || {
                    let pages = committed_pages(&parent);
                    assert!((2..=3).contains(&pages), "{pages} pages");
                },
            ],
        );
        assert_eq!((bytes(&parent), parent.num_children()), (short, 0));
        assert_eq!(vmo_frames(world) - before, present(&short));
    });
}
