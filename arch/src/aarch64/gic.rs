//! The generic interrupt controller, versions 2 (Arm IHI 0048) and 3 (IHI 0069).
//!
//! All interrupts have one priority and one group: in version 2 group 0, because that is what a
//! controller without security extension delivers; in version 3 group 1.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arm_gic::gicv2::{self, GicV2};
use arm_gic::gicv3::{GicCpuInterface, GicV3, SgiTarget, SgiTargetGroup};
use arm_gic::{IntId, InterruptGroup, UniqueMmioPointer};
use arrayvec::ArrayVec;
use boot::{BootInfo, InterruptController};
use vm::addr::{PageCount, PhysAddr, PhysRange, VirtAddr};
use vm::cpu::{CpuId, MAX_CPUS};

use crate::irq_lock::IrqLock;

/// Version 2: the distributor has a page, the CPU interface two. (IHI 0048, 4.1)
const DISTRIBUTOR_V2_BYTES: usize = 0x1000;
const CPU_INTERFACE_BYTES: usize = 0x2000;

/// Version 3: the distributor has 64 KiB, a redistributor two (or in version 4 four) times that.
const DISTRIBUTOR_V3_BYTES: usize = 0x1_0000;
const REDISTRIBUTOR_BYTES: usize = 0x2_0000;

/// Interrupts of less priority (greater number) than this are held back; all of ours are at 0 or 0x80.
const PRIORITY_MASK: u8 = 0xff;

/// The greatest line of version 2 and its shared part in version 3.
const LINES: u32 = 1020;

static CONTROLLER: IrqLock<Option<Controller>> = IrqLock::new(None);

/// Whether interrupts are acknowledged and sent by system registers, so without the lock.
static IS_VERSION_3: AtomicBool = AtomicBool::new(false);

/// What the controller calls each CPU: in version 2 its bit in target lists, in version 3 its affinity.
static NAMES: [AtomicU64; MAX_CPUS] = [const { AtomicU64::new(0) }; MAX_CPUS];

enum Controller {
    V2(Version2),
    V3(Version3),
}

/// Version 2, and what its driver leaves to us.
struct Version2 {
    driver: GicV2<'static>,
    targets: Targets,
}

/// Version 3, and how many redistributors are mapped.
struct Version3 {
    driver: GicV3<'static>,
    count: usize,
}

/// `GICD_ITARGETSR` (IHI 0048, 4.3.12): a byte per line, the set of CPUs it goes to. Reads of the first
/// bytes yield the set of only the reader.
struct Targets(NonNull<u8>);

// SAFETY:
// 1. It stands for registers that may be used from every CPU, and is only used under `CONTROLLER`'s lock.
unsafe impl Send for Targets {}

impl Targets {
    const OFFSET: usize = 0x800;

    /// The bit of the CPU that asks.
    fn own_bit(&self) -> u8 {
        // SAFETY:
        // 1. `init` was given the distributor's registers, which have these bytes.
        unsafe { self.0.add(Self::OFFSET).read_volatile() }
    }

    fn set(&self, line: u32, cpus: u8) {
        let offset = Self::OFFSET + line as usize;
        // SAFETY:
        // 1. As above; `line` is below `LINES`, which `enable` checks.
        unsafe { self.0.add(offset).write_volatile(cpus) }
    }
}

/// The registers that `init` needs, in the order of its addresses.
pub(super) fn windows(info: &BootInfo) -> ArrayVec<PhysRange, 2> {
    let window = |base: PhysAddr, bytes: usize| PhysRange::new(base, PageCount::covering(bytes));
    let pair = match info.interrupt_controller {
        InterruptController::GicV2 { distributor, cpu } => [
            window(distributor, DISTRIBUTOR_V2_BYTES),
            window(cpu, CPU_INTERFACE_BYTES),
        ],
        InterruptController::GicV3 {
            distributor,
            redistributors,
            redistributors_bytes,
        } => [
            window(distributor, DISTRIBUTOR_V3_BYTES),
            window(
                redistributors,
                used_redistributors(info, redistributors_bytes),
            ),
        ],
        InterruptController::Apic(_) => [None, None],
    };
    pair.into_iter().flatten().collect()
}

