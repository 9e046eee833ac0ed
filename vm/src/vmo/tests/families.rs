//! Random families of VMOs, on a machine with several processors and two address spaces, against the model.
//!
//! After every step the answer is that of [`Families`], and so are the size, the children and the memory of
//! every VMO; the frames in use are those of the model to the last one, no processor remembers a
//! translation that is not there any more, and none can write to a page that is not its VMO's alone. Now
//! and then all bytes are compared, by call and through every mapping on every processor.
//!
//! [`calls`] has what the steps do. A failure names the seed of its round; `MODEL_SEED=… cargo test -p vm families_behave` repeats it, and
//! with `MODEL_STEPS=…` more steps than usual can be made.

mod calls;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::{env, eprintln};

use model::PAGE;
use model::vmo::{Facts, Families, Generator, Sharers, Step, WINDOW_PAGES, WINDOWS};
use syscall::{Koid, Result, Status, VmOptions};

use crate::addr::{PageCount, VirtAddr, VirtRange};
use crate::mmu::{Access, Domain, Mmu, MmuCursor};
use crate::pages::OwnerKind;
use crate::testing::*;
use crate::vmo::Attribution;

/// All steps of a run that nobody has asked for anything else.
const STEPS: usize = 100_000;

/// Steps of a round, after which there is a fresh machine.
const ROUND: usize = 500;

/// After so many steps all bytes are compared.
const LOOK_EVERY: usize = 50;

/// The seed of the first round.
const SEED: u64 = 0x6661_6d69_6c79;

const P: u64 = PAGE as u64;

/// Answers that a run cannot do without, those that come seldom in particular.
const EXPECTED: [(&str, Option<Status>); 38] = [
    ("create", None),
    ("create", Some(Status::OUT_OF_RANGE)),
    ("snapshot", None),
    ("snapshot", Some(Status::INVALID_ARGS)),
    ("snapshot", Some(Status::NOT_SUPPORTED)),
    ("slice", None),
    ("slice", Some(Status::INVALID_ARGS)),
    ("slice", Some(Status::NOT_SUPPORTED)),
    ("reference", None),
    ("reference", Some(Status::ACCESS_DENIED)),
    ("reference", Some(Status::NOT_SUPPORTED)),
    ("close", None),
    ("read", None),
    ("read", Some(Status::OUT_OF_RANGE)),
    ("write", None),
    ("write", Some(Status::ACCESS_DENIED)),
    ("write", Some(Status::OUT_OF_RANGE)),
    ("resize", None),
    ("resize", Some(Status::UNAVAILABLE)),
    ("set_stream", None),
    ("commit", None),
    ("commit", Some(Status::OUT_OF_RANGE)),
    ("decommit", None),
    ("decommit", Some(Status::INVALID_ARGS)),
    ("decommit", Some(Status::NOT_SUPPORTED)),
    ("zero", None),
    ("zero", Some(Status::OUT_OF_RANGE)),
    ("transfer", None),
    ("transfer", Some(Status::OUT_OF_RANGE)),
    ("map", None),
    ("map", Some(Status::NOT_SUPPORTED)),
    ("unmap", None),
    ("protect", None),
    ("operate_mapped", None),
    ("operate_mapped", Some(Status::NOT_SUPPORTED)),
    ("load", None),
    ("store", None),
    ("store", Some(Status::OUT_OF_RANGE)),
];

