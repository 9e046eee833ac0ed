//! Transfers: `spec/vmo.md` §14.

use std::vec::Vec;

use syscall::{Result, Status, VmoChildOptions, VmoOptions};

use super::{Transfer, TransferRequest};
use crate::addr::PAGE_SIZE;
use crate::aspace::Aslr;
use crate::mmu::MemoryType;
use crate::testing::*;
use crate::try_alloc::fault;
use crate::vmo::{ChildRequest, ContiguousRequest, PageIndex, Vmo};

const P: u64 = PAGE_SIZE as u64;

/// A place in a VMO, counted in pages.
type Place<'a> = (&'a Memory, u64);

fn begin<'a>(
    from: Place<'a>,
    to: Place<'a>,
    pages: u64,
) -> Result<Transfer<'a, crate::sim::SimMmu>> {
    Transfer::new(&TransferRequest {
        source: from.0,
        source_offset: from.1 * P,
        destination: to.0,
        destination_offset: to.1 * P,
        length: pages * P,
    })
}

fn transfer(from: Place<'_>, to: Place<'_>, pages: u64) -> Result<()> {
    begin(from, to, pages)?.go_on(|| Ok(()))
}

/// A byte that tells a page from its neighbours, and from zeros.
const fn number(page: u64) -> u8 {
    (page % 250) as u8 + 1
}

/// A VMO whose pages begin with their numbers.
fn numbered(world: &World, pages: u64) -> Memory {
    let vmo = world.resizable(pages as usize);
    for page in 0..pages {
        vmo.write(page * P, &[number(page)]).expect("memory");
    }
    vmo
}

/// The first byte of each page.
fn bytes(vmo: &Memory) -> Vec<u8> {
    let pages = 0..vmo.size() / P;
    let byte = |page| {
        let mut byte = [0];
        vmo.read(page * P, &mut byte).expect("it is there");
        byte[0]
    };
    pages.map(byte).collect()
}

fn committed(vmo: &Memory) -> u64 {
    vmo.info().memory_use.committed_bytes / P
}

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

/// Where the page is in memory.
fn frame(world: &World, vmo: &Memory, page: u64) -> Option<usize> {
    let state = vmo.lock();
    let index = PageIndex::new(page).expect("a page number");
    let mut found = None;
    let _ = state.visit_present(
        world.pages,
        index..index.saturating_add(1),
        |_, address, _| {
            found = Some(address.raw());
            core::ops::ControlFlow::<()>::Continue(())
        },
    );
    found
}

#[test]
fn pages_change_hands_and_are_zero_where_they_were() {
    let world = World::new();
    let (from, to) = (numbered(&world, 6), numbered(&world, 6));
    let before = frame(&world, &from, 1);
    assert_eq!(transfer((&from, 1), (&to, 2), 3), Ok(()));
    assert_eq!(bytes(&from), [1, 0, 0, 0, 5, 6]);
    assert_eq!(bytes(&to), [1, 2, 2, 3, 4, 6]);
    assert_eq!((committed(&from), committed(&to)), (3, 6));
    assert_eq!(frame(&world, &to, 2), before, "moved, not copied");
    drop((from, to));
    finish(world);
}

#[test]
fn holes_make_holes() {
    let world = World::new();
    let (from, to) = (world.vmo(1600), numbered(&world, 1600));
    from.write(700 * P, &[9]).expect("memory");
    assert_eq!(transfer((&from, 100), (&to, 50), 1500), Ok(()));
    let mut expected: Vec<u8> = (0..1600).map(number).collect();
    expected[50..1550].fill(0);
    expected[650] = 9;
    assert_eq!(bytes(&to), expected);
    assert_eq!((committed(&from), committed(&to)), (0, 101));
    drop((from, to));
    finish(world);
}

#[test]
fn mappings_of_both_follow_at_once() {
    let world = World::new();
    let (from, to) = (numbered(&world, 2), numbered(&world, 2));
    let map = |vmo| world.root.map(request(RW, vmo, 2)).expect("room");
    let (source, destination) = (map(&from), map(&to));
    for address in [source, destination] {
        assert_eq!(world.load(address), Ok(1));
        assert_eq!(
            world.store(address.checked_add(PAGE_SIZE).expect("inside"), 7),
            Ok(())
        );
    }
    assert_eq!(transfer((&from, 1), (&to, 0), 1), Ok(()));
    let next = |address: crate::addr::VirtAddr| address.checked_add(PAGE_SIZE).expect("inside");
    assert_eq!(world.load(next(source)), Ok(0));
    assert_eq!(world.load(destination), Ok(7));
    assert_eq!(world.store(next(source), 3), Ok(()));
    assert_eq!((bytes(&from)[1], bytes(&to)[0]), (3, 7));
    drop((from, to));
    finish(world);
}

