//! Tests of the handle table.

use alloc::vec::Vec;

use ktest::ktest;

use super::{HandleTable, MAX_HANDLES, SPARE_SLOTS, Scramble};

const SEED: u64 = 0x1234_5678_9abc_def0;

fn table_of(entries: u32) -> (HandleTable<u32>, Vec<u32>) {
    let mut table = HandleTable::new(SEED);
    let values = (0..entries)
        .map(|entry| table.insert(entry).expect("room"))
        .collect();
    (table, values)
}

#[ktest]
fn every_value_finds_its_entry() {
    let (table, values) = table_of(1000);
    for (entry, value) in values.iter().enumerate() {
        assert_eq!(table.get(*value), Some(&(entry as u32)));
    }
    assert_eq!(table.len(), 1000);
}

#[ktest]
fn a_walk_over_slots_in_steps_sees_each_entry_once() {
    let (mut table, values) = table_of(100);
    for value in values.iter().step_by(7) {
        assert!(table.remove(*value).is_some());
    }
    let mut seen = Vec::new();
    let mut next = Some(0);
    while let Some(first) = next {
        next = table.visit(first..first + 9, |entry| seen.push(*entry));
    }
    let expected: Vec<u32> = (0..100).filter(|entry| entry % 7 != 0).collect();
    assert_eq!(seen, expected);
    assert_eq!(table.visit(100..109, |_| ()), None);
    assert_eq!(table.visit(200..209, |_| ()), None);
}

#[ktest]
fn values_are_not_zero_and_have_both_low_bits() {
    let (_, values) = table_of(1000);
    assert!(values.iter().all(|value| value & 0b11 == 0b11));
}

#[ktest]
fn a_removed_value_finds_nothing_however_often_its_slot_is_used_again() {
    let (mut table, values) = table_of(1);
    assert_eq!(table.remove(values[0]), Some(0));
    assert_eq!(table.remove(values[0]), None);
    for entry in 0..10 * SPARE_SLOTS as u32 {
        let value = table.insert(entry).expect("room");
        assert_eq!(table.get(values[0]), None);
        assert_eq!(table.remove(value), Some(entry));
    }
    assert!(table.slots.len() <= SPARE_SLOTS + 2);
}

#[ktest]
fn neighbouring_guesses_find_nothing() {
    let (table, values) = table_of(1);
    for distance in 1..100_000 {
        assert_eq!(table.get(values[0].wrapping_add(distance)), None);
        assert_eq!(table.get(values[0].wrapping_sub(distance)), None);
    }
}

#[ktest]
fn a_value_of_one_table_means_nothing_in_another() {
    let (_, values) = table_of(8);
    let mut other = HandleTable::new(SEED.rotate_left(17));
    for entry in 0..8u32 {
        assert!(other.insert(entry).is_ok());
    }
    assert!(values.iter().all(|value| other.get(*value).is_none()));
}

#[ktest]
fn a_full_table_gives_back_what_it_has_no_room_for() {
    let (mut table, values) = table_of(MAX_HANDLES as u32);
    assert_eq!(table.len(), MAX_HANDLES);
    assert_eq!(table.insert(7), Err(7));
    assert_eq!(table.remove(values[9]), Some(9));
    assert!(table.insert(7).is_ok());
    assert_eq!(table.insert(8), Err(8));
}

#[ktest]
fn taking_all_leaves_an_empty_table_that_still_works() {
    let (mut table, values) = table_of(3);
    assert_eq!(table.remove(values[1]), Some(1));
    assert_eq!(table.take_all().collect::<Vec<_>>(), [0, 2]);
    assert_eq!(table.len(), 0);
    assert_eq!(table.get(values[0]), None);
    assert_eq!(
        table
            .insert(9)
            .ok()
            .and_then(|value| table.get(value).copied()),
        Some(9)
    );
}

#[ktest]
fn scrambling_is_undone_for_every_kind_of_seed() {
    for seed in [0, 1, u64::MAX, SEED, 1 << 63] {
        let scramble = Scramble::new(seed);
        for payload in [0, 1, 0x3fff_ffff, 0x2aaa_aaaa, 0x0123_4567] {
            assert_eq!(scramble.decode(scramble.encode(payload)), Some(payload));
        }
    }
}