/// How often a kind of step has been answered in one way.
type Tally = BTreeMap<(&'static str, Option<Status>), usize>;

/// A machine and what should be in it.
struct Round {
    world: World,
    /// Each in an address space of its own.
    windows: Vec<(Space, Region)>,
    /// The handles.
    vmos: Vec<Option<Memory>>,
    koids: Vec<Koid>,
    model: Families,
    /// The frames of VMOs before there was one.
    frames: usize,
}

impl Round {
    fn new() -> Self {
        let mut world = World::new();
        let mut windows = Vec::new();
        for number in 0..WINDOWS {
            let space = match number {
                0 => world.space.clone(),
                _ => world.another_space(Domain::User),
            };
            let root = space.root().expect("a new address space");
            let window = root.allocate(CAN_ALL, 0, WINDOW_PAGES * PAGE);
            windows.push((space, window.expect("room")));
        }
        let frames = vmo_frames(&world);
        Self {
            world,
            windows,
            vmos: Vec::new(),
            koids: Vec::new(),
            model: Families::new(),
            frames,
        }
    }

    /// Takes a step and checks everything but bytes.
    fn step(&mut self, step: &Step, tally: &mut Tally) {
        let before = self.world.pages.counts();
        let answer = self.perform(step);
        *tally
            .entry((step.name(), answer.as_ref().err().copied()))
            .or_default() += 1;
        self.model.judge(step, &answer).expect("the right answer");
        let sharers = self.model.sharers();
        let said = self.model.open().map(|vmo| (vmo, self.facts(vmo)));
        self.model.compare(said, &sharers).expect("the right facts");
        let frames = vmo_frames(&self.world) - self.frames;
        assert_eq!(frames, sharers.frame_count(), "frames of all VMOs");
        for (space, _) in &self.windows {
            space.mmu().assert_nothing_is_stale();
        }
        self.check_translations(&sharers);
        // An operation on mappings keeps what it has done; a fault may have made a table.
        let is_whole = !matches!(step, Step::OperateMapped(..) | Step::Touch(_));
        if answer.is_err() && is_whole {
            assert_eq!(self.world.pages.counts(), before, "a call that failed");
        }
    }

    /// Checks that the page tables grant nothing that the model does not.
    fn check_translations(&self, sharers: &Sharers) {
        for (number, (space, window)) in self.windows.iter().enumerate() {
            for page in 0..WINDOW_PAGES {
                let one = VirtRange::new(page_of(window, page), PageCount::new(1));
                let entered = space.mmu().cursor(one.expect("a page")).query();
                let Some(entered) = entered else { continue };
                let granted = entered.flags.access;
                let mut allowed = access_of(self.model.allowed_at(number, page));
                assert!(!allowed.is_empty(), "page {page} of {number} shows nothing");
                let shown = self.model.shown(number, page).expect("it shows something");
                if !self.model.is_private(shown.vmo, shown.page, sharers) {
                    allowed -= Access::WRITE;
                }
                assert!(
                    allowed.contains(granted),
                    "page {page} of {number} allows {granted:?} instead of {allowed:?}"
                );
            }
        }
    }

    /// What the VMO says about itself.
    fn facts(&self, vmo: usize) -> Facts {
        let object = self.open(vmo);
        let info = object.info();
        let parent = object.parent_koid();
        Facts {
            size: info.size,
            stream: object.stream_size(),
            children: object.num_children(),
            parent: self.koids.iter().position(|koid| *koid == parent),
            is_resizable: object.is_resizable(),
            is_copy: object.is_cow_clone(),
            memory: memory_of(&info.memory_use),
        }
    }

    /// Compares all bytes, by call and through the mappings on every processor.
    fn compare_bytes(&self) {
        for vmo in self.model.open() {
            let size = self.model.size(vmo);
            // Of a VMO without end, the pages that are there and some that are not.
            let near = (0..WINDOW_PAGES as u64).filter(|page| *page < size / P);
            let pages = near.chain(self.model.present(vmo));
            for page in pages {
                let range = page * P..(page + 1) * P;
                let mut read = [0; PAGE];
                assert_eq!(self.open(vmo).read(range.start, &mut read), Ok(()));
                assert!(
                    self.model.bytes(vmo, range) == read,
                    "page {page} of VMO {vmo} has other bytes"
                );
            }
        }
        for (number, (space, window)) in self.windows.iter().enumerate() {
            for page in 0..WINDOW_PAGES {
                let Some(bytes) = self.model.readable(number, page) else {
                    continue;
                };
                for cpu in 0..CPUS {
                    let read = self.load_page(cpu, space, page_of(window, page));
                    assert!(
                        read == Ok(bytes.clone()),
                        "page {page} of window {number} shows other bytes"
                    );
                }
            }
        }
    }

    fn load_page(&self, cpu: usize, space: &Space, address: VirtAddr) -> Result<Vec<u8>> {
        self.world.machine.run_on(cpu, || {
            space.mmu().activate();
            let mut bytes = vec![0; PAGE];
            let machine = self.world.machine;
            machine.load(address, &mut bytes, |at, access| space.fault(at, access))?;
            Ok(bytes)
        })
    }

    fn end(self) {
        drop((self.vmos, self.windows));
        finish(self.world);
    }
}

fn memory_of(attribution: &Attribution) -> model::vmo::Memory {
    model::vmo::Memory {
        committed: attribution.committed_bytes,
        private: attribution.private_bytes,
        scaled: attribution.scaled_bytes,
        fraction: attribution.fractional_scaled_bytes,
    }
}

/// How many frames VMOs have.
fn vmo_frames(world: &World) -> usize {
    world.pages.counts().owned_by(OwnerKind::Vmo).get()
}

fn access_of(permissions: VmOptions) -> Access {
    Access::from_bits_truncate(permissions.bits() as u8)
}

/// A number from the environment.
fn variable(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// Takes `steps` steps; says how to repeat them if one goes wrong.
fn play(seed: u64, steps: usize, tally: &mut Tally) {
    let mut done = 0;
    let mut last = None;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut round = Round::new();
        let mut generator = Generator::new(seed);
        while done < steps {
            let step = generator.step(&round.model);
            last = Some(step);
            round.step(&step, tally);
            done += 1;
            if done % LOOK_EVERY == 0 {
                round.compare_bytes();
            }
        }
        round.end();
    }));
    if let Err(panic) = outcome {
        eprintln!("step {done} went wrong: {last:x?}");
        eprintln!("MODEL_SEED={seed} cargo test -p vm families_behave repeats it");
        resume_unwind(panic);
    }
}

#[test]
fn families_behave_like_copies() {
    let steps = variable("MODEL_STEPS").map_or(STEPS, |steps| steps as usize);
    let mut tally = Tally::new();
    if let Some(seed) = variable("MODEL_SEED") {
        return play(seed, steps.min(ROUND), &mut tally);
    }
    for round in 0..steps.div_ceil(ROUND) as u64 {
        play(SEED + round, ROUND, &mut tally);
    }
    // Random families prove something only if they get somewhere.
    for (name, status) in EXPECTED {
        let times = tally.get(&(name, status)).copied().unwrap_or(0);
        assert!(
            times >= steps / 10_000,
            "{name} answered {status:?} {times} times"
        );
    }
}