#[test]
fn overlapping_ranges_of_one_vmo_move_like_memory() {
    let world = World::new();
    for (source, destination, pages) in [
        (0, 1, 5),
        (1, 0, 5),
        (0, 700, 900),
        (700, 0, 900),
        (3, 515, 1000),
        (515, 3, 1000),
        (0, 1, 1599),
        (1, 0, 1599),
        (4, 4, 100),
    ] {
        let vmo = numbered(&world, 1600);
        let mut expected = bytes(&vmo);
        let moved = expected[source..source + pages].to_vec();
        expected[source..source + pages].fill(0);
        expected[destination..destination + pages].copy_from_slice(&moved);
        let (from, to) = ((&vmo, source as u64), (&vmo, destination as u64));
        assert_eq!(transfer(from, to, pages as u64), Ok(()));
        assert!(bytes(&vmo) == expected, "{source} {destination} {pages}");
        drop(vmo);
    }
    finish(world);
}

#[test]
fn the_largest_vmos_are_moved_as_fast_as_their_pages() {
    let world = World::new();
    let large = || world.vmo_with(0, VmoOptions::UNBOUNDED);
    let (from, to) = (large(), large());
    let pages = from.size() / P;
    for page in [0, 1 << 40, pages - 2] {
        from.write(page * P, &[5]).expect("memory");
    }
    to.write((1 << 30) * P, &[6]).expect("memory");
    assert_eq!(transfer((&from, 0), (&to, 1), pages - 1), Ok(()));
    assert_eq!((committed(&from), committed(&to)), (0, 3));
    // Upwards within one, so that the last comes first.
    assert_eq!(transfer((&to, 0), (&to, 3), pages - 3), Ok(()));
    assert_eq!(committed(&to), 2, "the last one has been overwritten");
    for page in [4, (1 << 40) + 4] {
        let mut byte = [0];
        to.read(page * P, &mut byte).expect("it is there");
        assert_eq!(byte, [5], "page {page}");
    }
    drop((from, to));
    finish(world);
}

#[test]
fn families_keep_what_they_see() {
    let world = World::new();
    let (from, to) = (numbered(&world, 4), numbered(&world, 4));
    let of_source = child(&from, VmoChildOptions::SNAPSHOT, 0, 4);
    let of_destination = child(&to, VmoChildOptions::SNAPSHOT, 0, 4);
    of_source.write(P, &[77]).expect("memory");
    assert_eq!(transfer((&from, 0), (&to, 1), 3), Ok(()));
    assert_eq!(bytes(&from), [0, 0, 0, 4]);
    assert_eq!(bytes(&of_source), [1, 77, 3, 4]);
    assert_eq!(bytes(&to), [1, 1, 2, 3]);
    assert_eq!(bytes(&of_destination), [1, 2, 3, 4]);
    // And out of a child.
    assert_eq!(transfer((&of_source, 1), (&to, 0), 3), Ok(()));
    assert_eq!(bytes(&of_source), [1, 0, 0, 0]);
    assert_eq!(bytes(&to), [77, 3, 4, 3]);
    assert_eq!(bytes(&from), [0, 0, 0, 4]);
    drop((from, of_source, of_destination, to));
    finish(world);
}

#[test]
fn slices_mean_their_own_pages() {
    let world = World::new();
    let (from, to) = (world.vmo(8), world.vmo(8));
    for page in 0..8 {
        from.write(page * P, &[page as u8 + 1]).expect("memory");
    }
    let window = child(&from, VmoChildOptions::SLICE, 2, 4);
    let other = child(&to, VmoChildOptions::SLICE, 5, 3);
    assert_eq!(transfer((&window, 1), (&other, 0), 3), Ok(()));
    assert_eq!(bytes(&from), [1, 2, 3, 0, 0, 0, 7, 8]);
    assert_eq!(bytes(&to), [0, 0, 0, 0, 0, 4, 5, 6]);
    // A slice and what it shows are one.
    assert_eq!(transfer((&to, 5), (&other, 1), 2), Ok(()));
    assert_eq!(bytes(&to), [0, 0, 0, 0, 0, 0, 4, 5]);
    assert_eq!(transfer((&to, 5), (&other, 0), 3), Ok(()));
    assert_eq!(bytes(&to), [0, 0, 0, 0, 0, 0, 4, 5], "onto itself");
    let beyond = transfer((&window, 2), (&other, 0), 3);
    assert_eq!(beyond, Err(Status::OUT_OF_RANGE));
    drop((from, to, window, other));
    finish(world);
}

