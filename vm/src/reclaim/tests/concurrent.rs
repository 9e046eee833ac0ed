//! Reclaiming while others work on the same VMOs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{ALL, P, full, page_of_base, scan, unlock};
use crate::addr::PAGE_SIZE;
use crate::testing::*;
use crate::vmar::OpChildren;

/// Whether a thread that works beside a test is to end.
#[derive(Default)]
struct Over(AtomicBool);

impl Over {
    fn has_come(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Ends the thread also when the test fails.
struct End<'a>(&'a Over);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// How often the thread beside a test has to come between.
const ENCOUNTERS: usize = 100;

/// Rounds after which that will not happen any more.
const MOST_ROUNDS: usize = 10_000_000;

#[test]
fn what_is_written_while_zeros_are_looked_for_is_never_lost() {
    let world = World::new();
    let vmo = world.vmo(4);
    let base = world.root.map(request(RW, &vmo, 4)).expect("room");
    let (is_over, freed) = (Over::default(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let (world, is_over, freed) = (&world, &is_over, &freed);
        let _end = End(is_over);
        scope.spawn(move || {
            while !is_over.has_come() {
                let scan = world.machine.run_on(1, || scan(world, 8));
                freed.fetch_add(scan.freed.get(), Ordering::Relaxed);
            }
        });
        let mut round = 0;
        while freed.load(Ordering::Relaxed) < ENCOUNTERS {
            assert!(round < MOST_ROUNDS, "the scan never comes between");
            let address = page_of_base(base, round % 4);
            let byte = (round % 255 + 1) as u8;
            assert_eq!(world.store_on(0, &world.space, address, byte), Ok(()));
            assert_eq!(world.load_on(0, &world.space, address), Ok(byte));
            assert_eq!(world.store_on(0, &world.space, address, 0), Ok(()));
            std::thread::yield_now();
            round += 1;
        }
    });
    world.space.mmu().assert_nothing_is_stale();
    let all = 4 * PAGE_SIZE;
    assert_eq!(world.root.unmap(base, all, OpChildren::Forbidden), Ok(()));
    drop(vmo);
    finish(world);
}

#[test]
fn a_lock_tells_the_truth_while_others_reclaim() {
    let world = World::new();
    let vmo = full(&world, 2);
    let is_over = Over::default();
    std::thread::scope(|scope| {
        let (world, vmo, is_over) = (&world, &vmo, &is_over);
        let _end = End(is_over);
        scope.spawn(move || {
            while !is_over.has_come() {
                world
                    .machine
                    .run_on(1, || world.pages.reclaimer().reclaim(ALL));
            }
        });
        let (mut discarded, mut round, mut expected) = (0, 0, 1);
        while discarded < ENCOUNTERS {
            assert!(round < MOST_ROUNDS, "nothing is discarded");
            let found = vmo.lock_pages(0, 2 * P).expect("a lock");
            if found.discarded_size > 0 {
                discarded += 1;
                expected = 0;
            }
            let mut byte = [9];
            assert_eq!(vmo.read(P, &mut byte), Ok(()));
            assert_eq!(byte, [expected], "round {round}");
            expected = (round % 255 + 1) as u8;
            assert_eq!(vmo.write(P, &[expected]), Ok(()));
            unlock(vmo);
            std::thread::yield_now();
            round += 1;
        }
    });
    drop(vmo);
    finish(world);
}
