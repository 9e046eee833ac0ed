//! What the tests of VMOs, VMARs and faults share: an address space on a simulated machine.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::vec::Vec;

use syscall::{Koid, Name, Result, VmOptions, VmoOptions};

use crate::addr::{PAGE_SIZE, PageCount, PhysAddr, PhysRange, VirtAddr, VirtRange};
use crate::aspace::{AddressSpace, Aslr, AspaceConfig, Entropy};
use crate::mmu::{Access, Domain, Mmu, MmuCursor};
use crate::pages::{FrameCounts, OwnerKind, PageDatabase};
use crate::sim::{Machine, SimMmu};
use crate::vmar::{MapEntry, MapRequest, Maps, Vmar};
use crate::vmo::Vmo;

pub type Space = Arc<AddressSpace<SimMmu>>;
pub type Region = Arc<Vmar<SimMmu>>;
pub type Memory = Arc<Vmo<SimMmu>>;

pub const R: VmOptions = VmOptions::PERM_READ;
pub const RW: VmOptions = R.union(VmOptions::PERM_WRITE);
pub const RX: VmOptions = R.union(VmOptions::PERM_EXECUTE);
pub const SPECIFIC: VmOptions = VmOptions::SPECIFIC;
/// The capabilities of a region that can do everything.
pub const CAN_ALL: VmOptions = VmOptions::CAN_MAP_PERMISSIONS.union(VmOptions::CAN_MAP_SPECIFIC);

/// The base and the size of the root in a [`World`].
pub const ROOT_BASE: usize = 0x20_0000;
pub const ROOT_PAGES: usize = 1 << 20;

/// The processors of the machine.
pub const CPUS: usize = 4;

/// A simulated machine with one address space, whose end, [`finish`], checks that nothing has leaked.
pub struct World {
    pub machine: &'static Machine,
    pub pages: &'static PageDatabase,
    pub space: Space,
    pub root: Region,
    before: FrameCounts,
    others: Vec<Space>,
}

impl World {
    /// A machine with 8 MiB and an address space that places regions at random.
    pub fn new() -> Self {
        Self::with_aslr(Aslr::On(Entropy::new(random)))
    }

    pub fn with_aslr(aslr: Aslr) -> Self {
        Self::with_frames(aslr, 2048)
    }

    pub fn with_frames(aslr: Aslr, frames: usize) -> Self {
        let memory = PhysRange::new(PhysAddr::new(0x10_0000), PageCount::new(frames));
        let machine = Machine::new(CPUS, &[memory.expect("a valid range")]);
        let pages = machine.pages();
        let before = pages.counts();
        let space = space(machine, aslr, Domain::User);
        let root = space.root().expect("a new address space");
        Self {
            machine,
            pages,
            space,
            root,
            before,
            others: Vec::new(),
        }
    }

    /// One more address space on the same machine.
    pub fn another_space(&mut self, domain: Domain) -> Space {
        let other = space(self.machine, Aslr::Off, domain);
        self.others.push(other.clone());
        other
    }

    /// A VMO of `pages` pages.
    pub fn vmo(&self, pages: usize) -> Memory {
        self.vmo_with(pages, VmoOptions::empty())
    }

    pub fn resizable(&self, pages: usize) -> Memory {
        self.vmo_with(pages, VmoOptions::RESIZABLE)
    }

    pub fn vmo_with(&self, pages: usize, options: VmoOptions) -> Memory {
        Vmo::create(self.pages, new_koid(), (pages * PAGE_SIZE) as u64, options).expect("memory")
    }

    /// A VMO of which page `n` is filled with the byte `n + 1`.
    pub fn numbered_vmo(&self, pages: usize) -> Memory {
        let vmo = self.resizable(pages);
        for page in 0..pages {
            let bytes = [page as u8 + 1; PAGE_SIZE];
            vmo.write((page * PAGE_SIZE) as u64, &bytes)
                .expect("memory");
        }
        vmo
    }

    /// A sub-VMAR of the root with `pages` pages that can do everything.
    pub fn vmar(&self, pages: usize) -> Region {
        self.root
            .allocate(CAN_ALL, 0, pages * PAGE_SIZE)
            .expect("room")
    }

    pub fn load(&self, address: VirtAddr) -> Result<u8> {
        self.load_on(0, &self.space, address)
    }

    pub fn store(&self, address: VirtAddr, value: u8) -> Result<()> {
        self.store_on(0, &self.space, address, value)
    }

    pub fn fetch(&self, address: VirtAddr) -> Result<u8> {
        self.machine.run_on(0, || {
            self.space.mmu().activate();
            self.machine
                .fetch(address, |at, access| self.space.fault(at, access))
        })
    }

    pub fn load_on(&self, cpu: usize, space: &Space, address: VirtAddr) -> Result<u8> {
        self.machine.run_on(cpu, || {
            space.mmu().activate();
            let mut byte = [0];
            self.machine
                .load(address, &mut byte, |at, access| space.fault(at, access))?;
            Ok(byte[0])
        })
    }

