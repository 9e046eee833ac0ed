//! `spec/vmar.md` §13.

use syscall::{Name, Status, VmoOptions};

use crate::addr::PAGE_SIZE;
use crate::mmu::Access;
use crate::testing::*;
use crate::vmar::OpChildren::Allowed;
use crate::vmar::{MapEntry, MapEntryKind, MappedVmos, Maps};
use crate::vmo::PageIndex;

const P: usize = PAGE_SIZE;

/// A record as the first page, the number of pages, the depth, and for a mapping its permissions,
/// its first page in the VMO and its committed pages.
fn short(vmar: &Region, entry: &MapEntry) -> (usize, usize, usize, Option<(Access, u64, u64)>) {
    let first = (entry.range.base().raw() - vmar.range().base().raw()) / P;
    let mapping = match entry.kind {
        MapEntryKind::Vmar => None,
        MapEntryKind::Mapping {
            access,
            vmo_offset,
            memory,
            ..
        } => {
            assert_eq!(memory.private_bytes, memory.committed_bytes);
            assert_eq!(memory.scaled_bytes, memory.committed_bytes);
            Some((
                access,
                vmo_offset / P as u64,
                memory.committed_bytes / P as u64,
            ))
        }
    };
    (first, entry.range.pages().get(), entry.depth, mapping)
}

#[test]
fn a_fresh_region_has_one_record() {
    let world = World::new();
    let entries = records(&world.root).expect("alive");
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (entries[0].name, entries[0].depth),
        (Name::new_lossy("root"), 0)
    );
    assert_eq!(entries[0].range, world.root.range());
    finish(world);
}

#[test]
fn regions_come_in_order_each_before_its_contents() {
    let world = World::new();
    let read_write = Access::READ | Access::WRITE;
    let (vmar, vmo) = (world.vmar(16), world.numbered_vmo(3));
    vmo.set_name(Name::new_lossy("data"));
    let child = vmar
        .allocate(CAN_ALL | SPECIFIC, 4 * P, 8 * P)
        .expect("free");
    let inner = child.allocate(CAN_ALL | SPECIFIC, 0, 2 * P).expect("free");
    inner.map(request_at(1, &vmo, 0, 1)).expect("free");
    child.map(request_at(3, &vmo, 0, 5)).expect("free");
    vmar.map(request_at(0, &vmo, 2, 2)).expect("free");
    vmar.map(request_at(12, &vmo, 1, 1)).expect("free");
    child
        .protect(R, page_of(&child, 4), P, Allowed)
        .expect("mapped");
    let entries = records(&vmar).expect("alive");
    let shorts: Vec<_> = entries.iter().map(|entry| short(&vmar, entry)).collect();
    let expected = [
        (0, 16, 0, None),
        (0, 2, 1, Some((read_write, 2, 1))),
        (4, 8, 1, None),
        (4, 2, 2, None),
        (5, 1, 3, Some((read_write, 0, 1))),
        (7, 1, 2, Some((read_write, 0, 1))),
        (8, 1, 2, Some((Access::READ, 1, 1))),
        (9, 3, 2, Some((read_write, 2, 1))),
        (12, 1, 1, Some((read_write, 1, 1))),
    ];
    assert_eq!(shorts, expected);
    assert_eq!(entries[1].name, Name::new_lossy("data"));
    assert_eq!(entries[2].name, Name::new_lossy("useralloc"));
    let koid = vmo.koid();
    assert!(matches!(entries[1].kind, MapEntryKind::Mapping { vmo, .. } if vmo == koid));
    drop((vmar, vmo, child, inner));
    finish(world);
}

#[test]
fn many_records_come_in_batches_without_gaps_or_repeats() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(200), world.vmo(200));
    let mut expected = 1;
    for at in (0..100).step_by(2) {
        vmar.map(request_at(at, &vmo, 0, 1)).expect("free");
        expected += 1;
    }
    let child = vmar
        .allocate(CAN_ALL | SPECIFIC, 100 * P, 100 * P)
        .expect("free");
    child.map(request_at(0, &vmo, 0, 100)).expect("free");
    for at in (0..100).step_by(2) {
        child
            .protect(R, page_of(&child, at), P, Allowed)
            .expect("mapped");
    }
    expected += 1 + 100;
    let entries = records(&vmar).expect("alive");
    assert_eq!(entries.len(), expected);
    let ordered = |pair: &[MapEntry]| {
        (pair[0].range.base(), pair[0].depth) < (pair[1].range.base(), pair[1].depth)
    };
    assert!(entries.windows(2).all(ordered));
    drop((vmar, vmo, child));
    finish(world);
}

