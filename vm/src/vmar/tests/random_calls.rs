//! Random calls on nested VMARs, on a machine with several processors, against the model.
//!
//! After every step the answer and all records are those of the [`Model`], no processor remembers a
//! translation that is not there any more or allows less than it did, and a call that failed has left the
//! frames of the machine alone. Unlike in [`super::model`], the arguments are those of the calls, right
//! and wrong, and handles lack rights. A failure names the seed of its round; `MODEL_SEED=… cargo test
//! -p vm calls_behave` repeats it, and with `MODEL_STEPS=…` more steps than usual can be made.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::{env, eprintln};

use model::{
    Allocation, Generator, Handle, Kind, Mapping, Model, Operation, PAGE, Protection, Random,
    Reach, Record, Removal, Shape, Step, Touch, capabilities,
};
use syscall::{Result, Status, VmOptions};

use crate::addr::{PageCount, VirtAddr, VirtRange};
use crate::aspace::{Aslr, Entropy};
use crate::mmu::{Access, Mmu, MmuCursor};
use crate::testing::*;
use crate::vmar::{MapEntryKind, MapRequest, OpChildren, RangeOp, RangeRequest};

/// All steps of a run that nobody has asked for anything else.
const STEPS: usize = 100_000;

/// Steps of a round, after which there is a fresh machine.
const ROUND: usize = 500;

/// The seed of the first round.
const SEED: u64 = 0x6a61_6369_6e74;

/// Answers that a run cannot do without, those that come seldom in particular.
const EXPECTED: [(&str, Option<Status>); 24] = [
    ("allocate", None),
    ("allocate", Some(Status::ACCESS_DENIED)),
    ("allocate", Some(Status::ALREADY_EXISTS)),
    ("allocate", Some(Status::NO_RESOURCES)),
    ("map", None),
    ("map", Some(Status::ACCESS_DENIED)),
    ("map", Some(Status::ALREADY_EXISTS)),
    ("map", Some(Status::BAD_STATE)),
    ("map", Some(Status::NO_RESOURCES)),
    ("unmap", None),
    ("unmap", Some(Status::BAD_STATE)),
    ("unmap", Some(Status::INVALID_ARGS)),
    ("protect", None),
    ("protect", Some(Status::ACCESS_DENIED)),
    ("protect", Some(Status::NOT_FOUND)),
    ("operate", None),
    ("operate", Some(Status::ACCESS_DENIED)),
    ("operate", Some(Status::BAD_STATE)),
    ("operate", Some(Status::INVALID_ARGS)),
    ("operate", Some(Status::OUT_OF_RANGE)),
    ("destroy", None),
    ("touch", None),
    ("touch", Some(Status::ACCESS_DENIED)),
    ("touch", Some(Status::OUT_OF_RANGE)),
];

std::thread_local! {
    /// Where the places of regions come from.
    static PLACES: RefCell<Random> = const { RefCell::new(Random::new(0)) };
}

fn random_place() -> u64 {
    PLACES.with_borrow_mut(Random::next)
}