/// As many of the redistributors' bytes as the CPUs that are known can have.
fn used_redistributors(info: &BootInfo, bytes: usize) -> usize {
    bytes.min(info.cpus.len() * 2 * REDISTRIBUTOR_BYTES)
}

/// Sets up the controller whose registers are mapped at `addresses`.
pub(super) fn init(info: &BootInfo, addresses: &[VirtAddr]) {
    let &[first, second] = addresses else { return };
    let pointer = |address: VirtAddr| {
        NonNull::new(core::ptr::with_exposed_provenance_mut::<u8>(address.raw()))
    };
    let (Some(first), Some(second)) = (pointer(first), pointer(second)) else {
        return;
    };
    let controller = match info.interrupt_controller {
        InterruptController::GicV2 { .. } => Some(Controller::V2(Version2::new(first, second))),
        InterruptController::GicV3 {
            redistributors_bytes,
            ..
        } => {
            let count = used_redistributors(info, redistributors_bytes) / REDISTRIBUTOR_BYTES;
            Version3::new(info, first, second, count).map(Controller::V3)
        }
        InterruptController::Apic(_) => None,
    };
    let is_version_3 = matches!(controller, Some(Controller::V3(_)));
    IS_VERSION_3.store(is_version_3, Ordering::Relaxed);
    *CONTROLLER.lock() = controller;
}

/// Lets `cpu`, which is the current one, be interrupted.
pub(super) fn init_cpu(cpu: CpuId) {
    match CONTROLLER.lock().as_mut() {
        Some(Controller::V2(controller)) => controller.init_cpu(cpu),
        Some(Controller::V3(controller)) => controller.init_cpu(cpu),
        None => {}
    }
}

/// Lets `line` through, to `cpu` if it is a private one. Lines that do not exist are ignored.
pub(super) fn enable(line: u32, cpu: CpuId) {
    let Ok(id) = IntId::try_from(line) else {
        return;
    };
    if line >= LINES {
        return;
    }
    match CONTROLLER.lock().as_mut() {
        Some(Controller::V2(controller)) => controller.enable(id),
        Some(Controller::V3(controller)) => controller.enable(id, cpu),
        None => {}
    }
}

/// Interrupts `target` with software-generated interrupt `line`.
pub(super) fn send(line: u32, target: CpuId) {
    let id = IntId::sgi(line);
    if IS_VERSION_3.load(Ordering::Relaxed) {
        // It fails only for numbers that are not software generated.
        let _ = GicCpuInterface::send_sgi(id, by_affinity(target), SgiTargetGroup::CurrentGroup1);
    } else if let Some(Controller::V2(controller)) = CONTROLLER.lock().as_mut() {
        let target = gicv2::SgiTarget::List {
            target_list_filter: gicv2::SgiTargetListFilter::CPUTargetList,
            target_list: name(target) as u16,
        };
        controller.driver.send_sgi(id, target);
    }
}

fn by_affinity(target: CpuId) -> SgiTarget {
    let [affinity0, affinity1, affinity2, _, affinity3, ..] = name(target).to_le_bytes();
    SgiTarget::List {
        affinity3,
        affinity2,
        affinity1,
        target_list: 1 << (affinity0 & 0xf),
    }
}

fn name(cpu: CpuId) -> u64 {
    NAMES[cpu.index()].load(Ordering::Relaxed)
}

impl Version2 {
    fn new(distributor: NonNull<u8>, cpu_interface: NonNull<u8>) -> Self {
        // SAFETY:
        // 1. The addresses are those of `windows`, mapped as device memory for good, by the contract of
        //    `irq::init`.
        // 2. Apart from `Targets`, which touches bytes that the driver does not, nobody else has them.
        let mut driver =
            unsafe { GicV2::new(distributor.as_ptr().cast(), cpu_interface.as_ptr().cast()) };
        driver.setup();
        Self {
            driver,
            targets: Targets(distributor),
        }
    }