#[test]
fn a_tree_that_changes_between_batches_gives_a_mixture() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(64), world.vmo(1));
    let child = vmar.allocate(CAN_ALL | SPECIFIC, 0, 48 * P).expect("free");
    for at in (0..48).step_by(2) {
        child.map(request_at(at, &vmo, 0, 1)).expect("free");
    }
    vmar.map(request_at(60, &vmo, 0, 1)).expect("free");
    let mut maps = Maps::new(vmar.clone());
    assert!(maps.next_batch().expect("alive").is_full());
    // The place that the next batch would begin at goes away.
    child.destroy().expect("alive");
    let rest = maps.next_batch().expect("alive");
    let shorts: Vec<_> = rest.iter().map(|entry| short(&vmar, entry)).collect();
    assert_eq!(
        shorts,
        [(60, 1, 1, Some((Access::READ | Access::WRITE, 0, 0)))]
    );
    assert!(maps.next_batch().expect("alive").is_empty());
    drop((maps, vmar, vmo, child));
    finish(world);
}

#[test]
fn committed_bytes_are_counted_in_exactly_the_range() {
    let world = World::new();
    let vmo = world.vmo_with(1 << 20, VmoOptions::empty());
    for page in [0_u64, 63, 64, 5000, 5001] {
        vmo.write(page * P as u64, &[1]).expect("memory");
    }
    let vmar = world.vmar(6000);
    vmar.map(request_at(0, &vmo, 1, 5000)).expect("free");
    let entries = records(&vmar).expect("alive");
    let read_write = Access::READ | Access::WRITE;
    assert_eq!(
        short(&vmar, &entries[1]),
        (0, 5000, 1, Some((read_write, 1, 3)))
    );
    drop((vmar, vmo));
    finish(world);
}

/// The koids of the VMOs that are mapped below `vmar`, by address.
fn mapped(vmar: &Region) -> Vec<u64> {
    let mut vmos = MappedVmos::new(vmar.clone());
    let mut koids = Vec::new();
    while let Some(batch) = vmos.next_batch().expect("alive") {
        koids.extend(batch.iter().map(|mapped| mapped.vmo.koid().raw_koid()));
    }
    koids
}

#[test]
fn a_mapping_tells_its_length_and_which_pages_it_shows() {
    let world = World::new();
    let vmar = world.vmar(16);
    let vmo = world.numbered_vmo(8);
    vmar.map(request_at(3, &vmo, 2, 5)).expect("free");
    let batch = MappedVmos::new(vmar.clone()).next_batch().expect("alive");
    let batch = batch.expect("a first batch");
    let first = PageIndex::ZERO.saturating_add(2);
    assert_eq!(batch.len(), 1);
    assert_eq!(batch[0].pages, first..first.saturating_add(5));
    assert_eq!(batch[0].length.get(), 5);
    drop((batch, vmar, vmo));
    finish(world);
}

#[test]
fn the_vmos_of_all_mappings_come_by_address_however_the_regions_lie() {
    let world = World::new();
    let vmar = world.vmar(400);
    let vmos = [1, 2, 3].map(|number| world.numbered_vmo(number));
    let koids = vmos.each_ref().map(|vmo| vmo.koid().raw_koid());
    assert_eq!(mapped(&vmar), []);
    // Regions in each other, and many without a mapping between two that have one.
    let mut expected = Vec::new();
    for place in 0..20 {
        let child = vmar.allocate(CAN_ALL | SPECIFIC, place * 20 * P, 20 * P);
        let child = child.expect("free");
        if place % 5 != 3 {
            child
                .map(request_at(1, &vmos[place % 3], 0, 1))
                .expect("free");
            expected.push(koids[place % 3]);
        }
        let inner = child.allocate(CAN_ALL | SPECIFIC, 4 * P, 4 * P);
        let inner = inner.expect("free");
        inner.map(request_at(2, &vmos[0], 0, 1)).expect("free");
        expected.push(koids[0]);
        for empty in 9..20 {
            child
                .allocate(CAN_ALL | SPECIFIC, empty * P, P)
                .expect("free");
        }
    }
    assert_eq!(mapped(&vmar), expected);
    let mut walk = MappedVmos::new(vmar.clone());
    assert!(walk.next_batch().is_ok_and(|batch| batch.is_some()));
    vmar.destroy().expect("alive");
    assert_eq!(walk.next_batch().err(), Some(Status::BAD_STATE));
    drop((vmos, walk, vmar));
    finish(world);
}