/// How often a kind of step has been answered in one way.
type Tally = BTreeMap<(&'static str, Option<Status>), usize>;

/// A machine and what should be in it.
struct Round {
    world: World,
    vmars: Vec<Region>,
    vmos: Vec<Memory>,
    model: Model,
}

impl Round {
    fn new(seed: u64, shape: Shape) -> Self {
        PLACES.set(Random::new(seed));
        let world = World::with_aslr(Aslr::On(Entropy::new(random_place)));
        let window = world.vmar(shape.pages);
        let vmo = |(number, pages)| {
            if Shape::is_resizable(number) {
                world.resizable(pages)
            } else {
                world.vmo(pages)
            }
        };
        let vmos = shape.vmos.iter().copied().enumerate().map(vmo).collect();
        let model = Model::new(window.range().base().raw(), shape);
        Self {
            world,
            vmars: vec![window],
            vmos,
            model,
        }
    }

    /// Takes a step and checks everything.
    fn step(&mut self, step: &Step, tally: &mut Tally) {
        let frames = self.world.pages.counts();
        let answer = self.perform(step);
        *tally.entry((step.name(), answer.err())).or_default() += 1;
        self.model.judge(step, answer).expect("the right answer");
        self.model
            .compare(&self.records())
            .expect("the right records");
        self.world.space.mmu().assert_nothing_is_stale();
        if takes_away(step) && answer.is_ok() {
            self.check_translations();
        }
        // An operation on a range keeps what it has done; a fault may have made a table.
        let is_whole = !matches!(step, Step::Operate(_) | Step::Touch(_));
        if answer.is_err() && is_whole {
            assert_eq!(self.world.pages.counts(), frames, "a call that failed");
        }
    }

    /// Checks that the page table grants nothing that the model does not.
    ///
    /// Processors remember no more than the page table has, so they cannot either.
    fn check_translations(&self) {
        for page in 0..self.model.page_count() {
            let address = VirtAddr::new(self.model.address_of(page));
            let one = VirtRange::new(address, PageCount::new(1)).expect("a page");
            let entered = self.world.space.mmu().cursor(one).query();
            let granted = entered.map_or(Access::empty(), |entered| entered.flags.access);
            let allowed = access_of(self.model.allowed_at(page));
            assert!(
                allowed.contains(granted) && (entered.is_none() || !allowed.is_empty()),
                "page {page} allows {granted:?} instead of {allowed:?}"
            );
        }
    }

    /// Does what the system calls do.
    fn perform(&mut self, step: &Step) -> Result<usize> {
        match step {
            Step::Allocate(request) => self.allocate(request),
            Step::Map(request) => self.map(request),
            Step::Unmap(Removal {
                vmar,
                address,
                length,
            }) => {
                let region = self.region(*vmar);
                region
                    .unmap(VirtAddr::new(*address), *length, children(*vmar))
                    .map(|()| 0)
            }
            Step::Protect(request) => self.protect(request),
            Step::Operate(request) => self.operate(request),
            Step::Destroy(handle) if handle.reach == Reach::Own => Err(Status::ACCESS_DENIED),
            Step::Destroy(handle) => self.region(*handle).destroy().map(|()| 0),
            Step::Touch(touch) => self.touch(touch),
            Step::Resize { vmo, size } => self.vmos[*vmo].set_size(*size).map(|()| 0),
            Step::SetStream { vmo, size } => {
                self.vmos[*vmo].set_stream_size(*size, || ()).map(|()| 0)
            }
            Step::Write { vmo, page, value } => {
                let offset = (page * PAGE) as u64;
                self.vmos[*vmo].write(offset, &[*value]).map(|()| 0)
            }
        }
    }

    fn region(&self, handle: Handle) -> &Region {
        &self.vmars[handle.region]
    }

    /// What a handle to a region has rights for.
    fn rights(&self, handle: Handle) -> VmOptions {
        handle.rights & capabilities(self.region(handle).flags())
    }

    fn allocate(&mut self, request: &Allocation) -> Result<usize> {
        let Allocation {
            parent,
            options,
            offset,
            size,
        } = *request;
        if !self.rights(parent).contains(capabilities(options)) {
            return Err(Status::ACCESS_DENIED);
        }
        let made = self.region(parent).allocate(options, offset, size)?;
        let address = made.range().base().raw();
        self.vmars.push(made);
        Ok(address)
    }

    fn map(&self, request: &Mapping) -> Result<usize> {
        let permitted = self.rights(request.vmar) & request.vmo_rights;
        let base = self.region(request.vmar).map(MapRequest {
            options: request.options,
            offset: request.offset,
            vmo: self.vmos[request.vmo].clone(),
            vmo_offset: request.vmo_offset,
            length: request.length,
            permitted: access_of(permitted),
        });
        base.map(VirtAddr::raw)
    }

    fn protect(&self, request: &Protection) -> Result<usize> {
        let Protection {
            vmar,
            options,
            address,
            length,
        } = *request;
        if !self.rights(vmar).contains(options & VmOptions::PERMISSIONS) {
            return Err(Status::ACCESS_DENIED);
        }
        let region = self.region(vmar);
        region
            .protect(options, VirtAddr::new(address), length, children(vmar))
            .map(|()| 0)
    }

    fn operate(&self, request: &Operation) -> Result<usize> {
        let range = RangeRequest {
            op: RangeOp::try_from(request.op)?,
            address: VirtAddr::new(request.address),
            length: request.length,
            children: children(request.vmar),
        };
        self.region(request.vmar)
            .op_range(range, || Ok(()))
            .map(|()| 0)
    }

    fn touch(&self, touch: &Touch) -> Result<usize> {
        let (cpu, space) = (touch.cpu % CPUS, &self.world.space);
        let address = VirtAddr::new(self.model.address_of(touch.page));
        match touch.access {
            VmOptions::PERM_WRITE => {
                self.world.store_on(cpu, space, address, touch.value)?;
                Ok(usize::from(touch.value))
            }
            VmOptions::PERM_EXECUTE => self.world.fetch(address).map(usize::from),
            _ => self.world.load_on(cpu, space, address).map(usize::from),
        }
    }

    /// The records of the window, as the model has them.
    fn records(&self) -> Vec<Record> {
        let base = self.model.address_of(0);
        let entries = records(&self.vmars[0]).expect("the window stays alive");
        let record = |entry: &crate::vmar::MapEntry| {
            let first = (entry.range.base().raw() - base) / PAGE;
            Record {
                pages: first..first + entry.range.pages().get(),
                depth: entry.depth,
                kind: self.kind(&entry.kind),
            }
        };
        entries.iter().map(record).collect()
    }

    fn kind(&self, kind: &MapEntryKind) -> Kind {
        match kind {
            MapEntryKind::Vmar => Kind::Region,
            MapEntryKind::Mapping {
                access,
                vmo,
                vmo_offset,
                memory,
            } => {
                let number = self.vmos.iter().position(|known| known.koid() == *vmo);
                Kind::Mapping {
                    vmo: number.expect("one of the VMOs"),
                    vmo_page: vmo_offset / PAGE as u64,
                    access: VmOptions::from_bits_retain(u32::from(access.bits())),
                    committed: memory.committed_bytes as usize / PAGE,
                }
            }
        }
    }

    /// Compares all contents, through the mappings on every processor and by call.
    fn compare_contents(&self) {
        for cpu in 0..CPUS {
            for (page, byte) in self.model.readable_pages() {
                let address = VirtAddr::new(self.model.address_of(page));
                assert_eq!(
                    self.world.load_on(cpu, &self.world.space, address),
                    Ok(byte),
                    "page {page}"
                );
            }
        }
        for (number, vmo) in self.vmos.iter().enumerate() {
            for (page, byte) in self.model.bytes_of(number).enumerate() {
                let mut read = [0];
                assert_eq!(vmo.read((page * PAGE) as u64, &mut read), Ok(()));
                assert_eq!(read, [byte], "page {page} of VMO {number}");
            }
        }
    }

    fn end(self) {
        drop((self.vmars, self.vmos));
        finish(self.world);
    }
}

/// Whether a step may take something away from a program.
const fn takes_away(step: &Step) -> bool {
    match step {
        Step::Unmap(_)
        | Step::Protect(_)
        | Step::Destroy(_)
        | Step::Resize { .. }
        | Step::SetStream { .. } => true,
        Step::Map(request) => request.options.contains(VmOptions::SPECIFIC_OVERWRITE),
        Step::Allocate(_) | Step::Operate(_) | Step::Touch(_) | Step::Write { .. } => false,
    }
}

fn children(handle: Handle) -> OpChildren {
    match handle.reach {
        Reach::Descendants => OpChildren::Allowed,
        Reach::Own => OpChildren::Forbidden,
    }
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
    let shape = Shape::of_seed(seed);
    let mut done = 0;
    let mut last = None;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut round = Round::new(seed, shape);
        let mut generator = Generator::new(seed, shape);
        while done < steps {
            let step = generator.step(&round.model);
            last = Some(step);
            round.step(&step, tally);
            done += 1;
        }
        round.compare_contents();
        round.end();
    }));
    if let Err(panic) = outcome {
        eprintln!("step {done} went wrong: {last:x?}");
        eprintln!("MODEL_SEED={seed} cargo test -p vm calls_behave repeats it");
        resume_unwind(panic);
    }
}

#[test]
fn calls_behave_like_a_flat_map() {
    let steps = variable("MODEL_STEPS").map_or(STEPS, |steps| steps as usize);
    let mut tally = Tally::new();
    if let Some(seed) = variable("MODEL_SEED") {
        return play(seed, steps.min(ROUND), &mut tally);
    }
    for round in 0..steps.div_ceil(ROUND) as u64 {
        play(SEED + round, ROUND, &mut tally);
    }
    // Random calls prove something only if they get somewhere.
    for (name, status) in EXPECTED {
        let times = tally.get(&(name, status)).copied().unwrap_or(0);
        assert!(
            times >= steps / 10_000,
            "{name} answered {status:?} {times} times"
        );
    }
}