    /// What every CPU finds at each of these places, CPU by CPU.
    pub fn load_everywhere(&self, places: &[(&Space, VirtAddr)]) -> Vec<Result<u8>> {
        let load = |cpu| {
            let places = places.iter();
            places.map(move |&(space, address)| self.load_on(cpu, space, address))
        };
        (0..CPUS).flat_map(load).collect()
    }

    pub fn store_on(&self, cpu: usize, space: &Space, address: VirtAddr, value: u8) -> Result<()> {
        self.machine.run_on(cpu, || {
            space.mmu().activate();
            self.machine
                .store(address, &[value], |at, access| space.fault(at, access))
        })
    }

    /// Whether the page at `address` is in the page table.
    pub fn is_entered(&self, address: VirtAddr) -> bool {
        let page = VirtRange::new(address, PageCount::new(1)).expect("a page");
        self.space.mmu().cursor(page).query().is_some()
    }

    /// Everything that a call that fails must leave alone.
    pub fn snapshot(&self) -> (Vec<MapEntry>, FrameCounts) {
        (
            records(&self.root).expect("the root is alive"),
            self.pages.counts(),
        )
    }

    /// Checks that `call` fails like this and changes nothing.
    #[track_caller]
    pub fn refuses<T>(&self, status: syscall::Status, call: impl FnOnce() -> Result<T>) {
        let before = self.snapshot();
        assert_eq!(call().err(), Some(status));
        assert_eq!(
            self.snapshot(),
            before,
            "a call that failed changed something"
        );
    }
}

/// Ends a world whose VMOs and regions the test has dropped, and checks that nothing is left of it.
#[track_caller]
pub fn finish(world: World) {
    let World {
        space,
        root,
        others,
        pages,
        before,
        ..
    } = world;
    let spaces = others.into_iter().chain([space]);
    let spaces: Vec<Weak<_>> = spaces
        .map(|space| {
            space.mmu().assert_nothing_is_stale();
            space.destroy();
            Arc::downgrade(&space)
        })
        .collect();
    drop(root);
    assert_accounts(pages);
    for space in spaces {
        assert_eq!(
            space.strong_count(),
            0,
            "an object of an address space has leaked"
        );
    }
    assert_eq!(pages.audit(), Ok(before), "frames have leaked");
}

/// Checks that what all VMOs account for together is what they have.
#[track_caller]
pub fn assert_accounts(pages: &PageDatabase) {
    let parts = pages.reclaimer().attributed_parts().expect("memory");
    let frames = pages.counts().owned_by(OwnerKind::Vmo).get();
    let bytes = (frames * PAGE_SIZE) as u128;
    assert_eq!(parts, bytes << 63, "VMOs do not account for their frames");
}

fn space(machine: &'static Machine, aslr: Aslr, domain: Domain) -> Space {
    let base = VirtAddr::new(ROOT_BASE);
    let range = VirtRange::new(base, PageCount::new(ROOT_PAGES)).expect("a valid range");
    let config = AspaceConfig {
        name: Name::new_lossy("test"),
        range,
        domain,
        aslr,
    };
    let mmu = machine
        .run_on(0, || SimMmu::create(machine.pages()))
        .expect("memory");
    AddressSpace::new(config, mmu, machine.pages()).expect("memory")
}

pub fn new_koid() -> Koid {
    static NEXT: AtomicU64 = AtomicU64::new(1024);
    Koid::from_raw(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Numbers that look random, the same in every run.
pub fn random() -> u64 {
    std::thread_local! {
        static STATE: Cell<u64> = const { Cell::new(0x9e37_79b9_7f4a_7c15) };
    }
    let mut state = STATE.get();
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    STATE.set(state);
    state
}

/// All records of a region.
pub fn records(vmar: &Region) -> Result<Vec<MapEntry>> {
    let mut maps = Maps::new(vmar.clone());
    let mut all = Vec::new();
    loop {
        let batch = maps.next_batch()?;
        if batch.is_empty() {
            return Ok(all);
        }
        all.extend(batch);
    }
}

/// The address of a page of a region.
pub fn page_of(vmar: &Region, page: usize) -> VirtAddr {
    vmar.range()
        .base()
        .checked_add(page * PAGE_SIZE)
        .expect("a page of the region")
}

/// A request for `pages` pages of `vmo`, from its beginning, that may do everything.
pub fn request(options: VmOptions, vmo: &Memory, pages: usize) -> MapRequest<SimMmu> {
    MapRequest {
        options,
        offset: 0,
        vmo: vmo.clone(),
        vmo_offset: 0,
        length: pages * PAGE_SIZE,
        permitted: Access::all(),
    }
}

/// A request for pages of `vmo` at exactly page `at` of a region.
pub fn request_at(at: usize, vmo: &Memory, vmo_page: usize, pages: usize) -> MapRequest<SimMmu> {
    MapRequest {
        offset: at * PAGE_SIZE,
        vmo_offset: (vmo_page * PAGE_SIZE) as u64,
        ..request(RW | SPECIFIC, vmo, pages)
    }
}

/// A range of physical addresses of a device.
pub fn device(pages: usize) -> PhysRange {
    PhysRange::new(PhysAddr::new(0xfe00_0000), PageCount::new(pages)).expect("a valid range")
}
