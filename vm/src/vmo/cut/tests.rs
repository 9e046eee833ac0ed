//! Pages that are cut off: `spec/vmo.md` §4.

use syscall::{VmoChildOptions, VmoOptions};

use crate::addr::PAGE_SIZE;
use crate::aspace::Aslr;
use crate::mmu::MemoryType;
use crate::testing::*;
use crate::try_alloc::fault;
use crate::vmo::ChildRequest;

const P: u64 = PAGE_SIZE as u64;

/// Pages of three blocks and a bit.
const PAGES: u64 = 1600;

/// A VMO with a byte in every page.
fn full(world: &World) -> Memory {
    let vmo = world.resizable(PAGES as usize);
    for page in 0..PAGES {
        vmo.write(page * P, &[7]).expect("memory");
    }
    vmo
}

fn byte(vmo: &Memory, page: u64) -> u8 {
    let mut byte = [0];
    vmo.read(page * P, &mut byte).expect("it is there");
    byte[0]
}

fn committed(vmo: &Memory) -> u64 {
    vmo.info().memory_use.committed_bytes / P
}

fn snapshot(vmo: &Memory) -> Memory {
    let request = ChildRequest {
        koid: new_koid(),
        options: VmoChildOptions::SNAPSHOT,
        offset: 0,
        size: vmo.size(),
        may_resize: false,
    };
    vmo.create_child(request).expect("memory")
}

#[test]
fn what_is_written_while_pages_are_freed_stays() {
    let world = World::new();
    let vmo = full(&world);
    let mut pauses = 0;
    let done = vmo.set_stream_size(3, || {
        pauses += 1;
        for page in [0, 1, 511, 700, PAGES - 1] {
            vmo.write(page * P + 9, &[pauses]).expect("memory");
        }
    });
    assert_eq!(done, Ok(()));
    assert!(pauses > 2, "{pauses}");
    for page in [1, 511, 700, PAGES - 1] {
        let mut bytes = [1; 10];
        vmo.read(page * P, &mut bytes).expect("it is there");
        assert_eq!(bytes, [0, 0, 0, 0, 0, 0, 0, 0, 0, pauses], "page {page}");
    }
    assert_eq!(committed(&vmo), 5);
    drop(vmo);
    finish(world);
}

#[test]
fn a_vmo_that_grows_while_its_pages_are_freed_reads_zero() {
    let world = World::new();
    let vmo = full(&world);
    let address = world
        .root
        .map(request(RW, &vmo, PAGES as usize))
        .expect("room");
    let last = page_of(&world.root, 0)
        .checked_add(address.raw() - page_of(&world.root, 0).raw())
        .and_then(|base| base.checked_add((PAGES as usize - 1) * PAGE_SIZE))
        .expect("inside");
    assert_eq!(world.load(last), Ok(7));
    let mut pauses = 0;
    let done = vmo.resize(5 * P, || {
        if pauses == 0 {
            assert!(world.load(last).is_err());
            assert_eq!(vmo.set_size(PAGES * P), Ok(()));
        }
        pauses += 1;
        assert_eq!(world.load(last), Ok(pauses - 1), "what was written last");
        assert_eq!(world.store(last, pauses), Ok(()));
    });
    assert_eq!(done, Ok(()));
    assert!(pauses > 2, "{pauses}");
    assert_eq!((byte(&vmo, 4), byte(&vmo, 5)), (7, 0));
    assert_eq!((byte(&vmo, PAGES - 1), committed(&vmo)), (pauses, 6));
    drop(vmo);
    finish(world);
}

#[test]
fn families_keep_what_is_cut_off() {
    let world = World::with_frames(Aslr::Off, 8192);
    let vmo = full(&world);
    let child = snapshot(&vmo);
    vmo.write(900 * P, &[8]).expect("memory");
    assert_eq!(vmo.set_size(3 * P), Ok(()));
    assert_eq!(vmo.set_size(PAGES * P), Ok(()));
    for page in 0..PAGES {
        assert_eq!(byte(&child, page), 7);
        assert_eq!(byte(&vmo, page), if page < 3 { 7 } else { 0 });
    }
    assert_eq!((committed(&vmo), committed(&child)), (3, PAGES));
    drop((vmo, child));
    finish(world);
}

#[test]
fn shrinking_needs_no_memory_if_nothing_is_shared() {
    let world = World::new();
    for successes in 0.. {
        let vmo = full(&world);
        let guard = fault::fail_after(successes);
        let done = vmo.set_size(5 * P);
        let was_starved = guard.has_struck();
        drop(guard);
        assert_eq!(done, Ok(()), "{successes}");
        assert_eq!((vmo.size(), committed(&vmo)), (5 * P, 5));
        drop(vmo);
        if !was_starved {
            break;
        }
    }
    finish(world);
}

#[test]
fn memory_refused_anywhere_changes_nothing_or_all() {
    let world = World::with_frames(Aslr::Off, 8192);
    for successes in 0.. {
        let vmo = full(&world);
        let child = snapshot(&vmo);
        let guard = fault::fail_after(successes);
        let done = vmo.set_size(5 * P + 1);
        let was_starved = guard.has_struck();
        drop(guard);
        let pages = if done.is_ok() { 6 } else { PAGES };
        assert_eq!((vmo.size(), committed(&vmo)), (pages * P, pages));
        assert_eq!(committed(&child), PAGES);
        drop((vmo, child));
        if !was_starved {
            break;
        }
    }
    finish(world);
}

#[test]
fn uncached_pages_go_back_as_they_came() {
    let world = World::new();
    let vmo = full(&world);
    assert_eq!(vmo.set_memory(MemoryType::Uncached), Ok(()));
    assert_eq!(vmo.set_size(P), Ok(()));
    assert_eq!(committed(&vmo), 1);
    drop(vmo);
    finish(world);
}

#[test]
fn the_largest_vmos_are_cut_as_fast_as_their_pages() {
    let world = World::new();
    let vmo = world.vmo_with(0, VmoOptions::UNBOUNDED);
    let size = vmo.size();
    for page in [0, 1 << 20, 1 << 40, size / P - 1] {
        vmo.write(page * P, &[5]).expect("memory");
    }
    let mut pauses = 0;
    assert_eq!(vmo.set_stream_size(P, || pauses += 1), Ok(()));
    assert_eq!((committed(&vmo), pauses), (0, 4), "the stream was empty");
    drop(vmo);
    let vmo = world.vmo_with(0, VmoOptions::RESIZABLE);
    assert_eq!(vmo.set_size(size), Ok(()));
    for page in [0, 1 << 20, 1 << 40, size / P - 1] {
        vmo.write(page * P, &[5]).expect("memory");
    }
    assert_eq!(vmo.resize(P, || pauses += 1), Ok(()));
    assert_eq!((committed(&vmo), pauses), (1, 4 + 3));
    drop(vmo);
    finish(world);
}