#[test]
fn what_cannot_be_moved_is_refused_in_the_documented_order() {
    let world = World::new();
    let (plain, other) = (numbered(&world, 3), world.vmo(3));
    let request = ContiguousRequest::new(3 * P, 0).expect("a request");
    let contiguous = Vmo::contiguous(world.pages, new_koid(), request).expect("memory");
    let physical = Vmo::physical(world.pages, new_koid(), device(3), MemoryType::Uncached);
    let physical = physical.expect("memory");
    let uncached = world.vmo(3);
    assert_eq!(uncached.set_memory(MemoryType::Uncached), Ok(()));
    let unaligned = |source_offset, destination_offset, length| {
        let refused = Transfer::new(&TransferRequest {
            source: &plain,
            source_offset,
            destination: &contiguous,
            destination_offset,
            length,
        });
        assert_eq!(refused.err(), Some(Status::INVALID_ARGS));
    };
    unaligned(1, 100 * P, 0);
    unaligned(100 * P, 1, 0);
    unaligned(0, 0, 1);
    for odd in [&contiguous, &physical] {
        for (from, to) in [(&plain, odd), (odd, &plain)] {
            let far = transfer((from, 0), (to, 1), 3);
            assert_eq!(far, Err(Status::OUT_OF_RANGE));
            let refused = transfer((from, 0), (to, 0), 3);
            assert_eq!(refused, Err(Status::NOT_SUPPORTED));
        }
    }
    for (from, to) in [(&plain, &uncached), (&uncached, &plain)] {
        assert_eq!(transfer((from, 0), (to, 0), 1), Err(Status::BAD_STATE));
    }
    for (from, to, pages) in [
        (0, 0, 4),
        (3, 0, 1),
        (0, 3, 1),
        (4, 0, 0),
        (0, 4, 0),
        (1, 0, u64::MAX / P),
    ] {
        let refused = transfer((&plain, from), (&other, to), pages);
        assert_eq!(refused, Err(Status::OUT_OF_RANGE), "{from} {to} {pages}");
    }
    assert_eq!(transfer((&plain, 3), (&other, 3), 0), Ok(()));
    assert_eq!(bytes(&plain), [1, 2, 3]);
    drop((plain, other, contiguous, physical, uncached));
    finish(world);
}

#[test]
fn memory_refused_anywhere_loses_no_page() {
    let world = World::with_frames(Aslr::Off, 8192);
    for successes in 0.. {
        let (from, to) = (numbered(&world, 600), numbered(&world, 600));
        let of_source = child(&from, VmoChildOptions::SNAPSHOT, 0, 550);
        let of_destination = child(&to, VmoChildOptions::SNAPSHOT, 0, 600);
        from.write(3 * P, &[50]).expect("memory");
        let mut expected = (bytes(&from), bytes(&to));
        let guard = fault::fail_after(successes);
        let begun = begin((&from, 2), (&to, 5), 590);
        let moved = begun.and_then(|mut transfer| transfer.go_on(|| Ok(())));
        let was_starved = guard.has_struck();
        drop(guard);
        let end = match moved {
            Ok(()) => 595,
            // The first block of the destination, or none.
            Err(status) => {
                assert_eq!(status, Status::NO_MEMORY);
                if bytes(&to)[5] == 6 { 5 } else { 512 }
            }
        };
        let moved_pages = expected.0[2..end - 3].to_vec();
        expected.1[5..end].copy_from_slice(&moved_pages);
        expected.0[2..end - 3].fill(0);
        assert!((bytes(&from), bytes(&to)) == expected, "{successes}");
        assert!(bytes(&of_destination)[..] == bytes(&numbered(&world, 600))[..]);
        drop((from, to, of_source, of_destination));
        if !was_starved {
            break;
        }
    }
    finish(world);
}

#[test]
fn a_transfer_that_found_no_memory_goes_on_where_it_was() {
    let world = World::new();
    let (from, to) = (numbered(&world, 1200), world.vmo(1200));
    let expected = bytes(&from);
    let mut work = begin((&from, 0), (&to, 0), 1200).expect("memory");
    let mut blocks = 0;
    let stopped = work.go_on(|| {
        blocks += 1;
        if blocks == 2 {
            Err(Status::CANCELED)
        } else {
            Ok(())
        }
    });
    assert_eq!(stopped, Err(Status::CANCELED));
    assert_eq!(committed(&to), 1024);
    assert_eq!(work.go_on(|| Ok(())), Ok(()));
    drop(work);
    assert!(bytes(&to) == expected && committed(&from) == 0);
    drop((from, to));
    finish(world);
}

#[test]
fn vmos_that_shrink_meanwhile_end_the_transfer() {
    let world = World::new();
    for shrinking in [0, 1] {
        let vmos = [numbered(&world, 1200), world.resizable(1200)];
        let [from, to] = &vmos;
        let mut work = begin((from, 0), (to, 0), 1200).expect("memory");
        let stopped = work.go_on(|| vmos[shrinking].set_size(600 * P));
        assert_eq!(stopped, Err(Status::OUT_OF_RANGE));
        drop(work);
        assert_eq!(bytes(to)[..512], bytes(&numbered(&world, 512))[..]);
        drop(vmos);
    }
    finish(world);
}