    fn init_cpu(&mut self, cpu: CpuId) {
        NAMES[cpu.index()].store(u64::from(self.targets.own_bit()), Ordering::Relaxed);
        // The CPU interface is banked: this switches on the one of the current CPU.
        self.driver.setup();
        self.driver.set_priority_mask(PRIORITY_MASK);
    }

    fn enable(&mut self, id: IntId) {
        if id.is_spi() {
            self.targets.set(id.raw_value(), name(CpuId::BOOT) as u8);
        }
        // An interrupt that is not there stays off, which is as good as one that never comes.
        let _ = self.driver.enable_interrupt(id, true);
    }
}

impl Version3 {
    fn new(
        info: &BootInfo,
        distributor: NonNull<u8>,
        redistributors: NonNull<u8>,
        count: usize,
    ) -> Option<Self> {
        // SAFETY:
        // 1. The address is that of the first of `windows`, mapped as device memory for good, by the
        //    contract of `irq::init`; nobody else has it.
        let distributor = unsafe { UniqueMmioPointer::new(distributor.cast()) };
        let count = count.min(info.cpus.len());
        // SAFETY:
        // 1. The same for the second, which has room for `count` redistributors.
        let mut driver = unsafe { GicV3::new(distributor, redistributors.cast(), count) }.ok()?;
        driver.setup(0);
        for (name, cpu) in NAMES.iter().zip(&info.cpus) {
            name.store(cpu.hardware_id, Ordering::Relaxed);
        }
        Some(Self { driver, count })
    }

    /// The index of a CPU's redistributor.
    fn redistributor(&mut self, cpu: CpuId) -> usize {
        let found = (0..self.count).find(|&index| {
            let typer = self.driver.gicr_typer(index);
            typer.is_ok_and(|typer| typer.core_mpidr() == name(cpu))
        });
        found.unwrap_or(cpu.index())
    }

    fn init_cpu(&mut self, cpu: CpuId) {
        let index = self.redistributor(cpu);
        self.driver.init_cpu(index);
        GicCpuInterface::set_priority_mask(PRIORITY_MASK);
        GicCpuInterface::enable_group1(true);
    }

    fn enable(&mut self, id: IntId, cpu: CpuId) {
        // An interrupt that is not there stays off, which is as good as one that never comes.
        if id.is_spi() {
            let boot_cpu = Some(name(CpuId::BOOT));
            let _ = self.driver.distributor().set_routing(id, boot_cpu);
        }
        let index = self.redistributor(cpu);
        let _ = self.driver.enable_interrupt(id, Some(index), true);
    }
}

/// An interrupt that this CPU has begun to handle. Dropping it says that the CPU is done.
pub(super) struct Acknowledged(IntId);

impl Acknowledged {
    /// The next interrupt, if there still is one.
    pub(super) fn next() -> Option<Self> {
        if IS_VERSION_3.load(Ordering::Relaxed) {
            let id = GicCpuInterface::get_and_acknowledge_interrupt(InterruptGroup::Group1)?;
            return is_ordinary(id).then_some(Self(id));
        }
        let mut controller = CONTROLLER.lock();
        let Some(Controller::V2(controller)) = controller.as_mut() else {
            return None;
        };
        let id = controller
            .driver
            .get_and_acknowledge_interrupt(InterruptGroup::Group0)?;
        is_ordinary(id).then_some(Self(id))
    }

    /// Its number. (Version 2 reports with a software-generated one which CPU sent it.)
    pub(super) fn line(&self) -> u32 {
        line_of(self.0)
    }
}

/// Whether it is an interrupt, and not one of the numbers that say that there is none.
fn is_ordinary(id: IntId) -> bool {
    line_of(id) < LINES
}

fn line_of(id: IntId) -> u32 {
    id.raw_value() & 0x3ff
}

impl Drop for Acknowledged {
    fn drop(&mut self) {
        if IS_VERSION_3.load(Ordering::Relaxed) {
            GicCpuInterface::end_interrupt(self.0, InterruptGroup::Group1);
        } else if let Some(Controller::V2(controller)) = CONTROLLER.lock().as_mut() {
            controller
                .driver
                .end_interrupt(self.0, InterruptGroup::Group0);
        }
    }
}
