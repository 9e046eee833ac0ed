//! What members of a family account for.

use std::vec::Vec;

use syscall::VmoChildOptions;

use super::*;
use crate::testing::*;
use crate::vmo::ChildRequest;

const P: u64 = PAGE_SIZE as u64;

fn child(parent: &Memory, options: VmoChildOptions, first: u64, pages: u64) -> Memory {
    let request = ChildRequest {
        koid: new_koid(),
        options,
        offset: first * P,
        size: pages * P,
        may_resize: false,
    };
    parent.create_child(request).expect("memory")
}

fn snapshot(parent: &Memory, pages: u64) -> Memory {
    child(parent, VmoChildOptions::SNAPSHOT, 0, pages)
}

fn all_of(vmo: &Memory) -> Attribution {
    vmo.info().memory_use
}

/// Checks that what the VMOs account for together is what the frames come to.
#[track_caller]
fn assert_adds_up(world: &World, vmos: &[&Memory]) {
    let parts: u128 = vmos.iter().map(|vmo| all_of(vmo).parts()).sum();
    assert_eq!(world.pages.reclaimer().attributed_parts(), Ok(parts));
    assert_accounts(world.pages);
}

#[test]
fn one_vmo_has_its_pages_alone() {
    let world = World::new();
    let vmo = world.numbered_vmo(70);
    let expected = Attribution {
        committed_bytes: 70 * P,
        private_bytes: 70 * P,
        scaled_bytes: 70 * P,
        fractional_scaled_bytes: 0,
    };
    assert_eq!(all_of(&vmo), expected);
    drop(vmo);
    finish(world);
}

#[test]
fn sharers_divide_what_they_share() {
    let world = World::new();
    let parent = world.numbered_vmo(5);
    let first = snapshot(&parent, 5);
    for vmo in [&parent, &first] {
        let memory = all_of(vmo);
        assert_eq!(
            (
                memory.committed_bytes,
                memory.private_bytes,
                memory.scaled_bytes
            ),
            (5 * P, 0, 5 * P / 2)
        );
    }
    let second = snapshot(&first, 5);
    let thirds = 5 * P / 3;
    for vmo in [&parent, &first, &second] {
        let memory = all_of(vmo);
        assert_eq!((memory.private_bytes, memory.scaled_bytes), (0, thirds));
        assert!(memory.fractional_scaled_bytes > 1 << 61);
    }
    assert_adds_up(&world, &[&parent, &first, &second]);
    first.write(2 * P, &[1]).expect("memory");
    assert_eq!(all_of(&first).private_bytes, P);
    assert_eq!(all_of(&parent).scaled_bytes, 4 * P / 3 + P / 2);
    assert_adds_up(&world, &[&parent, &first, &second]);
    drop(parent);
    drop(second);
    assert_eq!(all_of(&first).private_bytes, 5 * P);
    assert_adds_up(&world, &[&first]);
    drop(first);
    finish(world);
}

#[test]
fn owners_account_for_slices_and_references() {
    let world = World::new();
    let parent = world.vmo(4);
    parent.write(0, &[1]).expect("memory");
    let slice = child(&parent, VmoChildOptions::SLICE, 0, 2);
    let reference = child(&parent, VmoChildOptions::REFERENCE, 0, 0);
    assert_eq!(all_of(&slice), Attribution::default());
    assert_eq!(all_of(&reference), Attribution::default());
    assert_eq!(slice.info().metadata_bytes, 0);
    assert_eq!(all_of(&parent).private_bytes, P);
    drop((parent, slice, reference));
    finish(world);
}

#[test]
fn random_families_add_up() {
    let world = World::with_frames(crate::aspace::Aslr::Off, 8192);
    let mut family: Vec<Memory> = std::vec![world.resizable(130)];
    let pick = |count: usize| random() as usize % count;
    for _ in 0..600 {
        let vmo = family[pick(family.len())].clone();
        let pages = vmo.size() / P;
        match random() % 8 {
            0 | 1 => {
                let first = random() % (pages + 1);
                family.push(child(
                    &vmo,
                    VmoChildOptions::SNAPSHOT | VmoChildOptions::RESIZABLE,
                    first,
                    random() % 140,
                ));
            }
            2 if family.len() > 1 => drop(family.swap_remove(pick(family.len()))),
            3 => vmo.set_size(random() % 140 * P).expect("resizable"),
            _ if pages > 0 => {
                let page = random() % pages;
                vmo.write(page * P, &[random() as u8]).expect("memory");
            }
            _ => {}
        }
        drop(vmo);
        if random().is_multiple_of(8) {
            assert_adds_up(&world, &family.iter().collect::<Vec<_>>());
        }
    }
    drop(family);
    finish(world);
}
