//! What several processors do to one family of VMOs at the same time, in very many orders.
//!
//! Threads that race show the orders that the host happens to choose, which are few. Here one host thread plays
//! all processors, and at each [`step`] and each lock that is taken `shuttle` chooses which of them goes on: at
//! random, and then with priorities that change at a few points, which finds what needs a long wait in one
//! place. A scenario is a function that [`explore`] calls again and again on one machine; after each time
//! no frame may be missing and no processor may remember what is not so.
//!
//! It is about orders, not about what processors may do to the order of loads and stores: memory here is the
//! same for everybody at once.
//!
//! A failure prints its schedule and the seed; `SHUTTLE_RANDOM_SEED=…` chooses another seed, and
//! `ROUNDS=… cargo test -p vm concurrency` makes more rounds than usual.

mod contents;
mod mappings;

use std::cell::Cell;
use std::env;
use std::sync::Arc;
use std::thread::panicking;
use std::time::Duration;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner, thread};
use spin::RelaxStrategy;
use syscall::VmoChildOptions;

use crate::addr::PAGE_SIZE;
use crate::aspace::Aslr;
use crate::sim;
use crate::testing::*;
use crate::vmo::ChildRequest;

/// Rounds of each scenario with each scheduler, if nobody asks for another number.
const ROUNDS: usize = 1000;

const SEED: u64 = 0x7368_7574;

/// How often priorities change in a round, plus one.
const DEPTH: usize = 4;

/// More than any processor here needs: nodes are copied on the stack.
const STACK_BYTES: usize = 256 << 10;

const P: u64 = PAGE_SIZE as u64;

/// Pages with something in them, in two leaves.
const PAGES: [u64; 3] = [0, 1, 70];

/// The size of every VMO.
const SIZE: u64 = 71 * P;

const OLD: u8 = 1;
const NEW: u8 = 2;

/// The first two bytes of each of [`PAGES`]. Only the first one is changed, so that the second shows whether
/// the rest of a page came along.
type Bytes = [[u8; 2]; PAGES.len()];

std::thread_local! {
    /// Whether a scenario is running on this thread.
    static EXPLORED: Cell<bool> = const { Cell::new(false) };
}

/// Lets another processor go on, or not, if a scenario is running.
pub(crate) fn step() {
    if EXPLORED.get() && !panicking() {
        sim::stay(|| thread::sleep(Duration::ZERO));
    }
}

/// Waits for a lock by letting another processor go on.
pub(crate) struct Relax;

impl RelaxStrategy for Relax {
    fn relax() {
        if EXPLORED.get() {
            sim::stay(thread::yield_now);
        } else {
            core::hint::spin_loop();
        }
    }
}

/// A scenario is running on this thread for as long as this lives.
struct Exploration;

impl Exploration {
    fn begin() -> Self {
        EXPLORED.set(true);
        Self
    }
}

impl Drop for Exploration {
    fn drop(&mut self) {
        EXPLORED.set(false);
    }
}

/// Runs a scenario in many orders. It has to leave the machine as it was.
fn explore(scenario: fn(&World)) {
    let rounds = env::var("ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().expect("a number"));
    let world = Arc::new(World::with_aslr(Aslr::Off));
    run(
        RandomScheduler::new_from_seed(SEED, rounds),
        &world,
        scenario,
    );
    run(
        PctScheduler::new_from_seed(SEED, DEPTH, rounds),
        &world,
        scenario,
    );
    finish(Arc::into_inner(world).expect("all rounds are over"));
}

fn run(scheduler: impl Scheduler + 'static, world: &Arc<World>, scenario: fn(&World)) {
    let _exploration = Exploration::begin();
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    let world = world.clone();
    Runner::new(scheduler, config).run(move || {
        let before = world.pages.counts();
        scenario(&world);
        world.space.mmu().assert_nothing_is_stale();
        assert_eq!(world.pages.audit(), Ok(before), "frames have leaked");
    });
}

/// Lets each piece of work have a processor of its own, and waits for all.
fn together<const N: usize>(world: &World, works: [&mut (dyn FnMut() + Send); N]) {
    sim::stay(|| {
        thread::scope(|scope| {
            for (cpu, work) in works.into_iter().enumerate() {
                scope.spawn(move || world.machine.run_on(cpu, work));
            }
        });
    });
}

fn filled(world: &World) -> Memory {
    let vmo = world.resizable(SIZE as usize / PAGE_SIZE);
    for page in PAGES {
        vmo.write(page * P, &[OLD; 2]).expect("memory");
    }
    vmo
}

fn bytes(vmo: &Memory) -> Bytes {
    PAGES.map(|page| {
        let mut bytes = [0; 2];
        vmo.read(page * P, &mut bytes).expect("inside");
        bytes
    })
}

/// A snapshot of a whole VMO, and what it shows at once.
fn look(parent: &Memory) -> (Memory, Bytes) {
    let child = snapshot(parent);
    let seen = bytes(&child);
    (child, seen)
}

fn snapshot(parent: &Memory) -> Memory {
    let child = parent.create_child(ChildRequest {
        koid: new_koid(),
        options: VmoChildOptions::SNAPSHOT,
        offset: 0,
        size: SIZE,
        may_resize: false,
    });
    child.expect("memory")
}
